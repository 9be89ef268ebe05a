#' How often people decided otherwise than the model
#'
#' @param decisions Table `decisions` of [read_export()]. Counted are those that people decided and that had
#'   a usable prediction.
#' @param by Names of columns to break down by, such as `use_case`, `predicted_label` or `model_version`;
#'   none for one row over all.
#' @param level Of the interval (Wilson's).
#' @return Data frame: the columns of `by`, `reviewed`, `overridden`, `rate`, `low`, `high`. No case of `by`
#'   has zero reviewed. Reviewed cases are no random sample: the rate is not the model's error rate, unless
#'   only spot checks are counted.
#' @export
#' @examples
#' override_rates(data.frame(source = "human", overridden = c(TRUE, FALSE, FALSE, NA)), by = character())
override_rates <- function(decisions, by = "use_case", level = 0.95) {
  counted <- decisions[decisions$source %in% "human" & !is.na(decisions$overridden), , drop = FALSE]
  group <- if (length(by) == 0) rep("all", nrow(counted)) else do.call(
    paste, c(lapply(counted[by], function(one) ifelse(is.na(one), "-", as.character(one))), sep = "\r")
  )
  rows <- split(seq_len(nrow(counted)), group)
  reviewed <- lengths(rows)
  overridden <- vapply(rows, function(of) sum(counted$overridden[of]), 0)
  interval <- wilson(overridden, reviewed, level = level)
  rates <- data.frame(reviewed = reviewed, overridden = overridden, rate = overridden / reviewed, interval)
  firsts <- vapply(rows, function(of) of[1], 0L)
  made <- cbind(counted[firsts, by, drop = FALSE], rates)
  rownames(made) <- NULL
  made
}

# Wilson's interval of a share (1927); holds near 0 and 1 and for few cases.
wilson <- function(successes, trials, level = 0.95) {
  z <- stats::qnorm(1 - (1 - level) / 2)
  share <- successes / trials
  middle <- (share + z^2 / (2 * trials)) / (1 + z^2 / trials)
  half <- z / (1 + z^2 / trials) * sqrt(share * (1 - share) / trials + z^2 / (4 * trials^2))
  data.frame(low = pmax(0, middle - half), high = pmin(1, middle + half))
}

#' What each reviewed decision stands for
#'
#' Decisions that people read only because a spot check drew them, with probability p, stand for 1/p decisions
#' of their kind; those that people would have read anyhow stand for themselves. With these weights reviewed
#' decisions estimate the risk of all (inverse-probability weighting). Decisions that nobody read get 0.
#'
#' @param decisions Table `decisions` of [read_export()].
#' @return Numeric vector, one weight a row.
#' @export
#' @examples
#' review_weights(data.frame(source = c("human", "human", "model"), label = "a",
#'   route_reasons = c("spot_check", "confidence_below_threshold", NA), spot_check_probability = 0.05))
review_weights <- function(decisions) {
  read <- decisions$source %in% "human" & !is.na(decisions$label)
  drawn <- decisions$route_reasons %in% "spot_check"
  p <- decisions$spot_check_probability
  if (any(read & drawn & !(p > 0 & p <= 1), na.rm = TRUE) || anyNA(p[read & drawn])) {
    stop("spot_check_probability must be in (0, 1] where a spot check drew the decision", call. = FALSE)
  }
  ifelse(read, ifelse(drawn, 1 / p, 1), 0)
}

#' Agreement of reviewers
#'
#' Krippendorff's alpha for nominal labels (Krippendorff 2011, *Computing Krippendorff's
#' Alpha-Reliability*), and the share of pairs of readers of one decision who said the same.
#'
#' @param unit What was read (the decision's pseudonym), one entry an answer.
#' @param label The answer; NA is not counted.
#' @return List with `alpha` (NA when nothing can be compared or only one label occurs), `observed` (share of
#'   agreeing pairs, each unit weighted by its answers), `units` read twice or more, and `answers` in them.
#' @export
#' @examples
#' agreement(c("d1", "d1", "d2", "d2"), c("approve", "approve", "approve", "decline"))
agreement <- function(unit, label) {
  known <- !is.na(unit) & !is.na(label)
  counts <- table(as.character(unit[known]), as.character(label[known]))
  counts <- counts[rowSums(counts) > 1, , drop = FALSE]
  answers <- rowSums(counts)
  n <- sum(answers)
  if (n == 0) {
    return(list(alpha = NA_real_, observed = NA_real_, units = 0L, answers = 0))
  }
  agreeing <- sum(rowSums(counts * (counts - 1)) / (answers - 1)) / n
  totals <- colSums(counts)
  expected <- sum(totals * (totals - 1)) / (n * (n - 1))
  alpha <- if (expected == 1) NA_real_ else 1 - (1 - agreeing) / (1 - expected)
  list(alpha = alpha, observed = agreeing, units = nrow(counts), answers = n)
}

