#' The decision API of a deployment
#'
#' @param url The API's stage address: the stack output `ApiUrl`. By default `OVERREAD_API_URL`.
#' @param region The region to sign for: by default the one in `url`, else `AWS_REGION` or
#'   `AWS_DEFAULT_REGION`.
#' @param credentials Function that gives the credentials (see [aws_credentials()]).
#' @param token Function that gives a bearer token, or NULL; then requests carry it in place of a signature,
#'   where the deployment takes OIDC clients.
#' @param attempts How often a call is sent that is throttled, unavailable or unanswered. Every call may be
#'   sent twice without harm.
#' @param timeout_s Seconds that one call may take.
#' @param sleep Function that waits a number of seconds; tests give their own.
#' @return An object to give to [decide()], [await_decisions()] and [tell_outcomes()].
#' @export
#' @examples
#' decision_api("https://abc.execute-api.eu-west-1.amazonaws.com/live")$region
decision_api <- function(url = Sys.getenv("OVERREAD_API_URL"), region = NULL, credentials = aws_credentials,
                         token = NULL, attempts = 4, timeout_s = 35, sleep = Sys.sleep) {
  if (!grepl("^https?://[^/]+", url)) {
    stop(sprintf("url must be the http(s) address of a decision API, got '%s'", url), call. = FALSE)
  }
  if (is.null(token)) {
    in_host <- regmatches(url, regexec("\\.execute-api\\.([a-z0-9-]+)\\.", url))[[1]]
    named <- c(region, in_host[-1], Sys.getenv(c("AWS_REGION", "AWS_DEFAULT_REGION")))
    region <- named[nzchar(named)][1]
    if (is.na(region)) {
      stop(sprintf("region must be given: neither '%s' nor AWS_REGION names one", url), call. = FALSE)
    }
  }
  structure(
    list(
      url = sub("/+$", "", url), region = region, credentials = credentials, token = token,
      attempts = attempts, timeout_s = timeout_s, sleep = sleep, fetch = fetch_over_http
    ),
    class = "overread_api"
  )
}

#' @export
print.overread_api <- function(x, ...) {
  how <- if (is.null(x$token)) paste("signed for", x$region) else "with a bearer token"
  cat(sprintf("<decision API %s, %s>\n", x$url, how))
  invisible(x)
}

worth_repeating <- c(429, 500, 502, 503, 504)
never_worth_repeating <- c("internal-error", "kill-switch-on", "prediction-failed")
longest_pause_s <- 30

# The document that answers a call; a right one has the member `decision_id`.
call_api <- function(api, method, path, body = NULL, headers = character()) {
  if (!is.null(body)) {
    headers <- c("Content-Type" = "application/json", headers)
  }
  attempt <- 1
  repeat {
    outcome <- tryCatch(
      send_once(api, method, path, body = body, headers = headers),
      overread_api_error = identity, overread_unreachable = identity
    )
    if (!inherits(outcome, "overread_error")) {
      return(outcome)
    }
    if (attempt >= api$attempts || !is_worth_repeating(outcome)) {
      stop(outcome)
    }
    doubling <- 0.5 * 2^(attempt - 1) * stats::runif(1, 0.5, 1)
    asked_for <- if (is.null(outcome$retry_after_s)) 0 else outcome$retry_after_s
    api$sleep(min(longest_pause_s, max(doubling, asked_for)))
    attempt <- attempt + 1
  }
}

is_worth_repeating <- function(fault) {
  if (inherits(fault, "overread_unreachable")) {
    return(isTRUE(fault$may_answer_later))
  }
  fault$status %in% worth_repeating && !fault$slug %in% never_worth_repeating
}

send_once <- function(api, method, path, body, headers) {
  url <- paste0(api$url, path)
  if (is.null(api$token)) {
    headers <- sign_request(
      method, url, headers = headers, body = if (is.null(body)) "" else body,
      credentials = api$credentials(), region = api$region
    )
  } else {
    headers <- c(headers, Authorization = paste("Bearer", api$token()))
  }
  reply <- api$fetch(method, url, headers = headers, body = body, timeout_s = api$timeout_s)
  document <- parsed_object(reply$text)
  if (!reply$status %in% c(200, 202) || is.null(document$decision_id)) {
    told <- reply$headers[["retry-after"]]
    retry_after_s <- if (is.null(told) || !grepl("^[0-9]+$", told)) NULL else as.numeric(told)
    stop_refused(reply$status, document, reply$text, retry_after_s)
  }
  document
}

# One exchange over HTTP: status, headers by lower-case name, text.
fetch_over_http <- function(method, url, headers, body, timeout_s) {
  handle <- curl::new_handle(customrequest = method, timeout_ms = as.integer(1000 * timeout_s))
  if (!is.null(body)) {
    curl::handle_setopt(handle, post = TRUE, postfields = charToRaw(enc2utf8(body)))
    # Empty: no question in advance, which not every gateway answers.
    headers <- c(headers, Expect = "")
  }
  curl::handle_setheaders(handle, .list = as.list(headers))
  reply <- tryCatch(curl::curl_fetch_memory(url, handle), error = function(fault) {
    stop_overread(
      "overread_unreachable", sprintf("%s does not answer: %s", url, conditionMessage(fault)),
      may_answer_later = TRUE
    )
  })
  text <- rawToChar(reply$content)
  Encoding(text) <- "UTF-8"
  list(status = reply$status_code, headers = curl::parse_headers_list(reply$headers), text = text)
}

# The members of a JSON object, or an empty list for anything else.
parsed_object <- function(text) {
  document <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(fault) NULL)
  if (is.list(document) && !is.null(names(document))) document else list()
}
