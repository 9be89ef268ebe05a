"""The local stack's review process over a DynamoDB that throttles: a share of its calls fail, some after all.

For `LocalStack.start(review_module=...)`. The file `throttled` beside the reviewers' file grows by a byte for
every call that failed.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from overread_aws.review_store import DynamoReviewStore
from overread_local import review_process

SHARE = 0.15
SEED = 7
_WRITES = ("put_item", "delete_item", "transact_write_items")


class ThrottlingClient:
    """A DynamoDB client; of the writes that fail, every other one has taken effect."""

    def __init__(self, client: Any, *, counter: Path) -> None:
        self._client = client
        self._counter = counter
        self._chance = random.Random(SEED)
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._client, name)
        if name not in {*_WRITES, "get_item", "query"}:
            return call

        def throttled(**request: Any) -> Any:
            with self._lock:
                fails, applied = self._chance.random() < SHARE, self._chance.random() < 0.5
                if fails:
                    with self._counter.open("ab") as file:
                        file.write(b".")
            if not fails:
                return call(**request)
            if applied and name in _WRITES:
                call(**request)
                raise _error("InternalServerError", status=500, operation=name)
            raise _error("ProvisionedThroughputExceededException", status=400, operation=name)

        return throttled


def _error(code: str, *, status: int, operation: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "made by a test"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, operation)


def main() -> None:
    """Serve as the review process does."""
    place = Path(sys.argv[sys.argv.index("--reviewers") + 1]).with_name("throttled")

    def store(client: Any, *, table_name: str) -> DynamoReviewStore:
        return DynamoReviewStore(ThrottlingClient(client, counter=place), table_name=table_name)

    # build_service makes its store by this name.
    vars(review_process)["DynamoReviewStore"] = store
    review_process.main()


if __name__ == "__main__":
    main()
