"""Where the local stack keeps its things: one folder, laid out here, and the record of what runs in it."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ACCOUNT = "000000000000"
REGION = "us-east-1"


@dataclass(frozen=True)
class StateFolder:
    """The paths inside a state folder."""

    root: Path

    @property
    def record(self) -> Path:
        return self.root / "stack.json"

    @property
    def supervisor_pid(self) -> Path:
        return self.root / "supervisor.pid"

    @property
    def launch(self) -> Path:
        return self.root / "launch.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def temporary(self) -> Path:
        """Lambda code and models are unpacked here; gone when the stack stops."""
        return self.root / "tmp"

    @property
    def emulator(self) -> Path:
        return self.root / "emulator"

    @property
    def objects(self) -> Path:
        return self.root / "s3"

    @property
    def sagemaker(self) -> Path:
        return self.root / "sagemaker.json"

    @property
    def scaling(self) -> Path:
        return self.root / "scaling.json"

    @property
    def token(self) -> Path:
        return self.root / "token"

    @property
    def images(self) -> Path:
        return self.root / "images.json"

    @property
    def access(self) -> Path:
        return self.root / "access.jsonl"

    @property
    def iam(self) -> Path:
        return self.root / "iam.json"

    @property
    def reviewers(self) -> Path:
        return self.root / "reviewers.json"


@dataclass(frozen=True)
class ProcessRecord:
    """A process as the stack started it; the start time tells it from another one that got its number."""

    pid: int
    started: float


@dataclass(frozen=True)
class StackRecord:
    """What runs and where it is reached: the contents of stack.json."""

    endpoint_url: str
    portal_url: str
    model_server_url: str
    region: str
    account: str
    token: str
    processes: Mapping[str, ProcessRecord]

    def to_json(self) -> str:
        document = asdict(self)
        document["pids"] = {name: process.pid for name, process in self.processes.items()}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "StackRecord":
        document: dict[str, Any] = json.loads(text)
        document.pop("pids", None)
        processes = {name: ProcessRecord(**process) for name, process in document.pop("processes").items()}
        return cls(processes=processes, **document)


def read_record(folder: StateFolder) -> StackRecord | None:
    """The record of the stack that runs, or ran last, in `folder`."""
    if not folder.record.is_file():
        return None
    return StackRecord.from_json(folder.record.read_text())


def write_private(path: Path, text: str) -> None:
    """Writes a file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    temporary.replace(path)
