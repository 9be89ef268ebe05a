"""Who signs in to the review service: the workforce's provider, and one for each vendor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from overread.review import limits
from overread_constructs._reviewers_pool import reviewers_pool
from overread_constructs._rules import Rule
from overread_constructs.workforce import OIDC_ENDPOINTS, CognitoWorkforce

WORKFORCE = "workforce"
_SECRET = limits.TextLimit(
    1, 512, r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:\S+-[A-Za-z0-9]{6}"
)
_COGNITO_GROUPS = "cognito:groups"
_OIDC_GROUPS = "sagemaker:groups"


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSignIn:
    """An OpenID Connect client at an identity provider; Secrets Manager holds its secret.

    Its ID tokens list groups in the claim `sagemaker:groups`, as A2I reads it.
    """

    client_id: str
    client_secret_arn: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    user_info_endpoint: str
    logout_endpoint: str
    jwks_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSignIn:
    """A company whose people review: its team's name, its name on the sign-in page, its identity provider."""

    name: str
    title: str
    oidc: OidcSignIn


SIGN_IN_RULES: tuple[Rule[OidcSignIn], ...] = (
    Rule(
        prop="client_id",
        must=f"have {limits.OIDC_CLIENT_ID}",
        holds=lambda p: limits.OIDC_CLIENT_ID.allows(p.client_id),
    ),
    Rule(
        prop="client_secret_arn",
        must="be a secret's whole ARN, with the six characters at its end: IAM knows it by no other",
        holds=lambda p: _SECRET.allows(p.client_secret_arn),
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


class ReviewIdentity(Construct):
    """The pool and client of the workforce, unless it has a provider of its own."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        workforce: CognitoWorkforce | OidcSignIn,
        vendors: Sequence[VendorSignIn],
        portal_url: str,
    ) -> None:
        """`portal_url`: the address above /portal, to which the providers lead back."""
        super().__init__(scope, id)
        self.user_pool: cognito.UserPool | None = None
        self.client_id = ""
        self.secret_arns = [vendor.oidc.client_secret_arn for vendor in vendors]
        if isinstance(workforce, CognitoWorkforce):
            own = self._cognito(workforce, portal_url=portal_url)
        else:
            own = _oidc(WORKFORCE, title="Sign in", oidc=workforce)
            self.client_id = workforce.client_id
            self.secret_arns.append(workforce.client_secret_arn)
        self._oidc_workforce = workforce if isinstance(workforce, OidcSignIn) else None
        others = [_oidc(vendor.name, title=vendor.title, oidc=vendor.oidc) for vendor in vendors]
        self._providers = [own, *others]

    @property
    def environment(self) -> str:
        """What the functions read: the providers, without any secret."""
        return Stack.of(self).to_json_string({"providers": self._providers})

    @property
    def workforce_config(self) -> dict[str, Any]:
        """The members of CreateWorkforce that say who signs in."""
        if self.user_pool is not None:
            return {"CognitoConfig": {"UserPool": self.user_pool.user_pool_id, "ClientId": self.client_id}}
        oidc = self._oidc_workforce
        assert oidc is not None  # noqa: S101 - one of the two is given
        return {
            "OidcConfig": {
                "ClientId": oidc.client_id,
                "ClientSecret": "kept by the sign-in function",  # the API asks for one and uses none
                "Issuer": oidc.issuer,
                "AuthorizationEndpoint": oidc.authorization_endpoint,
                "TokenEndpoint": oidc.token_endpoint,
                "UserInfoEndpoint": oidc.user_info_endpoint,
                "LogoutEndpoint": oidc.logout_endpoint,
                "JwksUri": oidc.jwks_uri,
            }
        }

    def group(self, name: str) -> None:
        """Have a group in the pool, where there is one."""
        if self.user_pool is not None and self.node.try_find_child(f"Group{name}") is None:
            cognito.CfnUserPoolGroup(
                self, f"Group{name}", user_pool_id=self.user_pool.user_pool_id, group_name=name
            )

    def member(self, group: str) -> dict[str, Any]:
        """A member definition of a work team."""
        if self.user_pool is None:
            return {"OidcMemberDefinition": {"Groups": [group]}}
        return {
            "CognitoMemberDefinition": {
                "UserPool": self.user_pool.user_pool_id,
                "ClientId": self.client_id,
                "UserGroup": group,
            }
        }

    def _cognito(self, workforce: CognitoWorkforce, *, portal_url: str) -> dict[str, str]:
        pool, domain = reviewers_pool(self, domain_prefix=workforce.domain_prefix)
        client = pool.add_client(
            "Client",
            # A public client: the exchange is bound to the sign-in by PKCE, and there is no secret to keep.
            generate_secret=False,
            o_auth=cognito.OAuthSettings(
                flows=cognito.OAuthFlows(authorization_code_grant=True),
                scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.EMAIL, cognito.OAuthScope.PROFILE],
                callback_urls=[f"{portal_url}/portal/signed-in/{WORKFORCE}"],
                logout_urls=[f"{portal_url}/portal/"],
            ),
            prevent_user_existence_errors=True,
        )
        self.user_pool = pool
        self.client_id = client.user_pool_client_id
        keys = f"https://cognito-idp.{Stack.of(self).region}.{Stack.of(self).url_suffix}/{pool.user_pool_id}"
        pages = domain.base_url()
        return {
            "id": WORKFORCE,
            "title": "Sign in",
            "issuer": keys,
            "client_id": self.client_id,
            "authorization_endpoint": f"{pages}/oauth2/authorize",
            "token_endpoint": f"{pages}/oauth2/token",
            "jwks_uri": f"{keys}/.well-known/jwks.json",
            "logout_endpoint": f"{pages}/logout",
            "groups_claim": _COGNITO_GROUPS,
            "client_secret_arn": "",
            "user_pool_id": pool.user_pool_id,
        }


def _oidc(provider_id: str, *, title: str, oidc: OidcSignIn) -> dict[str, str]:
    return {
        "id": provider_id,
        "title": title,
        "issuer": oidc.issuer,
        "client_id": oidc.client_id,
        "authorization_endpoint": oidc.authorization_endpoint,
        "token_endpoint": oidc.token_endpoint,
        "jwks_uri": oidc.jwks_uri,
        "logout_endpoint": oidc.logout_endpoint,
        "groups_claim": _OIDC_GROUPS,
        "client_secret_arn": oidc.client_secret_arn,
        "user_pool_id": "",
    }
