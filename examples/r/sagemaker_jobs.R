# Training job, model, endpoint, invocation and deletion from R, by SageMaker's Python SDK v3 (reticulate).
#
#   Rscript examples/r/sagemaker_jobs.R settings.json
#
# settings.json: bucket, prefix, image (of container/), role (ARN of the job role, not of the session), train
# (s3:// folder with the CSV), name, hyperparameters (texts), instance_type, and where the network wants it
# subnets, security_groups, kms_key. Each step prints a line; the endpoint is deleted at the end, as it costs
# money by the hour. `keep: true` leaves it, for a use case to stand behind.
#
# Mind: integers are 1L, lists of one are list(x), mappings are dict(); frames do not cross, CSV and JSON do.
# The session gets a bucket, or the SDK would ask STS at an address of its own. ModelBuilder inspects Python
# objects and is not for R.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(here, "setup_session.R"))
library(reticulate)

given <- jsonlite::fromJSON(commandArgs(trailingOnly = TRUE)[1])
instance <- if (is.null(given$instance_type)) "ml.m5.large" else given$instance_type

sdk_train <- import("sagemaker.train")
configs <- import("sagemaker.train.configs")
helper <- import("sagemaker.core.helper.session_helper")
resources <- import("sagemaker.core.resources")
shapes <- import("sagemaker.core.shapes")

session <- helper$Session(default_bucket = given$bucket, default_bucket_prefix = given$prefix)
output <- sprintf("s3://%s/%s/models", given$bucket, given$prefix)
in_network <- !is.null(given$subnets)

options_of <- function() {
  made <- list(
    sagemaker_session = session, training_image = given$image, role = given$role, base_job_name = given$name,
    compute = configs$Compute(instance_type = instance, instance_count = 1L, volume_size_in_gb = 10L),
    stopping_condition = configs$StoppingCondition(max_runtime_in_seconds = 3600L),
    output_data_config = do.call(configs$OutputDataConfig, c(
      list(s3_output_path = output), if (!is.null(given$kms_key)) list(kms_key_id = given$kms_key)
    )),
    hyperparameters = do.call(dict, as.list(given$hyperparameters))
  )
  if (in_network) {
    made$networking <- configs$Networking(
      subnets = as.list(given$subnets), security_group_ids = as.list(given$security_groups),
      enable_network_isolation = TRUE, enable_inter_container_traffic_encryption = TRUE
    )
  }
  made
}

trainer <- do.call(sdk_train$ModelTrainer, options_of())
channel <- configs$InputData(channel_name = "train", data_source = given$train)
trainer$train(input_data_config = list(channel), wait = FALSE, logs = FALSE)
job_name <- py_get_attr(trainer, "_latest_training_job")$training_job_name
job <- resources$TrainingJob$get(training_job_name = job_name)
job$wait(poll = 1L, logs = FALSE)
job$refresh()
archive <- job$model_artifacts$s3_model_artifacts
cat("job ", job_name, " ", job$training_job_status, "\n", sep = "")
cat("archive ", archive, "\n", sep = "")

container <- shapes$ContainerDefinition(image = given$image, model_data_url = archive)
model <- resources$Model$create(
  model_name = given$name, primary_container = container, execution_role_arn = given$role
)
variant <- shapes$ProductionVariant(
  variant_name = "AllTraffic", model_name = given$name, initial_instance_count = 1L, instance_type = instance
)
config <- resources$EndpointConfig$create(
  endpoint_config_name = given$name, production_variants = list(variant)
)
endpoint <- resources$Endpoint$create(endpoint_name = given$name, endpoint_config_name = given$name)
endpoint$wait_for_status("InService", poll = 1L)
cat("endpoint ", given$name, " InService\n", sep = "")

invoke <- function(body, type, accept) {
  reply <- endpoint$invoke(body = body, content_type = type, accept = accept)
  reply$body$read()$decode("utf-8")
}
loans <- utils::read.csv(
  file.path(here, "../models/data/german_credit.csv"),
  nrows = 3, colClasses = "character", check.names = FALSE
)
loans <- loans[setdiff(names(loans), c("sex", "age", "foreign_worker", "repaid"))]
csv <- paste(utils::capture.output(utils::write.csv(loans, row.names = FALSE)), collapse = "\n")
cat("answer ", invoke(csv, "text/csv", "application/json"), "\n", sep = "")

if (!isTRUE(given$keep)) {
  endpoint$delete()
  endpoint$wait_for_delete(poll = 1L)
  config$delete()
  model$delete()
  cat("deleted ", given$name, "\n", sep = "")
}
