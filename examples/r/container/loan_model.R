# A model that approves consumer loans: what it reads, how it is trained, what it answers.
# Used by train.R and serve.R in the container and by ../train_caret.R in a session.

# Protected attributes: in the data, never in a model (config/demo.yaml withholds them from everybody).
withheld <- c("sex", "age", "foreign_worker")
numbers <- c("amount", "duration_months", "dependents")
categories <- c(
  "purpose", "installment_rate", "checking_account", "savings", "credit_history", "existing_credits",
  "other_installment_plans", "other_debtors", "employment", "job", "property", "housing", "residence",
  "telephone"
)
labels <- c("approve", "decline")

# Loans from a CSV file: features and `label`; the protected columns are not even read.
read_loans <- function(file, target = "repaid") {
  header <- names(utils::read.csv(file, nrows = 1, check.names = FALSE))
  missing <- setdiff(c(numbers, categories, target), header)
  if (length(missing) > 0) {
    stop(sprintf("%s has no column %s", basename(file), paste(missing, collapse = ", ")), call. = FALSE)
  }
  kinds <- ifelse(header %in% withheld, "NULL", ifelse(header %in% numbers, "numeric", "character"))
  loans <- utils::read.csv(file, colClasses = kinds, check.names = FALSE)
  wrong <- setdiff(unique(loans[[target]]), c("yes", "no"))
  if (length(wrong) > 0) {
    stop(sprintf("%s must be yes or no, got '%s'", target, wrong[1]), call. = FALSE)
  }
  label <- factor(ifelse(loans[[target]] == "yes", "approve", "decline"), levels = labels)
  cbind(loans[c(numbers, categories)], label = label)
}

# What is fitted to: factors with the levels of the training data, logarithms of the skewed numbers.
as_features <- function(loans, levels) {
  made <- loans[c(numbers, categories)]
  for (name in categories) {
    made[[name]] <- factor(made[[name]], levels = levels[[name]])
  }
  made$amount <- log(made$amount)
  made$duration_months <- log(made$duration_months)
  made
}

levels_of <- function(loans) {
  lapply(stats::setNames(categories, categories), function(name) {
    sort(unique(loans[[name]]), method = "radix")
  })
}

# Fits one of caret's methods, judged by cross-validation on the area under the ROC curve.
fit_loans <- function(loans, method = "glm", folds = 5, seed = 1) {
  levels <- levels_of(loans)
  features <- as_features(loans, levels)
  # The same folds for every method, or the comparison would be of folds.
  set.seed(seed)
  index <- caret::createFolds(loans$label, k = folds, returnTrain = TRUE)
  control <- caret::trainControl(
    method = "cv", index = index, classProbs = TRUE, summaryFunction = caret::twoClassSummary,
    savePredictions = "final", returnData = FALSE, trim = TRUE
  )
  extra <- switch(method, rf = list(ntree = 150), nnet = list(trace = FALSE), list())
  set.seed(seed)
  fit <- do.call(caret::train, c(list(
    label ~ ., data = cbind(features, label = loans$label), method = method, metric = "ROC",
    trControl = control, tuneLength = 2, preProcess = c("zv", "center", "scale")
  ), extra))
  list(schema = 1, use_case = "loan-approval", labels = labels, levels = levels, method = method, fit = fit)
}

# The cross-validated area under the ROC curve of the tuning that was chosen.
roc_of <- function(model) max(model$fit$results$ROC)

# Probability of each label, one row a loan.
probabilities_of <- function(model, loans) {
  shown <- stats::predict(model$fit, newdata = as_features(loans, model$levels), type = "prob")
  as.matrix(shown[model$labels])
}

# What the endpoint answers: label, confidence and the probability of each label, one list a loan.
predictions_of <- function(model, loans) {
  probabilities <- probabilities_of(model, loans)
  lapply(seq_len(nrow(loans)), function(row) {
    one <- probabilities[row, ]
    best <- which.max(one)
    list(label = model$labels[best], confidence = one[[best]], probabilities = as.list(one))
  })
}

# Every fault of the records, as "field must be …"; with the number of the record when there are several.
faults_of <- function(model, records) {
  faults <- lapply(seq_along(records), function(at) {
    where <- if (length(records) > 1) sprintf("record %d: ", at) else ""
    paste0(where, c(
      unlist(lapply(numbers, function(name) number_fault(records[[at]], name))),
      unlist(lapply(categories, function(name) category_fault(records[[at]], name, model$levels[[name]])))
    ), recycle0 = TRUE)
  })
  unlist(faults)
}

number_fault <- function(record, name) {
  value <- record[[name]]
  if (is.null(value)) {
    return(paste(name, "is missing"))
  }
  above <- if (name == "dependents") 0 else 1e-9
  if (!is.numeric(value) || length(value) != 1 || !is.finite(value) || value < above) {
    least <- if (name == "dependents") "of at least 0" else "above 0"
    return(sprintf("%s must be a number %s, got %s", name, least, shown(value)))
  }
}

category_fault <- function(record, name, allowed) {
  value <- record[[name]]
  if (is.null(value)) {
    return(paste(name, "is missing"))
  }
  if (!is.character(value) || length(value) != 1 || !value %in% allowed) {
    listed <- paste0("'", allowed, "'", collapse = ", ")
    sprintf("%s must be one of %s, got %s", name, listed, shown(value))
  }
}

shown <- function(value) {
  text <- as.character(jsonlite::toJSON(value, auto_unbox = TRUE, null = "null"))
  if (nchar(text) > 60) paste0(substr(text, 1, 57), "...") else text
}

# Records (lists by field, faultless) as a data frame.
as_loans <- function(records) {
  columns <- lapply(stats::setNames(c(numbers, categories), c(numbers, categories)), function(name) {
    unlist(lapply(records, function(record) record[[name]]))
  })
  as.data.frame(columns, check.names = FALSE)
}
