"""Reading an HTML report as a test wants it: well-formed, and needing nothing but itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})
_ADDRESS = re.compile(
    r"(?:https?:)?//[\w.-]+|\b(?:src|data|action|srcset)=|@import|javascript:", re.IGNORECASE
)


@dataclass
class ReportPage(HTMLParser):
    """The page's parts; `faults` lists what no report may have."""

    html: str
    text: str = ""
    captions: list[str] = field(default_factory=list)
    alts: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    policy: str = ""
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.html)
        self.close()
        self.faults += [f"not closed: {tag}" for tag in self._open]
        self.faults += [f"an address: {found}" for found in _ADDRESS.findall(self.html)]
        self.faults += [f"id twice: {name}" for name in set(self.ids) if self.ids.count(name) > 1]
        self.faults += [f"{tag} in a page" for tag in ("script", "link", "iframe", "img") if tag in self.tags]
        used = re.findall(r"(?:href=\"#|url\(#)([^\")]+)", self.html)
        self.faults += [f"no such id: {name}" for name in set(used) - set(self.ids)]
        if "default-src 'none'" not in self.policy:
            self.faults.append("no content security policy")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "meta" and told.get("http-equiv") == "Content-Security-Policy":
            self.policy = told.get("content") or ""
        if "id" in told:
            self.ids.append(told["id"] or "")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.text += data
        if self._open[-1:] in (["caption"], ["figcaption"]):
            self.captions.append(data)
        if self._open[-2:] == ["svg", "title"]:
            self.alts.append(data)
        if self.rows and self._open and self._open[-1] in ("td", "th"):
            self.rows[-1][-1] += data
