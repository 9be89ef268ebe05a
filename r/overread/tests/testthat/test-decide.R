loans <- data.frame(loan_id = c("l1", "l2"), amount = c(1000, 15000))

test_that("rows come back in order with what became of them", {
  api <- fake_api(function(request, number) {
    if (grepl("15000", request$body)) answer(202, pending("d-2")) else answer(200, final("d-1"))
  })
  decided <- decide(loans, "loan-approval", api, reference = "loan_id")
  expect_identical(decided$loan_id, loans$loan_id)
  expect_identical(decided$state, c("FINAL", "PENDING"))
  expect_identical(decided$route, c("model", "human"))
  expect_identical(decided$reasons, c("", "rule,spot_check"))
  expect_identical(decided$outcome, c("approve", NA))
  expect_identical(decided$source, c("model", NA))
  sent <- api$seen$requests[[2]]
  expect_identical(sent$body, '{"input":{"amount":15000},"reference":"l2"}')
  expect_identical(sent$headers[["Idempotency-Key"]], decided$idempotency_key[2])
  expect_match(sent$headers[["Authorization"]], "AWS4-HMAC-SHA256 Credential=AKID/.*/eu-west-1/execute-api/")
})

test_that("waiting ends with people's answers and who gave them", {
  human <- final("d-2", "decline", "human")
  human$review <- list(generation = 1, reviews = 2, seconds = 41.2)
  api <- fake_api(function(request, number) {
    if (request$method == "POST") return(answer(202, pending("d-2")))
    answer(200, if (number < 4) pending("d-2") else human)
  })
  df <- data.frame(amount = 15000)
  decided <- decide(df, "loan-approval", api, wait_s = 60)
  expect_identical(decided[c("outcome", "source", "reviewers", "review_seconds")],
                   data.frame(outcome = "decline", source = "human", reviewers = 2L, review_seconds = 41.2))
  expect_length(api$seen$pauses, 2)
  expect_true(all(diff(api$seen$pauses) > -0.5 & api$seen$pauses <= 0.75))
})

test_that("what is undecided at the end is said, or an error that keeps it", {
  api <- fake_api(function(request, number) answer(202, pending()))
  expect_message(decided <- decide(loans, "loan-approval", api, wait_s = 1e-6), "2 of 2 decisions are with")
  fault <- tryCatch(await_decisions(decided, api, wait_s = 0), overread_undecided = identity)
  expect_identical(fault$decisions$state, c("PENDING", "PENDING"))
})

test_that("a throttled call is sent again with its key when the API says", {
  api <- fake_api(function(request, number) {
    if (number < 3) problem(429, "too-many-requests", list("retry-after" = "7")) else answer(200, final())
  })
  decided <- decide(loans[1, ], "loan-approval", api)
  expect_identical(decided$state, "FINAL")
  expect_identical(api$seen$pauses, c(7, 7))
  keys <- vapply(api$seen$requests, function(one) one$headers[["Idempotency-Key"]], "")
  expect_length(unique(keys), 1)
})

test_that("an unanswered call is sent again, in the end the error is of its own class", {
  api <- fake_api(function(request, number) {
    stop_overread("overread_unreachable", "nobody", may_answer_later = TRUE)
  })
  expect_error(decide(loans[1, ], "loan-approval", api), class = "overread_unreachable")
  expect_length(api$seen$requests, 4)
})

test_that("a refused row stays, with its problem, and does not stop the others", {
  api <- fake_api(function(request, number) {
    if (number == 1) problem(422, "idempotency-key-reused", detail = "other body") else answer(200, final())
  })
  expect_warning(decided <- decide(loans, "loan-approval", api), "1 of 2 rows .*: idempotency-key-reused")
  expect_identical(decided$problem, c("idempotency-key-reused", NA))
  expect_identical(decided$problem_detail, c("other body", NA))
  expect_identical(decided$state, c(NA, "FINAL"))
  expect_length(api$seen$requests, 2)
})

test_that("what is wrong for all rows stops at the first, with its document", {
  api <- fake_api(function(request, number) problem(404, "unknown-use-case"))
  fault <- tryCatch(decide(loans, "nothing", api), overread_api_error = identity)
  expect_identical(fault[c("status", "slug", "detail")],
                   list(status = 404, slug = "unknown-use-case", detail = "so it is"))
  expect_length(api$seen$requests, 1)
})

test_that("a fault of the deployment is not repeated", {
  api <- fake_api(function(request, number) problem(500, "internal-error"))
  expect_error(decide(loans, "loan-approval", api), class = "overread_api_error")
  expect_length(api$seen$requests, 1)
})

test_that("something else that answers is no decision", {
  api <- fake_api(function(request, number) list(status = 200, headers = list(), text = "<html>hello</html>"))
  expect_warning(decided <- decide(loans[1, ], "loan-approval", api), "status 200")
  expect_match(decided$problem_detail, "<html>hello")
})

test_that("a caller's prediction goes along and is no input", {
  api <- fake_api(function(request, number) answer(200, final()))
  df <- data.frame(amount = 5, said = "approve", p = 0.25)
  decide(df, "loan-approval", api, prediction = c(label = "said", confidence = "p"))
  expect_identical(api$seen$requests[[1]]$body,
                   '{"input":{"amount":5},"prediction":{"confidence":0.25,"label":"approve"}}')
})

test_that("all faults of the columns are told at once and nothing is sent", {
  api <- fake_api(function(request, number) answer(200, final()))
  df <- data.frame(state = 1, k = c("a", "a"))
  expect_error(decide(df, "u", api, key = "k", reference = "nope"),
               "no column nope; .*must not have the column state.*column k must have one key")
  expect_length(api$seen$requests, 0)
})

test_that("no rows are no requests", {
  api <- fake_api(function(request, number) stop("asked"))
  expect_identical(nrow(decide(loans[0, ], "loan-approval", api)), 0L)
})

test_that("truths are told of final rows only", {
  api <- fake_api(function(request, number) answer(200, final()))
  decided <- data.frame(decision_id = c("d-1", "d-2", "d-3"), state = c("FINAL", "PENDING", "FINAL"))
  at <- as.POSIXct(0, origin = "1970-01-01")
  told <- tell_outcomes(decided, c("decline", "approve", NA), api, learnt_at = at)
  expect_identical(told, 1L)
  expect_identical(api$seen$requests[[1]]$body, '{"label":"decline","learnt_at":"1970-01-01T00:00:00.000Z"}')
  expect_match(api$seen$requests[[1]]$url, "/live/v1/decisions/d-1/outcome$")
})

test_that("an OIDC client's token goes in place of a signature", {
  api <- fake_api(function(request, number) answer(200, final()), token = function() "secret")
  decide(loans[1, ], "loan-approval", api)
  headers <- api$seen$requests[[1]]$headers
  expect_identical(headers[["Authorization"]], "Bearer secret")
  expect_false("X-Amz-Date" %in% names(headers))
})
