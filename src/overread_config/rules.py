"""Rules that hold between settings, checked over what could be read, so that they join the other faults."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import jmespath

from overread.review import limits
from overread_config.accounts import check_accounts
from overread_config.adoption import check_adoption
from overread_config.breaches import refuse, refuse_given, require
from overread_config.faults import FaultList
from overread_config.guarantee_rules import GUARANTEE_RULES
from overread_config.labeling_rules import check_labeling
from overread_config.operations import check_operations
from overread_config.organization import check_organization
from overread_config.sections import Branch
from overread_config.studio import check_studio

_INPUT = {"type": "field", "children": [], "value": "input"}
_OF_ENDPOINT = ("model", "label", "confidence", "instance_type", "instance_count", "max_instance_count")


def check_rules(root: Branch, *, faults: FaultList) -> None:
    """Note every rule that the settings break."""
    for rule in _RULES:
        rule(root, faults)


def output_name(name: str) -> str:
    """A use case's name without hyphens, for names that allow none: `loan-approval` → `LoanApproval`."""
    return "".join(part.capitalize() for part in name.split("-"))


def _prediction(root: Branch, faults: FaultList) -> None:
    for use_case in root.children("use_cases"):
        prediction = use_case.get("prediction")
        if not isinstance(prediction, Branch):
            continue
        match prediction.get("source"):
            case "caller":
                refuse_given(prediction, *_OF_ENDPOINT, faults=faults, where="with source caller")
            case "sagemaker-endpoint":
                require(
                    prediction,
                    "model",
                    faults=faults,
                    where="with source sagemaker-endpoint",
                    allowed="the path of a model archive",
                )
        model = prediction.get("model")
        if model is not None and not model.name.endswith(".tar.gz"):
            refuse(
                prediction, "model", faults=faults, problem="is no model archive", allowed="a .tar.gz file"
            )
        least, most = prediction.get("instance_count"), prediction.get("max_instance_count")
        if least is not None and most is not None and most < least:
            refuse(
                prediction,
                "max_instance_count",
                faults=faults,
                problem="is below instance_count",
                allowed=f"an integer from {least} to 100",
            )


def _thresholds(root: Branch, faults: FaultList) -> None:
    for use_case in root.children("use_cases"):
        routing, labels = use_case.get("routing"), use_case.get("labels")
        if not isinstance(routing, Branch) or labels is None:
            continue
        for label in routing.get("label_thresholds") or {}:
            if label not in labels:
                faults.add(
                    line=routing.line_of("label_thresholds"),
                    field=f"{routing.field}.label_thresholds.{label}",
                    problem="is no label of the use case",
                    value=repr(label),
                    allowed=", ".join(f"`{known}`" for known in labels),
                )


def _business_rules(root: Branch, faults: FaultList) -> None:
    for use_case in root.children("use_cases"):
        withheld = frozenset(use_case.get("input.withheld") or ())
        names: set[str] = set()
        for rule in use_case.get("routing.rules") or ():
            name, when = rule.get("name"), rule.get("when")
            if name in names:
                refuse(
                    rule,
                    "name",
                    faults=faults,
                    problem="is given twice",
                    allowed="a name that no other rule has",
                )
            names.add(name)
            for hidden in sorted(withheld & set(_input_fields(when))):
                refuse(
                    rule,
                    "when",
                    faults=faults,
                    problem=f"looks at the withheld field `{hidden}`, which no rule sees",
                    allowed="fields that input.withheld does not name",
                )


def _input_fields(expression: str | None) -> Iterator[str]:
    """Names of the top-level input fields that an expression reads as `input.NAME`."""
    pending: list[Any] = [jmespath.compile(expression).parsed] if expression else []
    while pending:
        node = pending.pop()
        children = node.get("children") or []
        if node["type"] == "subexpression" and children[0] == _INPUT and children[1]["type"] == "field":
            yield children[1]["value"]
        pending += [child for child in children if isinstance(child, dict)]