#' Coverage against risk
#'
#' For each threshold of confidence: which share of the decisions the model would keep, and which share of
#' these is wrong. Ties are one threshold. For a threshold with a guarantee see `overread threshold certify`.
#'
#' @param confidence Confidence of each prediction.
#' @param correct Whether it was right.
#' @param weight What each stands for, see [review_weights()]; rows of weight 0 or with NA are left out.
#' @return Data frame: `threshold` (falling), `coverage`, `risk`, `cases` (unweighted).
#' @export
#' @examples
#' coverage_risk(c(0.9, 0.8, 0.6), c(TRUE, TRUE, FALSE))
coverage_risk <- function(confidence, correct, weight = 1) {
  table <- counted_cases(confidence, correct, weight)
  table <- table[order(-table$confidence), ]
  last <- !duplicated(table$confidence, fromLast = TRUE)
  kept <- cumsum(table$weight)
  wrong <- cumsum(table$weight * !table$correct)
  data.frame(
    threshold = table$confidence[last], coverage = (kept / sum(table$weight))[last],
    risk = (wrong / kept)[last], cases = seq_len(nrow(table))[last]
  )
}

#' Calibration in bins
#'
#' @inheritParams coverage_risk
#' @param bins How many bins of equal width between 0 and 1.
#' @return Data frame, a row for each bin that has cases: `low`, `high`, `cases`, `confidence` (mean) and
#'   `accuracy`; its attribute `ece` is the expected calibration error (mean distance, weighted).
#' @export
#' @examples
#' attr(calibration(c(0.95, 0.85, 0.55, 0.65), c(TRUE, TRUE, FALSE, TRUE)), "ece")
calibration <- function(confidence, correct, weight = 1, bins = 10) {
  table <- counted_cases(confidence, correct, weight)
  bin <- pmin(floor(table$confidence * bins), bins - 1)
  rows <- split(seq_len(nrow(table)), bin)
  mean_of <- function(values) {
    vapply(rows, function(of) stats::weighted.mean(values[of], table$weight[of]), 0, USE.NAMES = FALSE)
  }
  numbers <- as.numeric(names(rows))
  made <- data.frame(
    low = numbers / bins, high = (numbers + 1) / bins, cases = lengths(rows, use.names = FALSE),
    confidence = mean_of(table$confidence), accuracy = mean_of(as.numeric(table$correct))
  )
  share <- vapply(rows, function(of) sum(table$weight[of]), 0) / sum(table$weight)
  attr(made, "ece") <- sum(share * abs(made$confidence - made$accuracy))
  made
}

counted_cases <- function(confidence, correct, weight) {
  if (length(confidence) != length(correct)) {
    stop(sprintf("confidence and correct must be of one length, got %d and %d", length(confidence),
                 length(correct)), call. = FALSE)
  }
  table <- data.frame(confidence = as.numeric(confidence), correct = as.logical(correct))
  table$weight <- rep_len(as.numeric(weight), nrow(table))
  table <- table[stats::complete.cases(table) & table$weight > 0, ]
  if (nrow(table) == 0) {
    stop("there must be at least one case with confidence and truth", call. = FALSE)
  }
  if (any(table$confidence < 0 | table$confidence > 1)) {
    stop(sprintf("confidence must be in [0, 1], got %s",
                 format(table$confidence[table$confidence < 0 | table$confidence > 1][1])), call. = FALSE)
  }
  table
}
