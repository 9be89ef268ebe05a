"""Configurations with one fault each: how they are made and what must be said about them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.config.conftest import VALID, changed

LOANS = "use_cases.loans"
PUBLIC = "    kind: public\n    data_free_of_personal_information: true\n    acknowledge_closure: true"
VENDOR_ARN = "arn:aws:sagemaker:eu-central-1:111122223333:workteam/vendor-crowd/acme"
PRIVATE_ARN = "arn:aws:sagemaker:eu-central-1:111122223333:workteam/private-crowd/acme"


@dataclass(frozen=True)
class Broken:
    """A file with one fault: the line that has `at` in it."""

    text: str
    at: str
    field: str
    value: str
    allowed: str
    problem: str = ""

    @property
    def line(self) -> int:
        """Of the first line with `at`, counted from 1."""
        return next(n for n, line in enumerate(self.text.splitlines(), start=1) if self.at in line)


def top(lines: str) -> str:
    """VALID with more at its end."""
    return VALID + lines + "\n"


def prediction(line: str) -> str:
    """VALID with more about the prediction."""
    return changed("      model: models/loans.tar.gz", f"      model: models/loans.tar.gz\n      {line}")


def use_case(lines: str) -> str:
    """VALID with more about the use case."""
    return changed("    labels: [approve, decline]", f"    labels: [approve, decline]\n    {lines}")


def routing(line: str) -> str:
    """VALID with more about routing."""
    return changed("      threshold: 0.9", f"      threshold: 0.9\n      {line}")


def review(line: str) -> str:
    """VALID with more about review."""
    return changed("      title: Loan", f"      title: Loan\n      {line}")


def workforce(lines: str) -> str:
    """VALID with another workforce."""
    return changed("workforce:\n  mode: adopt\n  identity: oidc", f"workforce:\n{lines}")


def team(lines: str) -> str:
    """VALID with another team."""
    return changed("    groups: [readers]", lines)


def own(text: str = VALID) -> str:
    """A text whose reviews are by the review service, with a pool of its own."""
    return text.replace("mode: adopt\n  identity: oidc", "mode: create") + "review:\n  backend: overread\n"


def service(line: str) -> str:
    """A valid deployment of the review service, with more about it."""
    return f"{own()}  {line}\n"


def public(text: str) -> str:
    """A text whose team is the public one, with data that it may see."""
    return text.replace("    groups: [readers]", PUBLIC).replace(
        "class: personal", "class: free-of-personal-data"
    )


OIDC = {
    "client_id": "overread",
    "client_secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:oidc-AbCdEf",
    "issuer": "https://id.example",
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
    "user_info_endpoint": "https://id.example/userinfo",
    "logout_endpoint": "https://id.example/logout",
    "jwks_uri": "https://id.example/jwks",
}


def oidc(**values: str) -> str:
    """VALID with a workforce that is created with OIDC, some addresses changed."""
    lines = [f"    {name}: {value}" for name, value in (OIDC | values).items()]
    return workforce("  mode: create\n  identity: oidc\n  oidc:\n" + "\n".join(lines))


def vendor(*, leave: str = "", more: str = "", **values: str) -> str:
    """A deployment of the review service whose team is a vendor's; `leave`: a setting that is left out."""
    lines = {"    kind": "vendor", "    title": "Acme", "    oidc": ""}
    lines |= {f"      {name}": value for name, value in (OIDC | values).items()}
    kept = [f"{name}: {value}".rstrip() for name, value in lines.items() if name.strip() != leave]
    return own(team("\n".join([*kept, *([more] if more else [])])))
