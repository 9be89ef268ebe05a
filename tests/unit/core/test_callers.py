"""Cancel, contest and truth: what the documents say afterwards, and what a failure halfway leaves."""

import pytest

from overread.decisions.callers import contest
from overread.decisions.documents import decision_document
from overread.decisions.record import Record, State
from overread.errors import AmbiguousError, PolicyUnavailableError, RequestRefusedError
from overread_testing.decision_builders import policy
from overread_testing.decision_fakes import World, service_error
from overread_testing.decision_worlds import post


def contested(world: World, decision_id: str, *, key: str = "c-1") -> Record:
    return contest(
        decision_id,
        grounds="",
        idempotency_key=key,
        by="role/loans",
        ports=world.change_ports,
        clock=world.clock,
    )


def lost() -> Exception:
    """What a caller's death looks like from within."""
    return service_error(AmbiguousError, "ReadTimeoutError")


def test_a_contest_that_could_not_begin_bars_no_other() -> None:
    world = World(policy())
    old = post(world)
    world.faults.before["current_policy"] = [PolicyUnavailableError("NoPolicy", operation="Test")]
    with pytest.raises(PolicyUnavailableError):
        contested(world, old.decision_id)
    assert world.records.get(old.decision_id) == old
    assert contested(world, old.decision_id, key="c-2").state is State.PENDING


def test_a_note_whose_contest_never_began_gives_way_after_a_minute() -> None:
    world = World(policy())
    old = post(world)
    world.faults.hooks["guard"] = [lambda: None, lambda: world.faults.before.update(guard=[lost()])]
    with pytest.raises(AmbiguousError):
        contested(world, old.decision_id)
    assert world.events()[-1] == "contested"
    with pytest.raises(RequestRefusedError, match="superseded by"):
        contested(world, old.decision_id, key="c-2")
    world.clock.pass_seconds(60)
    new = contested(world, old.decision_id, key="c-2")
    noted = world.records.get(old.decision_id)
    assert noted is not None
    assert (new.state, noted.contested_by) == (State.PENDING, new.decision_id)
    with pytest.raises(RequestRefusedError, match="superseded by"):
        contested(world, old.decision_id)


def test_a_contest_in_shadow_mode_is_no_shadow_because_people_decide_it() -> None:
    world = World(policy(mode="shadow"))
    old = post(world)
    assert decision_document(old)["shadow"] is True
    new = contested(world, old.decision_id)
    assert (new.state, decision_document(new).get("shadow")) == (State.PENDING, None)
