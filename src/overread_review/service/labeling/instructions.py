"""The instructions of a worker template: the regions that people read, taken out and put in again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from overread_review.service.errors import RequestInvalidError
from overread_templates import TemplateError, parse_template

LONGEST = 50_000
_REGIONS = ("short-instructions", "full-instructions")
_FORBIDDEN = re.compile(
    r"</?\s*(script|style|template|textarea|title|iframe|xmp|plaintext|noscript|crowd-|short-instructions|"
    r"full-instructions)|<!--|\{\{|\{%",
    re.IGNORECASE,
)
"""What would run, swallow the rest of the page, or be Liquid, which could sign addresses of other objects."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """What is always in view, and what opens on demand; HTML, None where the template has no such region."""

    short: str | None
    full: str | None


def instructions_of(template: str) -> Instructions:
    """The instructions in the text of a template."""
    return Instructions(*(_inner(template, region) for region in _REGIONS))


def with_instructions(template: str, wanted: Instructions) -> str:
    """The template with other instructions; a region that is None stays.

    Raises:
        RequestInvalidError: the template has no such region, or the text cannot stand in it; all is named.
    """
    faults = []
    for region, text in zip(_REGIONS, (wanted.short, wanted.full), strict=True):
        if text is None:
            continue
        if len(text) > LONGEST:
            faults.append(f"{region} may have at most {LONGEST:,} characters, got {len(text):,}")
        if found := _FORBIDDEN.search(text):
            faults.append(f"{region} must be HTML without scripts, comments and Liquid, has {found[0]!r}")
        if _inner(template, region) is None:
            faults.append(f"the worker template of this job has no {region}")
    if faults:
        raise RequestInvalidError("; ".join(faults))
    changed = template
    for region, text in zip(_REGIONS, (wanted.short, wanted.full), strict=True):
        if text is not None:
            changed = _replaced(changed, region, text=text)
    try:
        parse_template(changed, name="instructions")
    except TemplateError as error:
        raise RequestInvalidError(f"with these instructions the template is not valid: {error}") from error
    return changed


def _inner(template: str, region: str) -> str | None:
    found = _pattern(region).search(template)
    return None if found is None else found[2].strip()


def _replaced(template: str, region: str, *, text: str) -> str:
    return _pattern(region).sub(lambda found: f"{found[1]}{text}{found[3]}", template, count=1)


def _pattern(region: str) -> re.Pattern[str]:
    return re.compile(rf"(<{region}\b[^>]*>)(.*?)(</{region}\s*>)", re.IGNORECASE | re.DOTALL)
