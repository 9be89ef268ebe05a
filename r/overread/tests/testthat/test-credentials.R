none <- c(
  AWS_ACCESS_KEY_ID = NA, AWS_SECRET_ACCESS_KEY = NA, AWS_SESSION_TOKEN = NA, RETICULATE_PYTHON = NA,
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = NA, AWS_CONTAINER_CREDENTIALS_FULL_URI = NA
)

with_environment <- function(values, code) {
  changed <- none
  changed[names(values)] <- values
  before <- Sys.getenv(names(changed), unset = NA, names = TRUE)
  on.exit({
    Sys.unsetenv(names(before)[is.na(before)])
    if (any(!is.na(before))) do.call(Sys.setenv, as.list(before[!is.na(before)]))
  })
  Sys.unsetenv(names(changed)[is.na(changed)])
  if (any(!is.na(changed))) do.call(Sys.setenv, as.list(changed[!is.na(changed)]))
  force(code)
}

test_that("the environment's key comes first, with its token", {
  found <- with_environment(
    c(AWS_ACCESS_KEY_ID = "k", AWS_SECRET_ACCESS_KEY = "s", AWS_SESSION_TOKEN = "t"), aws_credentials()
  )
  expect_identical(found, list(key_id = "k", secret = "s", token = "t"))
})

test_that("without any there is a condition of its own", {
  expect_error(with_environment(character(), aws_credentials()), class = "overread_unreachable")
})

test_that("a container's address elsewhere is not asked", {
  expect_error(
    with_environment(c(AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://evil.example/x"), aws_credentials()),
    "must be https or this machine, got 'http://evil.example/x'"
  )
})
