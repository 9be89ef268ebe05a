# Decides loans from R: the sure ones by the model, the others by people.
#
#   OVERREAD_API_URL=… Rscript examples/r/decide_loans.R OUTPUT.csv [COUNT] [WAIT-SECONDS]
#
# Run it again with the same data and it finds the same decisions: the keys are made from the rows.
Sys.setenv(TZ = "UTC")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
given <- commandArgs(trailingOnly = TRUE)
if (length(given) == 0) {
  stop("usage: Rscript decide_loans.R OUTPUT.csv [COUNT] [WAIT-SECONDS]", call. = FALSE)
}
count <- if (length(given) > 1) as.integer(given[2]) else 5L
wait_s <- if (length(given) > 2) as.numeric(given[3]) else 0

file <- file.path(here, "../models/data/german_credit.csv")
loans <- utils::read.csv(file, nrows = count, check.names = FALSE)
loans$loan_id <- sprintf("loan-%04d", seq_len(nrow(loans)))
asked <- loans[setdiff(names(loans), c("sex", "age", "foreign_worker", "repaid"))]
decided <- overread::decide(asked, "loan-approval", reference = "loan_id", wait_s = wait_s)
utils::write.csv(decided, given[1], row.names = FALSE)
print(decided[c("loan_id", "state", "route", "outcome", "source", "reviewers")], row.names = FALSE)
