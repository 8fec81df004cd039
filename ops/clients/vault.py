"""What these commands ask of Vault: names of keys, never values; and first values, which go in and do not come out.

`hvac` carries the requests and names Vault's refusals. Two calls of the engine it does not know: `subkeys` (names
without values), and `PATCH`, for which hvac's own `patch` would read the whole entry.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hvac  # type: ignore[import-untyped]
import requests
from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, VaultError  # type: ignore[import-untyped]

from infra.config.secrets import VaultConfig
from ops.errors import OpsError

TIMEOUT_SECONDS = 10
LOGIN = "export VAULT_TOKEN=..., of `vault login`; docs/vault.md says which policy it needs"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What an entry holds."""

    names: frozenset[str] = frozenset()
    """Its keys."""
    version: int = 0
    """Its newest version; 0: there is no such entry."""


class Vault:
    """One key-value engine, version 2, as one token sees it."""

    def __init__(self, client: hvac.Client, address: str, mount: str) -> None:
        self._client, self.address, self.mount = client, address, mount

    def demand_open(self) -> None:
        """Look whether it answers, is open, and has the engine where it is looked for.

        Raises:
            OpsError: it is not so; which of all, and what to do.
        """
        state = self._ask("get", "sys/seal-status")
        if not state["initialized"]:
            raise OpsError(f"Vault at {self.address} was never initialised", "vault operator init, then unseal it")
        if state["sealed"]:
            raise self._sealed()
        try:
            mount = self._ask("get", f"sys/internal/ui/mounts/{self.mount}")["data"]
        except Forbidden:
            self._demand_token()
            raise OpsError(
                f"Vault at {self.address} has no engine at {self.mount}/, or this token may use nothing there",
                "correct secrets.vault.mount, or take a token with the policy of docs/vault.md",
            ) from None
        if mount["type"] != "kv" or (mount.get("options") or {}).get("version") != "2":
            raise OpsError(
                f"the engine at {self.mount}/ is no key-value engine of version 2: its keys cannot be listed alone",
                f"vault kv enable-versioning {self.mount}, or correct secrets.vault.mount",
            )

    def keys(self, path: str) -> Keys:
        """Return the names of the keys of an entry.

        Raises:
            OpsError: the token may not see them, or the newest version was deleted.
        """
        try:
            found = self._ask("get", f"{self.mount}/subkeys/{path}")["data"]
        except InvalidPath as error:
            metadata = ((error.json or {}).get("data") or {}).get("metadata")
            if metadata is None:
                return Keys()
            version = metadata["version"]
            raise OpsError(
                f"{self.mount}/{path}: version {version}, the newest, was deleted",
                f"vault kv undelete -mount={self.mount} -versions={version} {path}, or "
                f"vault kv metadata delete -mount={self.mount} {path} to begin anew",
            ) from None
        except Forbidden:
            self._demand_token()
            raise OpsError(
                f"{self.mount}/{path}: this token may not see its keys",
                f'give it: path "{self.mount}/subkeys/{path}" {{ capabilities = ["read"] }}',
            ) from None
        return Keys(names=frozenset(found["subkeys"]), version=found["metadata"]["version"])

    def add(self, path: str, values: Mapping[str, str], version: int) -> int:
        """Add keys to an entry that is still at ``version``, and return its new version.

        Raises:
            OpsError: the token may not, or somebody else wrote since; nothing was changed then.
        """
        method, headers = ("patch", {"Content-Type": "application/merge-patch+json"}) if version else ("post", {})
        body = {"options": {"cas": version}, "data": dict(values)}
        try:
            answer = self._ask(method, f"{self.mount}/data/{path}", headers=headers, json=body)
        except InvalidRequest as error:
            if "check-and-set" not in str(error):
                raise OpsError(f"{self.mount}/{path}: Vault refused: {error}", "see its message") from None
            raise OpsError(
                f"{self.mount}/{path}: somebody wrote to it meanwhile; nothing was changed", "run this again"
            ) from None
        except Forbidden:
            self._demand_token()
            right = "patch" if version else "create"
            raise OpsError(
                f"{self.mount}/{path}: this token may not write",
                f'give it: path "{self.mount}/data/{path}" {{ capabilities = ["{right}"] }}',
            ) from None
        return int(answer["data"]["version"])

    def _demand_token(self) -> None:
        """Tell a token without a right from one that Vault does not know."""
        try:
            self._ask("get", "auth/token/lookup-self")
        except Forbidden:
            raise OpsError(
                f"Vault at {self.address} does not know this token: it is wrong, has expired or was revoked", LOGIN
            ) from None

    def _sealed(self) -> OpsError:
        return OpsError(
            f"Vault at {self.address} is sealed: nobody can read or write",
            "whoever holds its keys: vault operator unseal. Pods that run keep what they have",
        )

    def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = self._client.adapter.request(method, f"/v1/{path}", **arguments)
        except requests.exceptions.SSLError:
            raise OpsError(
                f"Vault at {self.address}: its certificate is not trusted here",
                "export VAULT_CACERT=FILE, of the authority that signed it",
            ) from None
        except requests.exceptions.RequestException as error:
            raise OpsError(
                f"Vault at {self.address} does not answer: {type(error).__name__}",
                "look at name, route and port: curl -sS $VAULT_ADDR/v1/sys/health; VAULT_ADDR says where it is",
            ) from None
        except (Forbidden, InvalidPath, InvalidRequest):
            raise
        except VaultError as error:
            if "sealed" in str(error):  # since it was asked
                raise self._sealed() from None
            raise OpsError(f"Vault at {self.address}: {error}", "look at Vault's log") from None
        return answer if isinstance(answer, dict) else {}


def from_environment(vault: VaultConfig) -> Vault | None:
    """Return Vault as the person's variables (VAULT_ADDR, VAULT_TOKEN ...) say; None where there is no token."""
    address = os.environ.get("VAULT_ADDR") or (vault.access.address if vault.access else None)
    namespace = os.environ.get("VAULT_NAMESPACE") or None
    if not address:
        return None
    client = hvac.Client(url=address, timeout=TIMEOUT_SECONDS, namespace=namespace)  # reads ~/.vault-token, too
    return Vault(client, address, vault.mount) if client.token else None
