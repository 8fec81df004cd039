"""Vault's agent in place of Secrets: what its injector must be told so that a pod finds the same files.

The pods are declared as they are everywhere, with the volume of a Secret; a transformation takes that volume out and
puts annotations in, so that no component knows of it (docs/decisions/1502).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

from pulumi import ResourceTransformation, ResourceTransformationArgs, ResourceTransformationResult

from infra.config.secrets import VaultAccessConfig
from infra.secrets.access import AUDIENCE
from infra.workload import RUN_AS

PREFIX = "vault.hashicorp.com"
TOKEN_VOLUME = "vault-token"  # noqa: S105 - the name of a volume
TOKEN_SECONDS = 600
KINDS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet")


@dataclass(frozen=True, kw_only=True)
class AgentFiles:
    """What the agent writes for one pod."""

    role: str
    """Role that the pod's account has in Vault."""
    files: Mapping[str, str]
    """File -> template; ``${redisPassword}`` stands for the secret of that key."""
    paths: Mapping[str, str]
    """Key -> entry in Vault."""


def by_agent(access: VaultAccessConfig, mount: str, secrets: Mapping[str, AgentFiles]) -> ResourceTransformation:
    """Return what turns every pod that mounts one of ``secrets`` (name of a Secret) into one that Vault's agent serves.

    Args:
        access: where pods log in.
        mount: mount of the key-value engine, version 2.
        secrets: name of the Secret that is declared nowhere -> what the agent writes in its place.
    """

    def transform(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ not in KINDS:
            return None
        spec: Any = args.props["spec"]
        template: Any = spec["template"]
        found = {volume["name"]: _secret_of(volume) for volume in template["spec"]["volumes"]}
        volumes = [volume for volume, secret in found.items() if secret in secrets]
        if not volumes:
            return None
        (volume,) = volumes  # one Secret each: else two agents would write into one pod
        its = secrets[str(found[volume])]
        pod, folder = _without(template["spec"], volume)
        metadata = template["metadata"]
        told = {**metadata.get("annotations", {}), **annotations(access, mount, its, folder)}
        changed = {**template, "metadata": {**metadata, "annotations": told}, "spec": pod}
        props = {**args.props, "spec": {**spec, "template": changed}}
        return ResourceTransformationResult(props=props, opts=args.opts)

    return transform


def annotations(access: VaultAccessConfig, mount: str, its: AgentFiles, folder: str) -> dict[str, str]:
    """Return what the injector is told: who logs in, what is written, where, and that it is written once, first."""
    told = {
        "agent-inject": "true",
        # Waiting for a store needs its password; a new one comes with a restart, as where there are Secrets.
        "agent-init-first": "true",
        "agent-pre-populate-only": "true",
        "role": its.role,
        "auth-path": f"auth/{access.auth_mount}",
        "agent-service-account-token-volume-name": TOKEN_VOLUME,
        "agent-run-as-user": str(RUN_AS),
        "agent-run-as-group": str(RUN_AS),
        "secret-volume-path": folder,
        "preserve-secret-case": "true",
    }
    for file, text in sorted(its.files.items()):
        keys = sorted(Template(text).get_identifiers())
        told |= {
            f"agent-inject-secret-{file}": f"{mount}/data/{its.paths[keys[0]]}",
            f"agent-inject-template-{file}": for_agent(text, mount, its.paths),
            f"agent-inject-perms-{file}": "0440",
            # Else it would write `<no value>`, and the pod would start with that.
            f"error-on-missing-key-{file}": "true",
        }
    return {f"{PREFIX}/{name}": value for name, value in told.items()}


def for_agent(text: str, mount: str, paths: Mapping[str, str]) -> str:
    """Return a template as Vault's agent writes it."""
    return Template(text).substitute(
        {
            key: f'{{{{ with secret "{mount}/data/{paths[key]}" }}}}{{{{ .Data.data.{key} }}}}{{{{ end }}}}'
            for key in Template(text).get_identifiers()
        }
    )


def _secret_of(volume: Mapping[str, Any]) -> object:
    """Return the Secret behind a volume; None: there is none, or only a part of it is mounted."""
    source = volume.get("secret", {})
    return None if source.get("items") else source.get("secret_name")


def _without(pod: Mapping[str, Any], volume: str) -> tuple[dict[str, Any], str]:
    """Return a pod without a volume, with a token for Vault instead, and the folder in which the volume was."""
    kinds = [kind for kind in ("containers", "init_containers") if kind in pod]
    mounts = [mount for kind in kinds for each in pod[kind] for mount in each["volume_mounts"]]
    (folder,) = {mount["mount_path"] for mount in mounts if mount["name"] == volume}
    token = {"service_account_token": {"audience": AUDIENCE, "expiration_seconds": TOKEN_SECONDS, "path": "token"}}
    kept = [each for each in pod["volumes"] if each["name"] != volume]
    return {
        **pod,
        **{kind: [_unmounted(each, volume) for each in pod[kind]] for kind in kinds},
        "volumes": [*kept, {"name": TOKEN_VOLUME, "projected": {"sources": [token]}}],
    }, str(folder)


def _unmounted(container: Mapping[str, Any], volume: str) -> dict[str, Any]:
    mounts: Sequence[Mapping[str, Any]] = container["volume_mounts"]
    return {**container, "volume_mounts": [mount for mount in mounts if mount["name"] != volume]}
