"""The review service's secrets: the key of its sessions, and the client secrets of identity providers."""

from overread_aws.clients import make_client
from overread_aws.secret_key import SecretKey


def secret_text(arn: str) -> str:
    """The text of a secret.

    Raises:
        ServiceError: it could not be read, or is too short to be a secret.
    """
    return SecretKey(make_client("secretsmanager"), secret_id=arn)().decode()
