"""What the api must know so that people log in to the chat at the stack's issuer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.chat.api_pod import CA_FILE
from infra.chat.names import CERTIFICATE, LOGIN_CLIENT, LOGIN_SECRET_FILE, SECRETS_FOLDER
from infra.config import StackConfig
from infra.network.address import public_url
from infra.network.authorities import version_of
from infra.network.login import login_of


@dataclass(frozen=True, kw_only=True)
class ApiLogin:
    """Logins of the api."""

    settings: Mapping[str, str]
    """Its variables."""
    ca_secret: str | None
    """Secret whose ``ca.crt`` is the issuer's authority; None: a public one, or one of ``authorities``."""
    host_aliases: Mapping[str, Sequence[str]]
    """Address -> host names that no DNS in the cluster knows."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap, the issuer's among them; None: a public one."""


def api_login(stack: StackConfig) -> ApiLogin | None:
    """Return how people log in to the chat; None: with the API key only."""
    login = login_of(stack)
    if not login or LOGIN_CLIENT not in login.clients or not stack.chat.exposure.host:
        return None
    authorities = None if login.own_ca else version_of(stack)
    settings = {
        "CHATBOT_OIDC_ISSUER": login.issuer,
        "CHATBOT_OIDC_CLIENT_ID": login.client_id(LOGIN_CLIENT),
        "CHATBOT_OIDC_CLIENT_SECRET_FILE": f"{SECRETS_FOLDER}/{LOGIN_SECRET_FILE}",
        "CHATBOT_OIDC_USER_GROUP": login.user_group,
        "CHATBOT_OIDC_ADMIN_GROUP": login.admin_group,
        "CHATBOT_PUBLIC_URL": public_url(stack, stack.chat.exposure.host),
    }
    return ApiLogin(
        settings={**settings, "CHATBOT_OIDC_CA_FILE": CA_FILE} if login.own_ca or authorities else settings,
        ca_secret=CERTIFICATE if login.own_ca else None,
        authorities=authorities,
        host_aliases=login.host_aliases,
    )