def _use_case_names(root: Branch, faults: FaultList) -> None:
    taken: dict[str, str] = {}
    for use_case in root.children("use_cases"):
        name = output_name(use_case.name)
        if name in taken:
            faults.add(
                line=use_case.line,
                field=use_case.field,
                problem=f"gives the same stack output as `{taken[name]}`",
                value=repr(use_case.name),
                allowed="names that differ in more than hyphens",
            )
        taken.setdefault(name, use_case.name)


def _reviewing_team(root: Branch, faults: FaultList) -> None:
    teams = {team.name: team for team in root.children("teams")}
    for use_case in root.children("use_cases"):
        review = use_case.get("review")
        if not isinstance(review, Branch) or review.get("team") is None or not root.gives("teams"):
            continue
        team = teams.get(review.get("team"))
        if team is None:
            allowed = ", ".join(f"`{name}`" for name in teams) or "a team of `teams`"
            refuse(review, "team", faults=faults, problem="is no team of this deployment", allowed=allowed)
        elif team.get("kind") == "public":
            _public_review(use_case, review=review, faults=faults)
        elif team.get("kind"):
            refuse_given(review, "price_usd", faults=faults, where="without a public team")


def _public_review(use_case: Branch, *, review: Branch, faults: FaultList) -> None:
    steps = limits.PUBLIC_PRICES_USD[limits.PricedTask.CUSTOM]
    require(
        review,
        "price_usd",
        faults=faults,
        where="with a public team",
        allowed="one of " + ", ".join(str(step) for step in steps),
    )
    if use_case.get("data.class") == "personal":
        refuse(
            review,
            "team",
            faults=faults,
            problem="is public, and the data of the use case is personal",
            allowed="a private or vendor team, or data.class `free-of-personal-data` where that is true",
        )
    available = review.get("availability_s")
    longest = limits.TASK_AVAILABILITY_PUBLIC_S.maximum
    if available is not None and available > longest:
        refuse(
            review,
            "availability_s",
            faults=faults,
            problem="is too long for a public team",
            allowed=f"an integer from 1 to {longest}",
        )


_DECLARATIONS = ("data_free_of_personal_information", "acknowledge_closure")
_NO_VENDORS = ("workforce", "invited", "sandbox")
"""Keys of people in the review service begin with these, where they do not with a vendor's name."""
_OF_SERVICE = ("access", "leads", "statistics", "sandbox", "chaos")


def _backend(root: Branch, faults: FaultList) -> None:
    review = root.get("review")
    backend = root.get("review.backend")
    if backend == "a2i":
        where = "with backend a2i"
        if isinstance(review, Branch):
            refuse_given(review, *_OF_SERVICE, faults=faults, where=where)
        for use_case in root.children("use_cases"):
            if isinstance(terms := use_case.get("review"), Branch):
                refuse_given(terms, "guideline_version", "qualification", faults=faults, where=where)
        for team in root.children("teams"):
            refuse_given(team, "title", "oidc", faults=faults, where=where)
    elif backend == "overread":
        _service_workforce(root, faults)


def _service_workforce(root: Branch, faults: FaultList) -> None:
    workforce = root.get("workforce")
    if not isinstance(workforce, Branch):
        return
    refuse_given(workforce, "name", faults=faults, where="with backend overread: it is the deployment's")
    if workforce.get("mode") == "adopt":
        refuse(
            workforce,
            "mode",
            faults=faults,
            problem="is of A2I's workforces; the review service has one of its own",
            allowed="`create`",
        )


