"""The simulation as `make test` runs it: no property fails, the same seed is the same world, mutants die."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation import runner
from tests.simulation.history import History
from tests.simulation.mutants import FIRST_SEED, MUTANTS, Mutant, kill
from tests.simulation.properties import PROPERTIES, check
from tests.simulation.runner import Run, kept_seeds, run_decisions, run_worlds
from tests.simulation.world import World

ROOT = Path(__file__).parents[2]
PARTS = 5
DECISIONS = 80_000
OF_RELIABILITY = {
    "at_most_one_decision_per_key",
    "every_accepted_terminates",
    "one_final",
    "one_audit",
    "one_effect_equal",
    "chain_intact",
    "version_pinned",
    "human_when_required",
    "kill_switch_no_leak",
    "authorised_reviewer",
    "distinct_reviewers",
    "answer_at_current_generation",
    "no_discarded_answer",
    "one_active_loop",
    "no_orphan_loop",
    "expiry_never_auto",
    "nan_to_human",
    "sample_stable",
    "merge_commutative",
    "replay_same_response",
    "erase_keeps_chain",
    "no_pii_public",
    "bounded_staleness",
    "budget_respected",
}
"""What a system of this kind must hold, by name."""
HAPPENS = {
    *("FINAL", "CANCELLED"),
    *("DELAY", "FAIL_BEFORE", "APPLY_THEN_FAIL", "KILL_BEFORE", "APPLY_THEN_KILL"),
    *("Completed", "Failed", "Stopped"),
    *("idempotency-key-reused", "kill-switch-on", "prediction-failed"),
    *("decided_by_model", "decided_by_people", "answer_accepted", "readers_disagree", "escalated"),
    *("review_repeated", "escalation_repeated", "review_closed", "late_answer_kept", "cancelled"),
    *("contest_received", "contested", "truth_recorded", "review_terms_replaced"),
    *("kill_switch_on", "kill_switch_off", "kill_switch_off_proposed"),
    *("roster_changed", "roster_proposed"),
    *("same_reviewer", "loop_failed", "loop_stopped", "output_unreadable", "output_not_json"),
    *("output_of_other_content", "output_of_another_loop", "label_unknown", "no_answer"),
    *("reviewer_not_on_roster", "authority_exceeded", "conflict_of_interest", "excluded_reviewer"),
}
"""What some world must show, or the others prove nothing about it."""
QUICKLY_KILLED = 20_000
"""Decisions within which every mutant dies (docs/simulation.md has the figures)."""


def _described(run: Run) -> str:
    return "\n".join(
        f"{one.property}: {one.detail}\n  again: python -m tests.simulation --world {one.seed}"
        for one in run.violations[:10]
    )


@pytest.mark.parametrize("part", range(PARTS))
def test_no_property_fails(part: int) -> None:
    run = run_decisions(DECISIONS // PARTS, seed=1_000_000 * (part + 1))
    assert not run.violations, _described(run)
    assert run.decisions >= DECISIONS // PARTS
    assert run.faults > run.decisions


def test_worlds_that_once_showed_a_fault_show_none() -> None:
    run = run_worlds(kept_seeds())
    assert run.worlds >= 3
    assert not run.violations, _described(run)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mechanism_that_is_off_is_noticed(mutant: Mutant) -> None:
    run = kill(mutant, most=QUICKLY_KILLED)
    assert run.violations


def test_all_is_well_again_after_a_mutant() -> None:
    kill(MUTANTS[0], most=1)
    assert not run_worlds(range(FIRST_SEED, FIRST_SEED + 3)).violations


def test_there_are_enough_mutants_and_each_has_its_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 20


def test_every_property_is_there_and_says_what_it_means() -> None:
    assert {one.__name__ for one in PROPERTIES} >= OF_RELIABILITY
    assert all(one.__doc__ for one in PROPERTIES)


def test_the_same_seed_is_the_same_world_whatever_the_hash_seed() -> None:
    digests = {_digest_of_worlds(hash_seed) for hash_seed in ("0", "1", "4711")}
    assert digests == {run_worlds(range(40, 60)).digest}


def _digest_of_worlds(hash_seed: str) -> str:
    program = (
        "from tests.simulation.runner import run_worlds; print(run_worlds(range(40, 60)).digest, end='')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_different_seeds_are_different_worlds() -> None:
    assert len({run_worlds([seed]).digest for seed in range(20)}) == 20


def test_everything_that_can_happen_happens() -> None:
    missing = set(HAPPENS)
    for seed in range(2_000):
        missing -= _happened(runner.run_world(seed)[0])
        if not missing:
            break
    assert not missing


def _happened(world: World) -> set[str]:
    seen = {str(record.state) for record in world.store.decisions()}
    seen |= {fault.name for fault in world.faults.counts}
    seen |= {link.entry["event"] for link in world.store.links}
    seen |= {str(loop.status) for loop in world.backend.loops.values()}
    seen |= {str(reply.problem.slug) for reply in world.replies if reply.problem}
    return seen | {review.end_code for record in world.store.decisions() for review in record.reviews}


def test_the_page_tells_of_every_property_and_mutant() -> None:
    page = (ROOT / "docs/simulation.md").read_text()
    assert [one.__name__ for one in PROPERTIES if f"| `{one.__name__}` |" not in page] == []
    assert [one.name for one in MUTANTS if f"\n| {one.name} | " not in page] == []


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("# seeds\n4  # one\n")
    monkeypatch.setattr(runner, "CORPUS", path)
    return path


def test_a_failing_seed_is_kept_once(corpus: Path) -> None:
    runner.keep(7, why="one_final")
    runner.keep(7, why="one_final")
    assert kept_seeds() == [4, 7]
    assert corpus.read_text().endswith("7  # one_final\n")


def test_a_run_ends_with_its_figures_and_fails_on_a_violation(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _main(monkeypatch, "--decisions", "20", "--seed", "5") == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("simulated: 2")
    assert " faults, 0 violations, " in line
    mutant = next(one for one in MUTANTS if one.name == "no idempotency key")
    with mutant.at_work():
        assert _main(monkeypatch, "--decisions", "60", "--seed", "1") == 1
    shown = capsys.readouterr().out
    assert "at_most_one_decision_per_key" in shown
    assert "again: python -m tests.simulation --world " in shown
    assert len(kept_seeds()) > 1


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    from tests.simulation.__main__ import main

    monkeypatch.setattr(sys, "argv", ["simulation", *arguments])
    return main()


def test_a_broken_history_is_seen() -> None:
    """The properties look at what happened, not at nothing."""
    world, violations = runner.run_world(3)
    assert not violations
    world.store.links.pop()
    assert {one.property for one in check(History(world))} >= {"chain_intact", "one_audit"}
