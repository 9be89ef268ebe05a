"""Models and endpoint configurations: records that endpoints are made from."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from overread_local.sagemaker.errors import ValidationException
from overread_local.sagemaker.records import Caller, Clock, Listing, Record, Records, tags_of, without

Operation = Callable[[Caller, Mapping[str, Any]], Awaitable[dict[str, Any]]]

MODEL = "model"
ENDPOINT_CONFIG = "endpoint-config"

_MODELS = Listing(
    member="Models",
    summary=lambda record: {
        name: record.document[name] for name in ("ModelName", "ModelArn", "CreationTime")
    },
    sort_keys={"Name": "ModelName", "CreationTime": "CreationTime"},
)
_CONFIGS = Listing(
    member="EndpointConfigs",
    summary=lambda record: {
        name: record.document[name] for name in ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
    },
    sort_keys={"Name": "EndpointConfigName", "CreationTime": "CreationTime"},
)


class Models:
    """Operations on models and endpoint configurations."""

    def __init__(self, records: Records, *, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateModel": self.create_model,
            "DescribeModel": self.describe_model,
            "ListModels": self.list_models,
            "DeleteModel": self.delete_model,
            "CreateEndpointConfig": self.create_config,
            "DescribeEndpointConfig": self.describe_config,
            "ListEndpointConfigs": self.list_configs,
            "DeleteEndpointConfig": self.delete_config,
        }

    async def create_model(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        arn = caller.arn(MODEL, params["ModelName"])
        if bool(params.get("PrimaryContainer")) == bool(params.get("Containers")):
            raise ValidationException("You must provide either PrimaryContainer or Containers, and not both.")
        for container in [params.get("PrimaryContainer"), *(params.get("Containers") or ())]:
            source = ((container or {}).get("ModelDataSource") or {}).get("S3DataSource") or {}
            if source and source.get("CompressionType") != "Gzip":
                raise ValidationException(
                    "ModelDataSource.S3DataSource.CompressionType must be Gzip in the local stack, got"
                    f" {source.get('CompressionType')}"
                )
            if container is not None and not (container.get("Image") or container.get("ModelPackageName")):
                raise ValidationException("Each container must name an Image or a ModelPackageName.")
        if self._records.get(arn) is not None:
            raise ValidationException(f'Cannot create already existing model "{arn}".')
        document = {
            "EnableNetworkIsolation": False,
            **without(params, "Tags"),
            "ModelArn": arn,
            "CreationTime": self._clock(),
        }
        self._records.put(Record(arn, MODEL, params["ModelName"], document, tags=tags_of(params)))
        return {"ModelArn": arn}

    async def describe_model(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return find_model(self._records, caller, params["ModelName"]).document

    async def list_models(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _MODELS.page(self._records.of_kind(MODEL, caller=caller), params)

    async def delete_model(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        self._records.remove(find_model(self._records, caller, params["ModelName"]).arn)
        return {}

    async def create_config(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        name = params["EndpointConfigName"]
        arn = caller.arn(ENDPOINT_CONFIG, name)
        variants = params["ProductionVariants"]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) != len(names):
            raise ValidationException(f"Variant names must be unique, got {', '.join(sorted(names))}.")
        for variant in variants:
            find_model(self._records, caller, variant["ModelName"])
            if not variant.get("InstanceType") and not variant.get("ServerlessConfig"):
                raise ValidationException(
                    f"Variant {variant['VariantName']} needs an InstanceType or a ServerlessConfig."
                )
        if self._records.get(arn) is not None:
            raise ValidationException(f'Cannot create already existing endpoint configuration "{arn}".')
        document = {
            **without(params, "Tags"),
            "ProductionVariants": [{"InitialVariantWeight": 1.0, **variant} for variant in variants],
            "EndpointConfigArn": arn,
            "CreationTime": self._clock(),
        }
        self._records.put(Record(arn, ENDPOINT_CONFIG, name, document, tags=tags_of(params)))
        return {"EndpointConfigArn": arn}

    async def describe_config(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return find_config(self._records, caller, params["EndpointConfigName"]).document

    async def list_configs(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _CONFIGS.page(self._records.of_kind(ENDPOINT_CONFIG, caller=caller), params)

    async def delete_config(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        self._records.remove(find_config(self._records, caller, params["EndpointConfigName"]).arn)
        return {}


def archive_url(container: Mapping[str, Any]) -> str:
    """The s3:// address of a container's model.tar.gz, empty when it has none."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return str(container.get("ModelDataUrl") or source.get("S3Uri") or "")


def find_model(records: Records, caller: Caller, name: str) -> Record:
    """A model by name.

    Raises:
        ValidationException: there is none; worded as AWS words it.
    """
    arn = caller.arn(MODEL, name)
    if (record := records.get(arn)) is None:
        raise ValidationException(f'Could not find model "{arn}".')
    return record


def find_config(records: Records, caller: Caller, name: str) -> Record:
    """An endpoint configuration by name.

    Raises:
        ValidationException: there is none; worded as AWS words it.
    """
    arn = caller.arn(ENDPOINT_CONFIG, name)
    if (record := records.get(arn)) is None:
        raise ValidationException(f'Could not find endpoint configuration "{arn}".')
    return record
