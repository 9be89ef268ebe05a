"""Settings of a deployment: a YAML file, checked as a whole, as frozen dataclasses."""

from overread_config.accounts import ModelAccountSettings
from overread_config.adoption import AdoptSettings, HostedZoneSettings
from overread_config.analytics import AnalyticsSettings
from overread_config.faults import ConfigError, Fault
from overread_config.guarantee_file import model_version
from overread_config.loading import load_settings
from overread_config.operations import LEAST_PENDING_AGE_S, BudgetSettings, OperationsSettings
from overread_config.organization import OrganizationSettings
from overread_config.people import OidcSettings, TeamSettings, WorkforceSettings
from overread_config.rules import output_name
from overread_config.settings import (
    ApiDomainSettings,
    ApiSettings,
    NetworkSettings,
    RetentionSettings,
    Settings,
)
from overread_config.studio import StudioSettings
from overread_config.use_cases import UseCaseSettings

__all__ = [
    "LEAST_PENDING_AGE_S",
    "AdoptSettings",
    "AnalyticsSettings",
    "ApiDomainSettings",
    "ApiSettings",
    "BudgetSettings",
    "ConfigError",
    "Fault",
    "HostedZoneSettings",
    "ModelAccountSettings",
    "NetworkSettings",
    "OidcSettings",
    "OperationsSettings",
    "OrganizationSettings",
    "RetentionSettings",
    "Settings",
    "StudioSettings",
    "TeamSettings",
    "UseCaseSettings",
    "WorkforceSettings",
    "load_settings",
    "model_version",
    "output_name",
]
