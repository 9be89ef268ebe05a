"""InvokeEndpoint: the request goes to a variant's model and comes back with AWS's headers and errors."""

import random
from collections.abc import Mapping, Sequence

from overread_local.sagemaker.captures import Captures
from overread_local.sagemaker.endpoints import Endpoints, Variant
from overread_local.sagemaker.errors import (
    AwsError,
    ModelError,
    ServiceUnavailable,
    ValidationError,
    ValidationException,
)
from overread_local.sagemaker.records import Caller, Record
from overread_local.sagemaker.serving import LoadFailure, ModelServerDown, Reply

MAX_BODY_BYTES = 6_291_456
_DEFAULT_TYPE = "application/json"
Answer = tuple[int, dict[str, str], bytes]


class Runtime:
    """The data plane of endpoints."""

    def __init__(self, endpoints: Endpoints, *, captures: Captures) -> None:
        self._endpoints = endpoints
        self._captures = captures

    async def invoke(self, caller: Caller, name: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """One inference: status, headers and body as AWS sends them.

        Raises:
            AwsError: ValidationError for a missing endpoint or variant, ModelError with the container's own
                status and message, ServiceUnavailable when the model server does not answer.
        """
        record = self._find_serving(caller, name)
        if len(body) > MAX_BODY_BYTES:
            raise ValidationError(
                f"Request of {len(body)} bytes exceeds the limit of {MAX_BODY_BYTES} bytes."
            )
        variant = _choose(
            self._endpoints.variants(record), wanted=headers.get("x-amzn-sagemaker-target-variant")
        )
        content_type = headers.get("content-type") or _DEFAULT_TYPE
        sent = {"content-type": content_type, "accept": headers.get("accept") or "*/*"}
        if attributes := headers.get("x-amzn-sagemaker-custom-attributes"):
            sent["x-amzn-sagemaker-custom-attributes"] = attributes
        inference_id = headers.get("x-amzn-sagemaker-inference-id")
        self._captures.add(endpoint=name, variant=variant.name, inference_id=inference_id)
        try:
            reply = await self._endpoints.hosting.invoke(variant.unit, body=body, headers=sent)
        except (ModelServerDown, LoadFailure) as failure:
            raise ServiceUnavailable(f"Endpoint {name} cannot serve now: {failure}") from failure
        if reply.status >= 400:
            raise _model_error(caller, name, reply=reply)
        answer = {"content-type": reply.content_type, "x-amzn-invoked-production-variant": variant.name}
        return 200, answer, reply.body

    def _find_serving(self, caller: Caller, name: str) -> Record:
        missing = ValidationError(f"Endpoint {name} of account {caller.account} not found.")
        try:
            record = self._endpoints.find(caller, name)
        except ValidationException as absent:
            raise missing from absent
        if not self._endpoints.variants(record):
            raise missing
        return record


def _choose(variants: Sequence[Variant], *, wanted: str | None) -> Variant:
    if wanted is None:
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights=weights if any(weights) else None)[0]  # noqa: S311 - traffic split
    for variant in variants:
        if variant.name == wanted:
            return variant
    raise ValidationError(f"Variant {wanted} not found for Request")


def _model_error(caller: Caller, name: str, *, reply: Reply) -> AwsError:
    message = reply.body.decode("utf-8", errors="replace")
    side = "client" if reply.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{name}"
    return ModelError(
        f'Received {side} error ({reply.status}) from primary with message "{message}". See '
        f"https://{caller.region}.console.aws.amazon.com/cloudwatch/home?region={caller.region}"
        f"#logEventViewer:group={group} in account {caller.account} for more information.",
        members={
            "OriginalStatusCode": reply.status,
            "OriginalMessage": message,
            "LogStreamArn": f"arn:aws:logs:{caller.region}:{caller.account}:log-group:{group}",
        },
    )
