"""A job's specification as JSON and back, and the names that one job may have."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.labeling.test_jobs import spec_of

from overread.errors import InvalidDataError
from overread.labeling.job_documents import NAMES, read_spec, requests, spec_document
from overread.labeling.jobs import JOB_NAME, AutomatedLabeling, Backend, create_request
from overread.labeling.task_types import TASK_TYPES


@pytest.mark.parametrize("task", TASK_TYPES)
@pytest.mark.parametrize("backend", list(Backend))
def test_a_specification_survives_json(task: str, backend: Backend) -> None:
    spec = spec_of(TASK_TYPES[task], backend=backend, keywords=("scan",), tags={"a": "b"})
    assert read_spec(json.loads(json.dumps(spec_document(spec)))) == spec


def test_price_and_automated_labeling_survive_json() -> None:
    automated = AutomatedLabeling(volume_kms_key="key", security_groups=("sg-1",), subnets=("subnet-1",))
    spec = spec_of(TASK_TYPES["BoundingBox"], price_usd=Decimal("0.036"), automated=automated)
    assert read_spec(json.loads(json.dumps(spec_document(spec)))) == spec


def test_every_fault_of_a_document_is_told() -> None:
    document = spec_document(spec_of(TASK_TYPES["BoundingBox"]))
    del document["title"]
    with pytest.raises(InvalidDataError) as error:
        read_spec(document | {"task": "Boxes", "backend": "paper", "colour": "red"})
    for word in ("'colour'", "title is missing", "'Boxes'", "'paper'"):
        assert word in str(error.value)


def test_a_job_has_a_first_name_and_others_for_when_that_is_used_up() -> None:
    spec = spec_of(TASK_TYPES["BoundingBox"])
    made = list(requests(spec))
    assert made[0] == create_request(spec)
    names = [one["LabelingJobName"] for one in made]
    assert len(set(names)) == NAMES
    assert all(JOB_NAME.allows(name) and len(name) == len(names[0]) for name in names)
    other = [one["LabelingJobName"] for one in requests(replace(spec, workers=5))]
    assert not set(names) & set(other)
    assert [one["LabelingJobName"] for one in requests(replace(spec, tags={"cost": "1"}))] == names
