"""JSON documents over HTTP with requests signed for API Gateway."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from overread_client._errors import ApiError

SIGNED_FOR = "execute-api"


class SignedJson:
    """Calls of one REST API, signed with the credentials of a botocore session."""

    def __init__(self, url: str, *, region: str, session: Any, timeout_s: float) -> None:
        self._url = url
        self._region = region
        self._session = session
        self._http = URLLib3Session(timeout=timeout_s)

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, member: str
    ) -> dict[str, Any]:
        """The document that answers a call; a right one has the `member`.

        Raises:
            ApiError: the API refused it, or something else answered.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = AWSRequest(method, self._url + path, headers=headers, data=data)
        SigV4Auth(self._session.get_credentials(), SIGNED_FOR, self._region).add_auth(request)
        reply = self._http.send(request.prepare())
        try:
            document = json.loads(reply.content)
        except ValueError:
            document = None
        if reply.status_code != 200 or not isinstance(document, dict) or member not in document:
            told = document if isinstance(document, dict) else {}
            raise ApiError.of(told, status=reply.status_code, text=reply.text)
        return document
