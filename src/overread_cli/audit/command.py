"""`overread audit`: everything that an auditor asks of the log, read-only but for `erase`."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import click

from overread.audit.anchors import ArchivedLog, ShardReport, read_anchors, verify_log
from overread.audit.chain import DECISION_SHARDS, SHARDS
from overread.audit.erasure import erase as erase_decision
from overread.audit.evidence import subject_hash
from overread.audit.export import export as write_export
from overread.audit.export import format_page
from overread.audit.page import report_page
from overread.audit.reconcile import reconcile as reconciled
from overread.audit.replay import Page, Replay
from overread.audit.report import report as figures_of
from overread.audit.signed_by import decided_by
from overread.instants import format_instant, parse_instant
from overread_cli.audit import sources
from overread_cli.audit.target import Target, with_target
from overread_templates import TemplateError, parse_template

_SHOWN = 20
_EPILOG = """\b
Exit codes: 0 done, nothing wrong found; 1 something is wrong, or could not be reached;
2 the command line is at fault.
"""


def _instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """A point in time, or a day, which begins at midnight UTC."""
    if value is None:
        return None
    try:
        is_day = len(value) == len("2026-11-22")
        return parse_instant(f"{value}T00:00:00Z" if is_day else value)
    except ValueError as error:
        message = f"{value!r} must be a day (2026-11-22) or a time with its offset (2026-11-22T21:00:00Z)"
        raise click.BadParameter(message, ctx=ctx, param=param) from error


def _period(command: Any) -> Any:
    command = click.option(
        "--to", "end", metavar="TIME", callback=_instant, help="End of the period, exclusive; now by default."
    )(command)
    return click.option(
        "--from",
        "begin",
        metavar="TIME",
        callback=_instant,
        required=True,
        help="Begin of the period: a day or a time.",
    )(command)


@click.group(epilog=_EPILOG)
def audit() -> None:
    """Verify, replay, reconcile, report and export the audit log.

    \b
    Without options the commands go to the deployment on the local stack (`overread demo`).
      --aws           a deployment on AWS, with the credentials that boto3 finds
      --stack NAME    the CloudFormation stack of its data, where there are several
    """


@audit.command(epilog=_EPILOG)
@with_target
@click.option(
    "--archive",
    "is_archive",
    is_flag=True,
    help="Verify what was archived under Object Lock, as far as it was anchored, instead of the table.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(*, target: Target, is_archive: bool, as_json: bool) -> None:
    """Verify every link of every chain, against every anchor and against the log's own end.

    Finds any change, deletion, reordering, truncation and rewriting of the end. What was written after the
    last anchor is vouched for by the chain and by the table's own word only.
    """
    reports, read = [], read_anchors(target.archive)
    log = ArchivedLog(target.archive, read=read) if is_archive else target.log
    for found in verify_log(log=log, read=read, pause=_no_pause if is_archive else time.sleep):
        reports.append(found)
        if not as_json and (found.links or found.faults):
            _show_shard(found)
    document = _verification(reports)
    last = read.anchors[-1].at if read.anchors else None
    if as_json:
        click.echo(json.dumps({**document, "last_anchor_at": last}, indent=2))
    else:
        state = f"{len(document['faults'])} FAULTS" if document["faults"] else "intact"
        click.echo(
            f"{state}: {document['links']} links in {len(SHARDS)} chains, {document['anchors']} anchors, "
            + (f"the last of {last}" if last else "none yet: a rewritten log would not be noticed")
        )
    _fail_if(bool(document["faults"]))


@audit.command(epilog=_EPILOG)
@with_target
@click.argument("decision_id")
@click.option(
    "--pages",
    type=click.Path(path_type=Path, file_okay=False),
    help="Writes every page that a reader was shown into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def replay(*, target: Target, decision_id: str, pages: Path | None, as_json: bool) -> None:
    """Make the decision DECISION_ID again from its audit entries, and say what does not fit.

    The route is worked out again from the policy of its day, the outcome from the readers' answers, and every
    page from template and input, each held against its hash.

    \b
    Examples:
      overread audit replay d-4qk7zq2ix5h3u6w7y2c5n4m3ab
      overread audit replay d-4qk7zq2ix5h3u6w7y2c5n4m3ab --pages shown/
    """
    found = sources.replayed(target, decision_id)
    rendered = {page.loop_name: _rendered(page) for page in found.pages}
    if pages is not None:
        pages.mkdir(parents=True, exist_ok=True)
        for name, html in rendered.items():
            if html is not None:
                (pages / f"{name}.html").write_text(html, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_replay_document(found, rendered), indent=2))
    else:
        click.echo("\n".join(_described(found, rendered)))
    _fail_if(not found.is_confirmed)


@audit.command(epilog=_EPILOG)
@with_target
@_period
@click.option(
    "--invocations",
    metavar="PLACE",
    help="Where other endpoints' data capture writes: s3://bucket/prefix or a folder. By default what the "
    "deployed ones noted.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def reconcile(
    *, target: Target, begin: datetime, end: datetime | None, invocations: str | None, as_json: bool
) -> None:
    """Hold what the models were asked against what was decided, from --from to --to.

    Lists invocations without decision, decisions without invocation or audit entry, and repetitions. Every
    invocation carries its decision's id and the number of the attempt.

    \b
    Examples:
      overread audit reconcile --from 2026-11-01 --to 2026-12-01
      overread audit reconcile --aws --from 2026-11-01
    """
    until = end or datetime.now(UTC)
    _check_period(begin, until)
    asked = sources.invocations(target, begin=begin, end=until, place=invocations)
    cases = sources.cases(target, asked=asked, begin=begin, end=until)
    found = reconciled(begin=begin, end=until, invocations=asked, cases=cases)
    document = found.document()
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(f"{found.invocations} invocations, {found.decisions} decisions")
        for name, listed in document.items():
            if isinstance(listed, list):
                _show_list(name.replace("_", " "), listed)
    _fail_if(not found.is_clean)


@audit.command(epilog=_EPILOG)
@with_target
@_period
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("audit-report.html"),
    show_default=True,
    help="The page.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("audit-report.json"),
    show_default=True,
    help="The figures.",
)
@click.option("--verify/--no-verify", "is_verified", default=True, help="Verify the log, too.")
def report(
    *,
    target: Target,
    begin: datetime,
    end: datetime | None,
    html: Path,
    json_file: Path,
    is_verified: bool,
) -> None:
    """Write the report of a period: volumes, routes, overrides, agreement, times, expiries, drills, changes.

    \b
    Example:
      overread audit report --from 2026-11-01 --to 2026-12-01 --html november.html
    """
    until = end or datetime.now(UTC)
    _check_period(begin, until)
    links = (link for shard in SHARDS for link in target.log.links(shard, after=0))
    document = figures_of(links, begin=begin, end=until)
    if is_verified:
        found = verify_log(log=target.log, read=read_anchors(target.archive), pause=time.sleep)
        document["verification"] = _verification(list(found))
    json_file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    html.write_text(report_page(document, title="Audit report"), encoding="utf-8")
    for name, figures in document["use_cases"].items():
        decisions, override = figures["decisions"], figures["override"]
        click.echo(
            f"{name}: {decisions['received']} received, {decisions['final_by_model']} decided by the model, "
            f"{decisions['final_by_people']} by people, {override['hits']} of {override['cases']} overridden"
        )
    click.echo(f"written: {html}, {json_file}")
    _fail_if(bool(document.get("verification", {}).get("faults")))


@audit.command(name="decided-by", epilog=_EPILOG)
@with_target
@click.argument("reviewer", metavar="SUB")
@_period
def list_decided_by(*, target: Target, reviewer: str, begin: datetime, end: datetime | None) -> None:
    """List the decisions that the reviewer SUB signed in a period: one id a line.

    SUB is the subject that the sign-in gave the reviewer, as the roster and the audit entries tell it.

    \b
    Example, when an account was taken over:
      overread audit decided-by 3f6c --from 2026-11-20 > doubtful.txt
      overread decisions recheck - --grounds "account taken over on 20 November" < doubtful.txt
    """
    until = end or datetime.now(UTC)
    _check_period(begin, until)
    links = (link for shard in DECISION_SHARDS for link in target.log.links(shard, after=0))
    found = list(decided_by(links, sub=reviewer, begin=begin, end=until))
    click.echo("".join(f"{one}\n" for one in found), nl=False)
    click.echo(f"{len(found):,} decisions signed by {reviewer}", err=True)


@audit.command(epilog=_EPILOG)
@with_target
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def export(*, target: Target, file: Path) -> None:
    """Write the whole audit log into the zip FILE, with a program that checks it without Overread.

    \b
    Example:
      overread audit export audit.zip && unzip audit.zip verify.py && python verify.py audit.zip
    """
    with file.open("wb") as out:
        chains = write_export(
            out,
            log=target.log,
            archive=target.archive,
            format_page=format_page(),
            clock=lambda: datetime.now(UTC),
        )
    links = sum(head.seq for head in chains.values())
    click.echo(f"written: {file}, {links} links; check it: unzip {file} verify.py && python verify.py {file}")


@audit.command(epilog=_EPILOG)
@with_target
@click.argument("decision_id", required=False)
@click.option("--subject", help="Every decision about whom the use cases' `data.subject` finds in the input.")
@click.option("--by", help="Who erases, for the audit log; the caller's ARN by default.")
@click.option(
    "--url", help="Address of the deployed review service that holds the human loops; else Amazon A2I."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(
    *,
    target: Target,
    decision_id: str | None,
    subject: str | None,
    by: str | None,
    url: str | None,
    yes: bool,
) -> None:
    """Erase what the decision DECISION_ID holds about a person: input, answers, reference, human loops.

    The audit log stays as it is and intact: it holds hashes of what is erased, and now the erasure, too. The
    decision's label, reasons and figures stay. Archived copies stay under Object Lock, and nobody can read
    them, because their keys are gone. Whoever sends the same input again stores it again.

    \b
    Examples:
      overread audit erase d-4qk7zq2ix5h3u6w7y2c5n4m3ab
      overread audit erase --subject customer-17
    """
    if (decision_id is None) == (subject is None):
        raise click.UsageError("give either DECISION_ID or --subject")
    wanted = [decision_id] if decision_id else list(target.keys.decisions_of(subject_hash(subject)))
    if not wanted:
        raise click.ClickException(f"no archived decision is about {subject!r} on {target.name}")
    if not yes:
        click.confirm(f"Erase inputs and answers of {', '.join(wanted)} for good?", abort=True)
    eraser = by or str(target.make_client("sts").get_caller_identity()["Arn"])
    for one in wanted:
        done = erase_decision(
            one,
            by=eraser,
            records=target.records,
            holdings=target.holdings,
            clock=lambda: datetime.now(UTC),
        )
        loops = sources.delete_loops(target, done.human_loops, url=url)
        click.echo(
            f"erased {one}: {done.objects} versions of objects, {done.news} news, {done.keys} keys of "
            f"archived evidence, {loops} human loops"
        )


def _check_period(begin: datetime, end: datetime) -> None:
    if end <= begin:
        raise click.UsageError(
            f"--to must be after --from, got {format_instant(end)} and {format_instant(begin)}"
        )
    if begin > datetime.now(UTC) + timedelta(days=1):
        raise click.UsageError(f"--from must not be in the future, got {format_instant(begin)}")


def _no_pause(_seconds: float) -> None:
    """What is archived does not change."""


def _verification(reports: list[ShardReport]) -> dict[str, Any]:
    return {
        "links": sum(one.links for one in reports if one.head is not None),
        "anchors": sum(one.links for one in reports if one.head is None),
        "faults": [
            {"shard": fault.shard, "seq": fault.seq, "code": fault.code, "detail": fault.detail}
            for one in reports
            for fault in one.faults
        ],
    }


def _show_shard(found: ShardReport) -> None:
    kind = "links" if found.head else "anchors"
    click.echo(f"{found.shard:<8} {found.links:>9} {kind:<8} " + ("FAULTS" if found.faults else "intact"))
    for fault in found.faults[:_SHOWN]:
        click.echo(f"  {fault.seq:>9} {fault.code}: {fault.detail}")
    if len(found.faults) > _SHOWN:
        click.echo(f"  … and {len(found.faults) - _SHOWN} more; --json shows them")


def _show_list(name: str, listed: list[Any]) -> None:
    if not listed:
        return
    click.echo(f"{name}: {len(listed)}")
    for one in listed[:_SHOWN]:
        click.echo(
            "  " + (one if isinstance(one, str) else f"{one['at']} {one['endpoint']} {one['inference_id']}")
        )
    if len(listed) > _SHOWN:
        click.echo(f"  … and {len(listed) - _SHOWN} more; --json shows them")


def _rendered(page: Page) -> str | None:
    """The page as its reader was given it; objects in S3 appear by their addresses, not by signed ones."""
    if page.template is None or page.content is None:
        return None
    try:
        template = parse_template(page.template, name=page.loop_name)
        return template.render(page.content, sign_url=lambda place: f"s3://{place.bucket}/{place.key}")
    except TemplateError:
        return None


def _replay_document(found: Replay, rendered: dict[str, str | None]) -> dict[str, Any]:
    return {
        "decision_id": found.decision_id,
        "state": found.state,
        "label": found.label,
        "source": found.source,
        "reasons": list(found.reasons),
        "reviewers": list(found.reviewers),
        "is_confirmed": found.is_confirmed,
        "checks": [
            {"name": check.name, "is_right": check.is_right, "detail": check.detail} for check in found.checks
        ],
        "pages": [
            {
                "human_loop": page.loop_name,
                "content_sha256": page.content_sha256,
                "template_sha256": page.template_sha256,
                "page_sha256": _hash(rendered[page.loop_name]),
            }
            for page in found.pages
        ],
        "entries": [dict(entry) for entry in found.entries],
    }


def _described(found: Replay, rendered: dict[str, str | None]) -> list[str]:
    outcome = f"{found.label} (by {found.source})" if found.label else "no outcome yet"
    lines = [f"{found.decision_id}  {found.state}  {outcome}"]
    lines += [f"reason    {json.dumps(reason)}" for reason in found.reasons]
    lines += [f"reviewer  {reviewer}" for reviewer in found.reviewers]
    lines += [
        f"{entry['number']:>4}  {entry['at']}  {entry['event']:<22} "
        f"{entry['from_state']} → {entry['to_state']}"
        for entry in found.entries
    ]
    marks = {True: "right", False: "WRONG", None: "?"}
    lines += [f"{marks[check.is_right]:<6} {check.name}: {check.detail}" for check in found.checks]
    lines += [
        f"page   {page.loop_name}: {_hash(rendered[page.loop_name]) or 'cannot be shown again'}"
        for page in found.pages
    ]
    return lines


def _hash(html: str | None) -> str | None:
    return None if html is None else sha256(html.encode()).hexdigest()


def _fail_if(is_wrong: bool) -> None:
    if is_wrong:
        raise click.exceptions.Exit(1)
