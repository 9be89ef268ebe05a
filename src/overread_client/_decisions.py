"""The decision API over HTTP with requests signed by Signature Version 4."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from overread_client._errors import ApiError

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """One decision as the API describes it; `document` is the whole reply."""

    decision_id: str
    use_case: str
    state: str
    document: Json

    @property
    def is_final(self) -> bool:
        """Whether the outcome stands and will not change."""
        return self.state == "FINAL"

    @property
    def label(self) -> str | None:
        """The outcome's label, or None while people still decide."""
        outcome = self.document.get("outcome")
        return None if outcome is None else str(outcome["label"])


class DecisionApi:
    """Requests and reads decisions.

    `url` is the API's stage address (the stack output `ApiUrl`), `credentials` those of a principal that
    may call `execute-api:Invoke` on it.

    Example:
        >>> api = DecisionApi("https://….example/v1-stage", region="eu-west-1", credentials=credentials)
        >>> decision = api.submit("loan-approval", input={"amount": 9600}, idempotency_key="order-8841")
        >>> decision.is_final or api.get(decision.decision_id).state
    """

    def __init__(self, url: str, *, region: str, credentials: Credentials, timeout_s: float = 35.0) -> None:
        self._url = url.rstrip("/")
        self._signer = SigV4Auth(credentials, "execute-api", region)
        self._http = URLLib3Session(timeout=timeout_s)

    def submit(
        self,
        use_case: str,
        *,
        input: Json,  # noqa: A002 - the document's own word
        idempotency_key: str,
        reference: str | None = None,
        priority: str | None = None,
        deadline: str | None = None,
        prediction: Json | None = None,
    ) -> Decision:
        """The decision on `input`: final at once, or pending until people decided.

        The same key with the same body gives the same decision, however often it is sent.

        Raises:
            ApiError: the request was refused; nothing was changed.
        """
        body = {
            "input": dict(input),
            "reference": reference,
            "priority": priority,
            "deadline": deadline,
            "prediction": prediction,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        path = f"/v1/use-cases/{quote(use_case, safe='')}/decisions"
        return self._call("POST", path, body=sent, headers={"Idempotency-Key": idempotency_key})

    def get(self, decision_id: str) -> Decision:
        """The decision as it stands now.

        Raises:
            ApiError: status 404 when it does not exist or belongs to another caller.
        """
        return self._call("GET", f"/v1/decisions/{quote(decision_id, safe='')}")

    def _call(
        self, method: str, path: str, *, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Decision:
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(
            method,
            self._url + path,
            headers={"Content-Type": "application/json", **(headers or {})},
            data=data,
        )
        self._signer.add_auth(request)
        reply = self._http.send(request.prepare())
        try:
            document = json.loads(reply.content)
        except ValueError:
            document = {}
        if reply.status_code not in {200, 202} or "decision_id" not in document:
            raise ApiError.of(document, status=reply.status_code, text=reply.text)
        return Decision(
            decision_id=document["decision_id"],
            use_case=document["use_case"],
            state=document["state"],
            document=document,
        )
