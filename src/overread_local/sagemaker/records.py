"""What the local SageMaker remembers: records by ARN, written to one file at every change."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from overread_local.sagemaker.errors import ValidationException

Clock = Callable[[], float]
_LOWER_CASE_KINDS = frozenset({"model", "endpoint-config", "endpoint"})


@dataclass(frozen=True)
class Caller:
    """The account and region that a request speaks for."""

    account: str
    region: str

    def arn(self, kind: str, name: str) -> str:
        """The ARN of a resource; AWS writes those of models, configurations and endpoints in lower case."""
        shown = name.lower() if kind in _LOWER_CASE_KINDS else name
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{shown}"


@dataclass
class Record:
    """One resource: `document` is what Describe answers, `hidden` what only the local stack needs."""

    arn: str
    kind: str
    name: str
    document: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)


class Records:
    """All records; every change is on disk before the reply goes out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._by_arn: dict[str, Record] = {}
        if path.is_file():
            self._by_arn = {entry["arn"]: Record(**entry) for entry in json.loads(path.read_text())}

    def get(self, arn: str) -> Record | None:
        return self._by_arn.get(arn)

    def put(self, record: Record) -> None:
        self._by_arn[record.arn] = record
        self.save()

    def remove(self, arn: str) -> None:
        self._by_arn.pop(arn, None)
        self.save()

    def of_kind(self, kind: str, *, caller: Caller | None = None) -> Iterator[Record]:
        """The records of a kind, oldest first; of one account and region when `caller` is given."""
        prefix = "" if caller is None else caller.arn(kind, "")
        for record in list(self._by_arn.values()):
            if record.kind == kind and record.arn.startswith(prefix):
                yield record

    def save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".tmp")
        temporary.write_text(json.dumps([asdict(record) for record in self._by_arn.values()], indent=1))
        temporary.replace(self._path)


def tags_of(params: Mapping[str, Any]) -> dict[str, str]:
    """The `Tags` member of a request as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()}


def without(params: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The request's members without some of them and without nulls."""
    return {key: value for key, value in params.items() if key not in names and value is not None}


@dataclass(frozen=True)
class Listing:
    """How one List operation filters, sorts and names its summaries."""

    member: str
    summary: Callable[[Record], dict[str, Any]]
    sort_keys: Mapping[str, str]
    default_sort: str = "CreationTime"
    status: str = "EndpointStatus"

    def page(self, records: Iterator[Record], params: Mapping[str, Any]) -> dict[str, Any]:
        """One page of summaries, as the List operation answers it.

        Raises:
            ValidationException: the NextToken is not one of ours.
        """
        chosen = [record for record in records if _matches(record, params, status=self.status)]
        key = self.sort_keys[params.get("SortBy") or self.default_sort]
        descending = params.get("SortOrder", "Descending") == "Descending"
        chosen.sort(key=lambda record: record.document.get(key, record.name), reverse=descending)
        start = _position(params.get("NextToken"))
        end = start + int(params.get("MaxResults") or 10)
        page: dict[str, Any] = {self.member: [self.summary(record) for record in chosen[start:end]]}
        if end < len(chosen):
            page["NextToken"] = str(end)
        return page


def _matches(record: Record, params: Mapping[str, Any], *, status: str) -> bool:
    document = record.document
    tests = (
        ("NameContains", lambda wanted: wanted.lower() in record.name.lower()),
        ("CreationTimeAfter", lambda wanted: document["CreationTime"] > wanted),
        ("CreationTimeBefore", lambda wanted: document["CreationTime"] < wanted),
        ("LastModifiedTimeAfter", lambda wanted: document["LastModifiedTime"] > wanted),
        ("LastModifiedTimeBefore", lambda wanted: document["LastModifiedTime"] < wanted),
        ("StatusEquals", lambda wanted: document.get(status) == wanted),
    )
    return all(params.get(name) is None or test(params[name]) for name, test in tests)


def _position(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isdecimal():
        raise ValidationException(f"Invalid pagination token '{token}'")
    return int(token)
