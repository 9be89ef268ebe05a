"""The JSON Schema of a template's answer, read from the template itself."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import json5

from overread_templates.crowd_elements import ELEMENTS
from overread_templates.markup import OUTPUT_MARK, Conditions, without_liquid

Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_INTEGER: Schema = {"type": "integer"}
_NUMBER: Schema = {"type": "number"}
_BOOLEAN: Schema = {"type": "boolean"}
_TEXT: Schema = {"type": "string"}
_WITHOUT_VALUE = frozenset({"button", "submit", "reset", "image", "file"})
_SIZE: Schema = {
    "type": "object",
    "properties": {"height": _INTEGER, "width": _INTEGER},
    "required": ["height", "width"],
    "additionalProperties": False,
}


def answer_schema(text: str, *, title: str) -> Schema:
    """The schema of what a crowd-form in the template `text` submits.

    An element inside `if`, `case` or a loop is not required. A name that Liquid prints becomes a pattern;
    choices that Liquid prints may be any text. A page with scripts of its own may submit more than is seen.
    """
    page = _AnswerPage(text)
    page.feed(without_liquid(text))
    page.close()
    schema: Schema = {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": {name: part.schema for name, part in page.parts.items() if OUTPUT_MARK not in name},
        "required": [name for name, part in page.parts.items() if part.required and OUTPUT_MARK not in name],
    }
    patterns = {_pattern(name): part.schema for name, part in page.parts.items() if OUTPUT_MARK in name}
    if patterns:
        schema["patternProperties"] = patterns
    schema["additionalProperties"] = page.has_scripts
    return schema


@dataclass
class _Part:
    schema: Schema
    required: bool


@dataclass
class _Select:
    """A list of choices whose options are still being read."""

    name: str
    attributes: Mapping[str, str]
    required: bool
    options: list[str] = field(default_factory=list)
    text: str | None = None


class _AnswerPage(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: dict[str, _Part] = {}
        self.has_scripts = False
        self._conditions = Conditions(text)
        self._select: _Select | None = None
        self._commented: list[str] = []
        self._element = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name.replace("-", ""): value or "" for name, value in attrs}
        line, column = self.getpos()
        required = not self._conditions.at_place(line, column + 1)
        if tag == "script" and "src" not in attributes:
            self.has_scripts = True
        elif tag == "worker-comment":
            self._comment()
        elif tag in ELEMENTS:
            self._crowd_element(tag, attributes, required)
        elif tag == "option" and self._select is not None:
            self._option(attributes)
        elif attributes.get("name") and "disabled" not in attributes:
            self._plain(tag, attributes, required)

    def handle_data(self, data: str) -> None:
        if self._select is not None and self._select.text is not None:
            self._select.text += data

    def handle_endtag(self, tag: str) -> None:
        if self._select is None:
            return
        if tag in {"option", "select"}:
            self._close_option()
        if tag == "select":
            self._close_select(self._select)
            self._select = None

    def _crowd_element(self, tag: str, attributes: Mapping[str, str], required: bool) -> None:
        facts = ELEMENTS[tag]
        self._element = ""
        if not facts.answers or ("disabled" in attributes and not facts.regions):
            return
        name = facts.fixed_key or attributes.get("name") or (tag if facts.regions else "")
        if not name:
            return
        self._element = name
        schema, always = _element_schema(tag, attributes)
        self._add(name, schema, required=required and always)

    def _comment(self) -> None:
        part = self.parts.get(self._element)
        if part is not None and "label" in part.schema.get("properties", {}):
            part.schema["properties"]["workerComment"] = _TEXT

    def _plain(self, tag: str, attributes: Mapping[str, str], required: bool) -> None:
        name = attributes["name"]
        kind = attributes.get("type", "text").lower()
        if tag == "select":
            self._select = _Select(name, attributes, required)
        elif tag == "textarea" or (tag == "input" and kind not in {"radio", "checkbox"} | _WITHOUT_VALUE):
            self._add(name, _TEXT, required=required)
        elif tag == "input" and kind in {"radio", "checkbox"}:
            self._add(name, _booleans(attributes.get("value", "on")), required=required)

    def _option(self, attributes: Mapping[str, str]) -> None:
        self._close_option()
        if self._select is None:
            return
        if "value" in attributes:
            self._select.options.append(attributes["value"])
        else:
            self._select.text = ""

    def _close_option(self) -> None:
        if self._select is not None and self._select.text is not None:
            self._select.options.append(" ".join(self._select.text.split()))
            self._select.text = None

    def _close_select(self, select: _Select) -> None:
        if "multiple" in select.attributes:
            for option in select.options or [OUTPUT_MARK]:
                self._add(select.name, _booleans(option), required=select.required)
            return
        options = select.options
        if "required" in select.attributes:
            options = [option for option in options if option != ""]
        is_known = options and not any(OUTPUT_MARK in option for option in options)
        self._add(select.name, {"enum": options} if is_known else _TEXT, required=select.required)

    def _add(self, name: str, schema: Schema, *, required: bool) -> None:
        known = self.parts.get(name)
        if known is None:
            self.parts[name] = _Part(schema, required)
            return
        for key in ("properties", "patternProperties"):
            if key in schema:
                known.schema.setdefault(key, {}).update(schema[key])
        known.required = known.required or required


def _element_schema(tag: str, attributes: Mapping[str, str]) -> tuple[Schema, bool]:
    """The schema of an element's part of the answer, and whether every answer has it."""
    if tag in {"crowd-checkbox", "crowd-radio-button", "crowd-toggle-button"}:
        return _booleans(attributes.get("value", "on")), True
    if tag in {"crowd-input", "crowd-text-area"}:
        return _text(attributes), "required" in attributes
    if tag == "crowd-slider":
        return _slider(attributes), True
    if "classifier" in tag:
        return _classifier(attributes, several="multi-select" in tag), True
    return _ANNOTATIONS[tag](attributes), True


