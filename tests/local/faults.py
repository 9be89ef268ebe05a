"""Faults at the AWS calls of deployed functions: an interpreter that can fail, and what tells it when."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HOOK = Path(__file__).parent / "worker_faults"
KINDS = ("before", "after", "kill-before", "kill-after", "delay")


@dataclass(frozen=True)
class Faults:
    """The folder that `worker_faults/sitecustomize.py` reads; without files in it nothing fails."""

    folder: Path

    @classmethod
    def inside(cls, folder: Path) -> Faults:
        """New ones in a folder of their own."""
        for name in ("armed", "fired"):
            (folder / name).mkdir(parents=True)
        return cls(folder)

    def python(self, lambda_python: Path) -> Path:
        """An interpreter for Lambda workers that is `lambda_python` with the hook."""
        script = self.folder / "python"
        script.write_text(
            "#!/bin/sh\n"
            f"OVERREAD_FAULTS={shlex.quote(str(self.folder))} PYTHONPATH={shlex.quote(str(HOOK))}\n"
            "export OVERREAD_FAULTS PYTHONPATH\n"
            f'exec {shlex.quote(str(lambda_python.absolute()))} "$@"\n'
        )
        script.chmod(0o700)
        return script

    def record(self) -> None:
        """From now on every call is noted."""
        (self.folder / "recording").touch()

    def calls(self) -> set[str]:
        """The sites of the calls noted so far."""
        return set((self.folder / "calls").read_text().split())

    def recorded(self) -> list[str]:
        """The sites of all calls noted, once for each call; nothing is noted any more."""
        (self.folder / "recording").unlink()
        return (self.folder / "calls").read_text().split()

    def arm(self, sites: Iterable[str], *, kind: str) -> None:
        """The next call at each of the sites has a fault."""
        for site in sites:
            (self.folder / "armed" / site).write_text(kind)

    def disarm(self) -> None:
        """Nothing fails any more."""
        for place in (self.folder / "armed").iterdir():
            place.unlink(missing_ok=True)
        (self.folder / "chance").unlink(missing_ok=True)

    def armed(self) -> set[str]:
        """The sites whose fault has not come yet."""
        return {place.name for place in (self.folder / "armed").iterdir()}

    def fired(self) -> set[tuple[str, str]]:
        """The faults that came, as (site, kind)."""
        names = [place.name.rpartition("!") for place in (self.folder / "fired").iterdir()]
        return {(site, kind) for site, _, kind in names}

    def by_chance(self, share: float) -> None:
        """From now on any call has any fault with this probability; 0 for none."""
        (self.folder / "chance").write_text(json.dumps({"share": share}))

    def drawn(self) -> list[str]:
        """The kinds of the faults that came by chance."""
        drawn = self.folder / "drawn"
        return drawn.read_text().split() if drawn.exists() else []

    def clock_ahead(self, seconds: float) -> None:
        """How far the functions' clock is ahead of ours; it must never go back."""
        place = self.folder / "offset_s.new"
        place.write_text(str(seconds))
        shutil.move(place, self.folder / "offset_s")
