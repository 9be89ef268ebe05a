"""The report: every figure by hand, its intervals against published ones, and the page that shows it."""

import json
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest

from overread.audit.intervals import Share, difference, percentile
from overread.audit.page import report_page
from overread.audit.report import report
from overread.instants import format_instant
from overread_testing.audit_fakes import MemoryLog

BEGIN = datetime(2026, 11, 22, tzinfo=UTC)
END = BEGIN + timedelta(days=2)


class Story:
    """Entries as the decision code writes them, reduced to what a report reads."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.numbers: dict[str, int] = {}

    def tell(self, subject: str, event: str, hours: float, **detail: Any) -> None:
        number = self.numbers[subject] = self.numbers.get(subject, 0) + 1
        at = format_instant(BEGIN + timedelta(hours=hours))
        self.log.append(
            {"decision_id": subject, "number": number, "at": at, "event": event, "detail": detail}
        )

    def routed(self, subject: str, event: str, hours: float, **detail: Any) -> None:
        facts = {
            "use_case": "loans",
            "mode": "live",
            "blind": False,
            "is_spot_check": False,
            "prediction": {"label": "approve"},
            "route": {"reasons": []},
            **detail,
        }
        self.tell(subject, event, hours, **facts)

    def read(self, subject: str, hours: float, *, label: str, seconds: float, **detail: Any) -> None:
        routed = {"route": {"reasons": [{"code": "rule", "rule": "high"}]}, **detail}
        self.routed(subject, "sent_to_people", hours, **routed)
        self.tell(subject, "review_started", hours)
        answers = [{"seconds": seconds}]
        self.tell(subject, "decided_by_people", hours + 1, label=label, answers=answers)

    def report(self) -> dict[str, Any]:
        links = [link for chain in self.log.chains.values() for link in chain]
        return report(links, begin=BEGIN, end=END)

    def loans(self) -> dict[str, Any]:
        figures = self.report()["use_cases"]["loans"]
        assert isinstance(figures, dict)
        return figures


@pytest.fixture
def story() -> Story:
    """Two decisions of the model, four of people (of which two blind), one shadowed, on two days."""
    told = Story()
    told.routed("d-1", "decided_by_model", 1, label="approve")
    told.routed("d-2", "decided_by_model", 25, label="approve", mode="shadow")
    told.read("d-3", 2, label="approve", seconds=10)
    told.read("d-4", 2, label="decline", seconds=20)
    told.read("d-5", 2, label="approve", seconds=30, blind=True)
    told.read("d-6", 26, label="decline", seconds=60, is_spot_check=True)
    told.read("d-7", 26, label="decline", seconds=90, prediction=None)
    return told


def test_volumes_and_routes(story: Story) -> None:
    loans = story.loans()
    assert loans["decisions"] == {
        "received": 7,
        "final": 7,
        "final_by_model": 2,
        "final_by_people": 5,
        "cancelled": 0,
        "contested": 0,
        "escalated": 0,
        "received_by_day": {"2026-11-22": 4, "2026-11-23": 3},
    }
    assert loans["routes"] == {"human": 5, "model": 1, "shadow": 1}
    assert (loans["reasons"], loans["rules"]) == ({"rule": 5}, {"high": 5})


def test_override_rate_counts_people_who_had_a_prediction_to_override(story: Story) -> None:
    override = story.loans()["override"]
    assert (override["hits"], override["cases"], override["share"]) == (2, 4, 0.5)
    assert (round(override["low"], 4), round(override["high"], 4)) == (0.15, 0.85)


def test_agreement_is_told_apart_by_what_readers_saw(story: Story) -> None:
    agreement = story.loans()["agreement"]
    assert (agreement["shown"]["hits"], agreement["shown"]["cases"]) == (1, 2)
    assert (agreement["blind"]["hits"], agreement["blind"]["cases"]) == (1, 2)
    assert agreement["shown_less_blind"]["difference"] == 0
    assert story.loans()["spot_checks"]["override"]["hits"] == 1


def test_contests_are_blind(story: Story) -> None:
    story.routed("d-8", "contest_received", 30)
    story.tell("d-8", "decided_by_people", 31, label="approve", answers=[])
    assert story.loans()["agreement"]["blind"]["cases"] == 3


def test_times(story: Story) -> None:
    loans = story.loans()
    assert loans["time_on_task_s"] == {"count": 5, "mean": 42, "p50": 30, "p95": 90, "longest": 90}
    assert loans["time_to_final_s"]["human"]["p50"] == 3600
    assert loans["time_to_final_s"]["model"]["longest"] == 0


def test_reviews_that_came_to_nothing_and_escalations(story: Story) -> None:
    story.tell("d-3", "review_repeated", 3, reason={"code": "expired"})
    story.tell("d-3", "review_repeated", 4, reason={"code": "expired"})
    story.tell("d-3", "escalated", 5, reason={"code": "generations_exhausted"})
    story.tell("d-3", "late_answer_kept", 6)
    reviews = story.loans()["reviews"]
    assert reviews["came_to_nothing"] == {"expired": 2}
    assert reviews["escalated_for"] == {"generations_exhausted": 1}
    assert (reviews["started"], reviews["late_answers_kept"]) == (5, 1)


def test_truth_learnt_later(story: Story) -> None:
    story.tell("d-1", "truth_recorded", 30, label="decline")
    story.tell("d-3", "truth_recorded", 30, label="approve")
    truth = story.loans()["truth"]
    assert (truth["hits"], truth["cases"]) == (1, 2)


def test_what_happened_outside_the_period_is_not_counted(story: Story) -> None:
    story.routed("d-0", "decided_by_model", -1, label="approve")
    story.routed("d-9", "decided_by_model", 48, label="approve")
    loans = story.loans()
    assert (loans["decisions"]["received"], loans["decisions"]["final"]) == (7, 7)


def test_decision_that_was_routed_before_and_made_within_the_period_counts_as_made(story: Story) -> None:
    story.read("d-0", -0.5, label="decline", seconds=5)
    loans = story.loans()
    assert (loans["decisions"]["received"], loans["decisions"]["final"]) == (7, 8)
    assert loans["override"]["cases"] == 5


def test_kill_switches_and_drills() -> None:
    story, scope = Story(), "change/kill-switch/all"
    facts = {"scope": "*", "proposed_by": "ada", "approved_by": "ada"}
    story.tell(scope, "kill_switch_on", -30, reason="long ago", **facts)
    story.tell(scope, "kill_switch_off", -29, reason="", **facts)
    story.tell(scope, "kill_switch_on", 1, reason="Drill of November", **facts)
    story.tell(scope, "kill_switch_off_proposed", 1.25, reason="done", **{**facts, "approved_by": ""})
    story.tell(scope, "kill_switch_off", 1.5, reason="done", **{**facts, "approved_by": "grace"})
    story.tell(scope, "kill_switch_on", 40, reason="wrong model", **facts)
    drill, real = story.report()["kill_switch"]
    assert (drill["is_drill"], drill["seconds"], drill["off_by"]) == (True, 1800, "grace")
    assert (real["is_drill"], real["off_at"], real["seconds"]) == (False, None, None)


def test_changes_name_who_proposed_and_who_approved() -> None:
    story = Story()
    changed = [{"member": "routing.threshold", "from": 0.9, "to": 0.95}]
    facts = {"to_sha256": "ab", "proposed_by": "ada", "approved_by": "grace", "ticket": "CHG-7"}
    story.tell("change/policy/loans", "policy_changed", 3, changed=changed, **facts)
    assert story.report()["changes"] == [
        {
            "at": "2026-11-22T03:00:00.000Z",
            "subject": "policy/loans",
            "event": "policy_changed",
            "proposed_by": "ada",
            "approved_by": "grace",
            "ticket": "CHG-7",
            "reason": "",
            "sha256": "ab",
            "changed": changed,
        }
    ]


def test_nothing_at_all_is_reported_as_nothing() -> None:
    empty = report([], begin=BEGIN, end=END)
    assert (empty["entries"], empty["use_cases"]) == (0, {})
    assert "No decision was audited" in report_page(empty, title="Audit")


class _Page(HTMLParser):
    """Checks that elements close, and collects tags, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(document: dict[str, Any]) -> _Page:
    page = _Page()
    page.feed(report_page(document, title="Audit <of> loans"))
    page.close()
    assert page.open == []
    return page


