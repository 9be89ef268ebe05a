"""What a setting may be: each kind reads one YAML node, or notes a fault that says what is allowed."""

from __future__ import annotations

import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import jmespath
import yaml
from jmespath.exceptions import JMESPathError

from overread_config.document import line_of, shown
from overread_config.faults import FaultList

_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"


@dataclass(frozen=True, slots=True)
class Reading:
    """What every kind needs while a file is read: where faults go and where relative paths begin."""

    faults: FaultList
    root: Path


class Refused:
    """The type of REFUSED."""


REFUSED: Final = Refused()


class Kind(ABC):
    """Reads one setting."""

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What the setting may be, in words."""

    @abstractmethod
    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The value of a node, or REFUSED after noting the fault."""

    def refuse(
        self,
        node: yaml.Node,
        *,
        field: str,
        reading: Reading,
        problem: str | None = None,
        allowed: str | None = None,
    ) -> Refused:
        """Note that a node is not what this kind allows."""
        reading.faults.add(
            line=line_of(node),
            field=field,
            problem=problem or "is not allowed",
            value=shown(node),
            allowed=allowed or self.allowed,
        )
        return REFUSED


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A text of bounded length, perhaps of one form (`pattern`, explained by `form`)."""

    pattern: str | None = None
    form: str = ""
    shortest: int = 1
    longest: int = 256

    @property
    def allowed(self) -> str:
        """Length and form."""
        bounds = f"a text of {self.shortest} to {self.longest} characters"
        return f"{bounds}, {self.form}" if self.form else bounds

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The text as written; numbers and booleans must be quoted."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != _STR:
            unquoted = (
                isinstance(node, yaml.ScalarNode) and node.value and node.tag.startswith("tag:yaml.org,2002:")
            )
            problem = "must be a text; write it in quotes" if unquoted else "must be a text"
            return self.refuse(node, field=field, reading=reading, problem=problem)
        text: str = node.value
        if not self.shortest <= len(text) <= self.longest:
            problem = f"has {len(text)} characters"
            return self.refuse(node, field=field, reading=reading, problem=problem)
        if self.pattern and not re.fullmatch(self.pattern, text):
            return self.refuse(node, field=field, reading=reading, problem="has another form")
        return text


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of a few words; `later` names words of a later version, which get an answer of their own."""

    options: tuple[str, ...]
    later: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The options."""
        return " or ".join(f"`{option}`" for option in self.options)

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The chosen word. YAML reads an unquoted `off` as a boolean: it is taken for the word."""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (_STR, _BOOL):
            return self.refuse(node, field=field, reading=reading, problem="must be one of the words")
        if node.value in self.options:
            return node.value
        if node.value in self.later:
            return self.refuse(node, field=field, reading=reading, problem="is not available in this version")
        hint = did_you_mean(node.value, self.options)
        return self.refuse(node, field=field, reading=reading, problem=f"is not one of the words{hint}")


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number in [low, high]; NaN is in no interval."""

    low: float
    high: float

    @property
    def allowed(self) -> str:
        """The interval."""
        return f"a number in [{self.low:g}, {self.high:g}]"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The number as a float."""
        value = _construct(node, tags=(_INT, _FLOAT))
        if not isinstance(value, (int, float)):
            return self.refuse(node, field=field, reading=reading, problem="must be a number")
        if not self.low <= value <= self.high:
            return self.refuse(node, field=field, reading=reading, problem="is out of range")
        return float(value)


@dataclass(frozen=True, slots=True)
class OpenFraction(Kind):
    """A number above 0 and below 1, such as an error rate that somebody accepts."""

    @property
    def allowed(self) -> str:
        """The open interval."""
        return "a number above 0 and below 1"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The number as a float."""
        value = _construct(node, tags=(_INT, _FLOAT))
        if not isinstance(value, (int, float)):
            return self.refuse(node, field=field, reading=reading, problem="must be a number")
        if not 0.0 < value < 1.0:
            return self.refuse(node, field=field, reading=reading, problem="is out of range")
        return float(value)


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """An integer in [low, high], or one of `options` when given."""

    low: int = 0
    high: int = 0
    options: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        """The range, or the options."""
        if self.options:
            return "one of " + ", ".join(str(option) for option in self.options)
        return f"an integer from {self.low} to {self.high}"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The integer."""
        value = _construct(node, tags=(_INT,))
        if not isinstance(value, int):
            return self.refuse(node, field=field, reading=reading, problem="must be an integer")
        if self.options:
            if value not in self.options:
                return self.refuse(node, field=field, reading=reading, problem="is not one of the values")
        elif not self.low <= value <= self.high:
            return self.refuse(node, field=field, reading=reading, problem="is out of range")
        return value


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    """True or false."""

    @property
    def allowed(self) -> str:
        """Both values."""
        return "`true` or `false`"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The boolean."""
        value = _construct(node, tags=(_BOOL,))
        if not isinstance(value, bool):
            return self.refuse(node, field=field, reading=reading, problem="must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Price(Kind):
    """An amount of US dollars that is on a price ladder."""

    ladder: tuple[Decimal, ...]

    @property
    def allowed(self) -> str:
        """The steps of the ladder."""
        return "one of " + ", ".join(str(step) for step in self.ladder)

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The amount, exactly as written."""
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (_STR, _INT, _FLOAT):
            return self.refuse(node, field=field, reading=reading, problem="must be an amount of US dollars")
        try:
            amount = Decimal(node.value)
        except InvalidOperation:
            return self.refuse(node, field=field, reading=reading, problem="must be an amount of US dollars")
        if amount.is_nan() or amount not in self.ladder:
            return self.refuse(node, field=field, reading=reading, problem="is not on the price ladder")
        return amount


