"""Plain items as DynamoDB attribute values and back, without the resource layer of boto3."""

from collections.abc import Mapping
from typing import Any

SMALLEST_NUMBER = 1e-128
"""DynamoDB's numbers end a little below; what is nearer to zero is stored as zero."""

AttributeValue = dict[str, Any]


def attribute_values(item: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The item as DynamoDB takes it."""
    return {name: _encode(value) for name, value in item.items()}


def plain_item(attributes: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """The item that `attribute_values` encoded. Whole numbers come back as int."""
    return {name: _decode(value) for name, value in attributes.items()}


def _encode(value: Any) -> AttributeValue:
    match value:
        case str():
            encoded: AttributeValue = {"S": value}
        case bool():
            encoded = {"BOOL": value}
        case int():
            encoded = {"N": str(value)}
        case float():
            encoded = {"N": repr(value) if abs(value) >= SMALLEST_NUMBER else "0"}
        case None:
            encoded = {"NULL": True}
        case Mapping():
            encoded = {"M": attribute_values(value)}
        case list() | tuple():
            encoded = {"L": [_encode(one) for one in value]}
        case _:
            raise TypeError(f"no attribute value for {type(value).__name__}")
    return encoded


def _decode(value: AttributeValue) -> Any:
    ((kind, content),) = value.items()
    match kind:
        case "S" | "BOOL":
            return content
        case "N":
            return int(content) if content.lstrip("-").isdigit() else float(content)
        case "NULL":
            return None
        case "M":
            return plain_item(content)
        case "L":
            return [_decode(one) for one in content]
        case _:
            raise TypeError(f"attribute value of kind {kind}")
