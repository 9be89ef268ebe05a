finals <- c("FINAL", "CANCELLED")

#' Ask for a decision on every row
#'
#' Sends one request a row, then waits, if it shall, until people have decided the rest. Throttled,
#' unavailable and unanswered calls are sent again with the same key and wait as `Retry-After` says. A refusal
#' of one row does not stop the others: it is in the columns `problem` and `problem_detail`, and a warning
#' counts them. What is wrong for every row (no such use case, no right to ask) stops with
#' `overread_api_error`.
#'
#' @param df Data frame: one case a row.
#' @param use_case Name of the use case.
#' @param api From [decision_api()].
#' @param input Names of the columns that are decided on; by default all but those named by `key`,
#'   `reference` and `prediction`.
#' @param key Name of the column with your own idempotency keys; by default they are made by [row_keys()].
#' @param batch See [row_keys()].
#' @param reference Name of the column with your name for the case.
#' @param priority `low`, `normal` or `high`, for all rows.
#' @param deadline Time after which a case goes to the second team.
#' @param prediction For use cases whose caller brings the prediction: names of the columns `label`,
#'   `confidence`, `model` and `version`, as `c(label = "predicted", confidence = "p", …)`.
#' @param wait_s Seconds to wait for people; 0 returns what stands at once.
#' @param poll_s Seconds between two looks at first; they grow to `longest_poll_s`.
#' @param longest_poll_s The longest pause between two looks.
#' @param progress Whether to show progress.
#' @return `df` with the columns
#' \describe{
#'   \item{`decision_id`, `state`}{the decision, and where it stands: `FINAL`, or `PENDING`, `IN_REVIEW`,
#'     `ESCALATED`, `CANCELLED`; NA for a refused row}
#'   \item{`route`, `reasons`}{`model` or `human`, and the codes of the reasons, with commas}
#'   \item{`outcome`, `source`, `reason_code`, `decided_at`}{the label, who decided (`model`,
#'     `human`), why, when}
#'   \item{`reviewers`, `review_seconds`}{how many people's answers stand behind it, and their active time.
#'     The API names nobody; pseudonyms are in the masked export}
#'   \item{`predicted`, `confidence`}{the model's own answer, as far as the use case shows it}
#'   \item{`idempotency_key`}{what the request was sent with}
#'   \item{`problem`, `problem_detail`}{why the row was refused (docs/problems.md), else NA}
#' }
#' Columns of `df` with such a name are an error.
#' @export
#' @examples
#' \dontrun{
#' api <- decision_api()
#' loans <- decide(applications, "loan-approval", api, reference = "loan_id", wait_s = 3600)
#' table(loans$route, loans$outcome)
#' }
decide <- function(df, use_case, api = decision_api(), input = NULL, key = NULL, batch = "", reference = NULL,
                   priority = NULL, deadline = NULL, prediction = NULL, wait_s = 0, poll_s = 0.5,
                   longest_poll_s = 30, progress = interactive()) {
  check_columns(df, input = input, key = key, reference = reference, prediction = prediction)
  if (is.null(input)) {
    input <- setdiff(names(df), c(key, reference, prediction))
  }
  bodies <- request_bodies(df[input], list(
    reference = if (!is.null(reference)) as.character(df[[reference]]),
    priority = priority,
    deadline = deadline
  ))
  if (!is.null(prediction)) {
    brought <- stats::setNames(df[prediction], names(prediction))
    for (name in setdiff(names(brought), "confidence")) {
      brought[[name]] <- as.character(brought[[name]])
    }
    bodies <- paste0(sub("}$", "", bodies), ',"prediction":', json_rows(brought), "}")
  }
  keys <- if (is.null(key)) row_keys(bodies, use_case, batch = batch) else as.character(df[[key]])
  path <- sprintf("/v1/use-cases/%s/decisions", percent_encoded(use_case))
  answers <- data.frame()[seq_along(bodies), , drop = FALSE]
  answers <- cbind(answers, decision_rows(rep(list(list()), length(bodies))))
  show <- progress_bar(length(bodies), progress, "asked")
  for (row in seq_along(bodies)) {
    document <- tryCatch(
      call_api(api, "POST", path, body = bodies[row], headers = c("Idempotency-Key" = keys[row])),
      overread_api_error = identity
    )
    if (inherits(document, "overread_api_error")) {
      if (concerns_all_rows(document)) {
        stop(document)
      }
      answers$problem[row] <- if (nzchar(document$slug)) document$slug else paste("status", document$status)
      answers$problem_detail[row] <- document$detail
    } else {
      answers[row, decision_columns] <- decision_rows(list(document))[decision_columns]
    }
    show(row)
  }
  answers$idempotency_key <- keys
  warn_of_problems(answers)
  rownames(answers) <- NULL
  decided <- cbind(df, answers)
  if (wait_s > 0 && any(is_open(decided))) {
    decided <- await_decisions(
      decided, api, wait_s = wait_s, poll_s = poll_s, longest_poll_s = longest_poll_s, strict = FALSE,
      progress = progress
    )
  }
  decided
}

