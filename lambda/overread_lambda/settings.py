"""What the functions read from their environment, typed, read once, all that is missing named at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from overread.errors import MissingSettingsError


@dataclass(frozen=True, slots=True)
class PolicySource:
    """Where the routing policies lie in AppConfig."""

    application: str
    environment: str


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """Settings of `route_prediction`. `prediction_role`: of the models' account, empty in one's own."""

    environment: str
    table: str
    input_bucket: str
    use_cases: frozenset[str]
    policies: PolicySource
    spot_check_secret: str
    prediction_role: str = ""


@dataclass(frozen=True, slots=True)
class AuthorizeSettings:
    """Settings of `authorize_client`: whose tokens count, and for which audience they must be made."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings of `read_decision`."""

    table: str


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """Settings of `change_decision`."""

    table: str
    policies: PolicySource


@dataclass(frozen=True, slots=True)
class SteerSettings:
    """Settings of `steer`."""

    table: str
    input_bucket: str
    use_cases: frozenset[str]
    changes_need_two: bool
    policies: PolicySource


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """Settings of `watch_errors`."""

    table: str
    input_bucket: str
    use_cases: frozenset[str]
    policies: PolicySource


@dataclass(frozen=True, slots=True)
class ValidateSettings:
    """Settings of `validate_policy`. `envelopes`: JSON, what a policy of each use case may be."""

    table: str
    envelopes: str


@dataclass(frozen=True, slots=True)
class ResumeSettings:
    """Settings of `resume_decisions`. `prediction_role`: of the models' account, empty in one's own."""

    table: str
    input_bucket: str
    policies: PolicySource
    spot_check_secret: str
    prediction_role: str = ""


@dataclass(frozen=True, slots=True)
class StartSettings:
    """Settings of `start_loop`. `queues`: the teams that have a limit of open human loops."""

    table: str
    input_bucket: str
    policies: PolicySource
    queues: tuple[str, ...]
    starts_per_second: float
    start_burst: int


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of `ingest_review`."""

    table: str
    input_bucket: str
    output_bucket: str
    use_cases: frozenset[str]
    policies: PolicySource


def route_settings(environ: Mapping[str, str]) -> RouteSettings:
    """The settings of `route_prediction`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    values = _required(
        environ,
        "OVERREAD_ENVIRONMENT",
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_USE_CASES",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
        "OVERREAD_SPOT_CHECK_SECRET",
    )
    environment, table, input_bucket, use_cases, application, profile_environment, secret = values
    return RouteSettings(
        environment=environment,
        table=table,
        input_bucket=input_bucket,
        use_cases=_names(use_cases),
        policies=PolicySource(application=application, environment=profile_environment),
        spot_check_secret=secret,
        prediction_role=environ.get("OVERREAD_PREDICTION_ROLE", ""),
    )


def authorize_settings(environ: Mapping[str, str]) -> AuthorizeSettings:
    """The settings of `authorize_client`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    issuer, audience = _required(environ, "OVERREAD_OIDC_ISSUER", "OVERREAD_OIDC_AUDIENCE")
    return AuthorizeSettings(issuer=issuer, audience=audience)


def read_settings(environ: Mapping[str, str]) -> ReadSettings:
    """The settings of `read_decision`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    (table,) = _required(environ, "OVERREAD_TABLE")
    return ReadSettings(table=table)


def change_settings(environ: Mapping[str, str]) -> ChangeSettings:
    """The settings of `change_decision`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, application, environment = _required(
        environ, "OVERREAD_TABLE", "OVERREAD_APPCONFIG_APPLICATION", "OVERREAD_APPCONFIG_ENVIRONMENT"
    )
    return ChangeSettings(table=table, policies=PolicySource(application, environment))


def steer_settings(environ: Mapping[str, str]) -> SteerSettings:
    """The settings of `steer`; whatever OVERREAD_CHANGES_NEED_TWO is but `false` means true.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, use_cases, need_two, application, environment = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_USE_CASES",
        "OVERREAD_CHANGES_NEED_TWO",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
    )
    return SteerSettings(
        table=table,
        input_bucket=input_bucket,
        use_cases=_names(use_cases),
        changes_need_two=need_two != "false",
        policies=PolicySource(application, environment),
    )


def watch_settings(environ: Mapping[str, str]) -> WatchSettings:
    """The settings of `watch_errors`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, use_cases, application, environment = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_USE_CASES",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
    )
    return WatchSettings(
        table=table,
        input_bucket=input_bucket,
        use_cases=_names(use_cases),
        policies=PolicySource(application, environment),
    )


def validate_settings(environ: Mapping[str, str]) -> ValidateSettings:
    """The settings of `validate_policy`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, envelopes = _required(environ, "OVERREAD_TABLE", "OVERREAD_ENVELOPES")
    return ValidateSettings(table=table, envelopes=envelopes)


def resume_settings(environ: Mapping[str, str]) -> ResumeSettings:
    """The settings of `resume_decisions`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, application, environment, secret = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
        "OVERREAD_SPOT_CHECK_SECRET",
    )
    policies = PolicySource(application=application, environment=environment)
    return ResumeSettings(
        table=table,
        input_bucket=input_bucket,
        policies=policies,
        spot_check_secret=secret,
        prediction_role=environ.get("OVERREAD_PREDICTION_ROLE", ""),
    )


def start_settings(environ: Mapping[str, str]) -> StartSettings:
    """The settings of `start_loop`; OVERREAD_QUEUES may be missing, which means none.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, application, environment, per_second, burst = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
        "OVERREAD_STARTS_PER_SECOND",
        "OVERREAD_START_BURST",
    )
    return StartSettings(
        table=table,
        input_bucket=input_bucket,
        policies=PolicySource(application=application, environment=environment),
        queues=tuple(sorted(_names(environ.get("OVERREAD_QUEUES", "")))),
        starts_per_second=float(per_second),
        start_burst=int(burst),
    )


def ingest_settings(environ: Mapping[str, str]) -> IngestSettings:
    """The settings of `ingest_review`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, output_bucket, use_cases, application, environment = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_OUTPUT_BUCKET",
        "OVERREAD_USE_CASES",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
    )
    return IngestSettings(
        table=table,
        input_bucket=input_bucket,
        output_bucket=output_bucket,
        use_cases=_names(use_cases),
        policies=PolicySource(application=application, environment=environment),
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in (part.strip() for part in text.split(",")) if name)


def _required(environ: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise MissingSettingsError(missing)
    return [environ[name] for name in names]
