# The exported tables and the kinds of their columns: docs/analytics.md, held against the exporter by a test.
export_columns <- list(
  decisions = c(
    decision = "string", case = "string", use_case = "string", state = "string", mode = "string",
    priority = "string", received_at = "timestamp", ended_at = "timestamp", seconds_to_end = "double",
    route = "string", route_reasons = "string", spot_check = "boolean", spot_check_probability = "double",
    policy_version = "string", guarantee = "string", model = "string", model_version = "string",
    predicted_label = "string", confidence = "double", label = "string", source = "string",
    overridden = "boolean", reason_code = "string", sign_offs = "bigint", review_seconds = "double",
    generations = "bigint", escalated = "boolean", supersedes = "string"
  ),
  reviews = c(
    decision = "string", use_case = "string", reviewer = "string", seat = "string", generation = "bigint",
    label = "string", predicted_label = "string", agrees_with_model = "boolean", blind = "boolean",
    reason_code = "string", accepted_at = "timestamp", submitted_at = "timestamp", seconds = "double"
  ),
  outcomes = c(
    decision = "string", use_case = "string", label = "string", decided_label = "string",
    correct = "boolean", source = "string", learnt_at = "timestamp"
  ),
  labels = c(
    job = "string", label_attribute = "string", object = "string", type = "string", category = "string",
    categories = "string", items = "bigint", confidence = "double", human_annotated = "boolean",
    created_at = "timestamp"
  )
)

#' Read a table of the masked export
#'
#' The export holds decisions, reviews, outcomes and labels without case content: ids and people are
#' pseudonyms, equal in all tables. Parquet needs reticulate and a Python with pyarrow (`RETICULATE_PYTHON`);
#' CSV and JSON Lines are read by R alone. Texts that are empty come as NA.
#'
#' @param path A folder with the tables (`<path>/<table>/dt=YYYY-MM-DD/*.parquet`, or `.csv`, `.jsonl`), one
#'   such file, or an `s3://` address of the folder (the stack's analytics bucket with `/tables`), which needs
#'   boto3 through reticulate.
#' @param table `decisions`, `reviews`, `outcomes` or `labels`.
#' @param from,to First and last day (`Date` or text), for a folder; NULL for all.
#' @return Data frame with the table's columns in their order and, from a folder of days, `dt`. Times are
#'   `POSIXct` in UTC, counts numbers.
#' @export
#' @examples
#' file <- tempfile(fileext = ".jsonl")
#' writeLines('{"decision": "d1", "label": "approve", "correct": true}', file)
#' read_export(file, "outcomes")$correct
read_export <- function(path, table = c("decisions", "reviews", "outcomes", "labels"), from = NULL,
                        to = NULL) {
  table <- match.arg(table)
  kinds <- export_columns[[table]]
  if (startsWith(path, "s3://")) {
    path <- fetched_export(path, table, from = from, to = to)
  }
  if (dir.exists(path)) {
    root <- if (dir.exists(file.path(path, table))) file.path(path, table) else path
    files <- sort(list.files(root, "\\.(parquet|csv|jsonl)$", recursive = TRUE, full.names = TRUE))
  } else if (file.exists(path)) {
    files <- path
  } else {
    stop(sprintf("path must be a folder or a file, '%s' does not exist", path), call. = FALSE)
  }
  days <- day_of(files)
  files <- files[is_within(days, from = from, to = to)]
  parts <- lapply(files, function(file) {
    part <- typed(read_texts(file), kinds, file)
    day <- day_of(file)
    if (is.na(day)) part else cbind(part, dt = rep(as.Date(day), nrow(part)))
  })
  if (length(parts) == 0) {
    return(typed(data.frame()[0, , drop = FALSE], kinds, path))
  }
  if (length(unique(vapply(parts, ncol, 0L))) > 1) {
    stop("files with a day (dt=YYYY-MM-DD) and files without one must not be mixed", call. = FALSE)
  }
  do.call(rbind, parts)
}

day_of <- function(files) {
  found <- regmatches(files, regexec("dt=([0-9]{4}-[0-9]{2}-[0-9]{2})", files))
  vapply(found, function(one) if (length(one) == 2) one[2] else NA_character_, "")
}

