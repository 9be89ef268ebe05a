"""Who reviews: the workforce that is there, and whether A2I and Ground Truth serve this account."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from overread_aws.provisioning import says_account_is_refused
from overread_cli.preflight.account import Account
from overread_cli.preflight.assembly import Assembly, Resource, texts
from overread_cli.preflight.checks import UnreadError, Verdict, fail, ok, skipped, unknown

_WORKFORCE = "Custom::OverreadWorkforce"
_WORKTEAM = "Custom::OverreadWorkteam"
_MOST_FLOWS = 20


def judge_workforce(account: Account, assembly: Assembly) -> Verdict:
    """A region has one private workforce: to make one, nobody else's may be there; to adopt one, it must."""
    made = assembly.of(_WORKFORCE)
    is_made = bool(made)
    if not is_made and not assembly.of(_WORKTEAM):
        return skipped("the deployment uses no private workforce of SageMaker")
    found = [one["WorkforceName"] for one in account.all("sagemaker", "ListWorkforces", "Workforces")]
    if is_made and set(found) & {_name_of(one) for one in made}:
        return ok(f"the workforce {found[0]!r} is this deployment's")
    if is_made and found:
        return fail(
            f"the workforce {found[0]!r} is there already, and a region has one",
            fix="set `workforce.mode: adopt`",
        )
    if not is_made and not found:
        return fail("there is no private workforce to adopt", fix="set `workforce.mode: create`")
    return ok(f"the workforce {found[0]!r} is adopted" if found else "a workforce can be made")


def _name_of(workforce: Resource) -> str | None:
    """Its name stands in the definition, a JSON text that may be put together from parts."""
    definition = "".join(texts(workforce.properties.get("Definition")))
    named = re.search(r'"WorkforceName":"([^"]+)"', definition)
    return named[1] if named else None


@dataclass(frozen=True, slots=True)
class Probe:
    """What an opt-in probe does: starts one synthetic loop under `name` and stops it."""

    name: str


def judge_a2i(account: Account, assembly: Assembly, *, probe: Probe | None) -> Verdict:
    """`yes` by loops that are there, `refused` by a probe, else unknown: never guessed."""
    if not assembly.is_on_a2i:
        return skipped("reviews do not run on Amazon A2I")
    flows = account.all("sagemaker", "ListFlowDefinitions", "FlowDefinitionSummaries")
    for flow in flows[:_MOST_FLOWS]:
        loops = account.ask(
            "sagemaker-a2i-runtime",
            "ListHumanLoops",
            FlowDefinitionArn=flow["FlowDefinitionArn"],
            MaxResults=1,
        )
        if loops["HumanLoopSummaries"]:
            return ok(f"yes: {flow['FlowDefinitionName']} has human loops")
    if probe is None:
        return unknown(
            "no human loop is there to tell", fix="run again with --probe: it starts one loop and stops it"
        )
    active = [flow for flow in flows if flow.get("FlowDefinitionStatus") == "Active"]
    if not active:
        return unknown("no active flow definition is there to probe with", fix="make one, and run again")
    return _probed(account, active[0]["FlowDefinitionArn"], probe)


def _probed(account: Account, flow: str, probe: Probe) -> Verdict:
    content = json.dumps({"overread": "preflight probe: nothing to decide", "taskObject": "", "labels": []})
    try:
        account.ask(
            "sagemaker-a2i-runtime",
            "StartHumanLoop",
            HumanLoopName=probe.name,
            FlowDefinitionArn=flow,
            HumanLoopInput={"InputContent": content},
            DataAttributes={"ContentClassifiers": ["FreeOfPersonallyIdentifiableInformation"]},
        )
    except UnreadError as error:
        if says_account_is_refused(error.reason):
            return fail(f"refused: {error.reason}", fix="set `review.backend: overread`")
        return error.verdict()
    try:
        account.ask("sagemaker-a2i-runtime", "StopHumanLoop", HumanLoopName=probe.name)
    except UnreadError as error:
        return fail(
            f"yes, but the probe's loop {probe.name} could not be stopped: {error.reason}",
            fix=f"run `aws sagemaker-a2i-runtime stop-human-loop --human-loop-name {probe.name}`",
        )
    return ok(f"yes: the probe's loop {probe.name} was started and stopped")


def judge_ground_truth(account: Account) -> Verdict:
    """`yes` by labeling jobs that are there, else unknown: nothing is started to find out."""
    jobs = account.ask("sagemaker", "ListLabelingJobs", MaxResults=1)["LabelingJobSummaryList"]
    if jobs:
        return ok(f"yes: the labeling job {jobs[0]['LabelingJobName']} is there")
    return unknown(
        "no labeling job is there to tell", fix="ask AWS Support whether Ground Truth serves this account"
    )
