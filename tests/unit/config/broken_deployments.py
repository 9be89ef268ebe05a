"""Faults of what the whole deployment shares."""

from __future__ import annotations

from tests.unit.config.broken import (
    Broken,
    top,
)
from tests.unit.config.conftest import VALID, changed

DEPLOYMENTS: dict[str, Broken] = {
    # The deployment
    "environment": Broken(
        changed("environment: test", "environment: te-st"),
        "te-st",
        "environment",
        "'te-st'",
        "1 to 12 characters",
    ),
    "environment_long": Broken(
        changed("environment: test", "environment: abcdefghijklm"),
        "abc",
        "environment",
        "'abc",
        "1 to 12 characters",
    ),
    "account": Broken(top("account: 111122223333"), "account", "account", "the integer", "quotes"),
    "region": Broken(
        changed("eu-central-1", "Frankfurt"), "Frankfurt", "region", "'Frankfurt'", "eu-central-1"
    ),
    "region_without_a2i": Broken(
        changed("eu-central-1", "eu-north-1"),
        "eu-north",
        "region",
        "'eu-north-1'",
        "eu-central-1",
        "Amazon A2I",
    ),
    "tags": Broken(top("tags: {'aws:x': y}"), "tags", "tags.aws:x", "'aws:x'", "without the prefix `aws:`"),
    "tags_too_many": Broken(
        top("tags: {" + ", ".join(f"t{n}: x" for n in range(41)) + "}"),
        "tags",
        "tags",
        "a mapping",
        "at most 40",
    ),
    "use_cases": Broken(
        "use_cases: {}\n" + VALID[: VALID.index("use_cases")] + VALID[VALID.index("workforce") :],
        "use_cases",
        "use_cases",
        "a mapping",
        "at least 1",
        "is empty",
    ),
    "use_case_name": Broken(
        changed("  loans:", "  Loans:"), "Loans:", "use_cases.Loans", "the text 'Loans'", "lower-case letters"
    ),
    "use_case_name_long": Broken(
        changed("  loans:", f"  {'x' * 31}:"), "xxx", f"use_cases.{'x' * 31}", "xxx", "1 to 30 characters"
    ),
    "policy_rollout": Broken(
        top("policy_rollout: slow"), "slow", "policy_rollout", "'slow'", "`all-at-once` or `linear`"
    ),
    # Backends
    "review": Broken(top("review: a2i"), "review: a2i", "review", "'a2i'", "`backend`"),
    "review_backend": Broken(
        top("review: {backend: paper}"), "paper", "review.backend", "'paper'", "`a2i` or `overread`"
    ),
    "labeling": Broken(top("labeling: jobs"), "labeling: jobs", "labeling", "'jobs'", "`backend`"),
    "labeling_backend": Broken(
        top("labeling: {backend: paper, jobs: labeling}"),
        "paper",
        "labeling.backend",
        "'paper'",
        "`ground-truth` or `overread`",
    ),
    "labeling_jobs": Broken(
        top("labeling: {backend: ground-truth, jobs: pages}"),
        "jobs: pages",
        "labeling.jobs",
        "'pages'",
        "a folder with *.yaml files",
        "there is no *.yaml in",
    ),
    "labeling_without_service": Broken(
        top("labeling: {backend: overread, jobs: pages}"),
        "backend: overread",
        "labeling.backend",
        "'overread'",
        "review.backend: overread",
        "needs the review service",
    ),
    # Network, keys, retention, API
    "network": Broken(top("network: vpc-1"), "network", "network", "'vpc-1'", "`cidr`"),
    "cidr": Broken(
        top("network: {cidr: 10.0.0.1/20}"), "cidr", "network.cidr", "'10.0.0.1/20'", "from /16 to /24"
    ),
    "cidr_public": Broken(
        top("network: {cidr: 8.8.0.0/16}"), "cidr", "network.cidr", "'8.8.0.0/16'", "private IPv4"
    ),
    "cidr_too_small": Broken(top("network: {cidr: 10.0.0.0/25}"), "cidr", "network.cidr", "/25", "to /24"),
    "cidr_ipv6": Broken(top("network: {cidr: 'fd00::/20'}"), "cidr", "network.cidr", "'fd00::/20'", "IPv4"),
    "availability_zones": Broken(
        top("network: {availability_zones: 1}"), "zones", "network.availability_zones", "'1'", "from 2 to 3"
    ),
    "interface_endpoints": Broken(
        top("network: {interface_endpoints: [log]}"),
        "log",
        "network.interface_endpoints[0]",
        "'log'",
        "`logs`",
        "did you mean `logs`?",
    ),
    "proxy_url": Broken(
        top("network: {proxy_url: 'http://user:secret@proxy:3128'}"),
        "proxy_url",
        "network.proxy_url",
        "user",
        ":3128",
    ),
    "keys": Broken(top("keys: alias"), "keys", "keys", "'alias'", "`rotation_days`"),
    "rotation_days": Broken(
        top("keys: {rotation_days: 30}"), "rotation", "keys.rotation_days", "'30'", "90 to 2560"
    ),
    "pending_window_days": Broken(
        top("keys: {pending_window_days: 31}"), "pending", "keys.pending_window_days", "'31'", "7 to 30"
    ),
    "retention": Broken(top("retention: 7"), "retention", "retention", "'7'", "`log_days`"),
    "log_days": Broken(top("retention: {log_days: 8}"), "log_days", "retention.log_days", "'8'", "5, 7, 14"),
    "audit_lock": Broken(
        top("retention: {audit_lock: on}"), "audit", "retention.audit_lock", "'on'", "`mode`"
    ),
    "audit_lock_mode": Broken(
        top("retention: {audit_lock: {mode: legal-hold}}"),
        "legal",
        "retention.audit_lock.mode",
        "'legal-hold'",
        "`off`",
    ),
    "audit_lock_days": Broken(
        top("retention: {audit_lock: {mode: governance, days: 0}}"),
        "days",
        "retention.audit_lock.days",
        "'0'",
        "1 to",
    ),
    "audit_lock_without_days": Broken(
        top("retention: {audit_lock: {mode: governance}}"),
        "governance",
        "retention.audit_lock.days",
        "nothing",
        "1 to 36500 days",
        "required with mode governance",
    ),
    "audit_days_without_lock": Broken(
        top("retention: {audit_lock: {days: 7}}"), "days: 7", "retention.audit_lock.days", "7", "leave it out"
    ),
    "removal_policy": Broken(
        top("retention: {removal_policy: keep}"),
        "keep",
        "retention.removal_policy",
        "'keep'",
        "`retain` or `destroy`",
    ),
    "removal_of_a_compliant_bucket": Broken(
        top("retention: {removal_policy: destroy, audit_lock: {mode: compliance, days: 7}}"),
        "destroy",
        "retention.removal_policy",
        "'destroy'",
        "`retain`",
        "nobody can empty",
    ),
    "termination_protection": Broken(
        top("retention: {termination_protection: 'yes'}"),
        "termination",
        "retention.termination_protection",
        "the text 'yes'",
        "`true` or `false`",
    ),
    "api": Broken(top("api: rest"), "api", "api", "'rest'", "`requests_per_second`"),
    "requests_per_second": Broken(
        top("api: {requests_per_second: 0}"), "requests", "api.requests_per_second", "'0'", "1 to 10000"
    ),
    "api_clients": Broken(top("api: {oidc: idp}"), "idp", "api.oidc", "'idp'", "`issuer`"),
    "api_client_issuer": Broken(
        top("api: {oidc: {issuer: 'http://id.example.com', audience: overread}}"),
        "issuer",
        "api.oidc.issuer",
        "'http://id.example.com'",
        "an https address",
    ),
    "api_client_audience": Broken(
        top("api: {oidc: {issuer: 'https://id.example.com', audience: ''}}"),
        "audience",
        "api.oidc.audience",
        "''",
        "1 to 256 characters",
    ),
    "burst": Broken(top("api: {burst: 9999}"), "burst", "api.burst", "'9999'", "1 to 5000"),
}
