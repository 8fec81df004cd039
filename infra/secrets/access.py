"""Who may do what with a stack's entries in Vault: three policies for exactly those, and one role."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Output, ResourceOptions

from infra.cluster import labels
from infra.config.secrets import VaultAccessConfig

AUDIENCE = "vault"
"""For whom the tokens are that External Secrets logs in with: Vault takes no other, and the API server not these."""
TOKEN_SECONDS = 1200


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A pod that fetches its files itself."""

    account: str
    """Its service account."""
    namespace: str
    """Its namespace."""
    paths: Sequence[str]
    """The entries that it reads."""


@dataclass(frozen=True, kw_only=True)
class VaultAccessArgs:
    """What a :class:`VaultAccess` needs from its caller."""

    config: VaultAccessConfig
    """Where Vault is, and whose role it is."""
    mount: str
    """Mount of the key-value engine, version 2."""
    paths: Sequence[str]
    """The entries below it."""
    agents: Mapping[str, Agent] = field(default_factory=dict)
    """Name of a role, after ours -> the pod whose agent logs in with it."""


class VaultAccess(ComponentResource):
    """External Secrets' role, which reads; and a policy each for people who look for what is missing, or fill it in.

    The provider logs in with ``VAULT_TOKEN`` of whoever runs Pulumi: what may write policies is not kept anywhere.
    """

    role: Output[str]
    """Name of the role."""

    def __init__(self, name: str, args: VaultAccessArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:secrets:VaultAccess", name, {}, opts)
        import pulumi_vault as vault  # noqa: PLC0415 - half a second of the program's start, for the stacks that use it

        config = args.config
        # A child token, the provider's default, would need a right of its own (auth/token/create).
        provider = vault.Provider(
            f"{name}-provider", address=config.address, skip_child_token=True, opts=ResourceOptions(parent=self)
        )
        child = ResourceOptions(parent=self, provider=provider)
        policies = {
            purpose: vault.Policy(
                f"{name}-{purpose}",
                name=f"{config.role}-{purpose}",
                policy=rules(args.mount, args.paths, rights),
                opts=child,
            )
            for purpose, rights in RIGHTS.items()
        }
        role = vault.kubernetes.AuthBackendRole(
            f"{name}-role",
            backend=config.auth_mount,
            role_name=config.role,
            bound_service_account_names=[config.service_account],
            bound_service_account_namespaces=[config.service_account_namespace],
            # Whoever made the store that is not ours says for whom its tokens are.
            audience=AUDIENCE if config.owns_store else None,
            token_policies=[policies["read"].name],
            token_ttl=TOKEN_SECONDS,
            token_max_ttl=TOKEN_SECONDS,
            opts=child,
        )
        for agent, its in args.agents.items():
            its_name = f"{config.role}-{agent}"
            policy = vault.Policy(
                f"{name}-{agent}", name=its_name, policy=rules(args.mount, its.paths, RIGHTS["read"]), opts=child
            )
            vault.kubernetes.AuthBackendRole(
                f"{name}-{agent}-role",
                backend=config.auth_mount,
                role_name=its_name,
                bound_service_account_names=[its.account],
                bound_service_account_namespaces=[its.namespace],
                audience=AUDIENCE,
                token_policies=[policy.name],
                token_ttl=TOKEN_SECONDS,
                token_max_ttl=TOKEN_SECONDS,
                opts=child,
            )
        self.role = role.role_name
        self.register_outputs({"role": self.role})


RIGHTS: dict[str, dict[str, tuple[str, ...]]] = {
    "read": {"data": ("read",)},
    # Names of keys without their values.
    "look": {"subkeys": ("read",)},
    # A first value where there is none; neither reading one nor writing an entry anew.
    "fill": {"subkeys": ("read",), "data": ("create", "patch")},
}
"""End of a policy's name -> part of the engine's API -> what may be done there."""


def rules(mount: str, paths: Iterable[str], rights: dict[str, tuple[str, ...]]) -> str:
    """Return a policy, in Vault's language, for exactly these entries of a mount."""
    return "".join(
        f'path "{mount}/{part}/{path}" {{\n  capabilities = {json.dumps(list(capabilities))}\n}}\n'
        for path in sorted(paths)
        for part, capabilities in rights.items()
    )


@dataclass(frozen=True, kw_only=True)
class VaultStoreArgs:
    """What a :class:`VaultStore` needs from its caller."""

    config: VaultAccessConfig
    """Where Vault is, and as what External Secrets logs in."""
    mount: str
    """Mount of the key-value engine, version 2."""
    namespaces: Sequence[str]
    """Namespaces whose ExternalSecrets may use it."""
    authorities: str | None = None
    """Who may have signed Vault's certificate, as PEM text; absent: the public ones."""


class VaultStore(ComponentResource):
    """The ClusterSecretStore (named like the component) through which External Secrets reads Vault."""

    def __init__(self, name: str, args: VaultStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:secrets:VaultStore", name, {}, opts)
        k8s.apiextensions.CustomResource(
            f"{name}-store",
            api_version="external-secrets.io/v1",
            kind="ClusterSecretStore",
            metadata={"name": name, "labels": labels("secrets", name)},
            spec=store_spec(args),
            opts=ResourceOptions(parent=self),
        )
        self.register_outputs({})


def store_spec(args: VaultStoreArgs) -> dict[str, Any]:
    """Return the spec of the ClusterSecretStore (external-secrets.io/v1)."""
    config = args.config
    account = {
        "name": config.service_account,
        "namespace": config.service_account_namespace,
        "audiences": [AUDIENCE],
    }
    bundle = base64.b64encode(args.authorities.encode()).decode() if args.authorities else None
    return {
        "conditions": [{"namespaces": sorted(args.namespaces)}],
        "provider": {
            "vault": {
                **({"caBundle": bundle} if bundle else {}),
                "server": config.address,
                "path": args.mount,
                "version": "v2",
                "auth": {
                    "kubernetes": {
                        "mountPath": config.auth_mount,
                        "role": config.role,
                        "serviceAccountRef": account,
                    }
                },
            }
        },
    }
