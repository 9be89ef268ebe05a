"""No setting without a place in docs/configuration.md."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from overread_config.kinds import Flag
from overread_config.reference import every_setting, reference, renew
from overread_config.sections import Setting, setting, settings_of
from overread_config.settings import Settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"


def test_every_setting_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    undocumented = [path for path, _ in every_setting() if f"| `{path}` |" not in text]
    assert undocumented == []


def test_the_document_says_what_the_code_says() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renew(text) == text, "run: python -m overread_config.reference docs/configuration.md"


def test_every_field_of_the_settings_is_a_setting() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)} - {"file"}
    assert fields == {attribute for attribute, _ in settings_of(Settings).values()}


def test_a_new_setting_would_be_missed_in_the_document() -> None:
    @dataclasses.dataclass(frozen=True)
    class Wider(Settings):
        brand_new: bool = dataclasses.field(
            default=False, metadata=setting(Flag(), "Not in the document.", default=False)
        )

    paths = dict[str, Setting](every_setting(Wider))
    assert "brand_new" in paths
    assert "`brand_new`" not in reference()
