"""Sections of settings: dataclasses whose fields say how they are read, and the tree of what was read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import yaml

from overread_config.document import line_of
from overread_config.kinds import REFUSED, Kind, Reading, Refused, Text, did_you_mean, entries

REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Setting:
    """How one field of a settings dataclass is read, and its line in the documentation."""

    kind: Kind
    doc: str
    default: object
    key: str | None


def setting(
    kind: Kind, doc: str, *, default: object = REQUIRED, key: str | None = None
) -> dict[str, Setting]:
    """Metadata of a dataclass field that comes from the file; `key` where YAML spells it otherwise."""
    return {"setting": Setting(kind=kind, doc=doc, default=default, key=key)}


def settings_of(section: type) -> Mapping[str, tuple[str, Setting]]:
    """The settings of a section: key in the file → (field of the dataclass, how it is read)."""
    found: dict[str, tuple[str, Setting]] = {}
    for field in dataclasses.fields(section):
        declared = field.metadata.get("setting")
        if isinstance(declared, Setting):
            found[declared.key or field.name] = (field.name, declared)
    return found


@dataclass(slots=True)
class Branch:
    """A section as read: values by key, without those that were refused, and where each stands."""

    section: type
    field: str
    name: str
    line: int
    values: dict[str, object]
    nodes: dict[str, yaml.Node]

    def get(self, path: str) -> Any:
        """The value at a dotted path below this section; None when it was refused or is null."""
        key, _, rest = path.partition(".")
        value = self.values.get(key)
        if rest:
            return value.get(rest) if isinstance(value, Branch) else None
        return value

    def line_of(self, key: str) -> int:
        """The line of a key, or of the section when the key is not in the file."""
        return line_of(self.nodes[key]) if key in self.nodes else self.line

    def gives(self, key: str) -> bool:
        """Whether the file gives the key (rather than a default)."""
        return key in self.nodes

    def children(self, key: str) -> Iterator[Branch]:
        """The named sections under a key."""
        value = self.values.get(key)
        if isinstance(value, Branches):
            yield from value.values()

    def build(self, **given: object) -> Any:
        """The frozen dataclass, with fields `given` from elsewhere. Only of a tree without faults."""
        for key, (attribute, _) in settings_of(self.section).items():
            given[attribute] = _built(self.values[key])
        return self.section(**given)


class Branches(dict[str, Branch]):
    """Sections by name, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Section(Kind):
    """A mapping with known keys. `later` maps keys of a later version to what to say about them."""

    section: type
    later: tuple[tuple[str, str], ...] = ()

    @property
    def allowed(self) -> str:
        """The keys."""
        return "a mapping with the keys " + ", ".join(f"`{key}`" for key in settings_of(self.section))

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> Branch | Refused:
        """The section as a branch, faulty fields left out."""
        return self.read_named(node, field=field, name="", line=line_of(node), reading=reading)

    def read_named(
        self, node: yaml.Node, *, field: str, name: str, line: int, reading: Reading
    ) -> Branch | Refused:
        """As `read`, for a section that has a name and begins on the line of its key."""
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, field=field, reading=reading, problem="must be a mapping")
            return REFUSED
        return self.read_mapping(node, field=field, name=name, line=line, reading=reading)

    def read_mapping(
        self, node: yaml.MappingNode, *, field: str, line: int, reading: Reading, name: str = ""
    ) -> Branch:
        """The section of a node that is known to be a mapping."""
        branch = Branch(section=self.section, field=field, name=name, line=line, values={}, nodes={})
        known = settings_of(self.section)
        for key_node, child in entries(node, field=field, reading=reading):
            key = key_node.value
            if key not in known:
                self._refuse_key(key_node, field=field, reading=reading)
                continue
            branch.nodes[key] = key_node
            value = _read(
                known[key][1].kind, child, field=_join(field, key), line=line_of(key_node), reading=reading
            )
            if value is not REFUSED:
                branch.values[key] = value
        for key, (_, declared) in known.items():
            if key not in branch.nodes:
                self._fill(branch, key, declared=declared, reading=reading)
        return branch

    def _refuse_key(self, key: yaml.ScalarNode, *, field: str, reading: Reading) -> None:
        known = settings_of(self.section)
        later = dict(self.later).get(key.value)
        reading.faults.add(
            line=line_of(key),
            field=_join(field, key.value),
            problem=later or f"is no setting{did_you_mean(key.value, known)}",
            value=f"the key {key.value!r}",
            allowed=", ".join(f"`{name}`" for name in known),
        )

    def _fill(self, branch: Branch, key: str, *, declared: Setting, reading: Reading) -> None:
        """Give a key that the file leaves out its default, or note that it is required."""
        if isinstance(declared.default, dict) and isinstance(declared.kind, Section):
            empty = yaml.MappingNode("tag:yaml.org,2002:map", [], *_marks(branch.line))
            branch.values[key] = declared.kind.read_mapping(
                empty, field=_join(branch.field, key), line=branch.line, reading=reading
            )
        elif declared.default is REQUIRED:
            reading.faults.add(
                line=branch.line,
                field=_join(branch.field, key),
                problem="is required",
                value="nothing",
                allowed=declared.kind.allowed,
            )
        else:
            branch.values[key] = declared.default


@dataclass(frozen=True, slots=True)
class Named(Kind):
    """A mapping of names to sections of one kind, at least `fewest` of them."""

    key: Text
    section: type
    fewest: int = 0

    @property
    def allowed(self) -> str:
        """What names there may be."""
        return f"a mapping of at least {self.fewest} names to sections; a name is {self.key.allowed}"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The sections by name, in the order of the file."""
        if not isinstance(node, yaml.MappingNode):
            return self.refuse(node, field=field, reading=reading, problem="must be a mapping")
        if len(node.value) < self.fewest:
            return self.refuse(node, field=field, reading=reading, problem="is empty")
        branches = Branches()
        for key, child in entries(node, field=field, reading=reading):
            name = self.key.read(key, field=_join(field, key.value), reading=reading)
            branch = Section(self.section).read_named(
                child, field=_join(field, key.value), name=key.value, line=line_of(key), reading=reading
            )
            if isinstance(branch, Branch) and name is not REFUSED:
                branches[key.value] = branch
        return branches


def _read(kind: Kind, node: yaml.Node, *, field: str, line: int, reading: Reading) -> object:
    if isinstance(kind, Section):
        return kind.read_named(node, field=field, name="", line=line, reading=reading)
    return kind.read(node, field=field, reading=reading)


def _built(value: object) -> object:
    if isinstance(value, Branch):
        return value.build()
    if isinstance(value, Branches):
        return tuple(branch.build(name=name) for name, branch in value.items())
    if isinstance(value, dict):
        return MappingProxyType(value)
    if isinstance(value, tuple):
        return tuple(_built(child) for child in value)
    return value


def _join(field: str, key: str) -> str:
    return f"{field}.{key}" if field else key


def _marks(line: int) -> tuple[yaml.Mark, yaml.Mark]:
    mark = yaml.Mark("", 0, line - 1, 0, None, 0)
    return mark, mark
