# SageMaker's serving contract over HTTP (httpuv; plumber 1.2.1 of Debian 12 answers text/csv with 500).
#   GET /ping           200 once the model is loaded
#   POST /invocations   application/json: one loan as an object (one object back), or an array (an array);
#                       text/csv with a header: a table back, or an array for Accept: application/json
#   400 tells every fault of the input, 415 a content type that is neither, 406 an Accept that is neither
# One loan's answer is what the use case loan-approval reads: {"label", "confidence", "probabilities"}.
Sys.setenv(TZ = "UTC")
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(here, "loan_model.R"))
suppressPackageStartupMessages(library(caret))
root <- Sys.getenv("OVERREAD_ML_ROOT", "/opt/ml")
model <- readRDS(file.path(root, "model/model.rds"))

json_type <- "application/json"
csv_type <- "text/csv"

refuse <- function(status, message) {
  stop(structure(
    class = c("refused", "error", "condition"), list(message = message, call = NULL, status = status)
  ))
}

media_type <- function(text) tolower(trimws(sub(";.*$", "", if (is.null(text)) "" else text)))

# The type of the answer: what the caller accepts, at first that of the request.
answer_type <- function(accept, otherwise) {
  accepted <- media_type(strsplit(if (is.null(accept)) "*/*" else accept, ",", fixed = TRUE)[[1]])
  if (length(accepted) == 0 || any(accepted %in% c(otherwise, "*/*", ""))) {
    return(otherwise)
  }
  wanted <- intersect(accepted, c(json_type, csv_type))
  if (length(wanted) == 0) {
    refuse(406L, sprintf("accept must allow %s or %s, got '%s'", json_type, csv_type, accept))
  }
  wanted[1]
}

json_records <- function(text) {
  document <- tryCatch(jsonlite::fromJSON(text, simplifyVector = FALSE), error = function(fault) {
    refuse(400L, paste("body must be JSON:", sub("\n.*$", "", conditionMessage(fault))))
  })
  if (is.list(document) && !is.null(names(document))) {
    return(list(records = list(document), one = TRUE))
  }
  objects <- is.list(document) && all(vapply(document, function(one) !is.null(names(one)), NA))
  if (!objects || length(document) == 0) {
    refuse(400L, "body must be a JSON object, or an array of objects that is not empty")
  }
  list(records = document, one = FALSE)
}

csv_records <- function(text) {
  table <- tryCatch(
    utils::read.csv(text = text, colClasses = "character", check.names = FALSE, na.strings = ""),
    error = function(fault) refuse(400L, paste("body must be CSV with a header:", conditionMessage(fault)))
  )
  if (nrow(table) == 0) {
    refuse(400L, "body must be CSV with a header and at least one loan")
  }
  for (name in intersect(numbers, names(table))) {
    table[[name]] <- suppressWarnings(as.numeric(table[[name]]))
  }
  records <- lapply(seq_len(nrow(table)), function(row) as.list(table[row, , drop = FALSE]))
  list(records = records, one = FALSE)
}

text_of <- function(raw) {
  text <- rawToChar(raw)
  Encoding(text) <- "UTF-8"
  if (!validUTF8(text)) {
    refuse(400L, "body must be UTF-8")
  }
  text
}

invocation <- function(request) {
  type <- media_type(request$HTTP_CONTENT_TYPE)
  if (!type %in% c(json_type, csv_type)) {
    refuse(415L, sprintf("content type must be %s or %s, got '%s'", json_type, csv_type, type))
  }
  wanted <- answer_type(request$HTTP_ACCEPT, otherwise = type)
  raw <- request$rook.input$read()
  if (any(raw == as.raw(0))) {
    refuse(400L, "body must be text")
  }
  given <- if (type == json_type) json_records(text_of(raw)) else csv_records(text_of(raw))
  faults <- faults_of(model, given$records)
  if (length(faults) > 0) {
    refuse(400L, paste(faults, collapse = "; "))
  }
  made <- predictions_of(model, as_loans(given$records))
  if (wanted == csv_type) {
    return(answer(200L, csv_type, csv_text(made)))
  }
  shown <- if (given$one) made[[1]] else made
  answer(200L, json_type, jsonlite::toJSON(shown, auto_unbox = TRUE, digits = NA))
}

csv_text <- function(made) {
  rows <- vapply(made, function(one) {
    paste(c(one$label, format(c(one$confidence, unlist(one$probabilities)), digits = 15)), collapse = ",")
  }, "")
  paste0(paste(c(paste(c("label", "confidence", model$labels), collapse = ","), rows), collapse = "\n"), "\n")
}

answer <- function(status, type, body) {
  list(status = status, headers = list("Content-Type" = type), body = as.character(body))
}

failure <- function(status, message) {
  answer(status, json_type, jsonlite::toJSON(list(error = message), auto_unbox = TRUE))
}

call <- function(request) {
  if (request$PATH_INFO == "/ping" && request$REQUEST_METHOD == "GET") {
    return(answer(200L, json_type, "{}"))
  }
  if (request$PATH_INFO != "/invocations") {
    return(failure(404L, "there are /ping and /invocations"))
  }
  if (request$REQUEST_METHOD != "POST") {
    return(failure(405L, "/invocations takes POST"))
  }
  tryCatch(
    invocation(request),
    refused = function(fault) failure(fault$status, conditionMessage(fault)),
    error = function(fault) {
      # A loan's values stay out of the log.
      message("invocation failed: ", class(fault)[1])
      failure(500L, "the model failed")
    }
  )
}

# SageMaker's network reaches a container from outside; a laptop's shall not.
host <- if (nzchar(Sys.getenv("OVERREAD_ML_ROOT"))) "127.0.0.1" else "0.0.0.0"
port <- as.integer(Sys.getenv("SAGEMAKER_BIND_TO_PORT", "8080"))
httpuv::runServer(host, port, list(call = call))
