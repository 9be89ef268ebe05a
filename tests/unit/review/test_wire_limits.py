"""Every limit of AWS's models, from both sides: just inside it is not complained about, just outside it is.

The cases are made from the models themselves; boto3's own checks are off, so that the service's are met.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from overread_review.app import create_app
from overread_review.wire.sagemaker import SageMakerWire
from overread_testing.review_fakes import review_lab

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:"
TEXTS = {
    "[a-z0-9](-*[a-z0-9])*": ("a-0--b", "a_b"),
    "^[a-z0-9](-*[a-z0-9])*$": ("a-0--b", "a/b"),
    "[a-z0-9](-*[a-z0-9]){0,62}": ("a-0--b", "-a"),
    "[a-zA-Z0-9]([a-zA-Z0-9\\-]){0,62}": ("A-b-", "a.b"),
    "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}": ("A-b", "A-"),
    "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,126}": ("A-b", "A-"),
    "arn:aws[a-z\\-]*:lambda:[a-z0-9\\-]*:[0-9]{12}:function:.*": (
        "arn:aws:lambda:eu-west-1:111122223333:function:f",
        "arn:aws:lambda:eu-west-1:111122223333:layer:f",
    ),
    "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)": ("Größe 1_.:/=+-@", "<a>"),
    "[\\p{L}\\p{M}\\p{S}\\p{N}\\p{P}]+": ("Prüfer-1+", "a b"),
    "[\\t\\n\\r -\\uD7FF\\uE000-\\uFFFD]*": ("Prüfe das\t…", "a\x00b"),
    "arn:aws[a-z\\-]*:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+": (
        "arn:aws-cn:iam::111122223333:role/a/b",
        "arn:aws:iam::1:role/some-role",
    ),
    "arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]+:[0-9]{12}:human-task-ui/.*": (
        f"{ARN}human-task-ui/ui",
        f"{ARN}workteam/ui",
    ),
    "arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:workteam/.*": (
        f"{ARN}workteam/private-crowd/t",
        f"{ARN}human-task-ui/t",
    ),
    "arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:flow-definition/.*": (
        f"{ARN}flow-definition/f",
        "flow-definition/f",
    ),
    "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+": (f"{ARN}workteam/x", ARN),
    "arn:aws[a-z\\-]*:sns:[a-z0-9\\-]*:[0-9]{12}:[a-zA-Z0-9_.-]*": (
        "arn:aws:sns:eu-west-1:111122223333:topic",
        "arn:aws:sqs:eu-west-1:111122223333:topic",
    ),
    "(https|s3)://([^/]+)/?(.*)": ("s3://bucket/a/b", "http://bucket/a"),
    "[a-zA-Z0-9:/_-]*": ("alias/key_1", "key 1"),
    "[\\w-]+_[0-9a-zA-Z]+": ("eu-west-1_Ab1", "pool"),
    "[ -~]+": ("a client ~", "größe"),
    "https://\\S+": ("https://idp.example/x", "http://idp.example/x"),
    "[!#-\\[\\]-~]+( [!#-\\[\\]-~]+)*": ("openid email", 'a"b'),
    "[A-Za-z0-9]+( [A-Za-z0-9]+)*": ("two words", "two  words"),
    "[-0-9a-zA-Z]+": ("sg-0A", "sg_0"),
    "[a-zA-Z0-9\\-]+": ("a-B0", "a_b"),
    "arn:.*": ("arn:aws:sns:eu-west-1:111122223333:topic", "topic"),
    "arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:model/.*": (f"{ARN}model/m", f"{ARN}models/m"),
    "arn:aws[a-z\\-]*:sns:[a-z0-9\\-]*:[0-9]{12}:[a-zA-Z0-9_.-]+": (
        "arn:aws:sns:eu-west-1:111122223333:topic",
        "arn:aws:sqs:eu-west-1:111122223333:topic",
    ),
    "vpc-[0-9a-z]*": ("vpc-0a", "0a"),
    "sg-[0-9a-z]*": ("sg-0a", "sg-A"),
    "subnet-[0-9a-z]*": ("subnet-0a", "sub-0a"),
    ".+": ("text", "two\nlines"),
    ".*": ("text", "two\nlines"),
    "[\\S\\s]+": ("two\nlines", None),
}
"""For each pattern of the models a text that fits it and one that does not; None where every text fits."""
CIDR = ("10.0.0.0/8", "10.0.0.256/8")
"""The only pattern that is too long to stand in the table."""


@dataclass(frozen=True)
class Case:
    """One constraint of one member: a value inside it, a value outside, and what is then said."""

    operation: str
    path: tuple[str | int, ...]
    kind: str
    inside: Any
    outside: Any
    complaint: str

    def __str__(self) -> str:
        return f"{self.operation}{'.'.join(map(str, ('', *self.path)))} {self.kind}"


ABSENT = object()


def cases_of(shape: Any, *, operation: str, path: tuple[str | int, ...] = ()) -> Iterator[Case]:
    """All constraints of `shape` and of what is in it."""
    base = Case(operation, path, "", None, None, "")
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    counted = shape.type_name in {"string", "list", "map"}
    what = "Member must have length" if counted else "Member must have value"
    if minimum is not None and not (counted and minimum == 0):
        inside, outside = (sized(shape, size) for size in (minimum, minimum - 1))
        complaint = f"{what} greater than or equal to {minimum}"
        yield replace(base, kind="min", inside=inside, outside=outside, complaint=complaint)
    if maximum is not None:
        inside, outside = (sized(shape, size) for size in (maximum, maximum + 1))
        complaint = f"{what} less than or equal to {maximum}"
        yield replace(base, kind="max", inside=inside, outside=outside, complaint=complaint)
    if pattern := shape.metadata.get("pattern"):
        fits, violates = TEXTS[pattern] if len(pattern) < 200 else CIDR
        if violates is not None:
            complaint = "Member must satisfy regular expression pattern"
            yield replace(base, kind="pattern", inside=fits, outside=violates, complaint=complaint)
    for value in getattr(shape, "enum", None) or ():
        complaint = "Member must satisfy enum value set"
        yield replace(base, kind=f"enum {value}", inside=value, outside=f"{value}x", complaint=complaint)
    yield from nested(shape, operation=operation, path=path)


def nested(shape: Any, *, operation: str, path: tuple[str | int, ...]) -> Iterator[Case]:
    """The constraints of what a structure, list or map holds; and that required members are there."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            # What stands in the address cannot be left out.
            if name in shape.required_members and member.serialization.get("location") != "uri":
                place, complaint = (*path, name), "Member must not be null"
                yield Case(operation, place, "required", sample(member), ABSENT, complaint)
            yield from cases_of(member, operation=operation, path=(*path, name))
    elif shape.type_name == "list":
        yield from cases_of(shape.member, operation=operation, path=(*path, 0))
    elif shape.type_name == "map":
        yield from cases_of(shape.value, operation=operation, path=(*path, "key"))


