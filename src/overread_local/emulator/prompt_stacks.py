"""CloudFormation that answers when the work is done, within reason.

AWS answers a stack operation at once and clients poll, the CDK's command line every five seconds. A local
deployment takes less than one such pause, so the reply to the operation waits for the stack to settle and the
first poll already finds it complete.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

from ministack.services import cloudformation

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, Mapping[str, str], bytes, Mapping[str, list[str]]], Awaitable[Answer]]

OPERATIONS = frozenset({"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"})
WAIT_AT_MOST_S = 20.0  # well below the 60 s after which clients give up
_POLL_S = 0.05
# The CDK's command line deletes and creates again what it finds in ROLLBACK_FAILED.
_INTERRUPTED = {"CREATE": "ROLLBACK_FAILED", "ROLLBACK": "ROLLBACK_FAILED", "DELETE": "DELETE_FAILED"}


def settling(handle: Handler) -> Handler:
    """ministack's CloudFormation handler, with replies to stack operations held back until they settle."""

    async def handle_and_settle(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
    ) -> Answer:
        answer = await handle(method, path, headers, body, query)
        params = {**query, **parse_qs(body.decode("utf-8", errors="replace"))}
        if _one(params, "Action") in OPERATIONS and answer[0] == 200:
            await _settle(_stack_name(_one(params, "StackName")))
        return answer

    return handle_and_settle


def fail_interrupted() -> None:
    """Ends the operations that a stopped emulator left in progress: nobody goes on with them."""
    for stack in cloudformation._stacks._data.values():
        status = stack.get("StackStatus", "")
        if status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            stack["StackStatus"] = _INTERRUPTED.get(status.split("_")[0], "UPDATE_FAILED")
            stack["StackStatusReason"] = "the emulator was stopped during the operation"


async def _settle(name: str) -> None:
    deadline = asyncio.get_running_loop().time() + WAIT_AT_MOST_S
    while asyncio.get_running_loop().time() < deadline:
        stack = cloudformation._stacks.get(name)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return
        await asyncio.sleep(_POLL_S)


def _stack_name(name_or_arn: str) -> str:
    return name_or_arn.split("/")[1] if name_or_arn.startswith("arn:") else name_or_arn


def _one(params: Mapping[str, list[str]], name: str) -> str:
    return (params.get(name) or [""])[0]
