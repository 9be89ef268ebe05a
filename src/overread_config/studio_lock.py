"""The studio's lock file: what a deployed domain has that no change can alter in place.

`python -m overread_config.studio_lock config/dev.yaml` writes it after a deployment, beside the configuration
(`studio.lock.json`, by deployment); it is committed, and every synthesis compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from overread.studio.lock import destructions
from overread_config.faults import Fault
from overread_config.loading import load_settings
from overread_config.settings import Settings

FILE = "studio.lock.json"


def locked_values(settings: Settings) -> dict[str, Any]:
    """The create-only properties of the domain and its users' profiles; empty without a studio."""
    studio = settings.studio
    if studio is None:
        return {}
    return {
        "auth_mode": studio.auth_mode,
        "domain_name": settings.prefix,
        "kms_key": settings.adopt.keys.data or "the deployment's own",
        "workbench_version": studio.workbench_version or "",
        "server_instance": studio.server_instance or "",
        "users": {one.name: "R_STUDIO_ADMIN" if one.admin else "R_STUDIO_USER" for one in studio.users},
    }


def lock_faults(settings: Settings) -> list[Fault]:
    """Every change that would replace what was deployed; none before the first lock."""
    path = settings.file.parent / FILE
    if settings.studio is None or not path.is_file():
        return []
    locked = json.loads(path.read_text(encoding="utf-8")).get(settings.prefix)
    if locked is None:
        return []
    return [
        Fault(
            file=settings.file,
            line=0,
            field=f"studio.{one.field}",
            problem=f"differs from what is deployed ({one.before!r} in {FILE}): {one.destroys}",
            value=repr(one.after),
            allowed=f"{one.before!r}; {one.instead}",
        )
        for one in destructions(locked, locked_values(settings))
    ]


def write_lock(settings: Settings) -> Path:
    """Writes what is deployed now; other deployments' entries stay."""
    path = settings.file.parent / FILE
    document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    document[settings.prefix] = locked_values(settings)
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path


def main(arguments: list[str]) -> int:
    """Writes the lock of each configuration named."""
    for name in arguments:
        print(write_lock(load_settings(Path(name))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
