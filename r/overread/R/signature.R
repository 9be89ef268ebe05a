#' Sign a request with Signature Version 4
#'
#' What botocore's `SigV4Auth` makes of the same request; the package's tests hold the two against each other.
#' The body is always part of the signature.
#'
#' @param method HTTP method.
#' @param url Whole address, with its query if it has one. What stands in it percent-encoded is encoded once
#'   more in the signature, as every service but S3 wants it.
#' @param headers Named character vector of further headers; all of them are signed.
#' @param body Raw vector or one string; empty for none.
#' @param credentials A list with `key_id`, `secret` and, for temporary ones, `token`.
#' @param region,service What to sign for; the decision API is `execute-api`.
#' @param now Time of the request.
#' @return Named character vector: the headers to send, `Authorization` among them.
#' @export
#' @examples
#' sign_request("GET", "https://abc.execute-api.eu-west-1.amazonaws.com/live/v1/decisions",
#'   credentials = list(key_id = "AKIDEXAMPLE", secret = "secret"), region = "eu-west-1",
#'   now = as.POSIXct("2026-01-02 03:04:05", tz = "UTC"))[["X-Amz-Date"]]
sign_request <- function(method, url, headers = character(), body = "", credentials, region,
                         service = "execute-api", now = Sys.time()) {
  parts <- url_parts(url)
  stamp <- format(now, "%Y%m%dT%H%M%SZ", tz = "UTC")
  headers <- c(headers, "X-Amz-Date" = stamp)
  if (nzchar(text_of(credentials$token, ""))) {
    headers <- c(headers, "X-Amz-Security-Token" = credentials$token)
  }
  signed <- c(headers, host = parts$host)
  names(signed) <- tolower(names(signed))
  signed <- signed[order(names(signed), method = "radix")]
  values <- trimws(gsub("[[:space:]]+", " ", signed))
  names_signed <- paste(names(signed), collapse = ";")
  canonical <- paste(
    toupper(method),
    encode_path(parts$path),
    canonical_query(parts$query),
    paste0(names(signed), ":", values, "\n", collapse = ""),
    names_signed,
    sha256_hex(body),
    sep = "\n"
  )
  scope <- paste(substr(stamp, 1, 8), region, service, "aws4_request", sep = "/")
  to_sign <- paste("AWS4-HMAC-SHA256", stamp, scope, sha256_hex(canonical), sep = "\n")
  key <- charToRaw(paste0("AWS4", credentials$secret))
  for (step in c(substr(stamp, 1, 8), region, service, "aws4_request")) {
    key <- hmac(step, key)
  }
  authorization <- sprintf(
    "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
    credentials$key_id, scope, names_signed, paste(as.character(hmac(to_sign, key)), collapse = "")
  )
  c(headers, Authorization = authorization)
}

url_parts <- function(url) {
  found <- regmatches(url, regexec("^(https?)://([^/?#]+)([^?#]*)(?:\\?([^#]*))?$", url, perl = TRUE))[[1]]
  if (length(found) == 0) {
    stop(sprintf("url must be an http(s) address, got '%s'", url), call. = FALSE)
  }
  host <- tolower(found[3])
  if ((found[2] == "https" && endsWith(host, ":443")) || (found[2] == "http" && endsWith(host, ":80"))) {
    host <- sub(":[0-9]+$", "", host)
  }
  list(host = host, path = if (nzchar(found[4])) found[4] else "/", query = found[5])
}

encode_path <- function(path) {
  pieces <- strsplit(path, "/", fixed = TRUE)[[1]]
  kept <- character()
  for (piece in pieces[nzchar(pieces) & pieces != "."]) {
    kept <- if (piece == "..") utils::head(kept, -1) else c(kept, piece)
  }
  slash <- if (endsWith(path, "/") && length(kept) > 0) "/" else ""
  paste0("/", paste(percent_encoded(kept), collapse = "/"), slash)
}

# The query is in the address percent-encoded already; the signature wants it sorted.
canonical_query <- function(query) {
  if (!nzchar(query)) {
    return("")
  }
  pairs <- strsplit(query, "&", fixed = TRUE)[[1]]
  names <- sub("=.*$", "", pairs)
  values <- ifelse(grepl("=", pairs, fixed = TRUE), sub("^[^=]*=", "", pairs), "")
  sorted <- order(names, values, method = "radix")
  paste0(names[sorted], "=", values[sorted], collapse = "&")
}

# RFC 3986: everything but unreserved characters, byte by byte.
percent_encoded <- function(texts) {
  vapply(texts, function(text) {
    bytes <- charToRaw(enc2utf8(text))
    plain <- strsplit("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", "")[[1]]
    characters <- vapply(bytes, function(byte) {
      character <- if (byte < as.raw(0x80)) rawToChar(byte) else ""
      if (character %in% plain) character else sprintf("%%%02X", as.integer(byte))
    }, "")
    paste(characters, collapse = "")
  }, "", USE.NAMES = FALSE)
}

sha256_hex <- function(content) {
  bytes <- if (is.raw(content)) content else charToRaw(enc2utf8(content))
  paste(as.character(openssl::sha256(bytes)), collapse = "")
}

hmac <- function(text, key) openssl::sha256(charToRaw(enc2utf8(text)), key = key)
