"""Which resources of its template a value refers to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z0-9.]+)?\}")


def referred(value: Any) -> Iterator[str]:
    """Logical ids, of resources or parameters, by Ref, Fn::GetAtt and Fn::Sub at any depth."""
    if isinstance(value, list):
        for item in value:
            yield from referred(item)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0]) if isinstance(inner, list) else str(inner).partition(".")[0]
            elif key == "Fn::Sub":
                yield from _IN_SUB.findall(inner if isinstance(inner, str) else inner[0])
                yield from referred(inner)
            else:
                yield from referred(inner)
