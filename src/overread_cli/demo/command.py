"""`overread demo`: the main job, whole, on one machine: deploy, predict, review, decide."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

import boto3
import click
from rich.console import Console

from overread_aws.dynamodb_records import DynamoDbRecords
from overread_cli.demo.cases import Case, load_cases, submit_all
from overread_cli.demo.deployment import client_settings, deploy
from overread_cli.demo.desks import Desk, LocalDesk, PoolDesk
from overread_cli.demo.report import Row, last_line, print_report
from overread_cli.demo.reviewers import Reading, ReviewTeam, ScriptedReviewer
from overread_client import Decision, Decisions
from overread_config import ConfigError, Settings, load_settings
from overread_local.errors import LocalStackError
from overread_local.stack import LocalStack

REVIEWERS = ("ada", "grace", "katherine")
SENIORS = ("margaret", "evelyn", "radia")
LEAD = "barbara"
POLL_S = 0.5


class Narrator:
    """Prints what happens, each line with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()

    def __call__(self, text: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self._started:6.1f} s[/dim]  {text}", highlight=False)


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), default=Path("config/demo.yaml"), show_default=True
)
@click.option(
    "--cases", type=click.IntRange(1, 200), default=20, show_default=True, help="Cases per use case."
)
@click.option("--unattended", is_flag=True, envvar="UNATTENDED", help="Let scripted reviewers answer.")
@click.option(
    "--error-rate",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="How often a scripted reviewer errs.",
)
@click.option(
    "--unsure-rate",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="How often a scripted reviewer leaves a case to the seniors, where there are some.",
)
@click.option(
    "--seed", type=int, default=7, show_default=True, help="Seed of the scripted reviewers' errors."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("build/demo"),
    show_default=True,
    help="Results folder.",
)
def demo(
    *,
    config: Path,
    cases: int,
    unattended: bool,
    error_rate: float,
    unsure_rate: float,
    seed: int,
    output: Path,
) -> None:
    """Deploy the stacks of CONFIG onto a local stack, send cases, have the uncertain ones reviewed, report.

    Everything runs on loopback and is stopped at the end; ctrl-C stops it at any time.
    """
    root = Path.cwd()
    settings = checked_settings(config)
    records = load_cases(
        root / "build/models", use_cases=[use_case.name for use_case in settings.use_cases], each=cases
    )
    narrate = Narrator(Console(width=None if os.isatty(1) else 140))
    with terminated_by_signals(), local_stack(root, output=output, narrate=narrate) as stack:
        outputs = deploy(
            root=root, config=config, work_dir=output, environment=stack.environment(), report=narrate
        )
        stack.enforce_iam(True)
        api = decision_api(stack, outputs=outputs[f"{settings.prefix}-inference"])
        narrate(f"deployed; IAM is enforced; sending {len(records)} cases")
        replies = submit_all(records, api=api, on_reply=reply_printer(narrate))
        waiting = sum(not reply.is_final for reply in replies.values())
        narrate(f"{len(records) - waiting} decided by the model, {waiting} wait for people")
        reading = None
        if unattended:
            script = reading_of(records, root=root, error_rate=error_rate, seed=seed)
            reading = replace(script, unsure_rate=unsure_rate, escalating=escalating(settings))
        desk = desk_of(stack, settings=settings, outputs=outputs)
        final = settle(
            desk,
            api=api,
            replies=replies,
            narrate=narrate,
            reading=reading,
            escalating=escalating(settings),
        )
        rows = rows_of(
            records,
            final=final,
            stack=stack,
            table=outputs[f"{settings.prefix}-data"]["TableName"],
            names=desk.names(),
        )
        write_decisions(rows, path=output / "decisions.jsonl")
        print_report(rows, console=narrate.console)
        narrate("stopping the local stack")
    click.echo(f"every decision, one a line: {output / 'decisions.jsonl'}")
    click.echo(
        f"to look around in what was deployed: .venv/bin/overread local up --state-dir {output / 'state'}"
    )
    click.echo(f"then the reviewers' portal is {desk.portal_url}/portal/ again ({desk.how_to_sign_in})")
    click.echo(last_line(rows))
    if any(not row.document.get("outcome") for row in rows):
        raise SystemExit(1)