def test_the_page_is_whole_and_needs_nothing_else(story: Story) -> None:
    facts = {"scope": "<b>", "reason": "<script>alert(1)</script>", "approved_by": "ada"}
    story.tell("change/kill-switch/loans", "kill_switch_on", 1, **facts)
    document = json.loads(json.dumps(story.report()))
    page = page_of(document)
    assert not page.tags & {"script", "link", "img", "iframe", "b0"}
    assert not page.attributes & {"src", "href", "onclick"}
    assert "<script>alert(1)</script>" in page.text
    assert "50.0 %" in page.text


def test_the_page_says_whether_the_log_is_intact(story: Story) -> None:
    document = story.report()
    assert "was not verified" in page_of(document).text
    document["verification"] = {"links": 9, "anchors": 2, "faults": []}
    assert "The audit log is intact. 9 links, 2 anchors." in page_of(document).text
    fault = {"shard": "0a", "seq": 4, "code": "changed", "detail": "hash"}
    document["verification"]["faults"] = [fault]
    assert "The audit log has 1 faults." in page_of(document).text


@pytest.mark.parametrize(
    ("hits", "cases", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998 (one proportion), table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_interval_is_the_published_one(hits: int, cases: int, low: float, high: float) -> None:
    found = Share(hits=hits, cases=cases).interval
    assert (round(found[0], 4), round(found[1], 4)) == (low, high)


def test_difference_of_shares_is_the_published_one() -> None:
    found = difference(Share(56, 70), Share(48, 80))  # Newcombe 1998 (two proportions), table II, method 10
    assert found is not None
    assert [round(value, 4) for value in found] == [0.2, 0.0524, 0.3339]
    assert difference(Share(0, 0), Share(1, 2)) is None


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 3.0), (0.95, 5.0), (0.2, 1.0), (0.21, 2.0), (0.0, 1.0), (1.0, 5.0)]
)
def test_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([5.0, 3.0, 1.0, 2.0, 4.0], share) == expected
    assert percentile([], share) is None
