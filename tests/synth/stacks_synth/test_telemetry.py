"""Functions that measure know for whom; functions that events wake get ids only, and so do dead letters."""

import importlib
import inspect

import pytest
from tests.synth.stacks_synth.conftest import Assembly


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_functions_with_metrics_know_whose_they_are(assembly: Assembly, environment: str) -> None:
    measuring = set()
    for _, _, resource in assembly.every(of=environment):
        function = resource.get("Properties", {})
        module, _, entry = str(function.get("Handler", "")).rpartition(".")
        if resource["Type"] != "AWS::Lambda::Function" or entry != "handler":
            continue
        source = inspect.getsource(importlib.import_module(module))
        if "overread_lambda.metrics" in source or "overread_lambda.counted" in source:
            assert function["Environment"]["Variables"]["OVERREAD_DEPLOYMENT"] == f"overread-{environment}"
            measuring.add(module.rpartition(".")[2])
    assert measuring >= {"route_prediction", "start_loop", "ingest_review", "deliver_outbox", "anchor_audit"}


@pytest.mark.parametrize("environment", ["demo", "prod", "desk"])
def test_what_a_function_without_a_caller_is_given_holds_ids_only(
    assembly: Assembly, environment: str
) -> None:
    """What it fails on three times lies in a queue for two weeks, as it was given."""
    told = set()
    for _, _, resource in assembly.every(of=environment):
        rule = resource.get("Properties", {})
        if resource["Type"] != "AWS::Events::Rule" or "EventPattern" not in rule:
            continue
        for target in rule["Targets"]:
            told.update(target["InputTransformer"]["InputPathsMap"].values())
    assert told == {"$.detail-type", "$.detail.humanLoopName"}
