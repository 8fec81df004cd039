"""Whom the stack's programs trust beside the public authorities: `network.authorities`, for every room.

Each namespace of ours has them in a ConfigMap of one name. Go and Python take them from :data:`FILE` by
:data:`ENVIRONMENT`, and from their image the public ones; Git wants all in one file, which :func:`bundle_maker` writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, ResourceOptions
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from infra.cluster import labels
from infra.config import StackConfig, pem
from infra.folders import Folder
from infra.workload import content_hash, resources

CONFIG_MAP = "authorities"
FOLDER = "/etc/aihub-authorities"
FILE = f"{FOLDER}/ca.crt"
"""All of them; ``1.pem``, ``2.pem`` and so on beside it are each one, for who takes only one."""
VERSION = "aihub/authorities-version"
"""Pod annotation that changes with them: programs read them at their start."""
VOLUME: dict[str, Any] = {"name": "authorities", "configMap": {"name": CONFIG_MAP}}
MOUNT: dict[str, Any] = {"name": "authorities", "mountPath": FOLDER, "readOnly": True}
ENVIRONMENT: list[EnvVarArgsDict] = [{"name": "SSL_CERT_FILE", "value": FILE}]
"""A list of its own beside the folder of the image: both are read, by Go and by OpenSSL."""

BUNDLE_FOLDER = "/etc/aihub-trust"
BUNDLE = f"{BUNDLE_FOLDER}/bundle.crt"
"""The public ones of an image, and ours."""
BUNDLE_VOLUME: dict[str, Any] = {"name": "trust", "emptyDir": {"sizeLimit": "8Mi"}}
BUNDLE_MOUNT: dict[str, Any] = {"name": "trust", "mountPath": BUNDLE_FOLDER}
BUNDLE_ENVIRONMENT: list[EnvVarArgsDict] = [
    {"name": name, "value": BUNDLE} for name in ("SSL_CERT_FILE", "GIT_SSL_CAINFO")
]
MAKE_BUNDLE = (
    f'for file in /etc/ssl/certs/ca-certificates.crt {FILE}; do [ ! -r "$file" ] || cat "$file"; done > {BUNDLE}'
)


def version_of(stack: StackConfig) -> str | None:
    """Return what changes with the authorities; None: there are none but the public ones, and no ConfigMap."""
    own = stack.network.authorities
    return content_hash({"": own}) if own else None


def annotations(version: str | None) -> dict[str, Input[str]]:
    """Return those of a pod that trusts them."""
    return {VERSION: version} if version else {}


def bundle_writer(image: Input[str]) -> ContainerArgsDict:
    """Return the init container that writes :data:`BUNDLE`; ``image`` has a shell, and the public authorities."""
    return {
        "name": "trust",
        "image": image,
        "command": ["sh", "-c", MAKE_BUNDLE],
        "resources": resources(cpu_millicores=100, memory_mib=32),
    }


def folder(path: str = FOLDER) -> Folder:
    """Return where the containers of a pod of ours find them."""
    return Folder.of_config("authorities", path, CONFIG_MAP)


def bundle_folders() -> tuple[Folder, Folder]:
    """Return what the writer and its readers find, of a pod of ours."""
    return folder(), Folder.empty("trust", BUNDLE_FOLDER)


def bundle_maker(image: str, security: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same, for charts and for pods that others make (camelCase)."""
    mounts = [MOUNT, BUNDLE_MOUNT]
    return {**bundle_writer(image), "securityContext": dict(security), "volumeMounts": mounts}


@dataclass(frozen=True, kw_only=True)
class AuthoritiesArgs:
    """What :class:`Authorities` needs from its caller."""

    namespaces: Mapping[str, Input[str]]
    """Space -> name of its namespace."""
    certificates: str
    """The certificates, as PEM text."""


class Authorities(ComponentResource):
    """The ConfigMap :data:`CONFIG_MAP` in each namespace."""

    def __init__(self, name: str, args: AuthoritiesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:Authorities", name, {}, opts)
        each = pem.as_text(pem.certificates(args.certificates))
        for space, namespace in args.namespaces.items():
            k8s.core.v1.ConfigMap(
                f"{name}-{space}",
                metadata={"name": CONFIG_MAP, "namespace": namespace, "labels": labels("network", name)},
                data={"ca.crt": "".join(each), **{f"{number}.pem": text for number, text in enumerate(each, start=1)}},
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})
