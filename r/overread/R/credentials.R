#' AWS credentials of this R session
#'
#' Looked for in this order: the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
#' `AWS_SESSION_TOKEN`; the container's credentials (`AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`
#' with an address that only this machine answers), which is what an RStudio session in SageMaker Studio has;
#' boto3 through reticulate, which knows profiles and single sign-on. Asked for anew at every request, so
#' temporary ones may change.
#'
#' @return A list with `key_id`, `secret` and `token` (empty for lasting ones).
#' @export
aws_credentials <- function() {
  id <- Sys.getenv("AWS_ACCESS_KEY_ID")
  secret <- Sys.getenv("AWS_SECRET_ACCESS_KEY")
  if (nzchar(id) && nzchar(secret)) {
    return(list(key_id = id, secret = secret, token = Sys.getenv("AWS_SESSION_TOKEN")))
  }
  found <- container_credentials()
  if (is.null(found)) {
    found <- boto3_credentials()
  }
  if (is.null(found)) {
    stop_overread("overread_unreachable", "there are no AWS credentials to sign requests with")
  }
  found
}

credentials_kept <- new.env(parent = emptyenv())
early_s <- 300

container_credentials <- function(now = Sys.time()) {
  relative <- Sys.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
  address <- Sys.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
  if (nzchar(relative)) {
    address <- paste0("http://169.254.170.2", relative)
  }
  if (!nzchar(address)) {
    return(NULL)
  }
  local <- "^http://(169\\.254\\.170\\.(2|23)|127\\.0\\.0\\.1|localhost)(:[0-9]+)?/|^https://"
  if (!grepl(local, address)) {
    stop(sprintf("AWS_CONTAINER_CREDENTIALS_FULL_URI must be https or this machine, got '%s'", address),
         call. = FALSE)
  }
  kept <- credentials_kept[[address]]
  if (!is.null(kept) && kept$until > now + early_s) {
    return(kept$credentials)
  }
  handle <- curl::new_handle(timeout = 5)
  token <- Sys.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
  if (nzchar(token)) {
    curl::handle_setheaders(handle, Authorization = token)
  }
  reply <- tryCatch(curl::curl_fetch_memory(address, handle), error = function(fault) {
    stop_overread("overread_unreachable", paste("the container's credentials:", conditionMessage(fault)))
  })
  document <- parsed_object(rawToChar(reply$content))
  if (reply$status_code != 200 || is.null(document$AccessKeyId)) {
    told <- sprintf("the container's credentials: status %d", reply$status_code)
    stop_overread("overread_unreachable", told)
  }
  found <- list(
    key_id = document$AccessKeyId, secret = document$SecretAccessKey, token = text_of(document$Token, "")
  )
  until <- as.POSIXct(text_of(document$Expiration, ""), format = "%Y-%m-%dT%H:%M:%SZ", tz = "UTC")
  if (!is.na(until)) {
    credentials_kept[[address]] <- list(until = until, credentials = found)
  }
  found
}

boto3_credentials <- function() {
  # Without a Python of the user's choice reticulate would go and look for one, or offer to install it.
  chosen <- nzchar(Sys.getenv("RETICULATE_PYTHON"))
  if (!chosen || !requireNamespace("reticulate", quietly = TRUE)) {
    return(NULL)
  }
  if (!reticulate::py_module_available("boto3")) {
    return(NULL)
  }
  found <- reticulate::import("boto3")$Session()$get_credentials()
  if (is.null(found)) {
    return(NULL)
  }
  frozen <- found$get_frozen_credentials()
  list(key_id = frozen$access_key, secret = frozen$secret_key, token = text_of(frozen$token, ""))
}
