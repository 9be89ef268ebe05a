"""The schema of an answer, element by element, and what differs between two."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from overread_cli.template.answer_schema import answer_schema
from overread_cli.template.schema_changes import schema_changes

SIZE = {"height": 600, "width": 800}


def schema(body: str) -> dict[str, Any]:
    found = answer_schema(f"<crowd-form>{body}</crowd-form>", title="t")
    Draft202012Validator.check_schema(found)
    return found


def takes(body: str, answer: object) -> bool:
    return Draft202012Validator(schema(body)).is_valid(answer)


BOX = {"height": 1, "label": "car", "left": 2.5, "top": 3, "width": 4}
LABELS = """name="m" src="x" labels="['car', 'dog',]\""""
GIVEN = LABELS + """ initial-value="[{label:'car'}]\""""


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("<crowd-classifier name='c' categories=\"['a','b']\"></crowd-classifier>", {"c": {"label": "b"}}),
        ("<crowd-classifier categories=\"['a']\"></crowd-classifier>", {"crowd-classifier": {"label": "a"}}),
        (
            "<crowd-classifier name='c' categories='[\"a\"]' exclusion-category=\"{text:'x'}\">"
            "</crowd-classifier>",
            {"c": {"label": "x"}},
        ),
        (
            "<crowd-classifier-multi-select name='c' categories=\"['a','b']\">"
            "</crowd-classifier-multi-select>",
            {"c": {"labels": ["b", "a"]}},
        ),
        (
            "<crowd-image-classifier name='c' categories='{{ task.input.labels }}'><worker-comment>"
            "</worker-comment></crowd-image-classifier>",
            {"c": {"label": "whatever", "workerComment": "why"}},
        ),
        (
            f"<crowd-bounding-box {LABELS}></crowd-bounding-box>",
            {"m": {"boundingBoxes": [BOX], "inputImageProperties": SIZE}},
        ),
        (
            f"<crowd-bounding-box {GIVEN}></crowd-bounding-box>",
            {"m": {"boundingBoxes": [], "inputImageProperties": SIZE, "initialValueModified": True}},
        ),
        (
            f"<crowd-polygon {LABELS}></crowd-polygon>",
            {
                "m": {
                    "polygons": [{"label": "dog", "vertices": [{"x": 1, "y": 2}] * 3}],
                    "inputImageProperties": SIZE,
                }
            },
        ),
        (
            f"<crowd-line {LABELS}></crowd-line>",
            {
                "m": {
                    "lines": [{"label": "dog", "vertices": [{"x": 1, "y": 2}] * 2}],
                    "inputImageProperties": SIZE,
                }
            },
        ),
        (
            f"<crowd-keypoint {LABELS}></crowd-keypoint>",
            {"m": {"keypoints": [{"label": "car", "x": 1, "y": 2}], "inputImageProperties": SIZE}},
        ),
        (
            f"<crowd-semantic-segmentation {LABELS}></crowd-semantic-segmentation>",
            {
                "m": {
                    "labelMappings": {"car": {"color": "#1f77b4"}},
                    "inputImageProperties": SIZE,
                    "labeledImage": {"pngImageData": "iVBOR"},
                }
            },
        ),
        (
            f"<crowd-instance-segmentation {LABELS}></crowd-instance-segmentation>",
            {
                "m": {
                    "instances": [{"color": "#1f77b4", "label": "car"}],
                    "inputImageProperties": SIZE,
                    "labeledImage": {"pngImageData": "iVBOR"},
                }
            },
        ),
        (
            "<crowd-entity-annotation name='e' text='x' labels=\"[{label:'person'}]\">"
            "</crowd-entity-annotation>",
            {"e": {"entities": [{"startOffset": 0, "endOffset": 3, "label": "person"}]}},
        ),
        (
            "<crowd-textract-analyze-document src='x'></crowd-textract-analyze-document>",
            {"AWS/Textract/AnalyzeDocument/Forms/V1": {"blocks": [{"blockType": "WORD", "id": "a"}]}},
        ),
        (
            "<crowd-rekognition-detect-moderation-labels></crowd-rekognition-detect-moderation-labels>",
            {
                "AWS/Rekognition/DetectModerationLabels/Image/V3": {
                    "ModerationLabels": [{"name": "a", "parentName": ""}]
                }
            },
        ),
        (
            "<crowd-radio-button name='r' value='low'></crowd-radio-button>"
            "<crowd-radio-button name='r' value='high'></crowd-radio-button>",
            {"r": {"low": True, "high": False}},
        ),
        ("<crowd-checkbox name='c'></crowd-checkbox>", {"c": {"on": True}}),
        ("<crowd-input name='i'></crowd-input><crowd-text-area name='t'></crowd-text-area>", {}),
        ("<crowd-slider name='s' min='1' max='5'></crowd-slider>", {"s": 5}),
        ("<select name='s'><option>A b<option value='c'>C</select>", {"s": "A b"}),
        (
            "<select name='s' multiple><option>a</option><option>b</option></select>",
            {"s": {"a": True, "b": False}},
        ),
        (
            "<input type=radio name=p value=y><input type=radio name=p value=n>",
            {"p": {"y": True, "n": False}},
        ),
        ("<textarea name='t'></textarea><input name='h' type='hidden'>", {"t": "", "h": "x"}),
        ("{% if a %}<input name='t'>{% endif %}", {}),
        ("{% for a in b %}<input name='rating{{ a }}'>{% endfor %}", {"rating1": "x", "rating2": "y"}),
        ("<script>f()</script>", {"made by a script": 1}),
        ("<crowd-button form-action='submit' name='b'></crowd-button>", {}),
    ],
)
def test_the_documented_answer_of_each_element_fits(body: str, answer: object) -> None:
    assert takes(body, answer)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("<crowd-classifier name='c' categories=\"['a','b']\"></crowd-classifier>", {"c": {"label": "z"}}),
        ("<crowd-classifier name='c' categories=\"['a','b']\"></crowd-classifier>", {}),
        (
            "<crowd-classifier-multi-select name='c' categories=\"['a']\"></crowd-classifier-multi-select>",
            {"c": {"labels": []}},
        ),
        (
            f"<crowd-bounding-box {LABELS}></crowd-bounding-box>",
            {"m": {"boundingBoxes": [BOX | {"label": "cat"}], "inputImageProperties": SIZE}},
        ),
        (
            f"<crowd-bounding-box {LABELS}></crowd-bounding-box>",
            {"m": {"boundingBoxes": [], "inputImageProperties": SIZE, "initialValueModified": True}},
        ),
        (
            f"<crowd-semantic-segmentation {LABELS}></crowd-semantic-segmentation>",
            {
                "m": {
                    "labelMappings": {"cat": {"color": "#1f77b4"}},
                    "inputImageProperties": SIZE,
                    "labeledImage": {"pngImageData": "iVBOR"},
                }
            },
        ),
        ("<crowd-input name='i'></crowd-input>", {"i": ""}),
        ("<crowd-input name='i' required></crowd-input>", {}),
        ("<crowd-slider name='s' min='1' max='5'></crowd-slider>", {"s": 6}),
        ("<crowd-checkbox name='c'></crowd-checkbox>", {"c": {"off": True}}),
        ("<p></p>", {"unknown": 1}),
        ("{% for a in b %}<input name='rating{{ a }}'>{% endfor %}", {"rating": "x"}),
    ],
)
def test_what_a_page_cannot_submit_does_not_fit(body: str, answer: object) -> None:
    assert not takes(body, answer)


