"""Models behind SageMaker endpoints."""

from typing import Any

from overread.decisions.ports import ModelReply
from overread_aws.assumed_role import client_as
from overread_aws.clients import make_client
from overread_aws.failures import calling

JSON = "application/json"
_TIMEOUT_S = 15.0


def make_models(role_arn: str = "") -> "SageMakerModels":
    """Models of this account, or those that `role_arn` of another one may invoke."""
    if role_arn:
        client = client_as(role_arn, "sagemaker-runtime", read_timeout_s=_TIMEOUT_S, attempts=1)
    else:
        client = make_client("sagemaker-runtime", read_timeout_s=_TIMEOUT_S, attempts=1)
    return SageMakerModels(client)


class SageMakerModels:
    """The port `Models`. Its client must make a single attempt: a blind repetition is a second inference."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def predict(self, endpoint_name: str, *, body: bytes, inference_id: str) -> ModelReply:
        """The endpoint's reply to `body`, asked once."""
        with calling("InvokeEndpoint"):
            reply = self._client.invoke_endpoint(
                EndpointName=endpoint_name,
                Body=body,
                ContentType=JSON,
                Accept=JSON,
                InferenceId=inference_id,
            )
            content: bytes = reply["Body"].read()
        return ModelReply(body=content, variant=reply.get("InvokedProductionVariant", ""))
