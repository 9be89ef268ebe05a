"""Batch transform jobs: a model started, every S3 object fed to it, its answers written as KEY.out."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

import httpx

from overread_local.sagemaker import serving_containers
from overread_local.sagemaker.errors import ValidationException
from overread_local.sagemaker.job_files import StorageFault
from overread_local.sagemaker.jobs import INTERRUPTED, JobFailure, JobHost, JobKind, Jobs
from overread_local.sagemaker.models import Operation, archive_url, find_model
from overread_local.sagemaker.records import Caller, Listing, Record, Records, without
from overread_local.sagemaker.serving import LoadFailure, ModelServer, ModelServerDown, Reply, Unit
from overread_local.sagemaker.serving_containers import ServingContainer

KIND = JobKind(noun="TransformJob", words="Transform job", resource="transform-job")
INVOKE_TIMEOUT_S = 600.0
Ask = Callable[[bytes, Mapping[str, str]], Awaitable[Reply]]
_LISTING = Listing(
    member="TransformJobSummaries",
    summary=lambda record: {
        name: record.document[name]
        for name in (
            "TransformJobName",
            "TransformJobArn",
            "CreationTime",
            "TransformEndTime",
            "LastModifiedTime",
            "TransformJobStatus",
            "FailureReason",
        )
        if name in record.document
    },
    sort_keys={"Name": "TransformJobName", "CreationTime": "CreationTime", "Status": "TransformJobStatus"},
    status="TransformJobStatus",
)


class TransformJobs:
    """Operations on transform jobs."""

    def __init__(self, records: Records, *, host: JobHost, server: ModelServer) -> None:
        self._jobs = Jobs(records, KIND, host=host)
        self._host = host
        self._server = server

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": self.describe,
            "ListTransformJobs": self.list_all,
            "StopTransformJob": self.stop,
        }

    def resume(self) -> None:
        """Jobs die with the stack: what ran then has failed."""
        for record in self._jobs.interrupted():
            self._end(record, "Failed", INTERRUPTED)

    def kill(self) -> None:
        self._jobs.kill()

    async def create(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        model = find_model(self._jobs.records, caller, params["ModelName"]).document
        _check(params)
        record = self._jobs.add(caller, params, without(params, "Tags"))
        work = self._transform(record, model.get("PrimaryContainer") or model["Containers"][0])
        self._jobs.run(record, work, end=lambda status, reason: self._end(record, status, reason))
        return {"TransformJobArn": record.arn}

    async def describe(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._jobs.find(caller, params["TransformJobName"]).document

    async def list_all(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _LISTING.page(self._jobs.records.of_kind(KIND.resource, caller=caller), params)

    async def stop(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._jobs.begin_stop(caller, params["TransformJobName"])
        if record is not None:
            self._jobs.update(record, TransformJobStatus="Stopping")
        return {}

    async def _transform(self, record: Record, model: Mapping[str, Any]) -> None:
        document = record.document
        self._jobs.update(record, TransformStartTime=self._host.clock())
        unit = Unit(
            name=f"{record.name}.{uuid.uuid4().hex[:8]}",
            model_data_url=archive_url(model),
            environment={**(model.get("Environment") or {}), **(document.get("Environment") or {})},
        )
        try:
            if self._host.images.knows(model.get("Image", "")):
                serving = await self._started(record, model["Image"], unit)
                await self._feed(record, serving.ask)
                return
            await self._server.load(unit)
            try:
                await self._feed(
                    record, lambda body, kind: self._server.invoke(unit, body=body, headers=kind)
                )
            finally:
                await self._server.unload([unit])
        except StorageFault as fault:
            raise JobFailure(f"ClientError: {fault}") from fault
        except LoadFailure as fault:
            side = "ClientError" if fault.cause == "download" else "AlgorithmError"
            raise JobFailure(f"{side}: {fault}") from fault
        except (ModelServerDown, httpx.TransportError) as fault:
            raise JobFailure(f"AlgorithmError: the model stopped answering: {fault}") from fault

    async def _started(self, record: Record, image: str, unit: Unit) -> ServingContainer:
        """The image's `serve`; the job's end stops it."""
        container = self._host.container()
        self._jobs.containers[record.arn] = container
        return await serving_containers.start(
            unit, image=image, host=self._host, container=container, timeout_s=INVOKE_TIMEOUT_S
        )

    async def _feed(self, record: Record, ask: Ask) -> None:
        files, source = self._host.files, record.document["TransformInput"]
        for bucket, key, name in await asyncio.to_thread(files.objects, source["DataSource"]["S3DataSource"]):
            if self._jobs.status(record) == "Stopping":
                return
            body = await asyncio.to_thread(files.read, bucket, key)
            answer = await self._answers(record, ask, body)
            base = record.document["TransformOutput"]["S3OutputPath"].rstrip("/")
            await asyncio.to_thread(files.write, f"{base}/{name}.out", answer)

    async def _answers(self, record: Record, ask: Ask, body: bytes) -> bytes:
        document = record.document
        source, output = document["TransformInput"], document["TransformOutput"]
        headers = {
            "content-type": source.get("ContentType") or "application/octet-stream",
            "accept": output.get("Accept") or "*/*",
        }
        if source.get("SplitType", "None") == "None":
            return await _asked(ask, body, headers)
        lines = [line for line in body.split(b"\n") if line.strip()]
        answers: list[bytes] = []
        for batch in _batches(lines, document):
            if self._jobs.status(record) == "Stopping":
                return b""
            answer = await _asked(ask, b"\n".join(batch) + b"\n", headers)
            answers += _joined(batch, answer) if _joins(document) else [answer.rstrip(b"\n")]
        glue = b"\n" if output.get("AssembleWith", "None") == "Line" or _joins(document) else b""
        return glue.join(answers) + glue

    def _end(self, record: Record, status: str, reason: str) -> None:
        members = {"FailureReason": reason} if reason else {}
        self._jobs.update(record, TransformJobStatus=status, TransformEndTime=self._host.clock(), **members)


def _check(params: Mapping[str, Any]) -> None:
    """What the local stack cannot do.

    Raises:
        ValidationException: naming every fault.
    """
    source, processing = params["TransformInput"], params.get("DataProcessing") or {}
    faults = [
        f"DataProcessing.{name} must be $ in the local stack, got {processing[name]}"
        for name in ("InputFilter", "OutputFilter")
        if processing.get(name, "$") != "$"
    ]
    if source.get("SplitType", "None") not in {"None", "Line"}:
        faults.append(
            f"TransformInput.SplitType must be None or Line in the local stack, got {source['SplitType']}"
        )
    if source.get("CompressionType", "None") != "None":
        faults.append("TransformInput.CompressionType must be None in the local stack")
    if processing.get("JoinSource", "None") == "Input" and source.get("SplitType", "None") != "Line":
        faults.append("DataProcessing.JoinSource needs TransformInput.SplitType Line in the local stack")
    if faults:
        raise ValidationException("; ".join(faults))


def _joins(document: Mapping[str, Any]) -> bool:
    return bool((document.get("DataProcessing") or {}).get("JoinSource", "None") == "Input")


def _batches(lines: Sequence[bytes], document: Mapping[str, Any]) -> Iterator[list[bytes]]:
    """Lines in requests of at most MaxPayloadInMB, or one by one."""
    limit = (document.get("MaxPayloadInMB") or 6) * 1024 * 1024
    single = document.get("BatchStrategy", "MultiRecord") == "SingleRecord"
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if len(line) + 1 > limit:
            raise JobFailure(f"ClientError: a record of {len(line)} bytes exceeds MaxPayloadInMB")
        if batch and (single or size + len(line) + 1 > limit):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def _joined(batch: Sequence[bytes], answer: bytes) -> list[bytes]:
    """Each input line with its answer as `SageMakerOutput`, as JoinSource does for JSON Lines."""
    answers = [line for line in answer.split(b"\n") if line.strip()]
    if len(answers) != len(batch):
        raise JobFailure(f"ClientError: {len(batch)} records were sent and {len(answers)} came back")
    try:
        return [
            json.dumps({**json.loads(line), "SageMakerOutput": json.loads(told)}).encode()
            for line, told in zip(batch, answers, strict=True)
        ]
    except (ValueError, TypeError) as error:
        raise JobFailure(
            f"ClientError: records cannot be joined, they are no JSON objects: {error}"
        ) from error


async def _asked(ask: Ask, body: bytes, headers: Mapping[str, str]) -> bytes:
    reply = await ask(body, headers)
    if reply.status >= 400:
        told = reply.body.decode(errors="replace")[:800]
        raise JobFailure(f"AlgorithmError: the model answered {reply.status}: {told}")
    return reply.body