CLASSIFIER = "<crowd-classifier name='c' categories=\"['a','b']\"></crowd-classifier>"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (CLASSIFIER, CLASSIFIER + "<input name='more'>", [("$.more", "compatible")]),
        (CLASSIFIER + "<input name='more'>", CLASSIFIER, [("$.more", "breaking")]),
        (CLASSIFIER, CLASSIFIER.replace("'b'", "'b','z'"), [("$.c.label", "breaking")]),
        (CLASSIFIER, CLASSIFIER.replace(",'b'", ""), [("$.c.label", "compatible")]),
        (CLASSIFIER, CLASSIFIER.replace("['a','b']", "{{ x }}"), [("$.c.label", "breaking")]),
        (CLASSIFIER, f"{{% if a %}}{CLASSIFIER}{{% endif %}}", [("$.c", "breaking")]),
        ("<input name='i'>", "<input type=checkbox name='i'>", [("$.i", "breaking")]),
        (
            "<crowd-slider name='s' max='5'></crowd-slider>",
            "<crowd-slider name='s' max='9'></crowd-slider>",
            [("$.s", "breaking")],
        ),
        (
            "<crowd-slider name='s' max='9'></crowd-slider>",
            "<crowd-slider name='s' max='5'></crowd-slider>",
            [("$.s", "compatible")],
        ),
        (
            f"<crowd-bounding-box {LABELS}></crowd-bounding-box>",
            f"<crowd-bounding-box {LABELS.replace('dog', 'cow')}></crowd-bounding-box>",
            [("$.m.boundingBoxes[].label", "breaking"), ("$.m.boundingBoxes[].label", "compatible")],
        ),
        (CLASSIFIER, CLASSIFIER, []),
    ],
)
def test_changes_that_break_readers_are_told_from_others(
    old: str, new: str, expected: list[tuple[str, str]]
) -> None:
    assert [(change.path, change.kind) for change in schema_changes(schema(old), schema(new))] == expected
