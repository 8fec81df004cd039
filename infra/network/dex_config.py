"""What Dex is told, as the template of a secret file: ``${loginAdminHash}`` stands for the secret of that key."""

import json
import uuid
from typing import Any

from infra.config.login import ConnectorConfig, DexConfig
from infra.network.login import Login
from infra.network.names import DEX_METRICS_PORT, DEX_PORT

DATABASE = "/var/dex/dex.db"


def configuration(dex: DexConfig, login: Login) -> str:
    """Return Dex's configuration: JSON, which it reads as YAML, so that every value stands in quotes."""
    whole: dict[str, Any] = {
        "issuer": login.issuer,
        "storage": {"type": "sqlite3", "config": {"file": DATABASE}},
        "web": {
            "http": f"0.0.0.0:{DEX_PORT}",
            "headers": {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"},
        },
        "telemetry": {"http": f"0.0.0.0:{DEX_METRICS_PORT}"},
        "logger": {"level": "info", "format": "json"},
        "oauth2": {
            "grantTypes": ["authorization_code", "refresh_token"],
            "responseTypes": ["code"],
            # Every client is ours: there is nothing to agree to.
            "skipApprovalScreen": True,
        },
        "expiry": {"idTokens": "1h", "refreshTokens": {"validIfNotUsedFor": "168h"}},
        "enablePasswordDB": True,
        "staticPasswords": [
            _account(dex.administrator, "loginAdminHash", [login.admin_group, login.user_group]),
            *([_account(dex.user, "loginUserHash", [login.user_group])] if dex.user else []),
        ],
        "staticClients": [
            {
                "id": _literal(client.name),
                "name": _literal(client.title),
                "secret": f"${{{client.secret_key}}}",
                "redirectURIs": [login.redirects[name]],
            }
            for name, client in login.clients.items()
        ],
        "connectors": [_connector(dex.connector, login.issuer)] if dex.connector else [],
    }
    return json.dumps(whole, indent=2) + "\n"


def _account(email: str, hash_key: str, groups: list[str]) -> dict[str, Any]:
    return {
        "email": _literal(email),
        "username": _literal(email.partition("@")[0]),
        "preferredUsername": _literal(email.partition("@")[0]),
        # What clients know somebody by: the same in every run.
        "userID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email}")),
        "groups": [_literal(group) for group in groups],
        "hash": f"${{{hash_key}}}",
    }


def _connector(connector: ConnectorConfig, issuer: str) -> dict[str, Any]:
    back = {} if connector.type == "ldap" else {"redirectURI": f"{issuer}/callback"}
    secret = {connector.secret_field: "${loginConnectorSecret}"}
    config = _literal(connector.config) | back | secret
    return {"type": connector.type, "id": connector.type, "name": _literal(connector.name), "config": config}


def _literal(value: Any) -> Any:
    """Return ``value`` so that no dollar sign in it stands for a secret."""
    match value:
        case dict():
            return {key: _literal(each) for key, each in value.items()}
        case list() | tuple():
            return [_literal(each) for each in value]
        case str():
            return value.replace("$", "$$")
        case _:
            return value
