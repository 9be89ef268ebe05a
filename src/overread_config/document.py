"""A YAML file as nodes that know their line, before any meaning is given to them."""

from __future__ import annotations

from pathlib import Path

import yaml

from overread_config.faults import ConfigError, Fault

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {
    "tag:yaml.org,2002:str": "the text",
    "tag:yaml.org,2002:int": "the integer",
    "tag:yaml.org,2002:float": "the number",
    "tag:yaml.org,2002:bool": "the boolean",
    "tag:yaml.org,2002:timestamp": "the date",
}
_SHOWN = 60


def read_document(path: Path) -> yaml.MappingNode:
    """The root mapping of a YAML file.

    Raises:
        ConfigError: with the one fault that keeps the file from being read.
    """
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except FileNotFoundError as error:
        raise _fault(path, problem="there is no such file", value=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(path, problem="cannot be read as UTF-8 text", value=str(error)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise _fault(
            path, line=line, problem="is not YAML", value=str(error.problem or error.context)
        ) from error
    except yaml.YAMLError as error:
        raise _fault(path, problem="is not YAML", value=str(error)) from error
    if root is None:
        raise _fault(path, line=1, problem="must hold settings", value="an empty file")
    if not isinstance(root, yaml.MappingNode):
        raise _fault(path, line=line_of(root), problem="must hold settings", value=shown(root))
    return root


def _fault(path: Path, *, problem: str, value: str, line: int = 0) -> ConfigError:
    allowed = "one YAML document: a mapping of settings, such as `environment: demo`"
    return ConfigError(
        [Fault(file=path, line=line, field="(file)", problem=problem, value=value, allowed=allowed)]
    )


def line_of(node: yaml.Node) -> int:
    """The line a node begins on, counted from 1."""
    line: int = node.start_mark.line
    return line + 1


def shown(node: yaml.Node) -> str:
    """A node as a fault quotes it: its kind and its text, shortened."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    if node.tag == "tag:yaml.org,2002:null":
        return "nothing (null)"
    word = _WORDS.get(node.tag, f"a value tagged {node.tag}")
    text = node.value if len(node.value) <= _SHOWN else node.value[:_SHOWN] + "…"
    return f"{word} {text!r}"