def checked_settings(config: Path) -> Settings:
    """The settings, or every fault of the file as one message."""
    try:
        return load_settings(config)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def terminated_by_signals() -> Iterator[None]:
    """Makes SIGTERM end the demo as ctrl-C does, and ctrl-C too where the shell had it ignored."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, interrupt) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, previous, strict=True):
            signal.signal(number, handler)


@contextmanager
def local_stack(root: Path, *, output: Path, narrate: Narrator) -> Iterator[LocalStack]:
    """A fresh local stack that is stopped at the end, whatever happens."""
    narrate("starting the local stack: AWS emulator, model server, worker portal")
    try:
        stack = LocalStack.start(
            state_dir=output / "state",
            lambda_python=root / ".venv-lambda/bin/python",
            fresh=True,
            reviewers=REVIEWERS,
            seniors=SENIORS,
            leads=(LEAD,),
            tied=True,
        )
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    try:
        narrate(f"local stack up at {stack.endpoint_url}")
        yield stack
    except KeyboardInterrupt:
        narrate("interrupted; stopping the local stack")
        raise
    finally:
        _stop(stack)


def _stop(stack: LocalStack) -> None:
    try:
        stack.stop()
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error


def decision_api(stack: LocalStack, *, outputs: Mapping[str, str]) -> Decisions:
    """The deployed API, called by an IAM user who may do nothing but invoke it."""
    environment = stack.environment()
    region = environment["AWS_REGION"]
    iam = boto3.client("iam", **client_settings(environment))
    iam.create_user(UserName="overread-demo-caller")
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"arn:aws:execute-api:{region}:{environment['CDK_DEFAULT_ACCOUNT']}:{outputs['ApiId']}/*",
    }
    iam.put_user_policy(
        UserName="overread-demo-caller",
        PolicyName="invoke",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName="overread-demo-caller")["AccessKey"]
    session = boto3.Session(
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name=region,
    )
    return Decisions(stack.invoke_url(outputs["ApiId"], outputs["ApiStage"]), session=session)


def reply_printer(narrate: Narrator) -> Callable[[Case, Decision], None]:
    """Prints each first reply as it comes."""

    def show(case: Case, decision: Decision) -> None:
        status = f"200 {decision.label}" if decision.is_final else "202 waits for people"
        narrate(f"  {case.use_case:<15} {case.reference:<12} {status}")

    return show


def reading_of(records: Sequence[Case], *, root: Path, error_rate: float, seed: int) -> Reading:
    """What the scripted reviewers know."""
    forms = {
        use_case: json.loads((root / "templates" / use_case / "expected-answer.json").read_text())
        for use_case in {case.use_case for case in records}
    }
    truth = {case.reference: case.truth for case in records}
    return Reading(truth=truth, forms=forms, error_rate=error_rate, seed=seed)


def desk_of(stack: LocalStack, *, settings: Settings, outputs: Mapping[str, Mapping[str, str]]) -> Desk:
    """Where people review: the deployed review service, or the local stack's, which plays Amazon A2I."""
    if settings.review.backend != "overread":
        return LocalDesk(stack, (*REVIEWERS, *(SENIORS if escalating(settings) else ())), LEAD)
    review = outputs[f"{settings.prefix}-review"]
    desk = PoolDesk(
        stack.local_address(review["ReviewUrl"]),
        cognito=boto3.client("cognito-idp", **client_settings(stack.environment())),
        user_pool_id=review["UserPoolId"],
        lead=LEAD,
    )
    first, last = groups_of(settings)
    for name in REVIEWERS:
        desk.add(name, groups=first)
    for name in SENIORS if last else ():
        desk.add(name, groups=last)
    desk.add(LEAD, groups=sorted({*first, *settings.review.leads}))
    return desk


