"""An example template with what lies beside it, and a rendered page as a browser's parser would see it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from overread_templates import Template, parse_template

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Example:
    """One worker template, its sample input and its expected answer."""

    use_case: str
    text: str
    template: Template
    sample: dict[str, Any]
    answer: dict[str, Any]

    def render(self, task_input: Mapping[str, Any]) -> str:
        return self.template.render(task_input, sign_url=str)

    def page(self, task_input: Mapping[str, Any]) -> Page:
        return Page(self.render(task_input))

    def task_input(self, **changes: Any) -> dict[str, Any]:
        """The sample with some members changed; a member set to `...` is taken out."""
        changed = {**self.sample, **changes}
        return {name: value for name, value in changed.items() if value is not ...}


def load_example(use_case: str) -> Example:
    """The example of `use_case` from the repository's folder of templates."""
    folder = ROOT / "templates" / use_case
    text = (folder / "template.liquid.html").read_text(encoding="utf-8")
    return Example(
        use_case=use_case,
        text=text,
        template=parse_template(text, name=f"{use_case}/template.liquid.html"),
        sample=json.loads((folder / "sample-input.json").read_text(encoding="utf-8")),
        answer=json.loads((folder / "expected-answer.json").read_text(encoding="utf-8")),
    )


@dataclass
class Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    html: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._hidden = 0
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in {"style", "script"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)

    @property
    def text(self) -> str:
        """The visible text, white space joined."""
        return re.sub(r"\s+", " ", " ".join(self.texts)).strip()

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        """Every element with the names of its attributes, in order."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def attributes(self, tag: str, name: str) -> list[str]:
        """The values of attribute `name` on every element `tag` that carries it."""
        return [
            attributes[name] for found, attributes in self.elements if found == tag and name in attributes
        ]
