"""Secrets of the registry, from the stack even where the rest is in Vault."""

from infra.config.registry import TLS_KEY
from infra.config.secret_keys.row import Derivation, Hash, Origin, SecretKey, unless_in_vault

REGISTRY = (
    SecretKey(
        name="registryPassword",
        purpose="builders and nodes to the registry",
        # This program needs the login itself, for pushing.
        is_needed=lambda stack: bool(stack.registry.username),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="registryHtpasswd",
        purpose="the registry's accounts, as hashes",
        is_needed=lambda stack: bool(stack.registry.server and stack.registry.server.basic_auth),
        origin=Origin.DERIVED,
        derivation=Derivation(source="registryPassword", hash=Hash.HTPASSWD),
    ),
    SecretKey(
        name=TLS_KEY,
        purpose="the registry's private key, as PEM text: make secret NAME=registryTlsKey < FILE",
        is_needed=lambda stack: bool(stack.registry.server and stack.registry.server.tls),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="harborAdminPassword",
        purpose="this program to Harbor: projects, caches and robots",
        is_needed=lambda stack: bool(stack.registry.harbor),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="harborPullPassword",
        purpose="nodes to Harbor, for pulling only",
        # This program tells it to Harbor; the namespace that Argo CD makes gets it from Vault.
        is_needed=lambda stack: bool(stack.registry.harbor),
        also_in_vault=True,
    ),
    SecretKey(
        name="vendorRegistryPassword",
        purpose="this machine to the vendor's registry, for looking and copying",
        is_needed=lambda stack: bool(stack.registry.vendor and stack.registry.vendor.username),
        origin=Origin.GIVEN,
    ),
    SecretKey(
        name="vendorPullPassword",
        purpose="nodes to the vendor's registry, where its images are not copied",
        is_needed=unless_in_vault(
            lambda stack: (
                stack.registry.vendor and stack.registry.vendor.username and stack.aipp and stack.aipp.pull_secret
            )
        ),
        origin=Origin.GIVEN,
    ),
)