def _booleans(value: str) -> Schema:
    schema: Schema = {"type": "object"}
    if OUTPUT_MARK in value:
        schema["patternProperties"] = {_pattern(value): _BOOLEAN}
    else:
        schema["properties"] = {value: _BOOLEAN}
    return schema | {"additionalProperties": False}


def _text(attributes: Mapping[str, str]) -> Schema:
    schema: Schema = {"type": "string", "minLength": 1}
    for name, key in (("minlength", "minLength"), ("maxlength", "maxLength")):
        if attributes.get(name, "").isdigit():
            schema[key] = max(int(attributes[name]), schema.get(key, 0))
    return schema


def _slider(attributes: Mapping[str, str]) -> Schema:
    schema: Schema = {"type": "number"}
    for name, key, otherwise in (("min", "minimum", "0"), ("max", "maximum", "100")):
        text = attributes.get(name) or otherwise
        if re.fullmatch(r"-?\d+(\.\d+)?", text):
            schema[key] = float(text) if "." in text else int(text)
    return schema


def _classifier(attributes: Mapping[str, str], *, several: bool) -> Schema:
    choice = _choice(attributes, "categories", more=_exclusion(attributes))
    if several:
        return _object({"labels": {"type": "array", "items": choice, "minItems": 1, "uniqueItems": True}})
    return _object({"label": choice})


def _exclusion(attributes: Mapping[str, str]) -> list[str]:
    value = _loose_json(attributes.get("exclusioncategory", ""))
    text = value.get("text") if isinstance(value, dict) else value
    return [text] if isinstance(text, str) and text else []


def _choice(attributes: Mapping[str, str], name: str, *, more: list[str]) -> Schema:
    """One of the texts of a list attribute; any text where Liquid prints them."""
    value = _loose_json(attributes.get(name, ""))
    if not isinstance(value, list) or not value:
        return _TEXT
    texts = [item.get("label") if isinstance(item, dict) else item for item in value]
    if any(text is None or OUTPUT_MARK in str(text) for text in texts):
        return _TEXT
    return {"enum": [*map(str, texts), *more]}


