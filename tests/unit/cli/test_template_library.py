"""Every template of the library: without findings, and able to give its expected answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread_cli.template.golden import TEMPLATE, check_folder
from overread_templates import lint_template

LIBRARY = Path(__file__).parents[3] / "templates"
FOLDERS = sorted(path.parent for path in LIBRARY.glob(f"*/{TEMPLATE}"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_sample_renders_and_the_expected_answer_fits(folder: Path) -> None:
    assert lint_template((folder / TEMPLATE).read_text(), name=folder.name) == ()
    assert check_folder(folder).faults == ()
