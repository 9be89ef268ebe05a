# Compares several models of consumer loans by cross-validation and keeps the best.
#
#   Rscript examples/r/train_caret.R OUTPUT [METHOD...]
#
# Writes into OUTPUT: comparison.csv (area under the ROC curve, sensitivity, specificity of each method over
# the same folds), roc.png (their curves), model.tar.gz (the best, as SageMaker unpacks it).
# Sex, age and foreign worker are not read.
Sys.setenv(TZ = "UTC")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(here, "container/loan_model.R"))
suppressPackageStartupMessages(library(caret))

colours <- c("#1b6ca8", "#b3261e", "#2e7d32", "#8e5a00", "#6a3d9a")

compare <- function(loans, methods) {
  lapply(stats::setNames(methods, methods), function(method) {
    message("training ", method)
    fit_loans(loans, method = method, folds = 5, seed = 1)
  })
}

comparison_of <- function(models) {
  rows <- lapply(models, function(model) {
    best <- model$fit$results[which.max(model$fit$results$ROC), ]
    data.frame(method = model$method, roc = best$ROC, roc_sd = best$ROCSD, sensitivity = best$Sens,
               specificity = best$Spec)
  })
  table <- do.call(rbind, rows)
  table[order(-table$roc), ]
}

# Curves of the held-out predictions of all folds; cases to approve are the positive ones.
draw_roc <- function(models, file) {
  grDevices::png(file, width = 900, height = 900, res = 130)
  on.exit(grDevices::dev.off())
  for (at in seq_along(models)) {
    held_out <- models[[at]]$fit$pred
    curve <- pROC::roc(held_out$obs, held_out$approve, levels = c("decline", "approve"), direction = "<")
    pROC::plot.roc(curve, add = at > 1, col = colours[at], lwd = 2, legacy.axes = TRUE)
  }
  shown <- vapply(models, function(model) sprintf("%s  %.3f", model$method, roc_of(model)), "")
  graphics::legend("bottomright", legend = shown, col = colours[seq_along(models)], lwd = 2, bty = "n")
}

# model.tar.gz with model.rds at its top; R's own tar, so no program is needed.
pack <- function(model, file) {
  folder <- tempfile("model")
  dir.create(folder)
  saveRDS(model, file.path(folder, "model.rds"))
  before <- setwd(folder)
  on.exit(setwd(before))
  utils::tar(file, "model.rds", compression = "gzip", tar = "internal")
}

given <- commandArgs(trailingOnly = TRUE)
if (length(given) == 0) {
  stop("say where to write: Rscript train_caret.R OUTPUT [METHOD...]", call. = FALSE)
}
output <- given[1]
methods <- if (length(given) > 1) given[-1] else c("glm", "lda", "rf", "rpart")
dir.create(output, recursive = TRUE, showWarnings = FALSE)
output <- normalizePath(output)
models <- compare(read_loans(file.path(here, "../models/data/german_credit.csv")), methods)
comparison <- comparison_of(models)
utils::write.csv(comparison, file.path(output, "comparison.csv"), row.names = FALSE)
draw_roc(models, file.path(output, "roc.png"))
pack(models[[comparison$method[1]]], file.path(output, "model.tar.gz"))
print(comparison, digits = 3, row.names = FALSE)
