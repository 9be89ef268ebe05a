"""The Crowd HTML Elements that AWS documents, and which of them Overread's own pages render."""

RENDERED = frozenset(
    {
        "crowd-alert",
        "crowd-badge",
        "crowd-bounding-box",
        "crowd-button",
        "crowd-card",
        "crowd-checkbox",
        "crowd-classifier",
        "crowd-classifier-multi-select",
        "crowd-entity-annotation",
        "crowd-fab",
        "crowd-form",
        "crowd-icon-button",
        "crowd-image-classifier",
        "crowd-image-classifier-multi-select",
        "crowd-input",
        "crowd-instance-segmentation",
        "crowd-instructions",
        "crowd-keypoint",
        "crowd-line",
        "crowd-modal",
        "crowd-polygon",
        "crowd-polyline",
        "crowd-radio-button",
        "crowd-radio-group",
        "crowd-rekognition-detect-moderation-labels",
        "crowd-semantic-segmentation",
        "crowd-slider",
        "crowd-slider-label",
        "crowd-tab",
        "crowd-tabs",
        "crowd-text-area",
        "crowd-textract-analyze-document",
        "crowd-toast",
        "crowd-toggle-button",
    }
)
"""Elements that work on both backends."""

DOCUMENTED = RENDERED | frozenset({"crowd-question-answer-generation", "crowd-text-ranking"})
"""Elements that AWS's script knows."""

ELEMENT_SCRIPTS = frozenset(
    {
        "https://assets.crowd.aws/crowd-html-elements.js",
        "https://assets.crowd.aws/crowd-html-elements-v2.js",
    }
)
"""Addresses of AWS's element scripts; Overread answers them with its own elements."""

ELEMENT_STYLES = frozenset({"https://assets.crowd.aws/css/crowd-html-elements-v2.css"})
"""Style sheet that comes with the second version of the elements."""
