"""A local stack full of loops, reviewers who work them off while it is killed, and the reckoning."""

import random
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from tests.local.conftest import LAMBDA_PYTHON, client_of

from overread_local.stack import LocalStack, restart_dead_parts
from overread_local.state import StateFolder, read_record
from overread_testing.review_load import Books, faults, work_off

NAMES = ("ada", "grace", "katherine", "dorothy", "mary", "annie", "hedy", "joan")
COGNITO = {"UserPool": "us-east-1_AbCdEfGhI", "ClientId": "client"}
TEMPLATE = "<crowd-form><p>{{ task.input.question }}</p><crowd-input name='token'></crowd-input></crowd-form>"
BUCKET = "load-answers"
ALL_DONE_S = 0.5


@contextmanager
def desk(folder: Path, *, review_module: str = "overread_local.review_process") -> Iterator[LocalStack]:
    """A stack with a team of eight and three flow definitions, of one, two and three seats."""
    stack = LocalStack.start(
        state_dir=folder,
        lambda_python=LAMBDA_PYTHON,
        reviewers=NAMES,
        leads=("lena",),
        status_lag_s=0.0,
        review_module=review_module,
        tied=True,
    )
    try:
        sagemaker = client_of(stack, "sagemaker")
        client_of(stack, "s3").create_bucket(Bucket=BUCKET)
        sagemaker.create_workforce(WorkforceName="load", CognitoConfig=COGNITO)
        member = {"CognitoMemberDefinition": {**COGNITO, "UserGroup": "reviewers"}}
        team = sagemaker.create_workteam(WorkteamName="load", Description="all", MemberDefinitions=[member])[
            "WorkteamArn"
        ]
        page = sagemaker.create_human_task_ui(HumanTaskUiName="load", UiTemplate={"Content": TEMPLATE})
        for seats in (1, 2, 3):
            sagemaker.create_flow_definition(
                FlowDefinitionName=f"seats-{seats}",
                RoleArn="arn:aws:iam::000000000000:role/review",
                OutputConfig={"S3OutputPath": f"s3://{BUCKET}/reviews"},
                HumanLoopConfig={
                    "WorkteamArn": team,
                    "HumanTaskUiArn": page["HumanTaskUiArn"],
                    "TaskTitle": "Load",
                    "TaskDescription": "Load",
                    "TaskCount": seats,
                },
            )
        yield stack
    finally:
        stack.stop()


def start_loops(stack: LocalStack, *, count: int, seed: int) -> dict[str, int]:
    """So many loops started; the seats of each by its name."""
    a2i, chance = client_of(stack, "sagemaker-a2i-runtime"), random.Random(seed)
    arn = f"arn:aws:sagemaker:{stack.record.region}:{stack.record.account}:flow-definition/seats-"
    seats = {f"loop-{number:05}": chance.randint(1, 3) for number in range(count)}

    def start(name: str) -> None:
        a2i.start_human_loop(
            HumanLoopName=name,
            FlowDefinitionArn=f"{arn}{seats[name]}",
            HumanLoopInput={"InputContent": f'{{"question": "{name}?"}}'},
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, seats))
    return seats


def worked_off(
    stack: LocalStack, *, seats: Mapping[str, int], seed: int, kills: int, patience_s: float
) -> tuple[Books, float]:
    """What eight reviewers did until all loops had ended, and how long it took.

    The portal's process is killed `kills` times on the way, evenly spread over the loops.
    """
    books, over, begun = Books(), threading.Event(), time.monotonic()
    threads = work_off(url=stack.portal_url, names=NAMES, seed=seed, books=books, finished=over.is_set)
    due = [len(seats) * (number + 1) // (kills + 1) for number in range(kills)]
    try:
        while (ended := len(outputs(stack))) < len(seats):
            assert time.monotonic() - begun < patience_s, (ended, books.heard, books.surprises[:5])
            assert any(thread.is_alive() for thread in threads), books.surprises[:5]
            if due and ended >= due[0]:
                due.pop(0)
                kill_portal(stack)
                books.note("kills")
            time.sleep(ALL_DONE_S)
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=60)
    return books, time.monotonic() - begun


def kill_portal(stack: LocalStack) -> None:
    """kill -9 while reviewers work, and the stack's own way of starting it again."""
    folder = StateFolder(stack.state_dir)
    record = read_record(folder)
    assert record is not None
    process = psutil.Process(record.processes["portal"].pid)
    process.kill()
    # Its supervisor buries it, when it is asked to look.
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    restart_dead_parts(folder)


def say(text: str) -> None:
    """A line for whoever looks at the output, or at a failure's."""
    sys.stdout.write(f"{text}\n")


def outputs(stack: LocalStack) -> list[str]:
    """The keys of the output documents that there are."""
    pages = client_of(stack, "s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


def reckoning(stack: LocalStack, *, books: Books, seats: Mapping[str, int]) -> list[str]:
    """What went wrong, seen from the outside: AWS's calls and the output documents."""
    a2i, s3 = client_of(stack, "sagemaker-a2i-runtime"), client_of(stack, "s3")
    arn = f"arn:aws:sagemaker:{stack.record.region}:{stack.record.account}:flow-definition/seats-"
    found: list[str] = list(books.surprises)
    bodies: dict[str, bytes] = {}
    for count in (1, 2, 3):
        pages = a2i.get_paginator("list_human_loops").paginate(FlowDefinitionArn=f"{arn}{count}")
        listed = [loop for page in pages for loop in page["HumanLoopSummaries"]]
        expected = sorted(name for name, wanted in seats.items() if wanted == count)
        if sorted(loop["HumanLoopName"] for loop in listed) != expected:
            found.append(f"ListHumanLoops gives {len(listed)} loops of {len(expected)} with {count} seats")
        found += [
            f"{loop['HumanLoopName']} is {loop['HumanLoopStatus']}"
            for loop in listed
            if loop["HumanLoopStatus"] != "Completed"
        ]
    for name in seats:
        place = urlsplit(_output_uri(a2i, name))
        if place.path:
            bodies[name] = s3.get_object(Bucket=place.netloc, Key=place.path[1:])["Body"].read()
    if len(outputs(stack)) != len(seats):
        found.append(f"{len(outputs(stack))} output documents for {len(seats)} loops")
    return found + faults(books, outputs=bodies, seats=seats)


def _output_uri(a2i: Any, name: str) -> str:
    found = a2i.describe_human_loop(HumanLoopName=name)
    return str(found.get("HumanLoopOutput", {}).get("OutputS3Uri", ""))