@dataclass(frozen=True, slots=True)
class ExistingFile(Kind):
    """A file that exists. Relative paths begin at the project root, not at the caller's folder."""

    hint: str = ""

    @property
    def allowed(self) -> str:
        """An existing path."""
        return "the path of an existing file, relative to the project root" + self.hint

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The absolute path."""
        text = Text(longest=1024).read(node, field=field, reading=reading)
        if not isinstance(text, str):
            return REFUSED
        path = reading.root / text
        if not path.is_file():
            return self.refuse(node, field=field, reading=reading, problem=f"there is no file {path}")
        return path


@dataclass(frozen=True, slots=True)
class Expression(Kind):
    """A JMESPath expression that compiles."""

    over: str

    @property
    def allowed(self) -> str:
        """What the expression looks at."""
        return f"a JMESPath expression over {self.over}"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The expression's text."""
        text = Text(longest=1024).read(node, field=field, reading=reading)
        if not isinstance(text, str):
            return REFUSED
        try:
            jmespath.compile(text)
        except JMESPathError as error:
            reason = str(error).splitlines()[0]
            return self.refuse(node, field=field, reading=reading, problem=f"does not compile ({reason})")
        return text


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of `fewest` to `most` different elements."""

    element: Kind
    fewest: int = 0
    most: int = 100

    @property
    def allowed(self) -> str:
        """Count and element."""
        return f"a list of {self.fewest} to {self.most} different elements, each {self.element.allowed}"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The elements as a tuple."""
        if not isinstance(node, yaml.SequenceNode):
            return self.refuse(node, field=field, reading=reading, problem="must be a list")
        if not self.fewest <= len(node.value) <= self.most:
            return self.refuse(node, field=field, reading=reading, problem=f"has {len(node.value)} elements")
        values: list[object] = []
        for index, child in enumerate(node.value):
            value = self.element.read(child, field=f"{field}[{index}]", reading=reading)
            if value is not REFUSED and value in values:
                value = self.refuse(
                    child, field=f"{field}[{index}]", reading=reading, problem="is given twice"
                )
            values.append(value)
        return REFUSED if REFUSED in values else tuple(values)


@dataclass(frozen=True, slots=True)
class MapOf(Kind):
    """A mapping of names to values, at most `most` of them."""

    key: Text
    value: Kind
    most: int = 100

    @property
    def allowed(self) -> str:
        """Key and value."""
        return f"a mapping of at most {self.most} names to values, each {self.value.allowed}"

    def read(self, node: yaml.Node, *, field: str, reading: Reading) -> object:
        """The values by name, in the order of the file."""
        if not isinstance(node, yaml.MappingNode):
            return self.refuse(node, field=field, reading=reading, problem="must be a mapping")
        if len(node.value) > self.most:
            return self.refuse(node, field=field, reading=reading, problem=f"has {len(node.value)} entries")
        values: dict[object, object] = {}
        for key_node, child in entries(node, field=field, reading=reading):
            key = self.key.read(key_node, field=f"{field}.{key_node.value}", reading=reading)
            values[key] = self.value.read(child, field=f"{field}.{key_node.value}", reading=reading)
        return REFUSED if REFUSED in values or REFUSED in values.values() else values


def entries(
    node: yaml.MappingNode, *, field: str, reading: Reading
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """The entries of a mapping; a key that is given twice or is no scalar is a fault and left out."""
    first: dict[str, int] = {}
    for key, value in node.value:
        prefix = f"{field}." if field else ""
        if not isinstance(key, yaml.ScalarNode):
            reading.faults.add(
                line=line_of(key),
                field=f"{prefix}?",
                problem="a key must be a text",
                value=shown(key),
                allowed="a text",
            )
        elif key.value in first:
            reading.faults.add(
                line=line_of(key),
                field=f"{prefix}{key.value}",
                problem=f"is given twice, first on line {first[key.value]}",
                value=shown(value),
                allowed="each key once",
            )
        else:
            first[key.value] = line_of(key)
            yield key, value


def did_you_mean(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """A hint with the nearest known word, or nothing when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""


def _construct(node: yaml.Node, *, tags: tuple[str, ...]) -> object:
    """The Python value of a scalar with one of the tags, else None (also for `!!int abc`)."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in tags:
        return None
    try:
        value: object = yaml.constructor.SafeConstructor().construct_object(node)
    except ValueError:
        return None
    return value