is_within <- function(days, from, to) {
  (is.null(from) | is.na(days) | days >= text_of(as.character(from), "")) &
    (is.null(to) | is.na(days) | days <= text_of(as.character(to), "9"))
}

# A file as texts; NA where it says nothing.
read_texts <- function(file) {
  if (endsWith(file, ".parquet")) {
    file <- parquet_as_csv(file)
    on.exit(unlink(file))
  }
  if (endsWith(file, ".csv")) {
    return(utils::read.csv(file, colClasses = "character", na.strings = "", check.names = FALSE,
                           encoding = "UTF-8"))
  }
  rows <- lapply(readLines(file, encoding = "UTF-8", warn = FALSE), parsed_object)
  names <- unique(unlist(lapply(rows, names)))
  columns <- lapply(names, function(name) {
    values <- vapply(rows, function(row) text_of(row[[name]], NA_character_), "")
    ifelse(values %in% "", NA_character_, values)
  })
  as.data.frame(stats::setNames(columns, names), check.names = FALSE)
}

# Frames do not cross from pandas 3 to R's reticulate of today; a file of texts does.
parquet_as_csv <- function(file) {
  need_python("pyarrow", "to read Parquet")
  parquet <- reticulate::import("pyarrow.parquet")
  csv <- reticulate::import("pyarrow.csv")
  copy <- tempfile(fileext = ".csv")
  # A file's folder says the day: the reader shall not make a column of it.
  csv$write_csv(parquet$ParquetFile(normalizePath(file))$read(), copy)
  copy
}

need_python <- function(module, what_for) {
  if (!requireNamespace("reticulate", quietly = TRUE) || !reticulate::py_module_available(module)) {
    stop(sprintf(
      "%s needs the package reticulate and a Python with %s: set RETICULATE_PYTHON", what_for, module
    ), call. = FALSE)
  }
}

typed <- function(texts, kinds, file) {
  foreign <- setdiff(names(texts), c(names(kinds), "dt"))
  if (length(foreign) > 0) {
    foreign <- paste(foreign, collapse = ", ")
    stop(sprintf("%s has columns that the table lacks: %s", file, foreign), call. = FALSE)
  }
  columns <- lapply(names(kinds), function(name) {
    text <- if (is.null(texts[[name]])) rep(NA_character_, nrow(texts)) else texts[[name]]
    made <- typed_column(text, kinds[[name]])
    wrong <- which(is.na(made) & !is.na(text))
    if (length(wrong) > 0) {
      stop(sprintf(
        "%s: %s must be a %s, row %d has '%s'", file, name, kinds[[name]], wrong[1], text[wrong[1]]
      ), call. = FALSE)
    }
    made
  })
  as.data.frame(stats::setNames(columns, names(kinds)))
}

typed_column <- function(text, kind) {
  switch(kind,
    string = text,
    boolean = unname(c(true = TRUE, false = FALSE)[tolower(text)]),
    timestamp = as.POSIXct(
      sub("(Z|\\+00:?00)$", "", sub("T", " ", text)), format = "%Y-%m-%d %H:%M:%OS", tz = "UTC"
    ),
    suppressWarnings(as.numeric(text))
  )
}

# The table's files below an s3:// address, in a folder of this session.
fetched_export <- function(address, table, from, to) {
  need_python("boto3", "to read from S3")
  parts <- regmatches(address, regexec("^s3://([^/]+)/?(.*)$", address))[[1]]
  bucket <- parts[2]
  prefix <- sub("^/", "", paste0(sub("/+$", "", parts[3]), "/", table, "/"))
  client <- reticulate::import("boto3")$client("s3")
  pages <- client$get_paginator("list_objects_v2")$paginate(Bucket = bucket, Prefix = prefix)
  folder <- file.path(tempfile("export"), table)
  dir.create(folder, recursive = TRUE)
  for (page in reticulate::iterate(pages)) {
    for (object in page$Contents) {
      if (!is_within(day_of(object$Key), from = from, to = to)) next
      day <- day_of(object$Key)
      place <- if (is.na(day)) folder else file.path(folder, paste0("dt=", day))
      dir.create(place, showWarnings = FALSE)
      target <- file.path(place, basename(object$Key))
      client$download_file(bucket, object$Key, target)
    }
  }
  dirname(folder)
}
