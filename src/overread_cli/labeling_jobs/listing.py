"""Labeling jobs as the API lists them, and the one that a person means by a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import click
from botocore.exceptions import ClientError

from overread_cli.labeling_jobs.progress import JobView, job_view
from overread_cli.review.targets import Target

_MISSING = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_PAGE = 100


def jobs_of(target: Target, *, status: str | None = None) -> Iterator[JobView]:
    """All jobs, the newest first."""
    wanted: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": _PAGE}
    if status:
        wanted["StatusEquals"] = status
    pages = target.sagemaker.get_paginator("list_labeling_jobs").paginate(**wanted)
    return (job_view(one) for page in pages for one in page["LabelingJobSummaryList"])


def described(target: Target, given: str) -> dict[str, Any]:
    """DescribeLabelingJob of a job given by ARN, by name, or by its name without the hash at its end and
    without the deployment's prefix.

    Raises:
        click.ClickException: there is none, or more than one.
    """
    name = given.rpartition("/")[2] if given.startswith("arn:") else given
    try:
        return _describe(target, name)
    except ClientError as error:
        if not _is_missing(error):
            raise
    found = [job.name for job in jobs_of(target) if name.lower() in job.name.lower()]
    version = re.compile(rf"(.+-)?{re.escape(name)}-[0-9a-f]{{8}}", re.IGNORECASE)
    versions = [one for one in found if version.fullmatch(one)]
    if len(versions) == 1:
        return _describe(target, versions[0])
    if versions:
        raise click.ClickException(f"{given!r} stands for several, name one: {', '.join(versions)}")
    there = f"; did you mean {', '.join(found[:5])}" if found else "; `overread label status` lists all"
    raise click.ClickException(f"no labeling job {given!r} on {target.name}{there}")


def look(target: Target, given: str) -> JobView:
    """The job as it stands, with what only a review service says of it.

    Raises:
        click.ClickException: there is none, or more than one.
    """
    job = job_view(described(target, given))
    if target.operations is None:
        return job
    more = target.operations.labeling_job(job.name)
    return replace(job, is_paused=bool(more["paused"]), passed=int(more.get("passed", 0)))


def _describe(target: Target, name: str) -> dict[str, Any]:
    reply: dict[str, Any] = target.sagemaker.describe_labeling_job(LabelingJobName=name)
    return reply


def _is_missing(error: ClientError) -> bool:
    """AWS says ResourceNotFound; where it says that a job is not there in a sentence, that counts too."""
    told = error.response.get("Error", {})
    return told.get("Code") in _MISSING or (
        told.get("Code") == "ValidationException" and "not found" in str(told.get("Message", "")).lower()
    )
