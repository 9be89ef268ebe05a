"""JSON as the system accepts and writes it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.strict_json import MAX_DEPTH, canonical_json, parse_json

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_survives_the_canonical_spelling(value: object) -> None:
    assert parse_json(canonical_json(value)) == value
    assert parse_json(json.dumps(value)) == value


@given(st.dictionaries(TEXTS, st.integers()))
def test_the_canonical_spelling_does_not_depend_on_the_order_of_names(document: dict[str, int]) -> None:
    backwards = dict(reversed(document.items()))
    assert canonical_json(document) == canonical_json(backwards)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "NaN",
        '{"a": Infinity}',
        '{"a": -Infinity}',
        "1e999",
        '{"a": 1, "a": 2}',
        '["\\ud800"]',
        '{"\\udfff": 1}',
        "[" * 100_000,
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        b"\xff",
        "9" * 5000,
    ],
)
def test_what_is_not_strict_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_the_deepest_allowed_nesting_is_read() -> None:
    text = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert json.dumps(parse_json(text)) == text


def test_a_wide_document_is_not_taken_for_a_deep_one() -> None:
    assert len(parse_json("[" + ",".join(["[]"] * 1000) + "]")) == 1000


def test_a_whole_surrogate_pair_is_fine() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"
