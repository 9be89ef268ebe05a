"""Files that a configuration names and whose content counts: threshold guarantees, model archives."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from overread.errors import InvalidGuaranteeError
from overread.risk.guarantee import parse_guarantee
from overread_config.kinds import ExistingFile, Kind, Reading

_VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class GuaranteeFile(Kind):
    """A threshold guarantee in a file of its own."""

    @property
    def allowed(self) -> str:
        """What the file must hold."""
        return (
            "the path of a threshold guarantee, relative to the project root "
            "(`overread threshold certify --guarantee` writes one)"
        )

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The guarantee; each fault of its document is a fault of this setting."""
        path = ExistingFile().read(node, field=field, reading=reading)
        if not isinstance(path, Path):
            return path
        try:
            return parse_guarantee(path.read_bytes())
        except InvalidGuaranteeError as error:
            faults = "; ".join(error.faults)
        return self.refuse(node, field=field, reading=reading, problem=f"is no threshold guarantee: {faults}")


def model_version(archive: Path) -> str:
    """The version that the model of an archive has in decisions and guarantees: its content."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    return f"sha256:{digest[:_VERSION_DIGITS]}"
