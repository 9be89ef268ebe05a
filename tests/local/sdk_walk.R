# SageMaker's SDK, version 3, from R through reticulate: the same walk as sdk_walk.py, with the same argument.
library(reticulate)

given <- jsonlite::fromJSON(commandArgs(trailingOnly = TRUE)[[1]], simplifyVector = FALSE)
train <- import("sagemaker.train")
configs <- import("sagemaker.train.configs")
resources <- import("sagemaker.core.resources")
shapes <- import("sagemaker.core.shapes")
session <- import("sagemaker.core.helper.session_helper")$Session(
  default_bucket = given$bucket, default_bucket_prefix = "sdk"
)
trainer <- train$ModelTrainer(
  sagemaker_session = session, training_image = given$image, role = given$role, base_job_name = given$name,
  compute = configs$Compute(instance_type = "ml.m5.large", instance_count = 1L, volume_size_in_gb = 10L),
  stopping_condition = configs$StoppingCondition(max_runtime_in_seconds = 120L),
  output_data_config = configs$OutputDataConfig(s3_output_path = paste0("s3://", given$bucket, "/sdk/models")),
  hyperparameters = do.call(dict, given$hyperparameters)
)
channels <- lapply(names(given$train), function(channel) {
  configs$InputData(channel_name = channel, data_source = given$train[[channel]])
})
trainer$train(input_data_config = channels, wait = FALSE, logs = FALSE)
latest <- py_get_attr(trainer, "_latest_training_job")$training_job_name
job <- resources$TrainingJob$get(training_job_name = latest)
job$wait(poll = 1L, logs = FALSE)
archive <- job$model_artifacts$s3_model_artifacts

model <- resources$Model$create(
  model_name = given$name, execution_role_arn = given$role,
  primary_container = shapes$ContainerDefinition(image = given$image, model_data_url = archive)
)
variant <- shapes$ProductionVariant(
  variant_name = "AllTraffic", model_name = given$name, initial_instance_count = 1L, instance_type = "ml.m5.large"
)
config <- resources$EndpointConfig$create(endpoint_config_name = given$name, production_variants = list(variant))
endpoint <- resources$Endpoint$create(endpoint_name = given$name, endpoint_config_name = given$name)
endpoint$wait_for_status("InService", poll = 1L)
reply <- endpoint$invoke(body = given$body, content_type = "application/jsonlines", accept = "application/json")
answer <- reply$body$read()$decode("utf-8")

endpoint$delete()
endpoint$wait_for_delete(poll = 1L)
config$delete()
model$delete()
told <- list(job = job$training_job_status, archive = archive, answer = answer)
writeLines(jsonlite::toJSON(told, auto_unbox = TRUE), given$result)
