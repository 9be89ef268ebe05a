"""Plain items as DynamoDB's attribute values, and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread_aws.attribute_values import attribute_values, plain_item

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
def test_every_plain_item_survives_dynamodb(item: dict[str, Any]) -> None:
    assert plain_item(attribute_values(item)) == item


def test_numbers_too_small_for_dynamodb_become_zero() -> None:
    assert attribute_values({"a": 1e-200, "b": -1e-300, "c": 5e-324}) == {
        "a": {"N": "0"},
        "b": {"N": "0"},
        "c": {"N": "0"},
    }


def test_a_kind_that_no_item_has_is_an_error() -> None:
    with pytest.raises(TypeError, match="no attribute value for bytes"):
        attribute_values({"a": b"x"})
    with pytest.raises(TypeError, match="kind SS"):
        plain_item({"a": {"SS": ["x"]}})
