"""Secrets of the way in: what people log in with, and who vouches for our certificates."""

from infra.config.login import DexConfig
from infra.config.login_clients import CLIENTS, LoginClient, clients_of
from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault
from infra.config.stack import StackConfig


def _dex(stack: StackConfig) -> DexConfig | None:
    return stack.network.login.dex if stack.network.login else None


def _client_secret(client: LoginClient) -> SecretKey:
    return SecretKey(
        name=client.secret_key,
        purpose=f"{client.title} to the issuer that people log in at; set the issuer's own where it is not ours",
        is_needed=unless_in_vault(lambda stack: client in clients_of(stack)),
    )


NETWORK = (
    *(_client_secret(client) for client in CLIENTS),
    SecretKey(
        name="loginAdminHash",
        purpose="the administrator to the issuer of our own",
        is_needed=unless_in_vault(_dex),
        origin=Origin.DERIVED,
        derivation=Derivation(source="loginAdminPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(
        name="loginUserHash",
        purpose="the second account to the issuer of our own",
        is_needed=unless_in_vault(lambda stack: (dex := _dex(stack)) and dex.user),
        origin=Origin.DERIVED,
        derivation=Derivation(source="loginUserPassword", hash=Hash.BCRYPT),
    ),
    SecretKey(
        name="loginConnectorSecret",
        purpose="the issuer of our own to where it finds people",
        is_needed=unless_in_vault(lambda stack: (dex := _dex(stack)) and dex.connector),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="acmeDnsSecret",
        purpose="cert-manager to the keeper of the domain's DNS zone",
        is_needed=unless_in_vault(lambda stack: stack.network.certificates and stack.network.certificates.acme),
        origin=Origin.GIVEN,
    ),
)
