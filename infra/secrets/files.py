"""Files that hold secrets: declared once as templates, filled by Pulumi or by External Secrets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from string import Template

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions, RunError
from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

from infra.cluster import labels
from infra.config.secrets import VaultConfig
from infra.site import Site

REFRESH_INTERVAL = "1h"
"""How often External Secrets looks for a new value in Vault."""


@dataclass(frozen=True, kw_only=True)
class SecretFilesArgs:
    """What :class:`SecretFiles` needs from its caller."""

    namespace: Input[str]
    """Namespace of the Secret."""
    labels: Mapping[str, Input[str]]
    """Labels of the Secret."""
    files: Mapping[str, str]
    """File -> template; ``${redisPassword}`` stands for the secret of that key."""
    values: Mapping[str, Input[str]]
    """Secrets by key, for the templates; unused where Vault has them."""
    vault: VaultConfig | None = None
    """Where External Secrets finds them; absent: ``values`` go into a Secret of ours."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Key -> entry in Vault, for those that lie elsewhere than at ``vault.path``."""
    type: str = "Opaque"
    """Type of the Secret."""


class SecretFiles(ComponentResource):
    """A Secret, or the ExternalSecret that makes one of the same name."""

    secret: Output[str]
    """Name of the Secret."""
    version: Output[str]
    """Changes when the Secret's content does (with Vault: when its shape does; a new value needs a restart)."""

    def __init__(self, name: str, args: SecretFilesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:secrets:SecretFiles", name, {}, opts)
        child = ResourceOptions(parent=self)
        keys = keys_of(args.files)
        if args.vault:
            content: Mapping[str, Input[str]] = {file: for_vault(text) for file, text in args.files.items()}
            metadata: ObjectMetaArgsDict = {"name": name, "namespace": args.namespace, "labels": args.labels}
            spec = external_secret_spec(name, args, args.vault, content)
            declared = k8s.apiextensions.CustomResource(
                f"{name}-external",
                api_version="external-secrets.io/v1",
                kind="ExternalSecret",
                metadata=metadata,
                spec=spec,
                opts=child,
            )
            self.secret = declared.metadata["name"]  # type: ignore[attr-defined]  # set at run time only
        else:
            known = Output.all(**{key: args.values[key] for key in keys})
            content = {file: known.apply(partial(fill, text)) for file, text in args.files.items()}
            secret = k8s.core.v1.Secret(
                f"{name}-secret",
                metadata={"name": name, "namespace": args.namespace, "labels": args.labels},
                string_data=content,
                type=args.type,
                opts=child,
            )
            self.secret = secret.metadata["name"]
        # A hash of 256 random bits tells nothing; it must be readable to show that pods are replaced, and why.
        self.version = Output.unsecret(Output.all(**content).apply(_digest))
        self.register_outputs({"secret": self.secret, "version": self.version})


def declare_secret(
    site: Site,
    room: str,
    name: str,
    space: str,
    files: Mapping[str, str],
    *,
    component: str | None = None,
    more_labels: Mapping[str, str] | None = None,
    paths: Mapping[str, str] | None = None,
) -> SecretFiles:
    """Declare a Secret of the stack's own secrets, wherever it keeps them.

    Args:
        site: the installation.
        room: whose it is.
        name: what it is called.
        space: whose namespace it is in.
        files: file -> template.
        component: what its labels call it; None: its name.
        more_labels: further labels.
        paths: key -> entry in Vault, for those that lie elsewhere than the rest.
    """
    return SecretFiles(
        name,
        SecretFilesArgs(
            namespace=site.namespaces[space],
            labels={**labels(room, component or name), **(more_labels or {})},
            files=files,
            values=site.secrets.values,
            vault=site.stack.secrets.vault,
            paths=paths or {},
        ),
        opts=site.options,
    )


def keys_of(files: Mapping[str, str]) -> list[str]:
    """Return the secret keys that the templates use, sorted."""
    return sorted({key for text in files.values() for key in Template(text).get_identifiers()})


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a template with the secrets in their places.

    Raises:
        RunError: a secret would end the quotes that the template puts around it.
    """
    for key in Template(text).get_identifiers():
        if f'"${{{key}}}"' in text and set(values[key]) & set('"\\\r\n'):
            raise RunError(f"aihub:{key}: holds a quote, a backslash or a line break; choose one without")
    return Template(text).substitute(values)


def for_vault(text: str) -> str:
    """Return a template as External Secrets writes it: ``${key}`` becomes ``{{ .key }}``."""
    return Template(text).substitute({key: f"{{{{ .{key} }}}}" for key in Template(text).get_identifiers()})


def external_secret_spec(
    name: str, args: SecretFilesArgs, vault: VaultConfig, content: Mapping[str, Input[str]]
) -> dict[str, object]:
    """Return the spec of an ExternalSecret (external-secrets.io/v1) that makes the Secret ``name``."""
    return {
        "refreshInterval": REFRESH_INTERVAL,
        "secretStoreRef": {"kind": "ClusterSecretStore", "name": vault.store},
        "target": {
            "name": name,
            "creationPolicy": "Owner",
            "template": {"type": args.type, "engineVersion": "v2", "data": content},
        },
        "data": [
            {"secretKey": key, "remoteRef": {"key": args.paths.get(key, vault.path), "property": key}}
            for key in keys_of(args.files)
        ],
    }


def _digest(content: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(f"{file}\0{content[file]}" for file in sorted(content)).encode()).hexdigest()[:16]
