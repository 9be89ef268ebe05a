"""Which properties CloudFormation cannot change in place: from the resource schemas that cfn-lint brings."""

from __future__ import annotations

from functools import cache

import click


class UnknownTypeError(click.ClickException):
    """Nobody can tell which changes replace; no verdict, as with wrong usage."""

    exit_code = 2


@cache
def create_only(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Properties of a type whose change replaces a resource, and those whose change may.

    Custom resources have none here: their providers decide.

    Raises:
        UnknownTypeError: cfn-lint is not installed, or does not know the type.
    """
    if kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource":
        return (), ()
    try:
        from cfnlint.schema import (  # noqa: PLC0415 - an optional part
            PROVIDER_SCHEMA_MANAGER,
            ResourceNotFoundError,
        )
    except ImportError as error:
        raise UnknownTypeError(
            "cfn-lint is not installed, whose resource schemas the guard reads: "
            "`pip install 'overread[guard]'`"
        ) from error
    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    except ResourceNotFoundError as error:
        raise UnknownTypeError(f"cfn-lint's schemas do not know the type {kind}: update cfn-lint") from error
    return (
        tuple(schema.get("createOnlyProperties") or ()),
        tuple(schema.get("conditionalCreateOnlyProperties") or ()),
    )
