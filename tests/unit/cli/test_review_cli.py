"""`overread review` over HTTP against a review service: what it does, says and refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from overread_cli.main import main
from overread_testing.review_fakes import ADA

ANSWER = json.dumps({"decision": {"label": "approve"}})


def started(desk: Any, *names: str, **content: Any) -> None:
    for name in names:
        desk.lab.start(name, note=name, **content)
        desk.lab.clock.advance(1)


# list


def test_loops_are_listed_with_status_and_age_newest_first(desk: Any) -> None:
    started(desk, "loop-1", "loop-2")
    desk.run("answer", "loop-1", "-", given=ANSWER)
    done = desk.run("list")
    assert done.exit_code == 0, done.output
    heading, *lines = done.output.splitlines()
    assert heading.split() == ["status", "age", "flow", "definition", "name"]
    assert [(line.split()[0], line.split()[-1]) for line in lines] == [
        ("InProgress", "loop-2"),
        ("Completed", "loop-1"),
    ]


def test_json_lines_carry_the_age_in_seconds(desk: Any) -> None:
    started(desk, "loop-1")
    created = desk.lab.loop("loop-1").created_at
    (line,) = desk.run("list", "--json").output.splitlines()
    document = json.loads(line)
    assert document["age_s"] == pytest.approx((datetime.now(UTC) - created).total_seconds(), abs=60)
    assert {name: document[name] for name in ("name", "status", "flow_definition")} == {
        "name": "loop-1",
        "status": "InProgress",
        "flow_definition": "flow",
    }


def test_a_listing_is_filtered_and_says_when_there_is_more(desk: Any) -> None:
    desk.lab.flow_definition("other")
    desk.lab.start("of-other", flow="other")
    started(desk, "loop-1", "loop-2", "loop-3")
    desk.run("stop", "loop-2")
    by_flow = desk.run("list", "--flow-definition", "other", "--json").output.splitlines()
    assert [json.loads(line)["name"] for line in by_flow] == ["of-other"]
    stopped = desk.run("list", "--status", "stopped", "--json").output.splitlines()
    assert [json.loads(line)["name"] for line in stopped] == ["loop-2"]
    limited = desk.run("list", "--flow-definition", "flow", "--limit", "2")
    assert "loop-3" in limited.stdout
    assert "loop-1" not in limited.stdout
    assert "and more" in limited.stderr


def test_more_loops_than_one_page_are_listed(desk: Any) -> None:
    started(desk, *(f"loop-{number}" for number in range(105)))
    listed = desk.run("list", "--limit", "200", "--json").output.splitlines()
    assert len({json.loads(line)["name"] for line in listed}) == 105


def test_a_deployments_flow_definition_is_found_without_its_hash(desk: Any) -> None:
    desk.lab.flow_definition("loans-0a1b2c3d")
    desk.lab.start("loop-1", flow="loans-0a1b2c3d")
    listed = desk.run("list", "--flow-definition", "loans", "--json")
    assert json.loads(listed.output)["flow_definition"] == "loans-0a1b2c3d"
    desk.lab.flow_definition("loans-9f9f9f9f")
    ambiguous = desk.run("list", "--flow-definition", "loans")
    assert "'loans' stands for several, name one: loans-9f9f9f9f, loans-0a1b2c3d" in ambiguous.output
    unknown = desk.run("list", "--flow-definition", "loan")
    assert unknown.exit_code == 1
    assert "no flow definition 'loan' on" in unknown.output
    assert "there are loans-9f9f9f9f, loans-0a1b2c3d, flow" in unknown.output


# show


def test_a_loop_is_shown_with_who_holds_it_and_under_which_guidelines(desk: Any) -> None:
    started(desk, "loop-1", overread={"priority": "urgent"})
    desk.lab.service.people.seen(ADA)
    desk.lab.service.tasks.claim("loop-1", reviewer=ADA)
    done = desk.run("show", "loop-1", "--input")
    assert done.exit_code == 0, done.output
    assert "status           InProgress" in done.output
    assert "priority         urgent" in done.output
    assert "guideline        sha256:" in done.output
    assert "held by          ada since" in done.output
    assert '"note": "loop-1"' in done.output


def test_answers_are_shown_and_the_whole_is_json_on_request(desk: Any) -> None:
    started(desk, "loop-1")
    desk.run("answer", "loop-1", "-", given=ANSWER)
    assert ": decision = approve" in desk.run("show", "loop-1").output
    document = json.loads(desk.run("show", "loop-1", "--json", "--input").output)
    assert document["status"] == "Completed"
    assert document["work"]["answers"][0]["choices"] == {"decision": "approve"}
    assert document["input"] == {"note": "loop-1"}
    assert document["output_uri"].startswith("s3://outputs/")


def test_an_unknown_loop_is_one_sentence(desk: Any) -> None:
    done = desk.run("show", "nope")
    assert done.exit_code == 1
    assert len(done.output.splitlines()) == 1
    assert "nope" in done.output
    assert "ResourceNotFoundException" in done.output


# start


def test_one_object_starts_one_loop_under_the_given_name(desk: Any) -> None:
    done = desk.run(
        "start", "-", "--flow-definition", "flow", "--name", "case-17", given='{\n "note": "x"\n}'
    )
    assert (done.exit_code, done.output) == (0, "case-17\n")
    assert desk.lab.service.loops.task_input(desk.lab.loop("case-17")) == {"note": "x"}


def test_lines_start_loops_whose_names_follow_from_their_input(desk: Any) -> None:
    lines = "\n".join(json.dumps({"note": number}) for number in range(3)) + "\n"
    first = desk.run("start", "-", "--flow-definition", "flow", given=lines)
    assert first.exit_code == 0, first.output
    again = desk.run(
        "start", "-", "--flow-definition", desk.lab.service.settings.arn("flow-definition/flow"), given=lines
    )
    assert again.output == first.output
    names = first.output.splitlines()
    assert len(names) == 3
    assert [desk.lab.service.loops.task_input(desk.lab.loop(name))["note"] for name in names] == [0, 1, 2]
    assert len(desk.run("list", "--json").output.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '{"a": 1}\n[2]\n{"a": NaN}',
            ["-:2: must be a JSON object, got [2]", "-:3: not JSON: NaN is not JSON"],
        ),
        ('{"a": 1}\n\n{"a": 1}', ["-:3: the same input as in line 1"]),
        ("", ["there is no JSON object in it"]),
        ("{", ["-: not JSON"]),
        (json.dumps({"a": "x" * 3_145_728}), ["may have at most 3,145,728 characters"]),
    ],
)
def test_input_at_fault_starts_nothing_and_every_fault_is_named(
    desk: Any, text: str, words: list[str]
) -> None:
    done = desk.run("start", "-", "--flow-definition", "flow", given=text)
    assert done.exit_code == 2
    for word in [*words, "nothing was started"]:
        assert word in done.output.replace("<stdin>", "-")
    assert "no human loops" in desk.run("list").output


def test_a_name_is_for_one_object_and_has_a_form(desk: Any) -> None:
    two = desk.run("start", "-", "--flow-definition", "flow", "--name", "x", given='{"a": 1}\n{"a": 2}')
    assert (two.exit_code, "--name is for one object, got 2 lines" in two.output) == (2, True)
    formed = desk.run("start", "-", "--flow-definition", "flow", "--name", "Case_1", given="{}")
    assert (formed.exit_code, "--name must have 1 to 63 characters" in formed.output) == (2, True)


def test_only_active_flow_definitions_start_loops(desk: Any) -> None:
    unknown = desk.run("start", "-", "--flow-definition", "nope", given="{}")
    assert (unknown.exit_code, "nope" in unknown.output) == (1, True)
    desk.lab.flow_definition("fresh")
    desk.lab.clock.advance(-desk.lab.service.settings.status_lag_s)
    fresh = desk.run("start", "-", "--flow-definition", "fresh", given="{}")
    assert (fresh.exit_code, "fresh is Initializing; only active ones" in fresh.output) == (1, True)


def test_a_start_that_fails_half_way_says_how_far_it_came(desk: Any) -> None:
    lines = [json.dumps({"note": number}) for number in range(3)]
    names = desk.run("start", "-", "--flow-definition", "flow", given="\n".join(lines)).output.splitlines()
    for name in names:
        desk.run("stop", name)
        desk.lab.service.loops.delete({"HumanLoopName": name})
    desk.lab.start(names[1], note="something else under that name")
    done = desk.run("start", "-", "--flow-definition", "flow", given="\n".join(lines))
    assert done.exit_code == 1
    assert done.stdout.splitlines() == names[:1]
    assert "1 of 3 were started" in done.stderr
    assert "ConflictException" in done.stderr


# answer, stop, open


def test_an_answer_that_is_no_object_is_refused_before_it_is_sent(desk: Any) -> None:
    started(desk, "loop-1")
    done = desk.run("answer", "loop-1", "-", given="[1]")
    assert (done.exit_code, "must be a JSON object, got [1]" in done.output) == (2, True)
    assert desk.lab.loop("loop-1").answers == ()


def test_a_second_answer_by_the_same_reviewer_is_refused_in_words(desk: Any) -> None:
    desk.lab.flow_definition("two", TaskCount=2)
    desk.lab.start("loop-1", flow="two")
    assert desk.run("answer", "loop-1", "-", given=ANSWER).output == "loop-1: InProgress\n"
    done = desk.run("answer", "loop-1", "-", given='{"decision": {"label": "decline"}}')
    assert (done.exit_code, len(done.output.splitlines())) == (1, 1)
    other = desk.run("answer", "loop-1", "-", "--reviewer", "sandbox-2", given=ANSWER)
    assert other.output == "loop-1: Completed\n"


def test_every_loop_is_stopped_although_one_of_them_cannot_be(desk: Any) -> None:
    started(desk, "loop-1", "loop-2")
    done = desk.run("stop", "loop-1", "nope", "loop-2")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == ["loop-1: Stopped", "loop-2: Stopped"]
    assert "nope:" in done.stderr
    assert "1 of 3 could not be stopped" in done.stderr


def test_the_portals_address_is_printed(desk: Any) -> None:
    assert desk.run("open").output == f"{desk.url}/portal/\n"


# Targets


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["review", *arguments])


def test_without_a_local_stack_the_way_to_one_is_named(tmp_path: Any) -> None:
    done = run("list", "--state-dir", str(tmp_path))
    assert done.exit_code == 1
    assert "start one with `overread local up`" in done.output


def test_targets_that_exclude_each_other_are_a_usage_error(tmp_path: Any) -> None:
    done = run("list", "--aws", "--url", "https://x.example")
    assert (done.exit_code, "--aws goes with neither --url nor --state-dir" in done.output) == (2, True)


def test_an_address_that_is_none_and_one_that_nobody_answers_are_one_sentence(desk: Any) -> None:
    none = run("list", "--url", "desk")
    assert (none.exit_code, "must be the http(s) address of a review service" in none.output) == (2, True)
    silent = run("list", "--url", "http://127.0.0.1:9/live")
    assert silent.exit_code == 1
    assert "Could not connect" in silent.output
    assert "Traceback" not in silent.output


def test_amazon_a2i_has_neither_sandbox_nor_qualifications(desk: Any) -> None:
    answer = CliRunner().invoke(main, ["review", "answer", "--aws", "loop-1", "-"], input=ANSWER)
    assert (answer.exit_code, answer.output) == (
        1,
        "Error: Amazon A2I takes answers from its portal only\n",
    )
    roster = run("qualification", "roster", "--aws", "loans")
    assert (roster.exit_code, "Amazon A2I has no qualifications" in roster.output) == (1, True)


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "show",
        "start",
        "answer",
        "stop",
        "export",
        "open",
        "qualification list",
        "qualification put",
        "qualification roster",
    ],
)
def test_every_command_explains_itself_and_its_exit_codes(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.exit_code == 0
    assert "Exit codes: 0 done; 1" in done.output


def test_ages_are_told_in_the_largest_unit_of_which_there_are_two() -> None:
    from overread_cli.review.loops import age

    told = [age(timedelta(**of).total_seconds()) for of in ({"seconds": 119}, {"seconds": 120}, {"hours": 1})]
    assert told == ["119 s", "2 min", "60 min"]
    assert [age(7200), age(86_400), age(3 * 86_400), age(-2)] == ["2 h", "24 h", "3 d", "0 s"]


# Qualifications


def test_qualifications_are_put_listed_and_their_roster_is_shown(desk: Any) -> None:
    document = {
        "items": [{"id": "one", "input": {"note": "1"}, "expected": {"decision": "approve"}}],
        "questions": 1,
        "pass_mark": 1,
    }
    assert desk.run("qualification", "list").output.startswith("no qualifications on ")
    put = desk.run("qualification", "put", "loans", "-", given=json.dumps(document))
    assert put.output == "loans: 1 items, 1 questions a test\n"
    listed = desk.run("qualification", "list").output
    assert "pass mark 100%, gold share 5%, valid for 180 days" in listed
    assert json.loads(desk.run("qualification", "list", "--json").output)["items"] == document["items"]
    assert desk.run("qualification", "roster", "loans").output == "nobody has taken loans yet\n"

    flow = desk.lab.service.settings.arn("flow-definition/flow")
    tags = [{"Key": "overread:qualification", "Value": "loans"}]
    desk.lab.call(desk.lab.service.tags.add, ResourceArn=flow, Tags=tags)
    desk.lab.service.people.seen(ADA)
    (task,) = desk.lab.service.tasks.offered(ADA)
    desk.lab.service.tasks.claim(task.loop.name, reviewer=ADA)
    desk.lab.service.tasks.answer(task.loop.name, reviewer=ADA, content={"decision": {"label": "approve"}})
    line = desk.run("qualification", "roster", "loans").output
    assert line.startswith("ada: passed, until ")
    assert line.endswith("test 1 of 1 right\n")
    assert desk.run("list").output.startswith("no human loops"), "a test's questions are in no listing"


def test_a_qualification_with_faults_is_refused_with_all_of_them(desk: Any) -> None:
    done = desk.run("qualification", "put", "loans", "-", given='{"questions": 0}')
    assert done.exit_code == 1
    assert "items must be a list" in done.output
    assert "questions must be a whole number from 1 to 100" in done.output
    assert desk.run("qualification", "roster", "loans").exit_code == 1
