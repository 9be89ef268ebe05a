"""Functions that measure are told which deployment they measure for."""

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
