"""What the steps of a labeling run compute."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.errors import InvalidDataError
from overread.labeling.jobs import STEM
from overread.labeling.runs.gold_mixing import mixed, unlabeled, without_gold
from overread.labeling.runs.job_watch import Outcome, needs_repair, watched
from overread.labeling.runs.label_lineage import Origin, lineage
from overread.labeling.runs.quality_gate import Evidence, GateRules, gate_reasons
from overread.labeling.runs.step_names import JobStep, job_stem

GOLD = [{"source": f"gold {n}", "kind": n % 2, "kind-metadata": {"type": "x"}} for n in range(4)]
METADATA = {"job-name": "labeling-job/one", "confidence": 0.9, "human-annotated": "yes", "creation-date": "t"}


def plain(count: int) -> list[dict[str, str]]:
    return [{"source": f"text {n}"} for n in range(count)]


def test_a_repeated_step_has_the_same_name_and_another_round_has_another() -> None:
    first = job_stem("cats-7", step=JobStep.REPAIR, attempt=1)
    assert first == job_stem("cats-7", step=JobStep.REPAIR, attempt=1) == "cats-7-repair-1"
    assert first != job_stem("cats-7", step=JobStep.REPAIR, attempt=2)
    assert STEM.allows(first)


@pytest.mark.parametrize(("run", "attempt"), [("a b", 1), ("x" * 60, 1), ("cats", 0), ("cats", 10)])
def test_a_run_that_gives_no_name_of_a_job_is_refused(run: str, attempt: int) -> None:
    with pytest.raises(InvalidDataError):
        job_stem(run, step=JobStep.LABEL, attempt=attempt)


@given(count=st.integers(0, 40), seed=st.text())
def test_gold_is_mixed_in_unseen_and_comes_out_again(count: int, seed: str) -> None:
    rows = plain(count)
    lines = list(mixed(rows, objects=count, gold=GOLD, attribute="kind", seed=seed))
    assert [line.number for line in lines] == list(range(count + 4))
    assert all(set(line.row) == {"source"} for line in lines)
    assert lines == list(mixed(rows, objects=count, gold=GOLD, attribute="kind", seed=seed))
    key = {line.number: line.gold for line in lines if line.gold is not None}
    assert {lines[n].row["source"]: label for n, label in key.items()} == {
        row["source"]: row["kind"] for row in GOLD
    }
    assert list(without_gold((line.row for line in lines), key=key)) == rows


def test_gold_lies_elsewhere_with_another_seed() -> None:
    def places(seed: str) -> list[int]:
        lines = mixed(plain(500), objects=500, gold=GOLD, attribute="kind", seed=seed)
        return [line.number for line in lines if line.gold is not None]

    assert places("a") != places("b")


@pytest.mark.parametrize(
    ("rows", "objects", "gold"),
    [
        (plain(3), 4, GOLD),
        (plain(3), 2, GOLD),
        ([{"source": "gold 1"}], 1, GOLD),
        (plain(1), 1, [GOLD[0], GOLD[0]]),
        (plain(1), 1, [{"source": "no label"}]),
    ],
    ids=["fewer", "more", "object is gold", "gold twice", "gold without label"],
)
def test_what_cannot_be_mixed_is_refused(
    rows: list[dict[str, str]], objects: int, gold: list[dict[str, object]]
) -> None:
    with pytest.raises(InvalidDataError):
        list(mixed(rows, objects=objects, gold=gold, attribute="kind", seed="s"))


def test_a_follow_up_has_what_failed_or_was_left_and_keeps_labels_of_other_jobs() -> None:
    rows = [
        {"source": "done", "kind": 1, "kind-metadata": METADATA},
        {"source": "failed", "kind": 0, "kind-metadata": {"failure-reason": "expired"}},
        {"source": "failed too", "kind-metadata": {"failure-reason": "expired"}},
        {"source": "left", "box": {"annotations": []}, "box-metadata": {}},
    ]
    assert list(unlabeled(rows, attribute="kind")) == [
        {"source": "failed"},
        {"source": "failed too"},
        {"source": "left", "box": {"annotations": []}, "box-metadata": {}},
    ]


@pytest.mark.parametrize(
    ("status", "counters", "outcome"),
    [
        ("Initializing", {}, Outcome.RUNNING),
        ("InProgress", {"Unlabeled": 3}, Outcome.RUNNING),
        ("Stopping", {}, Outcome.RUNNING),
        ("Completed", {"TotalLabeled": 3}, Outcome.DONE),
        ("Completed", {"FailedNonRetryableError": 1}, Outcome.DONE_WITH_FAILURES),
        ("Completed", {"Unlabeled": 1}, Outcome.DONE_WITH_FAILURES),
        ("Stopped", {"Unlabeled": 1}, Outcome.STOPPED),
        ("Failed", {}, Outcome.FAILED),
        ("SomethingNew", {}, Outcome.FAILED),
    ],
)
def test_a_job_is_as_far_as_it_is_described(status: str, counters: dict[str, int], outcome: Outcome) -> None:
    assert watched({"LabelingJobStatus": status, "LabelCounters": counters}).outcome is outcome


def test_rounds_of_repair_have_an_end_and_a_stopped_job_has_none() -> None:
    partial = watched({"LabelingJobStatus": "Completed", "LabelCounters": {"Unlabeled": 2}})
    stopped = watched({"LabelingJobStatus": "Stopped", "LabelCounters": {"Unlabeled": 2}})
    assert needs_repair(partial, attempt=0, most=2)
    assert not needs_repair(partial, attempt=2, most=2)
    assert not needs_repair(stopped, attempt=0, most=2)


RULES = GateRules(min_gold_accuracy=0.9, min_agreement=0.8, check_size=50, check_allowed_errors=1)
GOOD = {"gold_right": 9, "gold_judged": 10, "agreement": 0.8, "checked": 50, "check_errors": 1}


def test_labels_at_the_limits_of_all_rules_pass() -> None:
    assert gate_reasons(Evidence(**GOOD), rules=RULES) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "worse",
    [
        {"gold_right": 8},
        {"gold_judged": 0},
        {"agreement": 0.79},
        {"agreement": None},
        {"checked": 49},
        {"check_errors": 2},
    ],
)
def test_labels_beyond_one_rule_or_not_measured_fail_for_that_reason(worse: dict[str, float]) -> None:
    reasons = gate_reasons(Evidence(**{**GOOD, **worse}), rules=RULES)  # type: ignore[arg-type]
    assert len(reasons) == 1


def test_rules_that_nothing_can_keep_are_refused() -> None:
    with pytest.raises(InvalidDataError) as refused:
        GateRules(min_agreement=1.1, check_size=3, check_allowed_errors=3)
    assert len(refused.value.faults) == 2


def test_a_label_is_traced_to_workers_job_template_and_guideline() -> None:
    origin = Origin(run="cats-7", template_sha256="ab", guideline_version="3")
    row = {"source-ref": "s3://bucket/a.png", "kind": 1, "kind-metadata": METADATA}
    document = lineage(row, attribute="kind", workers=["w2", "w1", "w2"], origin=origin)
    assert document is not None
    assert json.loads(json.dumps(document)) == document
    assert document["job"] == "one"
    assert document["workers"] == ["w1", "w2"]
    assert document["confidence"] == 0.9
    assert (document["run"], document["template_sha256"], document["guideline_version"]) == (
        "cats-7",
        "ab",
        "3",
    )
    assert document["object"] == "s3://bucket/a.png"
    text = lineage(
        {**row, "source": "a text", "source-ref": None}, attribute="kind", workers=[], origin=origin
    )
    assert text is not None
    assert text["object"] == "a text"
    failed = {"source": "x", "kind": 1, "kind-metadata": {"failure-reason": "expired"}}
    assert lineage(failed, attribute="kind", workers=[], origin=origin) is None
    assert lineage({"source": "x"}, attribute="kind", workers=[], origin=origin) is None
