"""Faults of who decides, who hears of it, and who answers for changes."""

from __future__ import annotations

from tests.unit.config.broken import LOANS, Broken, public, review, routing, team, top, use_case
from tests.unit.config.conftest import changed

_REVIEW = f"{LOANS}.review"
_HOOK = f"{LOANS}.delivery.webhook"
ELSEWHERE = """\
  claims:
    prediction: {source: caller}
    labels: [pay, investigate]
    routing: {threshold: 0.9}
    review: {team: readers, template: pages/loans.html, title: Claim, description: Read it.}
    data: {class: personal}
    delivery: {webhook: {url: 'https://public.example'}}
"""


def webhook(terms: str) -> str:
    """VALID with a receiver."""
    return use_case(f"delivery: {{webhook: {{{terms}}}}}")


def capacity(terms: str) -> str:
    """VALID with a team whose capacity is known."""
    return team(f"    groups: [readers]\n    capacity: {{{terms}}}")


DECISIONS: dict[str, Broken] = {
    "two_reader_share": Broken(
        routing("spot_check_two_reader_share: 1.5"),
        "two_reader",
        f"{LOANS}.routing.spot_check_two_reader_share",
        "1.5",
        "[0, 1]",
    ),
    "two_person": Broken(review("two_person: 2"), "two_person", f"{_REVIEW}.two_person", "2", "true"),
    "two_person_task_count": Broken(
        review("two_person: true\n      task_count: 2"),
        "task_count",
        f"{_REVIEW}.task_count",
        "2",
        "1",
        "a loop of their own",
    ),
    "second_team": Broken(
        review("two_person: true\n      second_team: nobody"),
        "second_team",
        f"{_REVIEW}.second_team",
        "'nobody'",
        "`readers`",
        "no team of this deployment",
    ),
    "second_team_alone": Broken(
        review("second_team: readers"), "second_team", f"{_REVIEW}.second_team", "'readers'", "leave it out"
    ),
    "escalation_team": Broken(
        review("escalation_team: nobody"),
        "escalation_team",
        f"{_REVIEW}.escalation_team",
        "'nobody'",
        "`readers`",
    ),
    "escalation_team_public": Broken(
        public(changed("      title: Loan", "      title: Loan\n      price_usd: 0.012")).replace(
            "      title: Loan", "      title: Loan\n      escalation_team: readers"
        ),
        "escalation_team",
        f"{_REVIEW}.escalation_team",
        "'readers'",
        "private or vendor",
        "public",
    ),
    "escalation_team_same": Broken(
        review("escalation_team: readers"),
        "escalation_team",
        f"{_REVIEW}.escalation_team",
        "'readers'",
        "another team",
        "the reviewing team itself",
    ),
    "merge": Broken(review("merge: loudest"), "merge", f"{_REVIEW}.merge", "'loudest'", "majority"),
    "requires_roster": Broken(
        review("requires_roster: maybe"), "roster", f"{_REVIEW}.requires_roster", "'maybe'", "true"
    ),
    "authority": Broken(
        review("requires_roster: true\n      authority: 'input.'"),
        "authority",
        f"{_REVIEW}.authority",
        "'input.'",
        "JMESPath",
    ),
    "authority_without_roster": Broken(
        review("authority: input.amount"), "authority", f"{_REVIEW}.authority", "input.amount", "leave it out"
    ),
    "conflict_key": Broken(
        review("requires_roster: true\n      conflict_key: '['"),
        "conflict_key",
        f"{_REVIEW}.conflict_key",
        "'['",
        "JMESPath",
    ),
    "statement": Broken(
        review("statement: " + "x" * 1001), "statement", f"{_REVIEW}.statement", "xxx", "1 to 1000"
    ),
    "reason_code_required": Broken(
        review("reason_code_required: true"),
        "reason_code_required",
        f"{_REVIEW}.reason_code_required",
        "True",
        "answer.reason_code",
    ),
    "subject": Broken(
        changed("class: personal", "class: personal\n      subject: '['"),
        "subject",
        f"{LOANS}.data.subject",
        "'['",
        "JMESPath",
    ),
    "delivery": Broken(use_case("delivery: mail"), "delivery", f"{LOANS}.delivery", "'mail'", "webhook"),
    "feedback": Broken(
        use_case("delivery: {feedback: 1}"), "feedback", f"{LOANS}.delivery.feedback", "1", "true"
    ),
    "webhook": Broken(use_case("delivery: {webhook: 7}"), "webhook", _HOOK, "7", "`url`"),
    "webhook_url": Broken(
        webhook("url: 'ftp://x.example'"), "webhook", f"{_HOOK}.url", "ftp", "http or https"
    ),
    "webhook_plain": Broken(
        webhook("url: 'http://x.example'"), "webhook", f"{_HOOK}.url", "http:", "https", "not encrypted"
    ),
    "webhook_networks": Broken(
        webhook("url: 'https://x.example', allowed_networks: [here]")
        + "network: {interface_endpoints: [events]}\n",
        "webhook",
        f"{_HOOK}.allowed_networks",
        "here",
        "10.1.0.0/16",
        "no network",
    ),
    "webhook_inside": Broken(
        webhook("url: 'https://x.example', allowed_networks: [10.1.0.0/16]"),
        "webhook",
        f"{_HOOK}.allowed_networks",
        "10.1.0.0/16",
        "`events`",
        "no way to EventBridge",
    ),
    "webhook_in_and_out": Broken(
        webhook("url: 'https://x.example', allowed_networks: [10.1.0.0/16]").replace(
            "workforce:\n", f"{ELSEWHERE}workforce:\n"
        )
        + "network: {interface_endpoints: [events]}\n",
        "10.1.0.0/16",
        f"{_HOOK}.allowed_networks",
        "10.1.0.0/16",
        "for every receiver, or for none",
        "another receiver from outside only",
    ),
    "capacity": Broken(
        team("    groups: [readers]\n    capacity: 9"),
        "capacity",
        "teams.readers.capacity",
        "9",
        "`reviewers`",
    ),
    "capacity_reviewers": Broken(
        capacity("reviewers: 0"), "capacity", "teams.readers.capacity.reviewers", "0", "1 to"
    ),
    "capacity_open": Broken(
        capacity("reviewers: 1, open_per_reviewer: 0"),
        "capacity",
        "teams.readers.capacity.open_per_reviewer",
        "0",
        "1 to",
    ),
    "capacity_waiting": Broken(
        capacity("reviewers: 1, max_waiting: 0"),
        "capacity",
        "teams.readers.capacity.max_waiting",
        "0",
        "1 to",
    ),
    "start_rate": Broken(
        top("review: {start_rate: 3}"), "start_rate", "review.start_rate", "3", "per_second"
    ),
    "start_rate_per_second": Broken(
        top("review: {start_rate: {per_second: 0}}"),
        "per_second",
        "review.start_rate.per_second",
        "0",
        "[0.01, 1000]",
    ),
    "start_rate_burst": Broken(
        top("review: {start_rate: {burst: 0}}"), "burst", "review.start_rate.burst", "0", "1 to"
    ),
    "changes": Broken(top("changes: me"), "changes", "changes", "'me'", "`approval`"),
    "changes_approval": Broken(
        top("changes: {approval: none}"), "approval", "changes.approval", "'none'", "two-person"
    ),
    "changes_proposed_by": Broken(
        top("changes: {proposed_by: 7}"), "proposed_by", "changes.proposed_by", "7", "a text"
    ),
    "changes_approved_by": Broken(
        top("changes: {approval: two-person, proposed_by: ada, approved_by: ada}"),
        "approved_by",
        "changes.approved_by",
        "'ada'",
        "somebody else",
        "two persons",
    ),
    "changes_nobody": Broken(
        top("changes: {approval: two-person, proposed_by: ada}"),
        "approval",
        "changes.approved_by",
        "nothing",
        "a person's name",
        "is required",
    ),
    "changes_ticket": Broken(top("changes: {ticket: 7}"), "ticket", "changes.ticket", "7", "a text"),
}
