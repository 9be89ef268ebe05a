"""The page on the statistics' commands: every example runs and prints what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from overread_cli.main import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "statistics-commands.md").read_text()
EXAMPLES = re.findall(r"```console\n\$ (overread [^\n]*)\n(.*?)```", PAGE, re.DOTALL)
GROUPS = ("agreement", "consensus", "threshold")


@pytest.mark.parametrize(("command", "expected"), EXAMPLES, ids=[command[9:40] for command, _ in EXAMPLES])
def test_an_example_prints_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, expected: str
) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, shlex.split(command)[1:])
    assert result.output == expected


def test_every_command_is_on_the_page() -> None:
    context = click.Context(main)
    for name in GROUPS:
        command = main.get_command(context, name) if isinstance(main, click.Group) else None
        assert command is not None
        if isinstance(command, click.Group):
            for sub in command.commands:
                assert f"`overread {name} {sub}`" in PAGE
        else:
            assert f"`overread {name}`" in PAGE
