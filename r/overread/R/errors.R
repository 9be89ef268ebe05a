problem_prefix <- "urn:overread:problem:"

stop_overread <- function(class, message, ...) {
  stop(structure(
    class = c(class, "overread_error", "error", "condition"),
    list(message = message, call = NULL, ...)
  ))
}

# The condition for a reply that is no answer: its problem document (RFC 9457), or what else it says.
stop_refused <- function(status, document, text, retry_after_s) {
  type <- text_of(document$type, "about:blank")
  title <- text_of(document$title, "Unexpected reply")
  # API Gateway itself says `message` of a path, and `Message` of a policy.
  told <- text_of(document$message, text_of(document$Message, substr(text, 1, 200)))
  detail <- text_of(document$detail, told)
  stop_overread(
    "overread_api_error",
    sprintf("%d %s: %s", status, title, detail),
    status = status,
    type = type,
    slug = if (startsWith(type, problem_prefix)) substring(type, nchar(problem_prefix) + 1) else "",
    title = title,
    detail = detail,
    field = text_of(document$field, ""),
    retry_after_s = retry_after_s
  )
}

text_of <- function(value, otherwise) {
  if (is.null(value) || length(value) != 1 || is.list(value)) otherwise else as.character(value)
}