def _service_team(team: Branch, *, oidc: bool, faults: FaultList) -> None:
    where = "with backend overread"
    match team.get("kind"):
        case "private":
            refuse_given(team, "arn", faults=faults, where=where)
            refuse_given(team, "title", "oidc", *_DECLARATIONS, faults=faults, where="for a private team")
            _require_groups(team, allowed="1 to 10 groups of the identity provider", faults=faults)
            _group_names(team, oidc=oidc, faults=faults)
        case "vendor":
            given = ("groups", "arn", *_DECLARATIONS)
            refuse_given(team, *given, faults=faults, where=f"for a vendor team {where}")
            require(
                team,
                "title",
                "oidc",
                faults=faults,
                where=f"for a vendor team {where}",
                allowed="the company's name, and its identity provider",
            )
            _vendor_name(team, faults=faults)
        case "public":
            refuse(
                team,
                "kind",
                faults=faults,
                problem="needs Mechanical Turk, which the review service has not",
                allowed="`private` or `vendor`",
            )


def _vendor_name(team: Branch, *, faults: FaultList) -> None:
    if team.name in _NO_VENDORS:
        faults.add(
            line=team.line,
            field=team.field,
            problem="names a vendor by a word that means something else where people sign in",
            value=repr(team.name),
            allowed="any other name than " + ", ".join(f"`{name}`" for name in _NO_VENDORS),
        )


def _teams(root: Branch, faults: FaultList) -> None:
    oidc = root.get("workforce.identity") == "oidc"
    own_service = root.get("review.backend") == "overread"
    for team in root.children("teams"):
        if own_service:
            _service_team(team, oidc=oidc, faults=faults)
        else:
            _a2i_team(team, oidc=oidc, faults=faults)


def _a2i_team(team: Branch, *, oidc: bool, faults: FaultList) -> None:
    match team.get("kind"):
        case "private":
            _private_team(team, oidc=oidc, faults=faults)
            refuse_given(team, *_DECLARATIONS, faults=faults, where="for a private team")
        case "vendor":
            require(team, "arn", faults=faults, where="for a vendor team", allowed="the work team's ARN")
            refuse_given(team, "groups", *_DECLARATIONS, faults=faults, where="for a vendor team")
            _team_kind(team, kind="vendor", faults=faults)
        case "public":
            refuse_given(team, "groups", "arn", faults=faults, where="for the public team")
            for key in _DECLARATIONS:
                if team.get(key) is False:
                    refuse(
                        team,
                        key,
                        faults=faults,
                        problem="must be declared: anybody may see the tasks of a public team, and "
                        "Mechanical Turk is closed to new customers",
                        allowed="`true`",
                    )


def _private_team(team: Branch, *, oidc: bool, faults: FaultList) -> None:
    groups, arn = team.get("groups"), team.get("arn")
    if groups and arn:
        refuse(team, "arn", faults=faults, problem="contradicts groups", allowed="either groups or arn")
    if arn is None and not team.gives("arn"):
        _require_groups(team, allowed="1 to 10 groups, or arn", faults=faults)
    _team_kind(team, kind="private", faults=faults)
    _group_names(team, oidc=oidc, faults=faults)


def _require_groups(team: Branch, *, allowed: str, faults: FaultList) -> None:
    if team.get("groups") == ():
        refuse(team, "groups", faults=faults, problem="is required for a private team", allowed=allowed)


def _group_names(team: Branch, *, oidc: bool, faults: FaultList) -> None:
    longest = limits.OIDC_GROUP.maximum
    for group in team.get("groups") or ():
        if oidc and len(group) > longest:
            refuse(
                team,
                "groups",
                faults=faults,
                problem=f"has a group of {len(group)} characters",
                allowed=f"groups of at most {longest} characters with identity oidc",
            )


def _team_kind(team: Branch, *, kind: str, faults: FaultList) -> None:
    arn = team.get("arn")
    if arn is not None and f":workteam/{kind}-crowd/" not in arn:
        refuse(team, "arn", faults=faults, problem="is of another kind", allowed=f"a {kind}-crowd work team")


