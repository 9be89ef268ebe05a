"""`Custom::OverreadStudioTeardown`: when a studio's stack goes, or a user of it, takes apart what is in use.

An app can take 20 minutes to end, longer than a function runs. So this one polls, and before its time is up
calls itself with the same event and how long it has worked already; CloudFormation is answered once.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from overread_aws.clients import make_client
from overread_aws.studio_domains import StudioDomains
from overread_lambda.cloudformation_answer import Answer, Result, put_answer
from overread_lambda.entry import entry

POLL_S = 15.0
SPARE_S = 60.0
LONGEST_S = 55 * 60.0
"""CloudFormation waits for an hour."""
SPENT = "OverreadSpentSeconds"
"""In the event: how long earlier runs have worked at it."""
_SHOWN = 5


class Context(Protocol):
    """What the handler asks of Lambda's context."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the teardown works with; `again` calls the function with an event and does not wait."""

    domains: StudioDomains
    send: Callable[[str, bytes], None]
    again: Callable[[Mapping[str, Any]], None]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


@entry()
def handler(event: Mapping[str, Any], context: Context) -> None:
    """What CloudFormation calls, and the function itself."""
    lambda_ = make_client("lambda")

    def again(onward: Mapping[str, Any]) -> None:
        lambda_.invoke(
            FunctionName=context.invoked_function_arn,
            InvocationType="Event",
            Payload=json.dumps(onward).encode(),
        )

    domains = StudioDomains(
        sagemaker=make_client("sagemaker"), ec2=make_client("ec2"), efs=make_client("efs")
    )
    ports = Ports(domains=domains, send=put_answer, again=again, monotonic=time.monotonic, sleep=time.sleep)
    respond(event, ports=ports, budget_s=context.get_remaining_time_in_millis() / 1000 - SPARE_S)


def respond(event: Mapping[str, Any], *, ports: Ports, budget_s: float) -> None:
    """Answers creation and update at once; a deletion when nothing is left, or after 55 minutes FAILED."""
    properties = event["ResourceProperties"]
    answer = Answer(event, send=ports.send)
    physical_id = str(event.get("PhysicalResourceId") or _id_of(properties))
    if event["RequestType"] != "Delete":
        answer.give(Result(physical_id=_id_of(properties)))
        return
    try:
        left, spent_s = _work(event, ports=ports, budget_s=budget_s)
    except Exception as error:  # noqa: BLE001 - CloudFormation would wait for an hour
        answer.give(Result(physical_id=physical_id, reason=f"{type(error).__name__}: {error}"))
        return
    if not left:
        answer.give(Result(physical_id=physical_id))
    elif spent_s >= LONGEST_S:
        answer.give(Result(physical_id=physical_id, reason=_still(left)))
    else:
        ports.again({**event, SPENT: spent_s})


def _work(event: Mapping[str, Any], *, ports: Ports, budget_s: float) -> tuple[tuple[str, ...], float]:
    """Steps until nothing is left or time is up; what is left, and the seconds spent in all."""
    began, before = ports.monotonic(), float(event.get(SPENT, 0.0))
    while True:
        left = _step(event["ResourceProperties"], domains=ports.domains)
        used = ports.monotonic() - began
        if not left or used + POLL_S > budget_s or before + used >= LONGEST_S:
            return left, before + used
        ports.sleep(POLL_S)


def _step(properties: Mapping[str, Any], *, domains: StudioDomains) -> tuple[str, ...]:
    domain, profile = str(properties["DomainId"]), str(properties.get("UserProfileName") or "")
    if profile:
        return domains.release_profile(domain, profile)
    return domains.delete_domain(
        domain,
        file_system=str(properties.get("HomeEfsFileSystemId") or ""),
        homes=str(properties.get("DeleteHomes")).lower() == "true",
    )


def _id_of(properties: Mapping[str, Any]) -> str:
    """Of the domain or the user: another one is another resource, and only the old one is taken apart."""
    return "/".join(str(properties[key]) for key in ("DomainId", "UserProfileName") if properties.get(key))


def _still(left: tuple[str, ...]) -> str:
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return (
        f"after 55 minutes there still is {', '.join(left[:_SHOWN])}{more}: "
        "delete the stack again, which goes on where this ended"
    )
