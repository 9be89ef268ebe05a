#' Idempotency keys of rows
#'
#' The key that [decide()] sends with a row: `r-` and 40 hexadecimal digits of the SHA-256 over batch, use
#' case and the request's exact body, whose members are in alphabetical order. Another order of rows or
#' columns changes nothing. The same rows give the same keys in any session, so running a script again asks
#' for no second decision but finds the first one; a changed value makes it another request. The second of
#' two rows with the same body gets `-2` at its end, the third `-3`: they are two cases.
#'
#' @param bodies Request bodies, one a row (JSON).
#' @param use_case The use case.
#' @param batch Text that tells runs apart: another one asks anew.
#' @return Character vector as long as `bodies`.
#' @export
#' @examples
#' row_keys(c('{"input":{"a":1}}', '{"input":{"a":1}}'), "loan-approval")
row_keys <- function(bodies, use_case, batch = "") {
  digests <- vapply(bodies, function(body) {
    substr(sha256_hex(paste(batch, use_case, body, sep = "\n")), 1, 40)
  }, "", USE.NAMES = FALSE)
  if (length(digests) == 0) {
    return(character())
  }
  number <- stats::ave(seq_along(digests), digests, FUN = seq_along)
  paste0("r-", digests, ifelse(number > 1, paste0("-", number), ""))
}

# One request body a row: input, and the members that came with it.
request_bodies <- function(input, members) {
  inputs <- json_rows(input)
  if (nrow(input) == 0) {
    return(character())
  }
  members <- members[!vapply(members, is.null, NA)]
  bodies <- paste0('"input":', inputs)
  for (name in names(members)) {
    values <- rep_len(json_fragments(members[[name]], name), nrow(input))
    bodies <- ifelse(values == "null", bodies, paste0(bodies, sprintf(',"%s":', name), values))
  }
  paste0("{", bodies, "}")
}

# A JSON object a row, its members in alphabetical order.
json_rows <- function(df) {
  names <- sort(names(df), method = "radix")
  members <- lapply(names, function(name) {
    paste0(json_text(name), ":", json_fragments(df[[name]], name))
  })
  if (length(members) == 0) {
    return(rep("{}", nrow(df)))
  }
  paste0("{", do.call(paste, c(members, sep = ",")), "}")
}

# The values of a column as JSON: NA is null; numbers keep their value; times are UTC.
json_fragments <- function(values, name) {
  if (is.factor(values)) {
    values <- as.character(values)
  }
  text <- if (inherits(values, "POSIXt")) {
    paste0('"', utc_text(values), '"')
  } else if (inherits(values, "Date")) {
    paste0('"', format(values, "%Y-%m-%d"), '"')
  } else if (is.logical(values)) {
    ifelse(values, "true", "false")
  } else if (is.character(values)) {
    json_text(values)
  } else if (is.numeric(values) && !is.object(values)) {
    json_numbers(values, name)
  } else {
    stop(sprintf(
      "column '%s' must hold numbers, texts, truth values, dates or times, got %s",
      name, paste(class(values), collapse = ", ")
    ), call. = FALSE)
  }
  text[is.na(values)] <- "null"
  text
}

# Milliseconds, rounded: format() cuts them off.
utc_text <- function(times) {
  milliseconds <- round(as.numeric(as.POSIXct(times)) * 1000)
  seconds <- as.POSIXct(milliseconds %/% 1000, origin = "1970-01-01", tz = "UTC")
  sprintf("%s.%03dZ", format(seconds, "%Y-%m-%dT%H:%M:%S", tz = "UTC"), as.integer(milliseconds %% 1000))
}

json_text <- function(values) {
  vapply(enc2utf8(values), function(value) {
    as.character(jsonlite::toJSON(value, auto_unbox = TRUE))
  }, "", USE.NAMES = FALSE)
}

# The shortest digits that are the same number again.
json_numbers <- function(values, name) {
  if (any(is.infinite(values))) {
    at <- which(is.infinite(values))
    stop(sprintf("column '%s' must be finite, row %d is %s", name, at[1], values[at[1]]), call. = FALSE)
  }
  if (is.integer(values)) {
    return(format_integers(values))
  }
  text <- sprintf("%.15g", values)
  for (digits in c(16, 17)) {
    differ <- !is.na(values) & as.numeric(text) != values
    text[differ] <- sprintf(paste0("%.", digits, "g"), values[differ])
  }
  text
}

format_integers <- function(values) sprintf("%d", values)