def _loose_json(text: str) -> Any:
    """JSON as people write it in attributes; None where it cannot be read."""
    for candidate in (text, html.unescape(text)):
        try:
            return json5.loads(candidate) if candidate.strip() else None
        except ValueError:
            continue
    return None


def _object(properties: Schema, *, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": list(properties),
        "additionalProperties": False,
    }


def _annotation(key: str, item: Schema, attributes: Mapping[str, str], **more: Schema) -> Schema:
    properties = {key: {"type": "array", "items": item}, "inputImageProperties": _SIZE} | more
    initial = {"initialValueModified": _BOOLEAN} if attributes.get("initialvalue") else {}
    return _object(properties | initial)


def _label(attributes: Mapping[str, str]) -> Schema:
    return _choice(attributes, "labels", more=[])


def _boxes(attributes: Mapping[str, str]) -> Schema:
    sides = dict.fromkeys(("height", "left", "top", "width"), _NUMBER)
    return _annotation("boundingBoxes", _object({"label": _label(attributes)} | sides), attributes)


def _outlines(key: str, fewest: int, attributes: Mapping[str, str]) -> Schema:
    vertices: Schema = {"type": "array", "items": _object({"x": _NUMBER, "y": _NUMBER}), "minItems": fewest}
    if key == "lines":
        vertices["maxItems"] = 2
    return _annotation(key, _object({"label": _label(attributes), "vertices": vertices}), attributes)


def _keypoints(attributes: Mapping[str, str]) -> Schema:
    return _annotation(
        "keypoints", _object({"label": _label(attributes), "x": _NUMBER, "y": _NUMBER}), attributes
    )


_COLOR: Schema = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
_PICTURE = _object({"pngImageData": _TEXT})


def _semantic(attributes: Mapping[str, str]) -> Schema:
    schema = _annotation("labelMappings", {}, attributes, labeledImage=_PICTURE)
    mappings: Schema = {"type": "object", "additionalProperties": _object({"color": _COLOR})}
    label = _label(attributes)
    if "enum" in label:
        mappings["propertyNames"] = label
    schema["properties"]["labelMappings"] = mappings
    return schema


def _instances(attributes: Mapping[str, str]) -> Schema:
    item = _object({"color": _COLOR, "label": _label(attributes)})
    return _annotation("instances", item, attributes, labeledImage=_PICTURE)


def _entities(attributes: Mapping[str, str]) -> Schema:
    places = {"startOffset": _INTEGER, "endOffset": _INTEGER}
    item = _object({"label": _label(attributes)} | places)
    return _object({"entities": {"type": "array", "items": item}})


def _textract(_attributes: Mapping[str, str]) -> Schema:
    return _object(
        {"blocks": {"type": "array", "items": {"type": "object", "required": ["blockType", "id"]}}}
    )


def _moderation(_attributes: Mapping[str, str]) -> Schema:
    given = _object({"name": _TEXT, "parentName": _TEXT}) | {"additionalProperties": True}
    return _object({"ModerationLabels": {"type": "array", "items": given}})


_ANNOTATIONS = {
    "crowd-bounding-box": _boxes,
    "crowd-entity-annotation": _entities,
    "crowd-instance-segmentation": _instances,
    "crowd-keypoint": _keypoints,
    "crowd-line": lambda attributes: _outlines("lines", 2, attributes),
    "crowd-polygon": lambda attributes: _outlines("polygons", 3, attributes),
    "crowd-polyline": lambda attributes: _outlines("polylines", 2, attributes),
    "crowd-rekognition-detect-moderation-labels": _moderation,
    "crowd-semantic-segmentation": _semantic,
    "crowd-textract-analyze-document": _textract,
}


def _pattern(name: str) -> str:
    """A regular expression for a name of which Liquid prints a part."""
    parts = re.split(f"{OUTPUT_MARK}+", name)
    return "^" + ".+".join(re.escape(part) for part in parts) + "$"
