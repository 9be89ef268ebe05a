"""Workforces and work teams for CloudFormation: created or adopted, changed in place, deleted."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from overread.errors import AmbiguousError, RetryableError
from overread_aws.failures import RETRYABLE_CODES, calling, error_code, error_message
from overread_aws.provisioning import (
    ACCESS_DENIED,
    PROPAGATION_S,
    Patience,
    ProvisioningRefusedError,
    out_of_time,
    refusal,
)

_TEAM_CHANGES = ("MemberDefinitions", "Description", "NotificationConfiguration", "WorkerAccessConfiguration")
_FORCE_CHANGES = ("SourceIpConfig", "OidcConfig", "WorkforceVpcConfig")
_SECRET = "ClientSecret"  # noqa: S105 - a member's name; it is never described
_GONE = ("does not exist", "No workforce found")

Json = Mapping[str, Any]


class Workforces:
    """Creates the account's one workforce, or adopts it where it is as wanted."""

    def __init__(self, sagemaker: Any, *, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._patience = patience

    def create(self, definition: Json) -> str:
        """The ARN of the workforce once it is active.

        Raises:
            ProvisioningRefusedError: there is another one, or it did not become active in time.
        """
        name = definition["WorkforceName"]
        found = self._describe(name)
        if found is None:
            _repeated(
                lambda: self._sagemaker.create_workforce(**definition),
                name=name,
                operation="CreateWorkforce",
                patience=self._patience,
            )
        elif not _is_as_wanted(found, definition):
            message = f"the workforce {name} exists with another identity provider or network"
            raise ProvisioningRefusedError(message, operation="CreateWorkforce", is_ours=False)
        return self._wait_until_active(name)

    def change(self, definition: Json) -> str:
        """The ARN of the workforce once it is as the definition says.

        Raises:
            ProvisioningRefusedError: it is gone, or its identity provider cannot change.
        """
        name = definition["WorkforceName"]
        found = self._describe(name)
        if found is None:
            raise _vanished(name, operation="UpdateWorkforce")
        if found.get("CognitoConfig") != definition.get("CognitoConfig"):
            message = f"the workforce {name} keeps its Cognito user pool and client for life; delete it first"
            raise ProvisioningRefusedError(message, operation="UpdateWorkforce", is_ours=True)
        changes = {member: definition[member] for member in _FORCE_CHANGES if member in definition}
        if changes:
            _repeated(
                lambda: self._sagemaker.update_workforce(WorkforceName=name, **changes),
                name=name,
                operation="UpdateWorkforce",
                patience=self._patience,
            )
        return self._wait_until_active(name)

    def delete(self, name: str) -> None:
        """Deletes the workforce; one that is gone already is fine.

        Raises:
            ProvisioningRefusedError: it has work teams.
        """
        _deleted(
            lambda: self._sagemaker.delete_workforce(WorkforceName=name),
            name=name,
            operation="DeleteWorkforce",
            patience=self._patience,
        )

    def _wait_until_active(self, name: str) -> str:
        status = "unknown"
        for _ in self._patience.tries():
            try:
                found = self._describe(name)
            except (RetryableError, AmbiguousError) as error:
                status = error.code
                continue
            if found is None:
                continue
            status = found.get("Status", "Active")
            if status == "Active":
                return str(found["WorkforceArn"])
            if status == "Failed":
                message = f"{name} failed: {found.get('FailureReason', 'no reason is given')}"
                raise ProvisioningRefusedError(message, operation="CreateWorkforce", is_ours=True)
        raise out_of_time(f"{name} is {status}", operation="CreateWorkforce", is_ours=True)

    def _describe(self, name: str) -> dict[str, Any] | None:
        return _described(
            lambda: self._sagemaker.describe_workforce(WorkforceName=name)["Workforce"],
            name=name,
            operation="DescribeWorkforce",
            patience=self._patience,
        )


class Workteams:
    """Creates, adopts, changes and deletes work teams."""

    def __init__(self, sagemaker: Any, *, patience: Patience) -> None:
        self._sagemaker = sagemaker
        self._patience = patience

    def create(self, definition: Json) -> str:
        """The ARN of the team. One that exists already and is the same will do.

        Raises:
            ProvisioningRefusedError: the service refused it, or the name is another team's.
        """
        name = definition["WorkteamName"]
        found = self._describe(name)
        if found is not None:
            if not _is_as_wanted(found, definition):
                message = f"the name {name} is in use by another work team"
                raise ProvisioningRefusedError(message, operation="CreateWorkteam", is_ours=False)
            return str(found["WorkteamArn"])
        reply = _repeated(
            lambda: self._sagemaker.create_workteam(**definition),
            name=name,
            operation="CreateWorkteam",
            patience=self._patience,
        )
        return str(reply["WorkteamArn"])

    def change(self, definition: Json) -> str:
        """The ARN of the team, which is as the definition says from now on.

        Raises:
            ProvisioningRefusedError: the team is gone, or the service refused the change.
        """
        name = definition["WorkteamName"]
        found = self._describe(name)
        if found is None:
            raise _vanished(name, operation="UpdateWorkteam")
        changes = {member: definition[member] for member in _TEAM_CHANGES if member in definition}
        _repeated(
            lambda: self._sagemaker.update_workteam(WorkteamName=name, **changes),
            name=name,
            operation="UpdateWorkteam",
            patience=self._patience,
        )
        return str(found["WorkteamArn"])

    def delete(self, name: str) -> None:
        """Deletes the team; one that is gone already is fine.

        Raises:
            ProvisioningRefusedError: flow definitions use it.
        """
        _deleted(
            lambda: self._sagemaker.delete_workteam(WorkteamName=name),
            name=name,
            operation="DeleteWorkteam",
            patience=self._patience,
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        return _described(
            lambda: self._sagemaker.describe_workteam(WorkteamName=name)["Workteam"],
            name=name,
            operation="DescribeWorkteam",
            patience=self._patience,
        )


def _repeated(call: Callable[[], Any], *, name: str, operation: str, patience: Patience) -> Any:
    """What `call` gives; repeated while throttled, and while the policy that allows it is new to IAM."""
    last = "throttled all the time"
    with calling(operation):
        for waited_s in patience.tries():
            try:
                return call()
            except ClientError as error:
                code, last = error_code(error), error_message(error)
                is_policy_new = code == ACCESS_DENIED and waited_s < PROPAGATION_S
                if code not in RETRYABLE_CODES and not is_policy_new:
                    raise refusal(error, name=name, operation=operation) from error
    raise out_of_time(f"{name}: {last}", operation=operation, is_ours=False)


def _described(
    call: Callable[[], dict[str, Any]], *, name: str, operation: str, patience: Patience
) -> dict[str, Any] | None:
    def describe() -> dict[str, Any] | None:
        try:
            return call()
        except ClientError as error:
            if _is_gone(error):
                return None
            raise

    found: dict[str, Any] | None = _repeated(describe, name=name, operation=operation, patience=patience)
    return found


def _deleted(call: Callable[[], object], *, name: str, operation: str, patience: Patience) -> None:
    def delete() -> None:
        try:
            call()
        except ClientError as error:
            if not _is_gone(error):
                raise

    try:
        _repeated(delete, name=name, operation=operation, patience=patience)
    except ProvisioningRefusedError as error:
        raise ProvisioningRefusedError(error.message, operation=operation, is_ours=True) from error


def _is_gone(error: ClientError) -> bool:
    """Teams and workforces that do not exist are a ValidationException; only the text tells."""
    return error_code(error) == "ValidationException" and any(text in error_message(error) for text in _GONE)


def _vanished(name: str, *, operation: str) -> ProvisioningRefusedError:
    return ProvisioningRefusedError(f"{name} does not exist any more", operation=operation, is_ours=True)


def _is_as_wanted(found: Json, wanted: Json) -> bool:
    """Whether what is described has everything wanted, tags and secrets aside, which are not described."""
    return all(
        _without_secret(found.get(member)) == _without_secret(value)
        for member, value in wanted.items()
        if member not in {"Tags", "WorkforceName"}
    )


def _without_secret(value: Any) -> Any:
    return {key: one for key, one in value.items() if key != _SECRET} if isinstance(value, dict) else value
