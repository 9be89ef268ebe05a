"""What must not be lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator

from overread_constructs.rules.rule import TemplateRule
from overread_constructs.rules.template import Resource, Templates, as_list


def _targets(resource: Resource, _: Templates) -> Iterator[str]:
    for index, target in enumerate(as_list(resource.get("Targets"))):
        if not target.get("DeadLetterConfig"):
            yield f"Targets/{index}/DeadLetterConfig"


def _stream(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("StartingPosition"):
        return  # a queue has dead letters of its own
    if not resource.get("DestinationConfig", "OnFailure"):
        yield "DestinationConfig/OnFailure"
    if resource.get("MaximumRetryAttempts") in (None, -1):
        yield "MaximumRetryAttempts"
    if "ReportBatchItemFailures" not in as_list(resource.get("FunctionResponseTypes")):
        yield "FunctionResponseTypes"


def _invoked_by_events(resource: Resource, templates: Templates) -> Iterator[str]:
    if resource.get("Principal") != "events.amazonaws.com":
        return
    function = json.dumps(resource.get("FunctionName"))
    for config in templates.beside(resource, "AWS::Lambda::EventInvokeConfig"):
        reference = config.get("FunctionName", "Ref")
        if reference and f'"{reference}"' in function and config.get("DestinationConfig", "OnFailure"):
            return
    yield "FunctionName"


def _missing_data(resource: Resource, _: Templates) -> Iterator[str]:
    if not resource.get("TreatMissingData"):
        yield "TreatMissingData"


EVENT_RULES = (
    TemplateRule(
        name="TargetKeepsFailures",
        kinds=("AWS::Events::Rule",),
        must="Each target of an event rule has a dead-letter queue.",
        why="EventBridge drops an event that it could not deliver for a day, or may not deliver at once.",
        faults=_targets,
    ),
    TemplateRule(
        name="StreamKeepsFailures",
        kinds=("AWS::Lambda::EventSourceMapping",),
        must="A function on a stream keeps failures, ends its retries, and names the records it failed on.",
        why="One poisoned record holds up its shard until the stream forgets it, and all behind it.",
        faults=_stream,
    ),
    TemplateRule(
        name="EventsKept",
        kinds=("AWS::Lambda::Permission",),
        must="A function that events invoke has a destination for those it failed on.",
        why="Lambda tries twice more and then forgets; packs look for DeadLetterConfig only.",
        faults=_invoked_by_events,
    ),
    TemplateRule(
        name="AlarmSaysMissing",
        kinds=("AWS::CloudWatch::Alarm",),
        must="An alarm says what missing data means.",
        why="AppConfig rolls back on INSUFFICIENT_DATA too: a quiet night would undo each deployment.",
        faults=_missing_data,
    ),
)
