# An API that answers as `reply(method, url, headers, body)` says; `seen` keeps the requests.
fake_api <- function(reply, ...) {
  seen <- new.env()
  seen$requests <- list()
  seen$pauses <- numeric()
  api <- decision_api(
    "https://abc.execute-api.eu-west-1.amazonaws.com/live/",
    credentials = function() list(key_id = "AKID", secret = "s", token = ""),
    sleep = function(seconds) seen$pauses <- c(seen$pauses, seconds), ...
  )
  api$fetch <- function(method, url, headers, body, timeout_s) {
    request <- list(method = method, url = url, headers = headers, body = body)
    seen$requests <- c(seen$requests, list(request))
    reply(request, length(seen$requests))
  }
  api$seen <- seen
  api
}

answer <- function(status, document, headers = list()) {
  list(status = status, headers = headers,
       text = as.character(jsonlite::toJSON(document, auto_unbox = TRUE, null = "null")))
}

problem <- function(status, slug, headers = list(), detail = "so it is") {
  type <- paste0("urn:overread:problem:", slug)
  answer(status, list(type = type, title = "No", status = status, detail = detail), headers)
}

final <- function(id = "d-1", label = "approve", source = "model") {
  list(decision_id = id, use_case = "loan-approval", state = "FINAL",
       outcome = list(label = label, source = source, decided_at = "2026-11-22T21:07:44.120Z"),
       prediction = list(label = "approve", confidence = 0.93),
       route = list(to = if (source == "model") "model" else "human", reasons = list()))
}

pending <- function(id = "d-1") {
  list(decision_id = id, use_case = "loan-approval", state = "PENDING",
       route = list(to = "human", reasons = list(list(code = "rule"), list(code = "spot_check"))))
}
