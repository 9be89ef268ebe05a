"""The one private workforce of an account and region: adopted as a rule, created only when asked."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_cognito as cognito_
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from overread.review import limits
from overread_constructs._reviewers_pool import reviewers_pool
from overread_constructs._rules import Rule, broken, check

_DOMAIN_PREFIX = limits.TextLimit(1, 63, r"[a-z0-9](-*[a-z0-9])*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CognitoIdentity:
    """The user pool and app client that a Cognito workforce signs in with."""

    user_pool_id: str
    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CognitoWorkforce:
    """A workforce whose pool is created with it. `domain_prefix`: of its sign-in page, one in the region."""

    domain_prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcWorkforce:
    """A workforce that signs in with the organization's own identity provider."""

    client_id: str
    client_secret: SecretValue
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    user_info_endpoint: str
    logout_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateWorkforceProps:
    """What a workforce is made of."""

    workforce_name: str
    cognito: CognitoWorkforce | None
    oidc: OidcWorkforce | None
    source_ip_cidrs: tuple[str, ...]


OIDC_ENDPOINTS = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "user_info_endpoint",
    "logout_endpoint",
    "jwks_uri",
)


def is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


ADOPT_RULES: tuple[Rule[PrivateWorkforceProps], ...] = (
    Rule(
        prop="workforce_name",
        must=f"be {limits.WORKFORCE_NAME}",
        holds=lambda p: limits.WORKFORCE_NAME.allows(p.workforce_name),
    ),
)
CREATE_RULES: tuple[Rule[PrivateWorkforceProps], ...] = (
    *ADOPT_RULES,
    Rule(
        prop="cognito",
        must="be given when oidc is not, and only then: a workforce has exactly one identity provider",
        holds=lambda p: (p.cognito is None) != (p.oidc is None),
    ),
    Rule(
        prop="source_ip_cidrs",
        must=f"have at most {limits.SOURCE_IP_CIDRS.maximum} networks",
        holds=lambda p: len(p.source_ip_cidrs) <= limits.SOURCE_IP_CIDRS.maximum,
    ),
    Rule(
        prop="source_ip_cidrs",
        must="be IPv4 or IPv6 networks such as 203.0.113.0/24",
        holds=lambda p: all(is_cidr(cidr) for cidr in p.source_ip_cidrs),
    ),
)
COGNITO_RULES: tuple[Rule[CognitoWorkforce], ...] = (
    Rule(
        prop="domain_prefix",
        must=f"be {_DOMAIN_PREFIX} without aws, amazon or cognito in it",
        holds=lambda p: (
            _DOMAIN_PREFIX.allows(p.domain_prefix)
            and not any(word in p.domain_prefix for word in ("aws", "amazon", "cognito"))
        ),
    ),
)
OIDC_RULES: tuple[Rule[OidcWorkforce], ...] = (
    Rule(
        prop="client_id",
        must=f"have {limits.OIDC_CLIENT_ID}",
        holds=lambda p: limits.OIDC_CLIENT_ID.allows(p.client_id),
    ),
    *(
        Rule(
            prop=endpoint,
            must="be an https address of at most 500 characters",
            holds=lambda p, name=endpoint: limits.OIDC_ENDPOINT.allows(getattr(p, name)),  # type: ignore[misc]
        )
        for endpoint in OIDC_ENDPOINTS
    ),
)


