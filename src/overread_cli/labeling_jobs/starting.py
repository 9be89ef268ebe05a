"""`overread label start`: a run of a deployed labeling job, or one plain job of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import ClientError

from overread.errors import InvalidDataError
from overread.labeling.job_documents import NAMES, requests
from overread.labeling.jobs import LabelingJobSpec
from overread_cli.labeling_jobs.deployment import DeployedJob, deployed_job
from overread_cli.labeling_jobs.files import place_of
from overread_cli.labeling_jobs.planning import count_objects
from overread_cli.labeling_jobs.progress import ENDED
from overread_cli.labeling_jobs.settings import FaultyJobError
from overread_cli.labeling_jobs.target import EPILOG, options_again, with_target
from overread_cli.review.targets import Target

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Started:
    """A job that was started, or was there: under which name, how it stands, and whether it is new."""

    name: str
    status: str
    is_new: bool


@click.command(epilog=EPILOG, short_help="Start a run, or one plain job.")
@with_target
@click.argument("name")
@click.option(
    "--manifest",
    metavar="FILE|S3",
    help="Other objects than the job's `manifest`: a file is checked and uploaded, an s3:// address used.",
)
@click.option(
    "--job-only",
    is_flag=True,
    help="One plain job in which people label every object, whatever the mode and the quality rules are.",
)
@click.option("--again", is_flag=True, help="Another job where this very one is there already.")
@click.option("--stack", metavar="NAME", help="The labeling stack; needed when several have such a job.")
@click.option("--dry-run", is_flag=True, help="Print the request; nothing is uploaded or started.")
@click.option("--json", "as_json", is_flag=True, help="What was started as one JSON object.")
def start(
    *,
    target: Target,
    name: str,
    manifest: str | None,
    job_only: bool,
    again: bool,
    stack: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Start the labeling job NAME that a deployment provides (`labeling/NAME.yaml`).

    Started again with the same manifest it is the same job: the command says so and starts nothing, unless
    the job failed or was stopped, or --again is given.

    \b
    Examples:
      overread label start sentences --dry-run --job-only
      overread label start sentences --manifest sentences.manifest
      overread label start sentences --aws --stack overread-prod-labeling
    """
    deployed = deployed_job(target, name, stack=stack)
    if not job_only:
        _check_plain(deployed)
    spec = _with_manifest(target, deployed, manifest, is_sent=not dry_run)
    if dry_run:
        click.echo(json.dumps(_requests(spec)[0], indent=2, ensure_ascii=False))
        return
    _check_manifest(target, spec, name=name)
    started = create_job(deployed.sagemaker(target), spec, is_another=again)
    if as_json:
        click.echo(json.dumps({"job": started.name, "status": started.status, "is_new": started.is_new}))
    else:
        click.echo(started.name)
    _say_next(started, where=options_again(service_url=deployed.service_url))


def _check_plain(deployed: DeployedJob) -> None:
    """Says what of the job's settings a plain job does not do.

    Raises:
        FaultyJobError: it would be another thing altogether: the model would be left out.
    """
    mode = deployed.settings.get("mode", "human")
    if mode != "human":
        raise FaultyJobError(
            f"{deployed.name} is a job of mode {mode}, and this command starts plain jobs: with --job-only "
            "people label every object"
        )
    quality = deployed.settings.get("quality") or {}
    left_out = [name for name, value in quality.items() if value is not None]
    if left_out:
        told = ", ".join(f"quality.{name}" for name in left_out)
        click.echo(f"a plain job does not do {told}; --job-only says that this is meant", err=True)


def create_job(sagemaker: Any, spec: LabelingJobSpec, *, is_another: bool) -> Started:
    """Makes the job under the first name that is free, unless this very job runs or is done.

    Raises:
        FaultyJobError: the specification has faults.
        click.ClickException: all its names are used.
        botocore.exceptions.ClientError: the service refuses it.
    """
    for request in _requests(spec):
        name = request["LabelingJobName"]
        try:
            sagemaker.create_labeling_job(**request)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceInUse":
                raise
            described = sagemaker.describe_labeling_job(LabelingJobName=name)
            status = described["LabelingJobStatus"]
            is_done = status not in {"Failed", "Stopped"} or _has_met_its_budget(described)
            if is_another or not is_done:
                continue
            return Started(name, status, is_new=False)
        return Started(name, "Initializing", is_new=True)
    raise click.ClickException(
        f"this very job was made {NAMES} times, and no name is free again; give it another manifest"
    )


def _has_met_its_budget(described: Mapping[str, Any]) -> bool:
    """Whether a job was stopped by nobody but its own condition: people labeled as many as they were to."""
    most = described.get("StoppingConditions", {}).get("MaxHumanLabeledObjectCount")
    return most is not None and described["LabelCounters"]["HumanLabeled"] >= most


def _requests(spec: LabelingJobSpec) -> list[dict[str, Any]]:
    try:
        return list(requests(spec))
    except InvalidDataError as error:
        raise FaultyJobError(str(error)) from error


def _with_manifest(
    target: Target, deployed: DeployedJob, manifest: str | None, *, is_sent: bool
) -> LabelingJobSpec:
    if manifest is None:
        return deployed.spec
    uri = manifest
    if not manifest.startswith("s3://"):
        path = Path(manifest)
        _check_file(path, attribute=deployed.spec.label_attribute)
        key = f"labeling/{deployed.name}/manifests/{_sha256(path)[:16]}.manifest"
        uri = f"s3://{deployed.places['input_bucket']}/{key}"
        if is_sent:
            _upload(target, path, uri=uri, key_arn=deployed.places.get("key_arn", ""))
    return replace(deployed.spec, manifest_uri=uri)


def _check_file(path: Path, *, attribute: str) -> None:
    try:
        with path.open("rb") as stream:
            counted = count_objects(stream, name=str(path), attribute=attribute)
    except OSError as error:
        raise FaultyJobError(f"{path}: {error.strerror}") from error
    if counted.faults:
        raise FaultyJobError("\n".join([*counted.faults, "nothing was started"]))


def _upload(target: Target, path: Path, *, uri: str, key_arn: str) -> None:
    place = place_of(uri)
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn} if key_arn else {}
    target.s3.upload_file(str(path), place.bucket, place.key, ExtraArgs=encrypted)


def _check_manifest(target: Target, spec: LabelingJobSpec, *, name: str) -> None:
    """Refuses a job whose manifest is not there: it would take its name and fail."""
    if not spec.manifest_uri.startswith("s3://"):
        return
    place = place_of(spec.manifest_uri)
    try:
        target.s3.head_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 404:
            raise
        raise click.ClickException(
            f"there is no manifest at {spec.manifest_uri}; `overread label start {name} --manifest FILE` "
            "uploads one"
        ) from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file.read):
            digest.update(chunk)
    return digest.hexdigest()


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(_CHUNK):
        yield chunk


def _say_next(started: Started, *, where: str) -> None:
    if not started.is_new:
        told = "is done" if started.status in ENDED else "runs already"
        click.echo(f"this very job {told} ({started.status}); --again starts another", err=True)
    click.echo(f"next: overread label status {started.name} --watch{where}", err=True)
