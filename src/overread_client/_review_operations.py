"""What an operator of a review service asks of it beyond AWS's own calls."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from overread_client._addresses import botocore_session, checked_address, region_of
from overread_client._review_clients import SERVICE
from overread_client._signed_json import SignedJson

Json = Mapping[str, Any]


class ReviewOperations:
    """Qualifications with their rosters, who works on a human loop, and labeling jobs changed as they run.

    `url` is the stack output `ReviewUrl`; the arguments are those of `a2i_client`. Every method raises
    ApiError for a refusal.

    Example:
        >>> operations = ReviewOperations("https://….execute-api.eu-west-1.amazonaws.com/live")
        >>> operations.put_qualification("loans", {"items": [...], "questions": 10, "pass_mark": 0.8})
    """

    def __init__(
        self, url: str, *, region: str | None = None, session: Any = None, timeout_s: float = 35.0
    ) -> None:
        address, made_by = checked_address(url, of=SERVICE), botocore_session(session)
        named = region_of(address, region=region, session=made_by)
        self._http = SignedJson(address, region=named, session=made_by, timeout_s=timeout_s)

    def put_qualification(self, name: str, document: Json) -> Json:
        """Create or replace a qualification: its gold items, questions, pass mark; as it is stored then."""
        return self._http.call("PUT", f"/qualifications/{quote(name, safe='')}", document, member="name")

    def qualifications(self) -> Sequence[Json]:
        """All qualifications, by name."""
        found: Sequence[Json] = self._http.call("GET", "/qualifications", member="qualifications")[
            "qualifications"
        ]
        return found

    def roster(self, name: str) -> Sequence[Json]:
        """How everybody did in a qualification."""
        path = f"/qualifications/{quote(name, safe='')}/roster"
        found: Sequence[Json] = self._http.call("GET", path, member="roster")["roster"]
        return found

    def labeling_job(self, name: str) -> Json:
        """A labeling job with what Ground Truth's API does not say: whether it is paused."""
        return self._http.call("GET", _job_path(name), member="status")

    def pause_labeling_job(self, name: str) -> Json:
        """Offer no more tasks of a labeling job for now; who has begun one may finish it."""
        return self._labeling_job(name, "pause", {})

    def resume_labeling_job(self, name: str) -> Json:
        """Offer the tasks of a labeling job again."""
        return self._labeling_job(name, "resume", {})

    def change_labeling_job(
        self, name: str, *, workers: int | None = None, time_limit_s: int | None = None
    ) -> Json:
        """Other numbers for a labeling job that runs; what is None stays."""
        given = {"workers": workers, "time_limit_s": time_limit_s}
        return self._labeling_job(name, "settings", {k: v for k, v in given.items() if v is not None})

    def work(self, human_loop: str, *, with_input: bool = False) -> Json:
        """Who holds the loop's seats, who answered, under which guidelines; with `input` when asked for."""
        path = f"/human-loops/{quote(human_loop, safe='')}/work"
        return self._http.call("GET", path + ("?input=true" if with_input else ""), member="human_loop")

    def _labeling_job(self, name: str, verb: str, body: Json) -> Json:
        return self._http.call("POST", f"{_job_path(name)}/{verb}", body, member="status")


def _job_path(name: str) -> str:
    return f"/labeling-jobs/{quote(name, safe='')}"
