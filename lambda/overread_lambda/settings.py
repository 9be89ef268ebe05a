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
    """Settings of `route_prediction`."""

    environment: str
    table: str
    input_bucket: str
    use_cases: frozenset[str]
    policies: PolicySource
    spot_check_secret: str


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings of `read_decision`."""

    table: str


@dataclass(frozen=True, slots=True)
class StartSettings:
    """Settings of `start_loop`."""

    table: str
    input_bucket: str
    policies: PolicySource


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """Settings of `ingest_review`."""

    table: str
    output_bucket: str


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
    names = (name.strip() for name in use_cases.split(","))
    return RouteSettings(
        environment=environment,
        table=table,
        input_bucket=input_bucket,
        use_cases=frozenset(name for name in names if name),
        policies=PolicySource(application=application, environment=profile_environment),
        spot_check_secret=secret,
    )


def read_settings(environ: Mapping[str, str]) -> ReadSettings:
    """The settings of `read_decision`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    (table,) = _required(environ, "OVERREAD_TABLE")
    return ReadSettings(table=table)


def start_settings(environ: Mapping[str, str]) -> StartSettings:
    """The settings of `start_loop`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, input_bucket, application, environment = _required(
        environ,
        "OVERREAD_TABLE",
        "OVERREAD_INPUT_BUCKET",
        "OVERREAD_APPCONFIG_APPLICATION",
        "OVERREAD_APPCONFIG_ENVIRONMENT",
    )
    policies = PolicySource(application=application, environment=environment)
    return StartSettings(table=table, input_bucket=input_bucket, policies=policies)


def ingest_settings(environ: Mapping[str, str]) -> IngestSettings:
    """The settings of `ingest_review`.

    Raises:
        MissingSettingsError: a variable is missing or empty.
    """
    table, output_bucket = _required(environ, "OVERREAD_TABLE", "OVERREAD_OUTPUT_BUCKET")
    return IngestSettings(table=table, output_bucket=output_bucket)


def _required(environ: Mapping[str, str], *names: str) -> list[str]:
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise MissingSettingsError(missing)
    return [environ[name] for name in names]
