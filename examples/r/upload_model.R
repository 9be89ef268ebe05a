# Uploads a model.tar.gz to S3, encrypted with a KMS key, and says its address.
#
#   Rscript examples/r/upload_model.R model.tar.gz s3://BUCKET/PREFIX KMS-KEY
#
# boto3 through reticulate (RETICULATE_PYTHON). The bucket's own default key is not relied on.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(here, "setup_session.R"))

upload_model <- function(file, address, key_id) {
  parts <- regmatches(address, regexec("^s3://([^/]+)/(.+?)/*$", address, perl = TRUE))[[1]]
  if (length(parts) == 0) {
    stop(sprintf("the address must be s3://BUCKET/PREFIX, got '%s'", address), call. = FALSE)
  }
  s3 <- reticulate::import("boto3")$client("s3")
  # The content names the object: another model is another address, the same one is the same.
  digest <- paste(as.character(openssl::sha256(file(file))), collapse = "")
  target <- sprintf("%s/%s/model.tar.gz", parts[3], substr(digest, 1, 16))
  s3$upload_file(file, parts[2], target, ExtraArgs = reticulate::dict(
    ServerSideEncryption = "aws:kms", SSEKMSKeyId = key_id
  ))
  sprintf("s3://%s/%s", parts[2], target)
}

given <- commandArgs(trailingOnly = TRUE)
if (length(given) != 3) {
  stop("usage: Rscript upload_model.R model.tar.gz s3://BUCKET/PREFIX KMS-KEY", call. = FALSE)
}
cat(upload_model(given[1], given[2], given[3]), "\n", sep = "")