def _workforce(root: Branch, faults: FaultList) -> None:
    workforce = root.get("workforce")
    if (
        not isinstance(workforce, Branch)
        or workforce.get("mode") is None
        or workforce.get("identity") is None
    ):
        return
    own_service = root.get("review.backend") == "overread"
    # The review service makes its own; that another mode is given is told once, without what follows from it.
    mode = "create" if own_service else workforce.get("mode")
    identity = workforce.get("identity")
    where = f"with mode {mode} and identity {identity}"
    cognito = workforce.get("cognito")
    if identity == "oidc":
        refuse_given(workforce, "cognito", faults=faults, where=where)
        if mode == "create":
            require(
                workforce, "oidc", faults=faults, where=where, allowed="the identity provider's addresses"
            )
        else:
            refuse_given(workforce, "oidc", faults=faults, where=where)
    else:
        refuse_given(workforce, "oidc", faults=faults, where=where)
        if isinstance(cognito, Branch):
            if mode == "create":
                refuse_given(cognito, "user_pool_id", "client_id", faults=faults, where=where)
            else:
                refuse_given(cognito, "domain_prefix", faults=faults, where=where)
                if any(team.get("groups") for team in root.children("teams")):
                    require(
                        cognito,
                        "user_pool_id",
                        "client_id",
                        faults=faults,
                        where=f"{where}: a work team names them",
                        allowed="those of the existing workforce",
                    )
    if mode == "adopt":
        refuse_given(workforce, "source_ip_cidrs", faults=faults, where=where)
    for cidr in workforce.get("source_ip_cidrs") or ():
        if not _is_network(cidr):
            refuse(
                workforce,
                "source_ip_cidrs",
                faults=faults,
                problem=f"holds {cidr!r}, which is no network",
                allowed="IPv4 or IPv6 networks such as 203.0.113.0/24",
            )


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _network(root: Branch, faults: FaultList) -> None:
    network, cidr = root.get("network"), root.get("network.cidr")
    if cidr is None:
        return
    private = _is_network(cidr) and ipaddress.ip_network(cidr).is_private
    if not private or ":" in cidr or not 16 <= ipaddress.ip_network(cidr).prefixlen <= 24:
        refuse(
            network,
            "cidr",
            faults=faults,
            problem="is no private network of that size",
            allowed="a private IPv4 network from /16 to /24, such as 10.64.0.0/20",
        )


def _audit_lock(root: Branch, faults: FaultList) -> None:
    lock = root.get("retention.audit_lock")
    if not isinstance(lock, Branch) or lock.get("mode") is None:
        return
    if lock.get("mode") == "off":
        refuse_given(lock, "days", faults=faults, where="with mode off")
        return
    require(lock, "days", faults=faults, where=f"with mode {lock.get('mode')}", allowed="1 to 36500 days")
    if root.get("retention.removal_policy") == "destroy" and lock.get("mode") == "compliance":
        refuse(
            root.get("retention"),
            "removal_policy",
            faults=faults,
            problem="cannot be kept: nobody can empty a bucket in compliance mode",
            allowed="`retain`",
        )


def _region(root: Branch, faults: FaultList) -> None:
    region = root.get("region")
    if region is not None and root.get("review.backend") == "a2i" and region not in limits.A2I_REGIONS:
        refuse(
            root,
            "region",
            faults=faults,
            problem="has no Amazon A2I",
            allowed=", ".join(sorted(limits.A2I_REGIONS)),
        )