def sized(shape: Any, size: int) -> Any:
    """A value of exactly that length, or that number."""
    if shape.type_name == "string":
        return "a" * size
    if shape.type_name == "list":
        return [sample(shape.member)] * size
    if shape.type_name == "map":
        return {f"key{number}": sample(shape.value) for number in range(size)}
    return size


def sample(shape: Any) -> Any:
    """A whole value inside all constraints."""
    if shape.type_name == "structure":
        return {name: sample(member) for name, member in shape.members.items()}
    if shape.type_name == "list":
        return [sample(shape.member)]
    if shape.type_name == "map":
        return {"key": sample(shape.value)}
    if shape.type_name == "timestamp":
        return "2026-03-02T09:00:00Z"
    if shape.type_name == "string":
        if shape.enum:
            return shape.enum[0]
        pattern = shape.metadata.get("pattern", ".*")
        return TEXTS[pattern][0] if len(pattern) < 200 else CIDR[0]
    if shape.type_name == "boolean":
        return True
    return shape.metadata.get("min", 1)


def placed(request: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The request with the value at the path; without the member when it is ABSENT."""
    changed = copy.deepcopy(request)
    at = changed
    for step in path[:-1]:
        at = at[step]
    if value is ABSENT:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


def shown(path: tuple[str | int, ...]) -> str:
    """The path as AWS's messages have it."""
    words = [f"{step + 1}.member" if isinstance(step, int) else _lowered(step) for step in path]
    return ".".join(words)


def _lowered(word: str) -> str:
    return word[0].lower() + word[1:]


def models() -> Iterator[tuple[str, Any]]:
    """Each served operation with its input shape."""
    session = botocore.session.get_session()
    served = sorted(SageMakerWire(review_lab().service).operations)
    runtime = session.get_service_model("sagemaker-a2i-runtime")
    sagemaker = session.get_service_model("sagemaker")
    for model, operations in ((sagemaker, served), (runtime, runtime.operation_names)):
        for operation in operations:
            yield operation, model.operation_model(operation).input_shape


INPUTS = dict(models())
CASES = [case for operation, shape in INPUTS.items() for case in cases_of(shape, operation=operation)]


@pytest.fixture(scope="module")
def unchecked(server: Any) -> Iterator[dict[str, Any]]:
    """Plain clients that send what they are given."""
    session = boto3.Session(
        aws_access_key_id="111122223333", aws_secret_access_key="x", region_name="eu-west-1"
    )
    config = Config(retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False)
    clients = [
        session.client(name, endpoint_url=server.url, config=config)
        for name in ("sagemaker", "sagemaker-a2i-runtime")
    ]
    yield {operation: client for client in clients for operation in client.meta.service_model.operation_names}
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def complaints(server: Any, unchecked: dict[str, Any]) -> Any:
    """What the service says to a request; nothing changes that matters to another."""
    server.current.app = create_app(review_lab().service)

    def of(operation: str, request: dict[str, Any]) -> str:
        server.current.app = app
        try:
            getattr(unchecked[operation], xform_name(operation))(**request)
        except ClientError as error:
            return str(error.response["Error"].get("Message", ""))
        return ""

    app = server.current.app
    return of


def test_the_models_are_read_as_a_whole() -> None:
    kinds = [case.kind.split()[0] for case in CASES]
    counts = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    assert counts.keys() == {"enum", "max", "min", "pattern", "required"}
    assert len(CASES) > 300


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_limit_of_the_model_holds_from_both_sides(complaints: Any, case: Case) -> None:
    request = sample(INPUTS[case.operation])
    place = f"at '{shown(case.path)}' failed to satisfy constraint: {case.complaint}"
    assert place in complaints(case.operation, placed(request, case.path, case.outside))
    assert place not in complaints(case.operation, placed(request, case.path, case.inside))


@pytest.mark.parametrize("operation", INPUTS)
def test_a_value_of_another_type_is_named(complaints: Any, operation: str) -> None:
    shape = INPUTS[operation]
    for name, member in shape.members.items():
        # Whatever stands in an address is text.
        is_text = member.type_name == "string"
        if (is_text and member.serialization.get("location")) or member.type_name not in {
            "string",
            "integer",
        }:
            continue
        said = complaints(operation, placed(sample(shape), (name,), 7 if is_text else "seven"))
        assert f"'{_lowered(name)}' must be {'a string' if is_text else 'an integer'}" in said, name


@pytest.mark.parametrize("operation", INPUTS)
def test_a_whole_request_inside_all_limits_has_no_fault_of_form(complaints: Any, operation: str) -> None:
    assert "validation error" not in complaints(operation, sample(INPUTS[operation]))
