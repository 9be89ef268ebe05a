# SageMaker's training contract: a CSV file of loans in, a caret model out.
#   input/config/hyperparameters.json   method (caret's; default glm), folds, seed, target; all texts
#   input/data/train/*.csv              as examples/models/data/german_credit.csv
#   model/model.rds                     becomes model.tar.gz
#   output/failure                      why it failed, with exit code 1
# /opt/ml, or the folder that OVERREAD_ML_ROOT names.
Sys.setenv(TZ = "UTC")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(here, "loan_model.R"))
root <- Sys.getenv("OVERREAD_ML_ROOT", "/opt/ml")

hyperparameter <- function(given, name, otherwise) {
  value <- given[[name]]
  if (is.null(value)) otherwise else value
}

whole_number <- function(text, name, least) {
  value <- suppressWarnings(as.numeric(text))
  if (is.na(value) || value != round(value) || value < least) {
    stop(sprintf("%s must be a whole number of at least %d, got '%s'", name, least, text), call. = FALSE)
  }
  as.integer(value)
}

run_training <- function() {
  given <- jsonlite::fromJSON(file.path(root, "input/config/hyperparameters.json"))
  method <- hyperparameter(given, "method", "glm")
  known <- c("glm", "lda", "nnet", "rf", "rpart")
  if (!method %in% known) {
    stop(sprintf("method must be one of %s, got '%s'", paste(known, collapse = ", "), method), call. = FALSE)
  }
  folds <- whole_number(hyperparameter(given, "folds", "5"), "folds", least = 2)
  seed <- whole_number(hyperparameter(given, "seed", "1"), "seed", least = 0)
  target <- hyperparameter(given, "target", "repaid")
  files <- sort(list.files(file.path(root, "input/data/train"), "\\.csv$", full.names = TRUE))
  if (length(files) == 0) {
    stop("the channel train has no .csv file", call. = FALSE)
  }
  loans <- do.call(rbind, lapply(files, read_loans, target = target))
  model <- fit_loans(loans, method = method, folds = folds, seed = seed)
  saveRDS(model, file.path(root, "model/model.rds"))
  # CloudWatch metric definitions of the job find this line.
  cat(sprintf("validation:roc=%.4f;\n", roc_of(model)))
}

failed <- FALSE
tryCatch(run_training(), error = function(fault) {
  dir.create(file.path(root, "output"), recursive = TRUE, showWarnings = FALSE)
  writeLines(conditionMessage(fault), file.path(root, "output/failure"))
  message("training failed: ", conditionMessage(fault))
  failed <<- TRUE
})
quit(save = "no", status = as.integer(failed))
