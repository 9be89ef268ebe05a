"""Endpoints: created, updated and deleted as on AWS, each variant served where `hosting` says."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from overread_local.sagemaker.errors import ValidationException
from overread_local.sagemaker.hosting import Hosting
from overread_local.sagemaker.models import Operation, archive_url, find_config, find_model
from overread_local.sagemaker.records import Caller, Clock, Listing, Record, Records, tags_of
from overread_local.sagemaker.serving import LoadFailure, Unit

ENDPOINT = "endpoint"

_ENDPOINTS = Listing(
    member="Endpoints",
    summary=lambda record: {
        name: record.document[name]
        for name in ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
    },
    sort_keys={"Name": "EndpointName", "CreationTime": "CreationTime", "Status": "EndpointStatus"},
)
_BUSY = frozenset({"Creating", "Updating", "Deleting", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True)
class Variant:
    """A production variant as it serves."""

    name: str
    weight: float
    unit: Unit


class Endpoints:
    """Operations on endpoints; the slow half of each runs as a task after the reply, as on AWS."""

    def __init__(self, records: Records, *, clock: Clock, hosting: Hosting, status_lag_s: float) -> None:
        self._records = records
        self._clock = clock
        self.hosting = hosting
        self._status_lag_s = status_lag_s
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateEndpoint": self.create,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": self.list_all,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.reweight,
            "DeleteEndpoint": self.delete,
        }

    def resume(self) -> None:
        """Goes on with what a stopped emulator left half done."""
        for record in self._records.of_kind(ENDPOINT):
            status = record.document["EndpointStatus"]
            caller = _caller_of(record)
            if status in {"Creating", "Updating"}:
                self._spawn(self._deploy(record, caller, record.hidden["target_config"]))
            elif status == "Deleting":
                self._spawn(self._finish_delete(record))

    def variants(self, record: Record) -> list[Variant]:
        """What an endpoint serves now."""
        return [
            Variant(name=entry["name"], weight=entry["weight"], unit=Unit(**entry["unit"]))
            for entry in record.hidden.get("serving", ())
        ]

    def find(self, caller: Caller, name: str) -> Record:
        """An endpoint by name.

        Raises:
            ValidationException: there is none; worded as AWS words it.
        """
        arn = caller.arn(ENDPOINT, name)
        if (record := self._records.get(arn)) is None:
            raise ValidationException(f'Could not find endpoint "{arn}".')
        return record

    async def create(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        name, config = params["EndpointName"], params["EndpointConfigName"]
        arn = caller.arn(ENDPOINT, name)
        if self._records.get(arn) is not None:
            raise ValidationException(f'Cannot create already existing endpoint "{arn}".')
        self._check_config(caller, config)
        now = self._clock()
        document = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": config,
            "EndpointStatus": "Creating",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        record = Record(arn, ENDPOINT, name, document, tags=tags_of(params), hidden={"target_config": config})
        self._records.put(record)
        self._spawn(self._deploy(record, caller, config))
        return {"EndpointArn": arn}

    async def describe(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self.find(caller, params["EndpointName"]).document

    async def list_all(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _ENDPOINTS.page(self._records.of_kind(ENDPOINT, caller=caller), params)

    async def update(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_idle(caller, params["EndpointName"])
        config = params["EndpointConfigName"]
        self._check_config(caller, config)
        if record.document["EndpointStatus"] == "Failed":
            raise ValidationException(
                f'Cannot update failed endpoint "{record.arn}"; it can only be deleted.'
            )
        record.hidden["target_config"] = config
        record.hidden["retain"] = bool(params.get("RetainAllVariantProperties"))
        self._set_status(record, "Updating")
        self._spawn(self._deploy(record, caller, config))
        return {"EndpointArn": record.arn}

    async def reweight(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_idle(caller, params["EndpointName"])
        serving = {entry["name"]: entry for entry in record.hidden.get("serving", ())}
        shown = {entry["VariantName"]: entry for entry in record.document.get("ProductionVariants", ())}
        wanted = params["DesiredWeightsAndCapacities"]
        if unknown := [entry["VariantName"] for entry in wanted if entry["VariantName"] not in serving]:
            raise ValidationException(
                f'Variant(s) {", ".join(unknown)} not found on endpoint "{record.arn}".'
            )
        for entry in wanted:
            if (weight := entry.get("DesiredWeight")) is not None:
                serving[entry["VariantName"]]["weight"] = weight
                shown[entry["VariantName"]].update(CurrentWeight=weight, DesiredWeight=weight)
            if (count := entry.get("DesiredInstanceCount")) is not None:
                shown[entry["VariantName"]].update(CurrentInstanceCount=count, DesiredInstanceCount=count)
        self._set_status(record, "Updating")
        self._spawn(self._settle(record))
        return {"EndpointArn": record.arn}

    async def delete(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._find_idle(caller, params["EndpointName"])
        self._set_status(record, "Deleting")
        self._spawn(self._finish_delete(record))
        return {}

    def _find_idle(self, caller: Caller, name: str) -> Record:
        record = self.find(caller, name)
        if record.document["EndpointStatus"] in _BUSY:
            raise ValidationException(f'Cannot update in-progress endpoint "{record.arn}".')
        return record

    def _check_config(self, caller: Caller, name: str) -> None:
        for variant in find_config(self._records, caller, name).document["ProductionVariants"]:
            find_model(self._records, caller, variant["ModelName"])

    async def _deploy(self, record: Record, caller: Caller, config_name: str) -> None:
        await asyncio.sleep(self._status_lag_s)
        before = self.variants(record)
        config = find_config(self._records, caller, config_name).document
        try:
            after = [await self._load(record, caller, variant) for variant in config["ProductionVariants"]]
        except (LoadFailure, ValidationException) as failure:
            record.document["FailureReason"] = str(failure)[:1024]
            # A failed update rolls back: the endpoint goes on serving what it served.
            self._set_status(record, "InService" if before else "Failed")
            return
        record.hidden["serving"] = [
            {"name": one.name, "weight": one.weight, "unit": vars(one.unit)} for one in after
        ]
        record.document["EndpointConfigName"] = config_name
        shown = self._shown(caller, config["ProductionVariants"])
        if record.hidden.pop("retain", False):
            _retain(record.document.get("ProductionVariants", ()), shown)
        record.document["ProductionVariants"] = shown
        record.document.pop("FailureReason", None)
        self._set_status(record, "InService")
        await self.hosting.unload([variant.unit for variant in before])

    async def _load(self, record: Record, caller: Caller, variant: Mapping[str, Any]) -> Variant:
        model = find_model(self._records, caller, variant["ModelName"]).document
        container = model.get("PrimaryContainer") or model["Containers"][0]
        unit = Unit(
            name=f"{record.name}.{variant['VariantName']}.{uuid.uuid4().hex[:8]}",
            model_data_url=archive_url(container),
            environment=dict(container.get("Environment") or {}),
            image=self.hosting.image_of(container.get("Image", "")),
        )
        try:
            await self.hosting.load(unit)
        except LoadFailure as failure:
            raise LoadFailure(failure.in_aws_words(variant["VariantName"])) from failure
        return Variant(name=variant["VariantName"], weight=variant["InitialVariantWeight"], unit=unit)

    def _shown(self, caller: Caller, variants: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        shown = []
        for variant in variants:
            model = find_model(self._records, caller, variant["ModelName"]).document
            image = (model.get("PrimaryContainer") or model["Containers"][0]).get("Image", "")
            count = variant.get("InitialInstanceCount", 1)
            shown.append(
                {
                    "VariantName": variant["VariantName"],
                    "DeployedImages": [
                        {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": self._clock()}
                    ],
                    "CurrentWeight": variant["InitialVariantWeight"],
                    "DesiredWeight": variant["InitialVariantWeight"],
                    "CurrentInstanceCount": count,
                    "DesiredInstanceCount": count,
                }
            )
        return shown

    async def _settle(self, record: Record) -> None:
        await asyncio.sleep(self._status_lag_s)
        self._set_status(record, "InService")

    async def _finish_delete(self, record: Record) -> None:
        await asyncio.sleep(self._status_lag_s)
        await self.hosting.unload([variant.unit for variant in self.variants(record)])
        self._records.remove(record.arn)

    def _set_status(self, record: Record, status: str) -> None:
        record.document["EndpointStatus"] = status
        record.document["LastModifiedTime"] = self._clock()
        self._records.put(record)

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _retain(before: Sequence[Mapping[str, Any]], after: Sequence[dict[str, Any]]) -> None:
    """Keeps the instance counts of variants that were there before: RetainAllVariantProperties."""
    counts = {one["VariantName"]: one["DesiredInstanceCount"] for one in before}
    for one in after:
        count = counts.get(one["VariantName"], one["DesiredInstanceCount"])
        one.update(CurrentInstanceCount=count, DesiredInstanceCount=count)


def _caller_of(record: Record) -> Caller:
    _, _, _, region, account, _ = record.arn.split(":", 5)
    return Caller(account=account, region=region)
