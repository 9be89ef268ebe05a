"""Human loops as the A2I runtime API starts, describes, lists, stops and deletes them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from overread.review import limits
from overread.review.wire import FailureCode, LoopStatus
from overread_review.service import transitions
from overread_review.service.errors import (
    ConflictError,
    OpenLimitReachedError,
    QuotaExceededError,
    RecordChangedError,
    RecordExistsError,
    RequestInvalidError,
    RequestRefusedError,
    ResourceMissingError,
)
from overread_review.service.flow_definitions import FlowDefinitions, availability_s, is_public, terms_of
from overread_review.service.loop_changes import LoopChanges
from overread_review.service.model import Loop, Resource, ResourceKind
from overread_review.service.nesting import MAX_LEVELS, is_too_deep
from overread_review.service.own_members import separation_of, statement_sha256
from overread_review.service.ports import Clock, Documents, LoopQuery, ReviewStore
from overread_review.service.resources import Resources, decode_token, encode_token
from overread_review.service.settings import ServiceSettings
from overread_review.service.task_uis import TaskUis
from overread_review.service.urgency import urgency_of
from overread_templates import TemplateError

_LIST_PAGE = 10
_STOPPED_AT_ONCE = 100
_CURSOR = re.compile(r"[0-9][\x21-\x7e]{0,255}")
"""As the store writes them; it would refuse a longer one as a fault of ours."""


class Loops:
    """The API calls about human loops."""

    def __init__(
        self,
        *,
        store: ReviewStore,
        documents: Documents,
        changes: LoopChanges,
        clock: Clock,
        resources: Resources,
        flow_definitions: FlowDefinitions,
        task_uis: TaskUis,
        settings: ServiceSettings,
    ) -> None:
        self._store = store
        self._documents = documents
        self._changes = changes
        self._clock = clock
        self._resources = resources
        self._flow_definitions = flow_definitions
        self._task_uis = task_uis
        self._settings = settings

    # The runtime API

    def start(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """StartHumanLoop. Idempotent by name and input.

        Raises:
            RequestInvalidError: no active flow definition, or the input is not a JSON object.
            ConflictError: another input under the same name.
            QuotaExceededError: too many open loops.
        """
        flow_definition = self._active_flow_definition(params["FlowDefinitionArn"])
        name, content = params["HumanLoopName"], params["HumanLoopInput"]["InputContent"]
        task_input = _json_object(content)
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        if known := self._store.find_loop(name):
            if known.gold is None:
                return _known(known, sha256=sha256, flow_definition=flow_definition)
            self._forget(self._changes.retired(known))
        now = self._clock()
        priority, deadline_at = urgency_of(task_input)
        loop = Loop(
            name=name,
            arn=self._settings.arn(f"human-loop/{name}"),
            terms=terms_of(flow_definition),
            created_at=now,
            expires_at=now + timedelta(seconds=availability_s(flow_definition)),
            input_key=f"inputs/{name}/{sha256}.json",
            input_sha256=sha256,
            classifiers=tuple(params.get("DataAttributes", {}).get("ContentClassifiers", ())),
            priority=priority,
            deadline_at=deadline_at,
            separation=separation_of(task_input),
            statement_sha256=statement_sha256(task_input),
        )
        self._documents.put(loop.input_key, content.encode())
        public = is_public(loop.terms.workteam_arn)
        quota = (
            limits.OPEN_LOOPS_PER_PUBLIC_FLOW_DEFINITION if public else limits.OPEN_LOOPS_PER_FLOW_DEFINITION
        )
        try:
            stored = self._store.create_loop(self._validated(loop, task_input), open_limit=quota)
        except OpenLimitReachedError as error:
            raise QuotaExceededError(
                f"Only {quota:,} human loops may be in flight per flow definition"
            ) from error
        except RecordExistsError as error:
            if (known := self._store.find_loop(name)) is None:
                raise RequestInvalidError(f"Human loop {name} is being deleted; try again") from error
            return _known(known, sha256=sha256, flow_definition=flow_definition)
        if stored.event_due:
            self._changes.conclude(stored)
        return {"HumanLoopArn": stored.arn}

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeHumanLoop."""
        loop = self._named(params["HumanLoopName"])
        document: dict[str, Any] = {
            "CreationTime": loop.created_at,
            "HumanLoopStatus": str(loop.status),
            "HumanLoopName": loop.name,
            "HumanLoopArn": loop.arn,
            "FlowDefinitionArn": loop.terms.flow_definition_arn,
        }
        if loop.failure_code is not None:
            document |= {"FailureCode": str(loop.failure_code), "FailureReason": loop.failure_reason}
        if loop.output_uri:
            document["HumanLoopOutput"] = {"OutputS3Uri": loop.output_uri}
        return document

    def list(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListHumanLoops, of one flow definition."""
        arn, cursor = params["FlowDefinitionArn"], ""
        if token := params.get("NextToken"):
            token_arn, cursor = decode_token(token)
            if token_arn != arn:
                raise RequestInvalidError("Invalid NextToken: it belongs to another flow definition")
            if not _CURSOR.fullmatch(cursor):
                raise RequestInvalidError("Invalid NextToken")
        self._flow_definitions.named(self._settings.own_name(arn, kind=ResourceKind.FLOW_DEFINITION))
        query = LoopQuery(
            flow_definition_arn=arn,
            created_after=params.get("CreationTimeAfter"),
            created_before=params.get("CreationTimeBefore"),
            ascending=params.get("SortOrder", "Descending") == "Ascending",
            limit=params.get("MaxResults", _LIST_PAGE),
            cursor=cursor,
        )
        found = self._store.list_loops(query)
        document: dict[str, Any] = {"HumanLoopSummaries": [_summary(loop) for loop in found.loops]}
        if found.next_cursor:
            document["NextToken"] = encode_token((arn, found.next_cursor))
        return document

    def stop(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """StopHumanLoop. A reviewer who has begun may still submit; until then the loop is Stopping."""
        self._changes.change(self._named(params["HumanLoopName"]), by=transitions.stop)
        return {}

    def delete(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteHumanLoop, once it has ended. The output document stays."""
        loop = self._named(params["HumanLoopName"])
        if loop.is_open:
            raise RequestInvalidError(
                f"Human loop {loop.name} is {loop.status}; only ended loops can be deleted"
            )
        self._forget(loop)
        return {}

    def delete_flow_definition(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteFlowDefinition: loops that nobody has begun are stopped and deleted, the others finish.

        Of very many loops the first call may not reach all: the next goes on with the rest.
        """
        found = self._flow_definitions.named(params["FlowDefinitionName"])
        self._resources.delete(found)
        if not self._stop_untouched(found) and found.deleted_at:
            raise ResourceMissingError(f"Flow definition {found.arn} does not exist")
        return {}

    def _stop_untouched(self, flow_definition: Resource) -> int:
        now, count = self._clock(), 0
        for loop in self._open_loops(flow_definition.arn):
            if loop.answers or transitions.active_claims(loop, now=now):
                continue
            try:
                stopped = self._changes.change(loop, by=transitions.stop)
                if stopped.status is LoopStatus.STOPPED:
                    self._forget(stopped)
                    count += 1
            except RequestRefusedError:
                continue  # it ended or was deleted meanwhile, and the others are to be stopped all the same
        return count

    def sweep(self) -> int:
        """End what time has ended and hand over late events; the number of loops that this brought on."""
        return self._changes.sweep()

    def named(self, name: str) -> Loop | None:
        """The loop of that name."""
        return self._store.find_loop(name)

    def task_input(self, loop: Loop) -> dict[str, Any]:
        """What the loop was started with."""
        return self._changes.task_input(loop)

    def _active_flow_definition(self, arn: str) -> Resource:
        name = self._settings.own_name(arn, kind=ResourceKind.FLOW_DEFINITION)
        try:
            found = self._flow_definitions.named(name)
        except ResourceMissingError as error:
            raise RequestInvalidError(str(error)) from error
        if (status := self._flow_definitions.status(found)) != "Active":
            raise RequestInvalidError(f"Flow definition {arn} is not Active but {status}")
        return found

    def _validated(self, loop: Loop, task_input: Mapping[str, Any]) -> Loop:
        """The loop as it may start: Failed when its template refuses the input or its data may not go out."""
        no_personal_data = limits.CONTENT_CLASSIFIER_NO_PERSONAL_DATA
        if is_public(loop.terms.workteam_arn) and no_personal_data not in loop.classifiers:
            reason = f"The public workforce needs the content classifier {no_personal_data}"
            return transitions.fail(
                loop, code=FailureCode.VALIDATION_ERROR, reason=reason, now=loop.created_at
            )
        try:
            template = self._task_uis.template(loop.terms.template_sha256)
            template.render(task_input, sign_url=lambda place: f"s3://{place.bucket}/{place.key}")
        except TemplateError as error:
            reason = f"The worker template cannot be rendered with this input: {error}"
            return transitions.fail(
                loop, code=FailureCode.VALIDATION_ERROR, reason=reason, now=loop.created_at
            )
        return loop

    def _named(self, name: str) -> Loop:
        """The loop of that name; gold questions and tasks of labeling jobs are none of the API's."""
        found = self._store.find_loop(name)
        if found is None or not found.is_humans_loop:
            raise ResourceMissingError(
                f"Human loop {self._settings.arn(f'human-loop/{name}')} does not exist"
            )
        return found

    def _open_loops(self, flow_definition_arn: str) -> Iterator[Loop]:
        cursor = ""
        while True:
            found = self._store.open_loops(flow_definition_arn, limit=_STOPPED_AT_ONCE, cursor=cursor)
            yield from found.loops
            cursor = found.next_cursor
            if not cursor:
                return

    def _forget(self, loop: Loop) -> None:
        """The documents go first: who starts a loop of that name anew keeps what they put there."""
        answers = (*loop.answers, *loop.returned)
        self._documents.delete([loop.input_key, *(answer.content_key for answer in answers)])
        try:
            self._store.delete_loop(loop)
        except RecordChangedError as error:
            raise RequestInvalidError(f"Human loop {loop.name} is being changed; try again") from error


def _json_object(content: str) -> dict[str, Any]:
    try:
        parsed = json.loads(content, parse_constant=_refuse_constant)
        # Half of a surrogate pair has no UTF-8: neither page nor output document could be written.
        json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RequestInvalidError(f"Provided InputContent is not valid JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise RequestInvalidError("Provided InputContent is not a JSON object")
    if is_too_deep(parsed):
        raise RequestInvalidError(f"Provided InputContent is nested deeper than {MAX_LEVELS} levels")
    return parsed


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _known(loop: Loop, *, sha256: str, flow_definition: Resource) -> dict[str, Any]:
    if loop.input_sha256 != sha256 or loop.terms.flow_definition_arn != flow_definition.arn:
        raise ConflictError(
            "Your request has the same name as another active human loop but has different input data. "
            "You cannot start two human loops with the same name and different input data."
        )
    return {"HumanLoopArn": loop.arn}


def _summary(loop: Loop) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "HumanLoopName": loop.name,
        "HumanLoopStatus": str(loop.status),
        "CreationTime": loop.created_at,
        "FlowDefinitionArn": loop.terms.flow_definition_arn,
    }
    return summary | ({"FailureReason": loop.failure_reason} if loop.failure_reason else {})