def _readers(root: Branch, faults: FaultList) -> None:
    """What review settings mean together."""
    teams = {team.name: team for team in root.children("teams")}
    for use_case in root.children("use_cases"):
        review = use_case.get("review")
        if not isinstance(review, Branch):
            continue
        if review.get("two_person") is False:
            refuse_given(review, "second_team", faults=faults, where="without two_person")
        if review.get("requires_roster") is False:
            refuse_given(review, "authority", "conflict_key", faults=faults, where="without requires_roster")
        if review.get("two_person"):
            _other_team(review, "second_team", teams=teams, faults=faults)
        _other_team(review, "escalation_team", teams=teams, faults=faults)
        if (review.get("task_count") or 1) > 1 and review.get("two_person"):
            refuse(
                review,
                "task_count",
                faults=faults,
                problem="contradicts two_person, under which each reader has a loop of their own",
                allowed="1",
            )
        if review.get("reason_code_required") and review.get("answer.reason_code") is None:
            refuse(
                review,
                "reason_code_required",
                faults=faults,
                problem="wants a reason code, and answer.reason_code does not say where it is",
                allowed="`false`, or answer.reason_code",
            )


def _other_team(review: Branch, key: str, *, teams: dict[str, Branch], faults: FaultList) -> None:
    name = review.get(key)
    if name is None or not teams:
        return
    team = teams.get(name)
    if team is None:
        allowed = ", ".join(f"`{known}`" for known in teams)
        refuse(review, key, faults=faults, problem="is no team of this deployment", allowed=allowed)
    elif team.get("kind") == "public":
        refuse(review, key, faults=faults, problem="is a public team", allowed="a private or vendor team")
    elif name == review.get("team"):
        refuse(review, key, faults=faults, problem="is the reviewing team itself", allowed="another team")


def _changes(root: Branch, faults: FaultList) -> None:
    changes = root.get("changes")
    if not isinstance(changes, Branch) or changes.get("approval") != "two-person":
        return
    where = "with approval two-person"
    require(changes, "proposed_by", "approved_by", faults=faults, where=where, allowed="a person's name")
    proposed, approved = changes.get("proposed_by"), changes.get("approved_by")
    if proposed is not None and proposed == approved:
        refuse(
            changes,
            "approved_by",
            faults=faults,
            problem="is who proposes, and two persons are needed",
            allowed="somebody else, or approval: one-person",
        )


def _webhooks(root: Branch, faults: FaultList) -> None:
    stated = [use_case.get("delivery.webhook") for use_case in root.children("use_cases")]
    webhooks = [webhook for webhook in stated if isinstance(webhook, Branch)]
    is_any_public = any(not webhook.get("allowed_networks") for webhook in webhooks)
    for webhook in webhooks:
        networks = webhook.get("allowed_networks") or ()
        for cidr in networks:
            if not _is_network(cidr):
                refuse(
                    webhook,
                    "allowed_networks",
                    faults=faults,
                    problem=f"holds {cidr!r}, which is no network",
                    allowed="IPv4 or IPv6 networks such as 10.1.0.0/16",
                )
        has_events = root.get("review.backend") == "overread" or "events" in (
            root.get("network.interface_endpoints") or ()
        )
        if networks and not has_events:
            refuse(
                webhook,
                "allowed_networks",
                faults=faults,
                problem="is reached from inside the network, which has no way to EventBridge",
                allowed="leave it out, or `events` among network.interface_endpoints",
            )
        elif networks and is_any_public:
            refuse(
                webhook,
                "allowed_networks",
                faults=faults,
                problem="is reached from inside the network, and another receiver from outside only",
                allowed="allowed_networks for every receiver, or for none",
            )
        if not networks and (webhook.get("url") or "").startswith("http://"):
            refuse(
                webhook,
                "url",
                faults=faults,
                problem="is not encrypted",
                allowed="an https address; http within allowed_networks only",
            )


_RULES: tuple[Callable[[Branch, FaultList], None], ...] = (
    _readers,
    _changes,
    _webhooks,
    _prediction,
    _thresholds,
    *GUARANTEE_RULES,
    _business_rules,
    _use_case_names,
    _reviewing_team,
    _backend,
    _teams,
    _workforce,
    _network,
    _audit_lock,
    _region,
    check_organization,
    check_adoption,
    check_accounts,
    check_operations,
    check_labeling,
    check_studio,
)
