# Sets up an R session for Overread: source("examples/r/setup_session.R") first, or call it from .Rprofile.
#
#   OVERREAD_PACKAGE_MANAGER   address of the organization's Package Manager repository (in a VpcOnly domain
#                              CRAN itself cannot be reached); unset leaves the repositories as they are
#   OVERREAD_PYTHON            the Python for reticulate, with boto3, pyarrow and SageMaker's SDK v3
#                              (make sdk: .venv-sdk/bin/python); else RETICULATE_PYTHON
#
# Nothing is installed and nothing is asked over the network here.
setup_session <- function() {
  # Times are UTC everywhere; without it R asks timedatectl, which a container does not have.
  Sys.setenv(TZ = "UTC")

  manager <- Sys.getenv("OVERREAD_PACKAGE_MANAGER")
  if (nzchar(manager)) {
    if (!grepl("^https://", manager)) {
      stop(sprintf("OVERREAD_PACKAGE_MANAGER must be an https address, got '%s'", manager), call. = FALSE)
    }
    options(repos = c(CRAN = manager))
    # Package Manager serves binaries to R that says what it runs on.
    options(HTTPUserAgent = sprintf("R/%s R (%s)", getRversion(), paste(
      getRversion(), R.version$platform, R.version$arch, R.version$os
    )))
  }

  python <- Sys.getenv("OVERREAD_PYTHON", Sys.getenv("RETICULATE_PYTHON"))
  if (nzchar(python)) {
    if (file.access(python, 1) != 0) {
      stop(sprintf("OVERREAD_PYTHON must be a Python that can be run, got '%s'", python), call. = FALSE)
    }
    # Before the first import: reticulate takes the first Python it finds and keeps it.
    Sys.setenv(RETICULATE_PYTHON = python)
  }
  Sys.setenv(RETICULATE_MINICONDA_ENABLED = "FALSE", RETICULATE_AUTOCONFIGURE = "FALSE")

  # SageMaker's SDK reports its use to an address that a private network does not reach; each call waits.
  settings <- file.path(tempdir(), "sagemaker-sdk.yaml")
  writeLines(c(
    "SchemaVersion: '1.0'", "SageMaker:", "  PythonSDK:", "    Modules:", "      TelemetryOptOut: true"
  ), settings)
  Sys.setenv(SAGEMAKER_USER_CONFIG_OVERRIDE = settings)
  invisible(list(repos = getOption("repos"), python = python, sdk_settings = settings))
}

setup_session()
