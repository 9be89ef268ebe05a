"""SageMaker's SDK, version 3, against the local stack: train, model, endpoint, invoke, delete.

Run by .venv-sdk's Python, which has nothing of Overread. Argument: a JSON object with bucket, image, role,
train (addresses by channel), hyperparameters, body, name, and result: the file that gets one JSON object.
"""

import json
import sys
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TrainingJob
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, OutputDataConfig, StoppingCondition

given = json.loads(sys.argv[1])
name = given["name"]
# With a bucket of its own the session asks nobody for the account: STS's regional address is hard-wired.
session = Session(default_bucket=given["bucket"], default_bucket_prefix="sdk")
trainer = ModelTrainer(
    sagemaker_session=session,
    training_image=given["image"],
    role=given["role"],
    base_job_name=name,
    compute=Compute(instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=10),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=120),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{given['bucket']}/sdk/models"),
    hyperparameters=given["hyperparameters"],
)
channels = [InputData(channel_name=channel, data_source=uri) for channel, uri in given["train"].items()]
trainer.train(input_data_config=channels, wait=False, logs=False)
job = TrainingJob.get(training_job_name=trainer._latest_training_job.training_job_name)
job.wait(poll=1, logs=False)
archive = job.model_artifacts.s3_model_artifacts

container = ContainerDefinition(image=given["image"], model_data_url=archive)
model = Model.create(model_name=name, primary_container=container, execution_role_arn=given["role"])
variant = ProductionVariant(
    variant_name="AllTraffic", model_name=name, initial_instance_count=1, instance_type="ml.m5.large"
)
config = EndpointConfig.create(endpoint_config_name=name, production_variants=[variant])
endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
endpoint.wait_for_status("InService", poll=1)
reply = endpoint.invoke(body=given["body"], content_type="application/jsonlines", accept="application/json")
answer = reply.body.read().decode()

endpoint.delete()
endpoint.wait_for_delete(poll=1)
config.delete()
model.delete()
told = {"job": job.training_job_status, "archive": archive, "answer": answer}
Path(given["result"]).write_text(json.dumps(told))
