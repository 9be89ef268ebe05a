"""The Crowd HTML Elements that AWS documents: what they take, what they need, and which Overread draws."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ElementFacts:
    """One element: its attributes in kebab case, and what AWS's page calls required of it."""

    attributes: frozenset[str]
    required: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    answers: bool = False
    """Whether it adds to the answer."""
    fixed_key: str = ""
    """The key of its part of the answer, where no `name` decides."""


def _element(
    attributes: str = "", *, required: str = "", regions: str = "", answers: bool = False, fixed_key: str = ""
) -> ElementFacts:
    names = frozenset(attributes.split()) | frozenset(required.split())
    return ElementFacts(names, tuple(required.split()), tuple(regions.split()), answers, fixed_key)


_INSTRUCTED = "full-instructions short-instructions"
_CLASSIFIER = "exclusion-category initial-value"
_TOGGLE = "name value checked disabled required"
_TEXT = (
    "name value label placeholder required allowed-pattern auto-focus auto-validate disabled error-message "
    "min-length max-length"
)
_SHAPES = "name header initial-value"

ELEMENTS = {
    "crowd-alert": _element("dismissible type"),
    "crowd-badge": _element("for icon label"),
    "crowd-bounding-box": _element(_SHAPES, required="src labels", regions=_INSTRUCTED, answers=True),
    "crowd-button": _element(
        "disabled form-action href icon icon-align icon-url loading target type variant name value"
    ),
    "crowd-card": _element("heading image"),
    "crowd-checkbox": _element(_TOGGLE, answers=True),
    "crowd-classifier": _element(
        _CLASSIFIER,
        required="name categories header",
        regions=f"classification-target {_INSTRUCTED}",
        answers=True,
    ),
    "crowd-classifier-multi-select": _element(
        _CLASSIFIER,
        required="name categories header",
        regions=f"classification-target {_INSTRUCTED}",
        answers=True,
    ),
    "crowd-entity-annotation": _element(
        "name header initial-value", required="text labels", regions=_INSTRUCTED, answers=True
    ),
    "crowd-fab": _element("disabled icon label"),
    "crowd-form": _element(),
    "crowd-icon-button": _element("disabled icon"),
    "crowd-image-classifier": _element(
        f"{_CLASSIFIER} overlay", required="name src categories header", regions=_INSTRUCTED, answers=True
    ),
    "crowd-image-classifier-multi-select": _element(
        f"{_CLASSIFIER} overlay", required="name src categories header", regions=_INSTRUCTED, answers=True
    ),
    "crowd-input": _element(f"{_TEXT} type", answers=True),
    "crowd-instance-segmentation": _element(
        _SHAPES, required="src labels", regions=_INSTRUCTED, answers=True
    ),
    "crowd-instructions": _element("link-text link-type"),
    "crowd-keypoint": _element(_SHAPES, required="src labels", regions=_INSTRUCTED, answers=True),
    "crowd-line": _element(
        f"{_SHAPES} label-colors", required="src labels", regions=_INSTRUCTED, answers=True
    ),
    "crowd-modal": _element("link-text link-type"),
    "crowd-polygon": _element(_SHAPES, required="src labels", regions=_INSTRUCTED, answers=True),
    "crowd-polyline": _element(
        f"{_SHAPES} label-colors", required="src labels", regions=_INSTRUCTED, answers=True
    ),
    "crowd-radio-button": _element("name value checked disabled", answers=True),
    "crowd-radio-group": _element("name allow-empty-selection"),
    "crowd-rekognition-detect-moderation-labels": _element(
        "header exclusion-category",
        required="src categories",
        regions=_INSTRUCTED,
        answers=True,
        fixed_key="AWS/Rekognition/DetectModerationLabels/Image/V3",
    ),
    "crowd-semantic-segmentation": _element(
        _SHAPES, required="src labels", regions=_INSTRUCTED, answers=True
    ),
    "crowd-slider": _element(
        "name min max step value pin editable disabled required secondary-progress label", answers=True
    ),
    "crowd-slider-label": _element("position"),
    "crowd-tab": _element("header"),
    "crowd-tabs": _element(),
    "crowd-text-area": _element(f"{_TEXT} rows max-rows char-counter", answers=True),
    "crowd-textract-analyze-document": _element(
        "header no-key-edit no-geometry-edit",
        required="src initial-value block-types keys",
        regions=_INSTRUCTED,
        answers=True,
        fixed_key="AWS/Textract/AnalyzeDocument/Forms/V1",
    ),
    "crowd-toast": _element("duration text opened"),
    "crowd-toggle-button": _element(f"{_TOGGLE} invalid", answers=True),
}
"""Elements that work on both backends, by tag."""

RENDERED = frozenset(ELEMENTS)

DOCUMENTED = RENDERED | frozenset({"crowd-question-answer-generation", "crowd-text-ranking"})
"""Elements that AWS's script knows."""

ELEMENT_SCRIPT = "https://assets.crowd.aws/crowd-html-elements.js"
"""AWS's element script; Overread answers its addresses with its own elements."""

_SCRIPT = re.compile(
    r"(?:https?:)?//assets\.crowd\.aws/crowd-html-elements(?:-v2)?\.js(?:[?#].*)?", re.IGNORECASE
)
_STYLE_SHEET = r"(?:https?:)?//assets\.crowd\.aws/css/crowd-html-elements[\w.-]*\.css"
_STYLE = re.compile(rf"{_STYLE_SHEET}(?:[?#].*)?", re.IGNORECASE)


_STYLE_LINK = re.compile(rf"<link\b[^<>]*?\bhref\s*=\s*[\"']?{_STYLE_SHEET}[^<>]*>", re.IGNORECASE)


def is_element_script(address: str) -> bool:
    """Whether it is an address of AWS's element scripts, of either version and with any scheme."""
    return _SCRIPT.fullmatch(address) is not None


def is_element_style(address: str) -> bool:
    """Whether it is the style sheet that comes with the second version of AWS's elements."""
    return _STYLE.fullmatch(address) is not None


def without_element_styles(page: str) -> str:
    """A page without links to those style sheets: Overread's elements bring their own look."""
    return _STYLE_LINK.sub("", page)
