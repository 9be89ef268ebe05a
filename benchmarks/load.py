"""Decisions at a stated rate over HTTP on loopback: open-loop, so that slow replies hold no arrivals up.

Arrivals come at random (Poisson, from a seed) whether or not earlier ones were answered; the latency of each
counts from when it was to arrive: waiting for a free connection is part of it. The emulator serves all of it
on this machine; the figures are a floor for the code, not for AWS. Afterwards every arrival must have its
decision in the table, and none may have two. `LOAD_RATE` and `LOAD_SECONDS` set others.
"""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from benchmarks.measure import Measurement, percentile

from overread_cli.demo.cases import load_cases
from overread_cli.demo.command import decision_api
from overread_cli.demo.deployment import client_settings, deploy
from overread_local.stack import LocalStack

RATE_PER_S = float(os.environ.get("LOAD_RATE", "8"))
SECONDS = float(os.environ.get("LOAD_SECONDS", "60"))
SEED = 20261123
CONNECTIONS = 32
WARM_UP, WARM_WORKERS = 40, 4
WORK_DIR = Path("build/bench-load")


def run() -> list[Measurement]:
    """p50 and p99 at the rate, the rate that was reached, and how many arrivals have no decision."""
    stack = LocalStack.start(
        state_dir=WORK_DIR / "state",
        lambda_python=Path(".venv-lambda/bin/python"),
        fresh=True,
        reviewers=("ada",),
        tied=True,
    )
    try:
        outputs = deploy(
            root=Path.cwd(),
            config=Path("config/demo.yaml"),
            work_dir=WORK_DIR,
            environment=stack.environment(),
            report=lambda _: None,
        )
        stack.enforce_iam(True)
        send = _sender(stack, outputs=outputs["overread-demo-inference"])
        # More at once would only start workers against each other.
        with ThreadPoolExecutor(WARM_WORKERS) as few:
            list(few.map(send, (f"warm-{number}" for number in range(WARM_UP))))
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            began = time.perf_counter()
            latencies_ms, ids = _arrivals(pool, send)
            took_s = time.perf_counter() - began
        stored = _decisions(stack, table=outputs["overread-demo-data"]["TableName"])
    finally:
        stack.stop()
    known = [one for one in ids if one in stored]
    lost = len(ids) - len(set(known))
    beyond = len(stored) - WARM_UP - len(set(known))
    name = f"load, {RATE_PER_S:g} decisions/s for {SECONDS:g} s"
    return [
        Measurement(f"{name}, p50", percentile(latencies_ms, 0.5), "ms"),
        Measurement(f"{name}, p99", percentile(latencies_ms, 0.99), "ms"),
        Measurement(f"{name}, answered", len(ids) / took_s, "decisions/s", baseline=RATE_PER_S),
        Measurement(f"{name}, lost", lost, "decisions"),
        Measurement(f"{name}, too many", beyond, "decisions"),
    ]


def _arrivals(pool: ThreadPoolExecutor, send: Callable[[str], str]) -> tuple[list[float], list[str]]:
    """Every arrival's latency in ms, from when it was to arrive, and its decision's id; "" if it failed."""
    drawn = random.Random(SEED)
    due_s, sent = 0.0, list[Future[tuple[float, str]]]()
    began = time.perf_counter()

    def arrive(number: int, due_at: float) -> tuple[float, str]:
        try:
            decision_id = send(f"load-{number}")
        except Exception as error:  # noqa: BLE001 - whatever happened, this arrival was lost
            print(f"  arrival {number}: {error}")
            decision_id = ""
        return 1000 * (time.perf_counter() - due_at), decision_id

    while (due_s := due_s + drawn.expovariate(RATE_PER_S)) < SECONDS:
        time.sleep(max(0.0, began + due_s - time.perf_counter()))
        sent.append(pool.submit(arrive, len(sent), began + due_s))
    done = [future.result() for future in sent]
    return [latency for latency, _ in done], [decision_id for _, decision_id in done]


def _sender(stack: LocalStack, *, outputs: Any) -> Callable[[str], str]:
    """What asks for one decision under a key of its own; a case each, most of them for the model."""
    api = decision_api(stack, outputs=outputs)
    cases = load_cases(Path("build/models"), use_cases=["tumor-screening", "loan-approval"], each=60)

    def send(key: str) -> str:
        case = cases[sum(key.encode()) % len(cases)]
        return api.decide(case.use_case, case.input, idempotency_key=key).decision_id

    return send


def _decisions(stack: LocalStack, *, table: str) -> set[str]:
    """The ids of all decisions in the table."""
    client = boto3.client("dynamodb", **client_settings(stack.environment()))
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return {item["pk"]["S"] for page in pages for item in page["Items"] if item["sk"]["S"] == "DECISION"}