def escalating(settings: Settings) -> frozenset[str]:
    """The use cases whose escalated cases somebody decides."""
    return frozenset(one.name for one in settings.use_cases if one.review.escalation_team is not None)


def groups_of(settings: Settings) -> tuple[list[str], list[str]]:
    """The groups of those who read first, and of those who read only what is escalated."""
    groups = {team.name: team.groups for team in settings.teams}
    reviews = [use_case.review for use_case in settings.use_cases]
    first = {
        group for one in reviews for name in (one.team, one.second_team) if name for group in groups[name]
    }
    last = {group for one in reviews if one.escalation_team for group in groups[one.escalation_team]}
    return sorted(first), sorted(last - first)


def settle(
    desk: Desk,
    *,
    api: Decisions,
    replies: Mapping[str, Decision],
    narrate: Narrator,
    reading: Reading | None,
    escalating: frozenset[str],
) -> dict[str, Decision]:
    """Waits until no decision waits for a person any more; gives the last reply by reference.

    In the use cases `escalating` somebody decides what is escalated; elsewhere it waits for a new policy.
    """
    latest = dict(replies)
    if reading is None:
        narrate(
            f"[bold]open {desk.portal_url}/portal/ and review[/bold] ({desk.how_to_sign_in}); ctrl-C stops"
        )
        wait(latest, api=api, narrate=narrate, check=lambda: None, escalating=escalating)
        return latest
    narrate(f"scripted reviewers {', '.join(REVIEWERS)} work the portal at {desk.portal_url}/portal/")
    narrate(f"  they err in {reading.error_rate:.0%} of the cases, and the tasks do not hold the truth")
    people = [ScriptedReviewer(desk.reviewer(name), reading) for name in REVIEWERS]
    if escalating:
        narrate(
            f"  {reading.unsure_rate:.0%} they leave to {', '.join(SENIORS)}, who decide what is escalated"
        )
        people += [ScriptedReviewer(desk.reviewer(name), reading, is_senior=True) for name in SENIORS]
    with ReviewTeam(people) as team:
        wait(latest, api=api, narrate=narrate, check=team.check, escalating=escalating)
    return latest


def wait(
    latest: dict[str, Decision],
    *,
    api: Decisions,
    narrate: Narrator,
    check: Callable[[], None],
    escalating: frozenset[str],
) -> None:
    """Polls the open decisions until none is open."""
    said = -1
    while True:
        check()
        open_references = [
            ref for ref, decision in latest.items() if still_open(decision, escalating=escalating)
        ]
        if len(open_references) != said:
            said = len(open_references)
            narrate(f"  {said} {'case waits' if said == 1 else 'cases wait'} for people")
        if not open_references:
            return
        for reference in open_references:
            latest[reference] = api.get(latest[reference].decision_id)
        time.sleep(POLL_S)


def still_open(decision: Decision, *, escalating: frozenset[str]) -> bool:
    """Whether the decision may become final while people work."""
    if decision.state == "ESCALATED":
        return decision.use_case in escalating
    return not decision.is_over


def rows_of(
    cases: Sequence[Case],
    *,
    final: Mapping[str, Decision],
    stack: LocalStack,
    table: str,
    names: Mapping[str, str],
) -> list[Row]:
    """The report's rows. Who answered is read from the records, as only the operator may."""
    records = DynamoDbRecords(boto3.client("dynamodb", **client_settings(stack.environment())), table=table)
    rows = []
    for case in cases:
        decision = final[case.reference]
        record = records.get(decision.decision_id)
        reviewers = record.outcome.reviewers if record and record.outcome else ()
        rows.append(
            Row(
                case=case,
                document=decision.document,
                model_label=record.prediction.label if record and record.prediction else None,
                reviewer=", ".join(names.get(reviewer.sub, reviewer.sub) for reviewer in reviewers) or None,
            )
        )
    return rows


def write_decisions(rows: Sequence[Row], *, path: Path) -> None:
    """Every decision document, one a line, with the truth and the reviewer beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for row in rows:
            file.write(json.dumps({**row.document, "reviewer": row.reviewer, "truth": row.case.truth}) + "\n")
