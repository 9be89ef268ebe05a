"""`overread config check FILE`: whether a deployment's configuration is valid, and what is wrong where."""

from __future__ import annotations

from pathlib import Path

import click

from overread_config import ConfigError, Settings, load_settings

FAULTY = 2


@click.group()
def config() -> None:
    """Check a deployment's configuration."""


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say OK, or list every fault of FILE with its line; exit code 2 then."""
    try:
        settings = load_settings(file)
    except ConfigError as error:
        for fault in error.faults:
            click.echo(str(fault), err=True)
        count = len(error.faults)
        click.echo(f"{file}: {count} fault{'' if count == 1 else 's'}", err=True)
        raise SystemExit(FAULTY) from error
    click.echo(f"OK {file}: {summary(settings)}")


def summary(settings: Settings) -> str:
    """What is deployed, in one line."""
    use_cases = ", ".join(use_case.name for use_case in settings.use_cases)
    lock = settings.retention.audit_lock
    locked = "audit unlocked" if lock.mode == "off" else f"audit locked for {lock.days} days ({lock.mode})"
    return (
        f"{settings.prefix}, use cases {use_cases}; reviews by {settings.review.backend}; "
        f"workforce {settings.workforce.mode}; {locked}; {settings.retention.removal_policy} on removal"
    )
