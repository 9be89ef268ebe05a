"""The use cases of people who steer: kill switches and the roster, by two persons where that is the rule."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from overread.audit.chain import shard_of
from overread.decisions import news
from overread.decisions.commit import sealed
from overread.decisions.ports import Clock, GuaranteeSteering, Steered, Steering
from overread.decisions.record import AuditEntry, OutboxEntry
from overread.decisions.steered import ALL, GuaranteePin, Proposal, RosterPin, Switch
from overread.errors import ChainMovedError, RecordConflictError, RetryableError
from overread.review.roster import parse_roster
from overread.risk.guarantee import ThresholdGuarantee
from overread.strict_json import canonical_json

ATTEMPTS = 16
ROSTER_SUBJECT = "change/roster"


def turn_on(scope: str, *, by: str, reason: str, steering: Steering, clock: Clock) -> Switch:
    """The kill switch of a use case (or of all, `*`) on, at once; on again it stays as it is.

    Raises:
        ServiceError: a service failed; run it again.
    """

    def turned(switch: Switch) -> Switch | None:
        if switch.is_on and switch.proposal is None:
            return None
        epoch = switch.epoch + (not switch.is_on)
        return replace(switch, is_on=True, epoch=epoch, proposal=None)

    return _turn(scope, turned, event="kill_switch_on", by=by, reason=reason, steering=steering, clock=clock)


def turn_off(
    scope: str, *, by: str, reason: str, needs_two: bool, steering: Steering, clock: Clock
) -> Switch:
    """The kill switch off; where two persons are needed, the first call proposes it and another's does it.

    Raises:
        ServiceError: a service failed; run it again.
    """

    def turned(switch: Switch) -> Switch | None:
        if not switch.is_on:
            return None
        if needs_two and (switch.proposal is None or switch.proposal.by == by):
            proposal = Proposal(value="off", by=by, reason=reason, at=clock())
            return None if switch.proposal else replace(switch, proposal=proposal)
        return replace(switch, is_on=False, epoch=switch.epoch + 1, proposal=None)

    return _turn(scope, turned, event="kill_switch_off", by=by, reason=reason, steering=steering, clock=clock)


def put_roster(
    body: bytes, *, by: str, reason: str, needs_two: bool, steering: Steering, clock: Clock
) -> RosterPin:
    """The roster in force; where two persons are needed, the first call proposes it and another's does it.

    Raises:
        InvalidRosterError: the document has faults; nothing is changed.
        ServiceError: a service failed; run it again.
    """
    parse_roster(body)
    sha256 = hashlib.sha256(body).hexdigest()
    steering.keep_roster(body, sha256=sha256)
    for _ in range(ATTEMPTS):
        pin = steering.roster() or RosterPin(
            sha256="", revision=0, changed_at=None, proposed_by="", approved_by=""
        )
        changed = _next_roster(pin, sha256, by=by, reason=reason, needs_two=needs_two, at=clock())
        if changed is None:
            return pin
        is_proposal = changed.proposal is not None
        event = "roster_proposed" if is_proposal else "roster_changed"
        detail = {
            "from_sha256": pin.sha256,
            "to_sha256": sha256,
            "proposed_by": by if is_proposal else changed.proposed_by,
            "approved_by": "" if is_proposal else changed.approved_by,
        }
        done = commit_steered(
            changed,
            subject=ROSTER_SUBJECT,
            event=event,
            told=news.ROSTER,
            detail=detail,
            steering=steering,
            at=clock(),
        )
        if done:
            return changed
    raise RetryableError("RosterContended", operation="PutRoster")


def put_guarantee(
    guarantee: ThresholdGuarantee, *, by: str, needs_two: bool, steering: GuaranteeSteering, clock: Clock
) -> GuaranteePin:
    """The guarantee that the use case's policy may stand on; where two persons are needed, the first call
    proposes it and another's does it.

    Raises:
        ServiceError: a service failed; run it again.
    """
    use_case, body = guarantee.use_case, canonical_json(guarantee.document())
    sha256 = hashlib.sha256(body).hexdigest()
    steering.keep_guarantee(body, sha256=sha256)
    for _ in range(ATTEMPTS):
        pin = steering.guarantee(use_case) or GuaranteePin(
            use_case=use_case,
            id="",
            sha256="",
            terms_sha256="",
            revision=0,
            changed_at=None,
            proposed_by="",
            approved_by="",
        )
        changed = _next_guarantee(pin, guarantee, sha256, by=by, needs_two=needs_two, at=clock())
        if changed is None:
            return pin
        is_proposal = changed.proposal is not None
        done = commit_steered(
            changed,
            subject=f"change/guarantee/{use_case}",
            event="guarantee_proposed" if is_proposal else "guarantee_approved",
            told=news.GUARANTEE,
            detail={
                "use_case": use_case,
                "from_guarantee": pin.id,
                "to_guarantee": guarantee.id,
                "to_sha256": sha256,
                "proposed_by": by if is_proposal else changed.proposed_by,
                "approved_by": "" if is_proposal else changed.approved_by,
            },
            steering=steering,
            at=clock(),
        )
        if done:
            return changed
    raise RetryableError("GuaranteeContended", operation="PutGuarantee")


def _next_guarantee(
    pin: GuaranteePin, guarantee: ThresholdGuarantee, sha256: str, *, by: str, needs_two: bool, at: datetime
) -> GuaranteePin | None:
    """None when it is approved, or proposed by the same person, already."""
    if pin.sha256 == sha256 and pin.proposal is None:
        return None
    is_seconded = pin.proposal is not None and pin.proposal.value == sha256 and pin.proposal.by != by
    if needs_two and not is_seconded:
        if pin.proposal is not None and (pin.proposal.value, pin.proposal.by) == (sha256, by):
            return None
        proposal = Proposal(value=sha256, by=by, reason="", at=at)
        return replace(pin, revision=pin.revision + 1, proposal=proposal)
    return GuaranteePin(
        use_case=pin.use_case,
        id=guarantee.id,
        sha256=sha256,
        terms_sha256=guarantee.in_policy().sha256,
        revision=pin.revision + 1,
        changed_at=at,
        proposed_by=pin.proposal.by if is_seconded and pin.proposal else by,
        approved_by=by,
    )


def _next_roster(
    pin: RosterPin, sha256: str, *, by: str, reason: str, needs_two: bool, at: datetime
) -> RosterPin | None:
    """None when it is in force, or proposed by the same person, already."""
    if pin.sha256 == sha256 and pin.proposal is None:
        return None
    is_seconded = pin.proposal is not None and pin.proposal.value == sha256 and pin.proposal.by != by
    if needs_two and not is_seconded:
        if pin.proposal is not None and (pin.proposal.value, pin.proposal.by) == (sha256, by):
            return None
        proposal = Proposal(value=sha256, by=by, reason=reason, at=at)
        return replace(pin, revision=pin.revision + 1, proposal=proposal)
    proposed_by = pin.proposal.by if is_seconded and pin.proposal else by
    return RosterPin(
        sha256=sha256, revision=pin.revision + 1, changed_at=at, proposed_by=proposed_by, approved_by=by
    )


def _turn(
    scope: str,
    turned: Callable[[Switch], Switch | None],
    *,
    event: str,
    by: str,
    reason: str,
    steering: Steering,
    clock: Clock,
) -> Switch:
    subject = f"change/kill-switch/{'all' if scope == ALL else scope}"
    for _ in range(ATTEMPTS):
        switch = steering.switch(scope)
        wanted = turned(switch)
        if wanted is None:
            return switch
        at = clock()
        is_proposal = wanted.proposal is not None
        proposed_by = switch.proposal.by if switch.proposal and not wanted.is_on else by
        detail = {
            "scope": scope,
            "is_on": wanted.is_on,
            "epoch": wanted.epoch,
            "proposed_by": proposed_by,
            "approved_by": "" if is_proposal else by,
            "reason": reason,
        }
        changed = replace(wanted, revision=switch.revision + 1, changed_at=at, changed_by=by, reason=reason)
        done = commit_steered(
            changed,
            subject=subject,
            event=f"{event}_proposed" if is_proposal else event,
            told=news.KILL_SWITCH,
            detail=detail,
            steering=steering,
            at=at,
        )
        if done:
            return changed
    raise RetryableError("KillSwitchContended", operation="Turn")


def commit_steered(
    item: Steered,
    *,
    subject: str,
    event: str,
    told: str,
    detail: Mapping[str, Any],
    steering: Steering,
    at: datetime,
    number: int | None = None,
) -> bool:
    """Whether the item was written, with its audit entry and news; False when it, or the chain, had moved.

    `number`: the entry's, where not every revision of the item has one.
    """
    number = item.revision if number is None else number
    head = steering.head(shard_of(subject))
    entry = AuditEntry(
        decision_id=subject,
        number=number,
        at=at,
        event=event,
        from_state="",
        to_state="",
        generation=0,
        detail=detail,
    )
    outbox: tuple[OutboxEntry, ...] = ()
    if not event.endswith("_proposed"):
        outbox = news.change_news(subject, told, dict(detail), number=number, at=at)
    (link,) = sealed((entry,), head=head)
    try:
        steering.commit(item, link=link, head=head, outbox=outbox)
    except (RecordConflictError, ChainMovedError):
        return False
    return True