#' Wait until people have decided
#'
#' @param decided What [decide()] gave.
#' @param api From [decision_api()].
#' @param wait_s Seconds to wait at most; 0 looks once.
#' @param poll_s,longest_poll_s Seconds between two looks, at first and at most.
#' @param strict Whether undecided rows at the end are an error of class `overread_undecided`, whose
#'   `decisions` is the data frame, rather than a message.
#' @param progress Whether to show progress.
#' @return `decided` as it stands now.
#' @export
await_decisions <- function(decided, api = decision_api(), wait_s = 3600, poll_s = 0.5, longest_poll_s = 30,
                            strict = TRUE, progress = interactive()) {
  give_up_at <- Sys.time() + wait_s
  pause_s <- poll_s
  show <- progress_bar(nrow(decided), progress, "final")
  repeat {
    for (row in which(is_open(decided))) {
      document <- call_api(api, "GET", paste0("/v1/decisions/", percent_encoded(decided$decision_id[row])))
      decided[row, decision_columns] <- decision_rows(list(document))[decision_columns]
    }
    open <- sum(is_open(decided))
    show(nrow(decided) - open)
    left_s <- as.numeric(difftime(give_up_at, Sys.time(), units = "secs"))
    if (open == 0 || left_s <= 0) {
      break
    }
    api$sleep(min(left_s, pause_s * stats::runif(1, 0.5, 1)))
    pause_s <- min(longest_poll_s, pause_s * 1.5)
  }
  if (open > 0) {
    told <- sprintf("%d of %d decisions are with people still; ask again with await_decisions()",
                    open, nrow(decided))
    if (strict) stop_overread("overread_undecided", told, decisions = decided)
    message(told)
  }
  decided
}

#' Tell what turned out to be right
#'
#' @param decided What [decide()] gave; only `FINAL` rows are told of.
#' @param truth The right labels, one a row; NA where it is not known.
#' @param api From [decision_api()].
#' @param learnt_at When it was learnt.
#' @return How many were told.
#' @export
tell_outcomes <- function(decided, truth, api = decision_api(), learnt_at = Sys.time()) {
  if (length(truth) != nrow(decided)) {
    stop(sprintf("truth must have one label a row, got %d for %d rows", length(truth), nrow(decided)),
         call. = FALSE)
  }
  rows <- which(decided$state %in% "FINAL" & !is.na(truth))
  for (row in rows) {
    body <- sprintf('{"label":%s,"learnt_at":%s}', json_text(as.character(truth[row])),
                    json_fragments(as.POSIXct(learnt_at), "learnt_at"))
    path <- sprintf("/v1/decisions/%s/outcome", percent_encoded(decided$decision_id[row]))
    call_api(api, "POST", path, body)
  }
  length(rows)
}

decision_columns <- c(
  "decision_id", "state", "route", "reasons", "outcome", "source", "reason_code", "decided_at", "reviewers",
  "review_seconds", "predicted", "confidence"
)
added_columns <- c(decision_columns, "idempotency_key", "problem", "problem_detail")

