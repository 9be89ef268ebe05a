"""The reference of all settings; `python -m overread_config.reference docs/configuration.md` renews it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from overread_config.kinds import Kind, ListOf
from overread_config.labeling import LabelingSettings
from overread_config.sections import REQUIRED, Named, Section, Setting, settings_of
from overread_config.settings import Settings

BEGIN = "<!-- settings: begin (python -m overread_config.reference docs/configuration.md) -->"
END = "<!-- settings: end -->"
JOBS_BEGIN = "<!-- labeling jobs: begin -->"
JOBS_END = "<!-- labeling jobs: end -->"
_SECTIONS = {"": "a section", ".<name>": "sections by name", "[]": "a list of sections"}


def every_setting(section: type = Settings, *, prefix: str = "") -> Iterator[tuple[str, Setting]]:
    """Every setting with its dotted path, sections before their content; `<name>` is a chosen name."""
    for key, (_, declared) in settings_of(section).items():
        path = f"{prefix}{key}"
        yield path, declared
        inner, step = _inside(declared.kind)
        if inner is not None:
            yield from every_setting(inner, prefix=f"{path}{step}.")


def _inside(kind: Kind) -> tuple[type | None, str]:
    match kind:
        case Section(section=section):
            return section, ""
        case Named(section=section):
            return section, ".<name>"
        case ListOf(element=Section(section=section)):
            return section, "[]"
        case _:
            return None, ""


def reference(section: type = Settings) -> str:
    """The table of all settings of a deployment, or of a labeling job's file."""
    lines = ["| Setting | What it is | Allowed | Default |", "|---|---|---|---|"]
    for path, declared in every_setting(section):
        inner, step = _inside(declared.kind)
        allowed = _cell(declared.kind.allowed) if inner is None else _SECTIONS[step]
        lines.append(f"| `{path}` | {_cell(declared.doc)} | {allowed} | {_default(declared)} |")
    return "\n".join(lines)


def renew(document: str) -> str:
    """The document with the present tables between their marks."""
    jobs = _between(document, JOBS_BEGIN, JOBS_END, table=reference(LabelingSettings))
    return _between(jobs, BEGIN, END, table=reference())


def _between(document: str, begin: str, end: str, *, table: str) -> str:
    before, mark, rest = document.partition(begin)
    if not mark:
        return document
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def _default(declared: Setting) -> str:
    match declared.default:
        case default if default is REQUIRED:
            return "**required**"
        case None:
            return "none"
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case Mapping() if isinstance(declared.kind, Section):
            return "the defaults below"
        case () | {}:
            return "empty"
        case default:
            return f"`{default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.write_text(renew(file.read_text(encoding="utf-8")), encoding="utf-8")
