"""The review service: claiming and submitting under fifty reviewers at once, rendering, the page's weight.

Latencies are held against the store's own floor: one conditional write of DynamoDB, by as many callers at
once, to the same emulator in the same run. Rendering is held against python-liquid without our escaping.
"""

import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import httpx
from benchmarks.measure import Measurement, cpu_ms_each, median, percentile
from botocore.config import Config
from liquid import Environment

from overread_local.stack import LocalStack
from overread_templates import parse_template

REVIEWERS = 50
TASKS_EACH = 6
WARM_UP_EACH = 1
RENDERS = 300
PAGE_LIMIT_KB = 300.0
WORK_DIR = Path("build/bench-review")
TEMPLATES = Path("templates")
COGNITO = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
STATIC = ("portal.js", "portal.css", "icon.svg", "crowd-html-elements.js")


def run() -> list[Measurement]:
    """Latency and weight on a local stack, then rendering in this process."""
    names = [f"reviewer-{number:02}" for number in range(REVIEWERS)]
    stack = LocalStack.start(
        state_dir=WORK_DIR / "state",
        lambda_python=Path(".venv-lambda/bin/python"),
        fresh=True,
        reviewers=names,
        leads=(),
        status_lag_s=0.0,
        tied=True,
    )
    try:
        _prepare(stack, loops=(REVIEWERS + 1) * (TASKS_EACH + WARM_UP_EACH) + 1)
        clients = [_signed_in(stack.portal_url, name) for name in names]
        latencies = [*_latencies(stack, clients[:1]), *_latencies(stack, clients)]
        weight = _page_kb(clients[0])
        for client in clients:
            client.close()
    finally:
        stack.stop()
    page = Measurement.against(
        "review: a task's whole page, compressed", value=weight, unit="kB", baseline=PAGE_LIMIT_KB
    )
    return [*latencies, page, *map(_rendering, sorted(TEMPLATES.iterdir()))]


def _latencies(stack: LocalStack, clients: list[httpx.Client]) -> list[Measurement]:
    """Claiming and submitting by reviewers who never stop to think, and the floor for as many callers."""
    floor = _floor_ms(stack, callers=len(clients))
    claims, submits = _work_ms(clients)
    who = "1 reviewer" if len(clients) == 1 else f"{len(clients)} reviewers at once"
    return [
        Measurement.against(
            f"review: {name}, {who}, {shown}",
            value=percentile(taken, share),
            unit="ms",
            baseline=percentile(floor, share),
        )
        for name, taken in (("task claimed", claims), ("answer submitted", submits))
        for shown, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _prepare(stack: LocalStack, *, loops: int) -> None:
    settings = _settings(stack)
    sagemaker, a2i = (boto3.client(name, **settings) for name in ("sagemaker", "sagemaker-a2i-runtime"))
    boto3.client("s3", **settings).create_bucket(Bucket="bench-answers")
    sagemaker.create_workforce(WorkforceName="bench", CognitoConfig=COGNITO)
    member = {"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}
    team = sagemaker.create_workteam(WorkteamName="bench", Description="all", MemberDefinitions=[member])
    folder = TEMPLATES / "loan-approval"
    content = {"Content": (folder / "template.liquid.html").read_text()}
    page = sagemaker.create_human_task_ui(HumanTaskUiName="bench", UiTemplate=content)
    arn = sagemaker.create_flow_definition(
        FlowDefinitionName="bench",
        RoleArn="arn:aws:iam::000000000000:role/review",
        OutputConfig={"S3OutputPath": "s3://bench-answers/reviews"},
        HumanLoopConfig={
            "WorkteamArn": team["WorkteamArn"],
            "HumanTaskUiArn": page["HumanTaskUiArn"],
            "TaskTitle": "Bench",
            "TaskDescription": "Bench",
            "TaskCount": 1,
        },
    )["FlowDefinitionArn"]
    task_input = {"InputContent": (folder / "sample-input.json").read_text()}

    def start(number: int) -> None:
        name = f"bench-{number:04}"
        a2i.start_human_loop(HumanLoopName=name, FlowDefinitionArn=arn, HumanLoopInput=task_input)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(loops)))