# A row for each decision document; NA where it says nothing.
decision_rows <- function(documents) {
  text <- function(...) pluck(documents, c(...), NA_character_)
  number <- function(...) pluck(documents, c(...), NA_real_)
  data.frame(
    decision_id = text("decision_id"),
    state = text("state"),
    route = text("route", "to"),
    reasons = vapply(documents, reason_codes, ""),
    outcome = text("outcome", "label"),
    source = text("outcome", "source"),
    reason_code = text("outcome", "reason_code"),
    decided_at = text("outcome", "decided_at"),
    reviewers = as.integer(number("review", "reviews")),
    review_seconds = number("review", "seconds"),
    predicted = text("prediction", "label"),
    confidence = number("prediction", "confidence"),
    problem = rep(NA_character_, length(documents)),
    problem_detail = rep(NA_character_, length(documents))
  )
}

pluck <- function(documents, path, otherwise) {
  vapply(documents, function(document) {
    for (name in path) {
      document <- if (is.list(document)) document[[name]]
    }
    if (is.null(document)) otherwise else as_like(document, otherwise)
  }, otherwise, USE.NAMES = FALSE)
}

as_like <- function(value, like) if (is.character(like)) as.character(value) else as.numeric(value)

reason_codes <- function(document) {
  if (is.null(document$route)) {
    return(NA_character_)
  }
  paste(vapply(document$route$reasons, function(reason) reason$code, ""), collapse = ",")
}

is_open <- function(decided) !is.na(decided$state) & !decided$state %in% finals

# A wrong path, a missing right and a fault of the deployment are the same for every row.
concerns_all_rows <- function(refused) {
  refused$status %in% c(401, 403, 404) || refused$slug == "internal-error"
}

warn_of_problems <- function(answers) {
  refused <- answers$problem[!is.na(answers$problem)]
  if (length(refused) > 0) {
    counted <- table(refused)
    warning(sprintf("%d of %d rows were refused: %s", length(refused), nrow(answers),
                    paste(sprintf("%s (%d)", names(counted), counted), collapse = ", ")), call. = FALSE)
  }
}

check_columns <- function(df, input, key, reference, prediction) {
  if (!is.data.frame(df)) {
    stop(sprintf("df must be a data frame, got %s", class(df)[1]), call. = FALSE)
  }
  faults <- c(
    name_faults(df, c(input, key, reference, prediction)), prediction_faults(prediction), key_faults(df, key)
  )
  if (length(faults) > 0) {
    stop(paste(faults, collapse = "; "), call. = FALSE)
  }
}

name_faults <- function(df, named) {
  faults <- character()
  unknown <- setdiff(named, names(df))
  if (length(unknown) > 0) {
    faults <- c(faults, sprintf("df has no column %s", paste(unknown, collapse = ", ")))
  }
  taken <- intersect(names(df), added_columns)
  if (length(taken) > 0) {
    taken <- paste(taken, collapse = ", ")
    faults <- c(faults, sprintf("df must not have the column %s: decide() adds it", taken))
  }
  faults
}

prediction_faults <- function(prediction) {
  foreign <- setdiff(names(prediction), c("label", "confidence", "model", "version"))
  if (length(foreign) > 0 || (!is.null(prediction) && is.null(names(prediction)))) {
    return("prediction must name columns as label, confidence, model, version")
  }
}

key_faults <- function(df, key) {
  if (!is.null(key) && key %in% names(df) && (anyNA(df[[key]]) || anyDuplicated(df[[key]]) > 0)) {
    return(sprintf("column %s must have one key of its own a row", key))
  }
}

progress_bar <- function(total, wanted, label) {
  if (!wanted || total == 0) {
    return(function(done) NULL)
  }
  bar <- utils::txtProgressBar(max = total, style = 3, label = label)
  function(done) {
    utils::setTxtProgressBar(bar, done)
    if (done == total) close(bar)
  }
}
