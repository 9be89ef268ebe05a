"""Reading a JSON document part by part while collecting every fault in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_ABSENT = object()


class Faults:
    """The faults found so far, each one sentence: path, what is allowed, what stood there."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, path: str, allowed: str, got: object) -> None:
        """Note that the value at `path` must be `allowed` and is not."""
        shown = repr(got)
        self.found.append(f"{path} must be {allowed}, got {shown[:80]}{'…' if len(shown) > 80 else ''}")

    def section(
        self, value: Any, path: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> "Section":
        """The object at `path`, checked for missing and unknown members."""
        if not isinstance(value, dict):
            self.add(path, "an object", value)
            return Section({}, path, self, broken=True)
        prefix = f"{path}." if path else ""
        names = [*required, *optional]
        self.found += [f"{prefix}{name} is missing" for name in required if name not in value]
        self.found += [
            f"{prefix}{name} is unknown, allowed are {', '.join(names)}"
            for name in value
            if name not in names
        ]
        return Section(value, path, self)


class Section:
    """One object of the document. Each reader gives a value of the right type even where it notes a fault."""

    def __init__(self, values: Mapping[str, Any], path: str, faults: Faults, *, broken: bool = False) -> None:
        self._values = values
        self._path = path
        self._faults = faults
        self._broken = broken

    def get(self, name: str, default: Any = None) -> Any:
        """The member as it stands."""
        return self._values.get(name, default)

    def text(self, name: str, *, pattern: str = "", length: int = 1024, default: str | None = None) -> str:
        """A text of 1 to `length` characters that matches `pattern` as a whole; null counts as absent."""
        value = self._values.get(name)
        if value is None:
            self._note_absent(name, default, "a text")
            return default or ""
        if (
            isinstance(value, str)
            and 1 <= len(value) <= length
            and (not pattern or re.fullmatch(pattern, value))
        ):
            return value
        allowed = f"a text of 1 to {length} characters" + (f" matching {pattern}" if pattern else "")
        self._add(name, allowed, value)
        return ""

    def choice(self, name: str, allowed: Sequence[Any], *, default: Any = _ABSENT) -> Any:
        """One of `allowed`."""
        value = self._values.get(name, default)
        if value is _ABSENT:
            return allowed[0]
        if value in allowed and not isinstance(value, bool):
            return value
        self._add(name, "one of " + ", ".join(map(str, allowed)), value)
        return allowed[0]

    def flag(self, name: str) -> bool:
        """True or false; false when absent."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            self._add(name, "true or false", value)
            return False
        return value

    def count(self, name: str, *, minimum: int, maximum: int, default: int) -> int:
        """A whole number in a range."""
        value = self._values.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum:
            return value
        self._add(name, f"a whole number from {minimum} to {maximum}", value)
        return default

    def fraction(self, name: str, *, default: float | None = None) -> float:
        """A number in [0, 1]."""
        value: Any = self._values.get(name)
        if value is None:
            self._note_absent(name, default, "a number in [0, 1]")
            return 1.0 if default is None else default
        if _is_fraction(value):
            return float(value)
        self._add(name, "a number in [0, 1]", value)
        return 1.0

    def whole(self, name: str, *, minimum: int = 0) -> int:
        """A whole number without an upper end; its lower end where there is a fault."""
        value = self._values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= minimum:
            return value
        if name in self._values:
            self._add(name, f"a whole number of at least {minimum}", value)
        return minimum

    def open_fraction(self, name: str) -> float:
        """A number between 0 and 1, neither of them."""
        value: Any = self._values.get(name)
        if _is_fraction(value) and 0 < value < 1:
            return float(value)
        if name in self._values:
            self._add(name, "a number between 0 and 1", value)
        return 0.5

    def fractions(self, name: str, *, allowed: Sequence[str]) -> dict[str, float]:
        """Numbers in [0, 1] by names out of `allowed`; empty when absent."""
        value = self._values.get(name, {})
        if not isinstance(value, dict):
            self._add(name, "an object", value)
            return {}
        for key, number in value.items():
            if key not in allowed:
                self._add(f"{name}.{key}", "one of the labels " + ", ".join(allowed[:20]), key)
            if not _is_fraction(number):
                self._add(f"{name}.{key}", "a number in [0, 1]", number)
        return {key: float(number) for key, number in value.items() if _is_fraction(number)}

    def texts(self, name: str, *, minimum: int = 0, maximum: int, length: int) -> tuple[str, ...]:
        """Different texts in their order; empty when absent."""
        value = self._values.get(name, [])
        good = (
            isinstance(value, list)
            and minimum <= len(value) <= maximum
            and all(isinstance(item, str) and 1 <= len(item) <= length for item in value)
            and len(set(value)) == len(value)
        )
        if good:
            return tuple(value)
        if name in self._values:
            sizes = f"{minimum} to {maximum} different texts of 1 to {length} characters"
            self._add(name, f"a list of {sizes}", value)
        return ()

    def _note_absent(self, name: str, default: object, allowed: str) -> None:
        """Note a null where there is no default; a name that is missing altogether was noted before."""
        if default is None and name in self._values:
            self._add(name, allowed, None)

    def _add(self, name: str, allowed: str, got: object) -> None:
        if not self._broken:
            self._faults.add(f"{self._path}.{name}" if self._path else name, allowed, got)


def _is_fraction(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
