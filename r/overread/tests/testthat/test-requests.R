body_of <- function(...) request_bodies(data.frame(..., check.names = FALSE), list())

test_that("numbers keep their value, absent ones are null, times are UTC", {
  expect_identical(body_of(a = c(0.1, 1 / 3, 9600, 1e22)), c(
    '{"input":{"a":0.1}}', '{"input":{"a":0.3333333333333333}}', '{"input":{"a":9600}}',
    '{"input":{"a":1e+22}}'
  ))
  expect_identical(body_of(a = NA, b = factor("x")), '{"input":{"a":null,"b":"x"}}')
  expect_identical(body_of(a = c(2L, NA)), c('{"input":{"a":2}}', '{"input":{"a":null}}'))
  at <- as.POSIXct("2026-11-22 22:07:44.120", tz = "Europe/Berlin")
  expect_identical(body_of(at = at, day = as.Date("2026-01-02"), ok = TRUE),
                   '{"input":{"at":"2026-11-22T21:07:44.120Z","day":"2026-01-02","ok":true}}')
})

test_that("every double comes back as it was", {
  set.seed(7)
  values <- c(stats::rnorm(500) * 10^stats::runif(500, -12, 12), 0, -0.3, .Machine$double.xmin)
  expect_identical(as.numeric(json_numbers(values, "x")), values)
})

test_that("quotes and foreign letters are written as JSON", {
  expect_identical(body_of(t = "a\"b\\\n\u00e4"), "{\"input\":{\"t\":\"a\\\"b\\\\\\n\u00e4\"}}")
})

test_that("infinite numbers and nested columns are refused by name and row", {
  expect_error(body_of(amount = c(1, Inf)), "column 'amount' must be finite, row 2 is Inf")
  nested <- data.frame(a = 1)
  nested$deep <- list(1:3)
  expect_error(request_bodies(nested, list()), "column 'deep' must hold .* got list")
})

test_that("members stand beside the input, absent ones do not", {
  members <- list(reference = c("r1", NA), priority = "low", deadline = NULL)
  made <- request_bodies(data.frame(a = 1:2), members)
  expect_identical(made, c('{"input":{"a":1},"reference":"r1","priority":"low"}',
                           '{"input":{"a":2},"priority":"low"}'))
})

test_that("keys know neither the order of rows nor of columns", {
  df <- data.frame(b = c("x", "y"), a = 1:2)
  keys <- row_keys(request_bodies(df, list()), "u")
  expect_identical(row_keys(request_bodies(df[2:1, 2:1], list()), "u"), rev(keys))
  expect_match(keys, "^r-[0-9a-f]{40}$")
  # Fixed for ever: a change would ask for every decision anew.
  expect_identical(row_keys('{"input":{"a":1}}', "u"), "r-662cdb5808e60757f664b317ed99080fb96b48b0")
})

test_that("equal rows are cases of their own, another batch or value asks anew", {
  twice <- row_keys(c("{}", "{}", "{}"), "u")
  expect_identical(twice, paste0(twice[1], c("", "-2", "-3")))
  expect_length(unique(c(row_keys("{}", "u"), row_keys("{}", "v"), row_keys("{}", "u", batch = "b"))), 3)
})
