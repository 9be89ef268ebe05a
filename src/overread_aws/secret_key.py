"""The secret of the spot checks."""

from typing import Any

from overread.errors import PermanentError
from overread_aws.failures import calling

KEY_BYTES = 16


class SecretKey:
    """A key in Secrets Manager, read once per process."""

    def __init__(self, client: Any, *, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._key = b""

    def __call__(self) -> bytes:
        """The key.

        Raises:
            ServiceError: it could not be read, or is too short to be a secret.
        """
        if not self._key:
            with calling("GetSecretValue"):
                reply = self._client.get_secret_value(SecretId=self._secret_id)
            key = reply.get("SecretBinary") or reply.get("SecretString", "").encode()
            if len(key) < KEY_BYTES:
                raise PermanentError("KeyTooShort", operation="GetSecretValue")
            self._key = key
        return self._key
