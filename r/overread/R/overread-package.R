#' Decisions with a second reading
#'
#' [decide()] asks an Overread deployment for a decision on every row of a data frame and waits while people
#' review the uncertain ones. [read_export()] reads the masked export of decisions, reviews, outcomes and
#' labels; [coverage_risk()], [override_rates()], [agreement()] and [calibration()] say what they show.
#'
#' Requests are signed in R (Signature Version 4); reticulate is needed only to read Parquet, to fetch from
#' S3, and for credentials that only boto3 finds.
#'
#' @section Conditions:
#' Everything that goes wrong on purpose inherits from `overread_error`:
#' `overread_api_error` (refused: `status`, `slug`, `title`, `detail`, `field`, `retry_after_s`),
#' `overread_unreachable` (nobody answered, or there is nothing to sign with),
#' `overread_undecided` (people still decide; `decisions` is what stands so far).
#' @keywords internal
"_PACKAGE"
