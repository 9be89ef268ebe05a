"""Training jobs: channels fetched, the image's `train` run in a process, the model archived to S3."""

import asyncio
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread_local.sagemaker.containers import Container
from overread_local.sagemaker.errors import ValidationException
from overread_local.sagemaker.images import ImageMissing
from overread_local.sagemaker.job_files import StorageFault
from overread_local.sagemaker.jobs import INTERRUPTED, JobFailure, JobHost, JobKind, Jobs
from overread_local.sagemaker.models import Operation
from overread_local.sagemaker.records import Caller, Listing, Record, Records, without

KIND = JobKind(noun="TrainingJob", words="Training job", resource="training-job")
_DAY_S = 86_400
_LISTING = Listing(
    member="TrainingJobSummaries",
    summary=lambda record: {
        name: record.document[name]
        for name in (
            "TrainingJobName",
            "TrainingJobArn",
            "CreationTime",
            "TrainingEndTime",
            "LastModifiedTime",
            "TrainingJobStatus",
            "SecondaryStatus",
        )
        if name in record.document
    },
    sort_keys={"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"},
    status="TrainingJobStatus",
)


class TrainingJobs:
    """Operations on training jobs."""

    def __init__(self, records: Records, *, host: JobHost) -> None:
        self._jobs = Jobs(records, KIND, host=host)
        self._host = host

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "CreateTrainingJob": self.create,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list_all,
            "StopTrainingJob": self.stop,
        }

    def resume(self) -> None:
        """Jobs die with the stack: what ran then has failed."""
        for record in self._jobs.interrupted():
            self._end(record, "Failed", INTERRUPTED)

    def kill(self) -> None:
        self._jobs.kill()

    async def create(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        _check(params)
        record = self._jobs.add(
            caller,
            params,
            {
                "StoppingCondition": {"MaxRuntimeInSeconds": _DAY_S},
                "EnableNetworkIsolation": False,
                "EnableInterContainerTrafficEncryption": False,
                "EnableManagedSpotTraining": False,
                **without(params, "Tags"),
                "ModelArtifacts": {"S3ModelArtifacts": _output(params, "model.tar.gz")},
                "SecondaryStatus": "Starting",
                "SecondaryStatusTransitions": [],
            },
        )
        self._step(record, "Starting", "Starting the training job")
        self._jobs.run(
            record, self._train(record), end=lambda status, reason: self._end(record, status, reason)
        )
        return {"TrainingJobArn": record.arn}

    async def describe(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._jobs.find(caller, params["TrainingJobName"]).document

    async def list_all(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        return _LISTING.page(self._jobs.records.of_kind(KIND.resource, caller=caller), params)

    async def stop(self, caller: Caller, params: Mapping[str, Any]) -> dict[str, Any]:
        record = self._jobs.begin_stop(caller, params["TrainingJobName"])
        if record is not None:
            self._step(record, "Stopping", "Stopping the training job")
            self._jobs.update(record, TrainingJobStatus="Stopping")
            if (container := self._jobs.containers.get(record.arn)) is not None:
                self._stopping = asyncio.get_running_loop().create_task(container.stop())
        return {}

    async def _train(self, record: Record) -> None:
        document, container = record.document, self._host.container()
        self._jobs.containers[record.arn] = container
        try:
            image = self._host.images.folder(
                document["AlgorithmSpecification"]["TrainingImage"], program="train"
            )
            self._step(record, "Downloading", "Downloading input data")
            await asyncio.to_thread(self._fetch, document, container)
        except (ImageMissing, StorageFault) as fault:
            raise JobFailure(f"ClientError: {fault}") from fault
        if self._jobs.status(record) == "Stopping":
            return
        self._step(record, "Training", "Training image download completed. Training in progress.")
        self._jobs.update(record, TrainingStartTime=self._host.clock())
        try:
            await container.start(image, program="train", environment=_environment(record, container.ml))
        except OSError as fault:
            raise JobFailure(f"ClientError: the image's train cannot be run: {fault.strerror}") from fault
        if self._jobs.status(record) == "Stopping":  # asked while the program was being copied
            await container.stop()
        limit = document["StoppingCondition"].get("MaxRuntimeInSeconds", _DAY_S)
        try:
            code = await asyncio.wait_for(container.wait(), limit)
        except TimeoutError:
            await container.stop()
            self._step(record, "MaxRuntimeExceeded", "Training job runtime exceeded MaxRuntimeInSeconds")
            record.hidden["too_long"] = True
            code = 0
        if code and self._jobs.status(record) != "Stopping":
            raise JobFailure(_reason(container, code))
        self._step(record, "Uploading", "Uploading generated training model")
        try:
            await asyncio.to_thread(self._store, document, container)
        except StorageFault as fault:
            raise JobFailure(f"ClientError: {fault}") from fault

    def _fetch(self, document: Mapping[str, Any], container: Container) -> None:
        root, channels = container.ml / "input", document.get("InputDataConfig") or ()
        for channel in channels:
            folder = root / "data" / channel["ChannelName"]
            folder.mkdir(parents=True)
            self._host.files.fetch(channel["DataSource"]["S3DataSource"], folder=folder)
        described = {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if channel.get("ContentType") else {}),
            }
            for channel in channels
        }
        for name, content in (
            ("hyperparameters", document.get("HyperParameters") or {}),
            ("inputdataconfig", described),
            (
                "resourceconfig",
                {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"},
            ),
        ):
            (root / "config" / f"{name}.json").write_text(json.dumps(content))

    def _store(self, document: Mapping[str, Any], container: Container) -> None:
        if any((container.ml / "output/data").iterdir()):
            self._host.files.write(_output(document, "output.tar.gz"), _archive(container.ml / "output/data"))
        if any((container.ml / "model").iterdir()):
            self._host.files.write(_output(document, "model.tar.gz"), _archive(container.ml / "model"))

    def _step(self, record: Record, status: str, message: str) -> None:
        """Goes to a secondary status; one that has ended or is stopping stays what it is."""
        now, steps = self._host.clock(), record.document["SecondaryStatusTransitions"]
        if steps:
            steps[-1].setdefault("EndTime", now)
        steps.append({"Status": status, "StartTime": now, "StatusMessage": message})
        self._jobs.update(record, SecondaryStatus=status)

    def _end(self, record: Record, status: str, reason: str) -> None:
        now = self._host.clock()
        shown = status
        if status == "Completed" and record.hidden.pop("too_long", False):
            status, shown = "Stopped", "MaxRuntimeExceeded"
        self._step(record, shown, reason or f"Training job {status.lower()}")
        record.document["SecondaryStatusTransitions"][-1]["EndTime"] = now
        started = record.document.get("TrainingStartTime")
        seconds = int(now - (started or now))
        members = {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        self._jobs.update(
            record,
            TrainingJobStatus=status,
            TrainingEndTime=now,
            **(members if started is not None else {}),
            **({"FailureReason": reason} if reason else {}),
        )


def _check(params: Mapping[str, Any]) -> None:
    """What AWS refuses, and what the local stack cannot do.

    Raises:
        ValidationException: naming every fault.
    """
    faults = []
    algorithm = params.get("AlgorithmSpecification") or {}
    if not algorithm.get("TrainingImage"):
        faults.append("AlgorithmSpecification.TrainingImage is required")
    channels = params.get("InputDataConfig") or ()
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) != len(names):
        faults.append("channel names must be unique")
    for channel in channels:
        mode = channel.get("InputMode") or algorithm.get("TrainingInputMode", "File")
        source = channel["DataSource"].get("S3DataSource") or {}
        if mode == "Pipe":
            faults.append(
                f"channel {channel['ChannelName']}: the local stack has File and FastFile, not Pipe"
            )
        elif source.get("S3DataType") not in {"S3Prefix", "ManifestFile"}:
            faults.append(
                f"channel {channel['ChannelName']}:"
                f" S3DataType must be S3Prefix or ManifestFile in {mode} mode"
            )
    if faults:
        raise ValidationException("; ".join(faults))


def _output(document: Mapping[str, Any], name: str) -> str:
    base = document["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return f"{base}/{document['TrainingJobName']}/output/{name}"


def _environment(record: Record, ml: Path) -> dict[str, str]:
    """The job's own variables and those that SageMaker's training toolkit sets."""
    document = record.document
    parameters = document.get("HyperParameters") or {}
    channels = [channel["ChannelName"] for channel in document.get("InputDataConfig") or ()]
    return {
        **(document.get("Environment") or {}),
        "TRAINING_JOB_NAME": record.name,
        "TRAINING_JOB_ARN": record.arn,
        "SM_MODEL_DIR": str(ml / "model"),
        "SM_INPUT_DIR": str(ml / "input"),
        "SM_INPUT_CONFIG_DIR": str(ml / "input/config"),
        "SM_OUTPUT_DIR": str(ml / "output"),
        "SM_OUTPUT_DATA_DIR": str(ml / "output/data"),
        "SM_HPS": json.dumps(parameters),
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_CURRENT_HOST": "algo-1",
        "SM_HOSTS": '["algo-1"]',
        "SM_NUM_CPUS": str(os.cpu_count() or 1),
        "SM_NUM_GPUS": "0",
        **{f"SM_CHANNEL_{name.upper()}": str(ml / "input/data" / name) for name in channels},
        **{f"SM_HP_{name.upper().replace('-', '_')}": value for name, value in parameters.items()},
    }


def _reason(container: Container, code: int) -> str:
    written = container.ml / "output/failure"
    told = written.read_text(errors="replace") if written.is_file() else container.tail(500)
    return f"AlgorithmError: {told.strip()}, exit code: {code}"


def _archive(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, arcname=path.name)
    return buffer.getvalue()