class PrivateWorkforce(Construct):
    """The private workforce that work teams belong to. AWS allows one in an account and region.

    Example::

        workforce = PrivateWorkforce.adopt(self, "Workforce", workforce_name="default")
        team = Workteam(
            self, "Team", name="loans", description="Second readers",
            workforce=workforce, groups=["reviewers"],
        )
    """

    def __init__(
        self, scope: Construct, id: str, *, workforce_name: str, identity: CognitoIdentity | None
    ) -> None:
        """Called by `adopt` and `create`; `identity` is None for a workforce with OIDC."""
        super().__init__(scope, id)
        self.workforce_name: str = workforce_name
        self.identity: CognitoIdentity | None = identity
        self.user_pool: cognito_.UserPool | None = None
        """The pool that was created with the workforce, if any; its groups are created with the teams."""
        self.portal_domain: str | None = None
        """Host of the worker portal, of a created workforce. Its sign-in returns to `/oauth2/idpresponse`."""

    @classmethod
    def adopt(
        cls, scope: Construct, id: str, *, workforce_name: str, cognito: CognitoIdentity | None = None
    ) -> PrivateWorkforce:
        """The workforce that the account already has; nothing of it is created, changed or deleted.

        `cognito`: the pool and client it signs in with; None when it signs in with OIDC.

        Raises:
            PropsError: with every broken rule.
        """
        self = cls(scope, id, workforce_name=workforce_name, identity=cognito)
        props = PrivateWorkforceProps(
            workforce_name=workforce_name, cognito=None, oidc=None, source_ip_cidrs=()
        )
        check(self, construct="PrivateWorkforce", props=props, rules=ADOPT_RULES)
        return self

    @classmethod
    def create(
        cls,
        scope: Construct,
        id: str,
        *,
        workforce_name: str,
        cognito: CognitoWorkforce | None = None,
        oidc: OidcWorkforce | None = None,
        source_ip_cidrs: Sequence[str] = (),
    ) -> PrivateWorkforce:
        """Create the account's workforce, and with `cognito` its user pool; all of it outlives the stack.

        The pool has no self sign-up and requires a time-based one-time password. Deployment fails in an
        account and region that has a workforce already: adopt that one instead. After the first deployment
        add `https://<portal_domain>/oauth2/idpresponse` to the client's callback addresses, because the
        portal's host is known only after the client exists.

        Raises:
            PropsError: with every broken rule.
        """
        self = cls(scope, id, workforce_name=workforce_name, identity=None)
        props = PrivateWorkforceProps(
            workforce_name=workforce_name, cognito=cognito, oidc=oidc, source_ip_cidrs=tuple(source_ip_cidrs)
        )
        more = broken(cognito, rules=COGNITO_RULES) if cognito else []
        more += broken(oidc, rules=OIDC_RULES) if oidc else []
        check(self, construct="PrivateWorkforce", props=props, rules=CREATE_RULES, more=more)
        if cognito:
            self._create_pool(cognito)
        resource = sagemaker.CfnWorkforce(
            self,
            "Resource",
            workforce_name=workforce_name,
            cognito_config=_cognito_config(self.identity),
            oidc_config=_oidc_config(oidc),
            source_ip_config=(
                sagemaker.CfnWorkforce.SourceIpConfigProperty(cidrs=list(source_ip_cidrs))
                if source_ip_cidrs
                else None
            ),
        )
        resource.apply_removal_policy(RemovalPolicy.RETAIN)
        if self.user_pool:
            resource.node.add_dependency(self.user_pool)  # its domain and client too
        self.portal_domain = resource.attr_sub_domain
        return self

    def _create_pool(self, settings: CognitoWorkforce) -> None:
        pool, _ = reviewers_pool(self, domain_prefix=settings.domain_prefix)
        client = pool.add_client(
            "Client",
            generate_secret=True,
            o_auth=cognito_.OAuthSettings(
                flows=cognito_.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito_.OAuthScope.OPENID, cognito_.OAuthScope.EMAIL, cognito_.OAuthScope.PROFILE],
                callback_urls=[f"https://labeling.{Stack.of(self).region}.sagemaker.aws/oauth2/idpresponse"],
            ),
            prevent_user_existence_errors=True,
        )
        client.apply_removal_policy(RemovalPolicy.RETAIN)
        self.user_pool = pool
        self.identity = CognitoIdentity(user_pool_id=pool.user_pool_id, client_id=client.user_pool_client_id)


def _cognito_config(
    identity: CognitoIdentity | None,
) -> sagemaker.CfnWorkforce.CognitoConfigProperty | None:
    if identity is None:
        return None
    return sagemaker.CfnWorkforce.CognitoConfigProperty(
        client_id=identity.client_id, user_pool=identity.user_pool_id
    )


def _oidc_config(oidc: OidcWorkforce | None) -> sagemaker.CfnWorkforce.OidcConfigProperty | None:
    if oidc is None:
        return None
    return sagemaker.CfnWorkforce.OidcConfigProperty(
        client_id=oidc.client_id,
        client_secret=oidc.client_secret.unsafe_unwrap(),  # a dynamic reference, resolved by CloudFormation
        issuer=oidc.issuer,
        authorization_endpoint=oidc.authorization_endpoint,
        token_endpoint=oidc.token_endpoint,
        user_info_endpoint=oidc.user_info_endpoint,
        logout_endpoint=oidc.logout_endpoint,
        jwks_uri=oidc.jwks_uri,
    )
