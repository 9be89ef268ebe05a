"""AWS clients whose calls go to a deployed review service: the same methods, signed for its REST API."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from botocore.config import Config

from overread.review.wire import loop_name
from overread_client._addresses import botocore_session, checked_address, region_of
from overread_client._errors import ApiError
from overread_client._signed_json import SIGNED_FOR, SignedJson

SERVICE = "review service"
_NO_SUCH_PATH = "Missing Authentication Token"
"""What API Gateway says of a path that it does not have."""

Json = Mapping[str, Any]


def a2i_client(
    url: str, *, region: str | None = None, session: Any = None, config: Config | None = None
) -> Any:
    """A `sagemaker-a2i-runtime` client of the review service at `url`.

    Its calls are boto3's own, `start_human_loop` and so on; only the line that makes the client changes.
    `url` is the stack output `ReviewUrl`. `region` is the one in `url`, else the session's. `session` is a
    boto3 or botocore session whose credentials may call `execute-api:Invoke`; a new one by default.

    Example:
        >>> a2i = a2i_client("https://….execute-api.eu-west-1.amazonaws.com/live")
        >>> a2i.describe_human_loop(HumanLoopName="h-…")["HumanLoopStatus"]
        'InProgress'

    Raises:
        ValueError: `url` is no http(s) address, or no region is known.
    """
    return _client("sagemaker-a2i-runtime", url, region=region, session=session, config=config)


def sagemaker_client(
    url: str, *, region: str | None = None, session: Any = None, config: Config | None = None
) -> Any:
    """A `sagemaker` client of the review service at `url`, for task UIs, flow definitions, teams and tags.

    Arguments and errors are those of `a2i_client`. Each operation has a path of its own, so that a policy
    can allow single ones: `arn:…:execute-api:…/live/POST/sagemaker/CreateFlowDefinition`.
    """
    return _client("sagemaker", url, region=region, session=session, config=config)


class ReviewSandbox:
    """Answers pending reviews without a person, for an application's own tests.

    Works where the review service was deployed with `review.sandbox: true`, and nowhere else.

    Example:
        >>> sandbox = ReviewSandbox(url)
        >>> pending = api.submit("loan-approval", input={"amount": 90_000}, idempotency_key="test-1")
        >>> sandbox.answer_decision(pending.decision_id, {"decision": {"label": "decline"}})
        'Completed'
    """

    def __init__(
        self, url: str, *, region: str | None = None, session: Any = None, timeout_s: float = 35.0
    ) -> None:
        address, made_by = checked_address(url, of=SERVICE), botocore_session(session)
        named = region_of(address, region=region, session=made_by)
        self._http = SignedJson(address, region=named, session=made_by, timeout_s=timeout_s)

    def answer(self, human_loop: str, answer: Json, *, reviewer: str = "sandbox-1") -> str:
        """Submits `answer` to the loop as a synthetic reviewer; gives the loop's status afterwards.

        A loop of several seats takes one answer of each `reviewer`.

        Raises:
            ApiError: 404 no such loop (it may not have been started yet), 409 answered or ended already,
                403 the service is no sandbox.
        """
        path = f"/sandbox/human-loops/{quote(human_loop, safe='')}/answers"
        body = {"answer": dict(answer), "reviewer": reviewer}
        try:
            document = self._http.call("POST", path, body, member="status")
        except ApiError as error:
            if error.status == 403 and error.detail == _NO_SUCH_PATH:
                raise _sandbox_off() from error
            raise
        return str(document["status"])

    def answer_decision(
        self,
        decision_id: str,
        answer: Json,
        *,
        generation: int = 1,
        suffix: str = "",
        reviewer: str = "sandbox-1",
    ) -> str:
        """Like `answer`, for the loop that a decision waits for; `suffix` names one of several loops."""
        name = loop_name(decision_id, generation=generation, suffix=suffix)
        return self.answer(name, answer, reviewer=reviewer)


def _sandbox_off() -> ApiError:
    """A deployment that is no sandbox has not even the path; told as a service without one tells it."""
    return ApiError(
        status=403,
        type="urn:overread:problem:sandbox-off",
        title="This is no sandbox",
        detail="programs may answer where the deployment says `review.sandbox: true`",
    )


def _client(service: str, url: str, *, region: str | None, session: Any, config: Config | None) -> Any:
    address, made_by = checked_address(url, of=SERVICE), botocore_session(session)
    region_name = region_of(address, region=region, session=made_by)
    client = made_by.create_client(service, endpoint_url=address, region_name=region_name, config=config)
    client.meta.events.register(f"before-call.{service}", _addressed(address, region=region_name))
    return client


def _addressed(address: str, *, region: str) -> Callable[..., None]:
    """What turns a call of the AWS service into one of the REST API: its path and what it is signed for."""

    def address_call(model: Any, params: dict[str, Any], **_: Any) -> None:
        if model.service_model.service_name == "sagemaker":
            params["url_path"] = f"/sagemaker/{model.name}"
            params["url"] = address + params["url_path"]
        params["context"]["signing"] = {
            **params["context"].get("signing", {}),
            "region": region,
            "signing_name": SIGNED_FOR,
        }

    return address_call