def _settings(stack: LocalStack) -> dict[str, Any]:
    return {
        "endpoint_url": stack.endpoint_url,
        "region_name": stack.record.region,
        "aws_access_key_id": stack.record.account,
        "aws_secret_access_key": "local",
        "config": Config(proxies={}, max_pool_connections=REVIEWERS, retries={"total_max_attempts": 1}),
    }


def _signed_in(url: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=60.0, trust_env=False)
    session = client.post("/portal/api/session", json={"reviewer": name}).raise_for_status().json()
    client.headers["X-Overread-CSRF"] = session["csrf_token"]
    return client


def _floor_ms(stack: LocalStack, *, callers: int) -> list[float]:
    """Conditional writes of a small item, by so many callers at once."""
    dynamodb = boto3.client("dynamodb", **_settings(stack))
    dynamodb.create_table(
        TableName=f"bench-floor-{callers}",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )

    def write(caller: int, number: int) -> None:
        dynamodb.put_item(
            TableName=f"bench-floor-{callers}",
            Item={"pk": {"S": f"{caller}-{number}"}, "body": {"S": "x" * 1000}},
            ConditionExpression="attribute_not_exists(pk)",
        )

    def caller(number: int) -> list[float]:
        taken = [_ms(partial(write, number, turn))[0] for turn in range(WARM_UP_EACH + TASKS_EACH)]
        return taken[WARM_UP_EACH:]

    with ThreadPoolExecutor(callers) as pool:
        return [one for taken in pool.map(caller, range(callers)) for one in taken]


def _work_ms(clients: list[httpx.Client]) -> tuple[list[float], list[float]]:
    """How long claiming the next task and submitting its answer took, over all reviewers."""
    answer = json.loads((TEMPLATES / "loan-approval/expected-answer.json").read_text())

    def reviewer(client: httpx.Client) -> list[tuple[float, float]]:
        taken = []
        for _ in range(WARM_UP_EACH + TASKS_EACH):
            claim_ms, task = _ms(partial(_claimed, client))
            path = f"tasks/{task['task_id']}/answer"
            submit_ms, _ = _ms(partial(_post, client, path, {"answer": answer}))
            taken.append((claim_ms, submit_ms))
        return taken[WARM_UP_EACH:]

    with ThreadPoolExecutor(len(clients)) as pool:
        pairs = [pair for taken in pool.map(reviewer, clients) for pair in taken]
    return [claim for claim, _ in pairs], [submit for _, submit in pairs]


def _claimed(client: httpx.Client) -> Any:
    task = _post(client, "tasks/next", {})
    if task["task_id"] is None:
        raise RuntimeError("no task was offered, although there is one for everybody")
    return task


def _post(client: httpx.Client, path: str, body: Mapping[str, Any]) -> Any:
    return client.post(f"/portal/api/{path}", json=dict(body)).raise_for_status().json()


def _page_kb(client: httpx.Client) -> float:
    """What a browser without a cache loads for one task, in thousands of bytes on the wire."""
    task = _post(client, "tasks/next", {})
    paths = ["/portal/", task["frame_url"], *(f"/portal/static/{name}" for name in STATIC)]
    replies = [client.get(path, headers={"Accept-Encoding": "gzip"}).raise_for_status() for path in paths]
    return sum(reply.num_bytes_downloaded for reply in replies) / 1000


def _rendering(folder: Path) -> Measurement:
    """Renderings a second of CPU, of an example template with its sample input."""
    text = (folder / "template.liquid.html").read_text()
    task_input = json.loads((folder / "sample-input.json").read_text())
    ours = parse_template(text, name=folder.name)
    bare = _bare_liquid().from_string(text)
    value, baseline = (
        1000 / median(cpu_ms_each(render, runs=RENDERS))
        for render in (
            lambda: ours.render(task_input, sign_url=str),
            lambda: bare.render(task={"input": task_input}),
        )
    )
    return Measurement.against(
        f"review: renderings of {folder.name}", value=value, unit="1/s", baseline=baseline
    )


def _bare_liquid() -> Environment:
    environment = Environment()
    environment.add_filter("to_json", json.dumps)
    for name in ("grant_read_access", "skip_autoescape"):
        environment.add_filter(name, str)
    return environment


def _ms(call: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = call()
    return 1000 * (time.perf_counter() - started), found
