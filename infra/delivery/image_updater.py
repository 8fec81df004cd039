"""Argo CD Image Updater: sees a new image in the registry and writes its tag to Git."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, Resource, ResourceOptions

from infra.chart import release
from infra.cluster import labels
from infra.config import StackConfig
from infra.config.delivery import ImageUpdaterConfig
from infra.delivery.applications import PARTS, overlay
from infra.delivery.argocd import CONTAINER_SECURITY
from infra.network import authorities
from infra.versions import IMAGE_UPDATER, IMAGE_UPDATER_IMAGE
from infra.workload import resources

NAME = "chat"
"""Name of the ImageUpdater."""
METRICS_PORT = 8085
API_VERSION = "argocd-image-updater.argoproj.io/v1alpha1"


@dataclass(frozen=True, kw_only=True)
class ImageUpdaterArgs:
    """What an :class:`ImageUpdater` needs from its caller."""

    namespace: Input[str]
    """Argo CD's namespace: Image Updater reads the Applications and the Git account there."""
    config: ImageUpdaterConfig
    """Its size."""
    registry: dict[str, Any] | None
    """Entry about a registry of our own; absent: the registry speaks HTTPS and needs no login."""
    depends_on: tuple[Resource, ...]
    """What must be there first."""
    authorities: str | None = None
    """Changes with the authorities in the namespace's ConfigMap; absent: the public ones only."""


class ImageUpdater(ComponentResource):
    """The chart; what it looks for stands in Git, as an ImageUpdater that Argo CD owns."""

    release: Output[str]
    """Name of the release; known once its pod is ready and its kind is known to the cluster."""

    def __init__(self, name: str, args: ImageUpdaterArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:ImageUpdater", name, {}, opts)
        values = {
            "crds": {"install": True, "keep": True},
            "image": {"pullPolicy": "IfNotPresent"},
            "config": {
                "registries": [args.registry] if args.registry else [],
                "git.user": "image-updater",
                "git.email": "image-updater@aihub.invalid",
            },
            # By HTTP: over TLS it would ask the API server who Prometheus is. Nobody else's pods reach the port.
            "metrics": {"enabled": True},
            "containerPorts": {"metrics": METRICS_PORT},
            "extraArgs": ["--metrics-secure=false"],
            "resources": dict(resources(cpu_millicores=250, memory_mib=args.config.memory_mib)),
            **(_trust(args.authorities) if args.authorities else {}),
        }
        chart = release(
            name, IMAGE_UPDATER, namespace=args.namespace, values=values, parent=self, depends_on=args.depends_on
        )
        self.release = chart.name.apply(str)
        self.register_outputs({"release": self.release})


def _trust(version: str) -> dict[str, Any]:
    """Return the values with which it trusts a company's authorities: the registry's, and by a bundle Git's."""
    return {
        "podAnnotations": authorities.annotations(version),
        "initContainers": [authorities.bundle_maker(IMAGE_UPDATER_IMAGE, CONTAINER_SECURITY)],
        "volumes": [authorities.VOLUME, authorities.BUNDLE_VOLUME],
        "volumeMounts": [{**authorities.BUNDLE_MOUNT, "readOnly": True}],
        "extraEnv": authorities.BUNDLE_ENVIRONMENT,
    }


def registry_entry(stack: StackConfig, pull_secret: str | None) -> dict[str, Any] | None:
    """Return what Image Updater must know of the stack's registry; None where its defaults fit.

    It asks a registry of our own through its Service: the name in image references is one that nodes resolve, pods not.
    """
    registry = stack.registry
    server = registry.server
    if not server and not pull_secret:
        return None
    entry: dict[str, Any] = {"name": "ours", "prefix": registry.host, "default": False}
    if server:
        scheme = "https" if server.tls else "http"
        port = registry.host.rpartition(":")[2]
        entry |= {"api_url": f"{scheme}://{server.service_name}:{port}", "insecure": not server.tls}
    else:
        entry |= {"api_url": f"https://{registry.host}", "insecure": False}
    return entry | ({"credentials": f"pullsecret:{stack.delivery.namespace}/{pull_secret}"} if pull_secret else {})


def manifest(stack: StackConfig, stack_name: str, images: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return the ImageUpdater as it stands in Git.

    Args:
        stack: the configuration; ``delivery.image_updater`` is set.
        stack_name: whose overlays are written to.
        images: Application -> the image repositories that it runs.

    Raises:
        ValueError: the stack has no Image Updater.
    """
    delivery = stack.delivery
    if not delivery.image_updater:
        raise ValueError("aihub:delivery.imageUpdater is not set: there is nothing to write down")
    return {
        "apiVersion": API_VERSION,
        "kind": "ImageUpdater",
        "metadata": {
            "name": NAME,
            "namespace": delivery.namespace,
            "labels": {**labels("delivery", "image-updater"), "app.kubernetes.io/managed-by": "argocd"},
        },
        "spec": {
            # By build date: a commit's name has no order. Builds carry their commit's date (docs/decisions/1002).
            "commonUpdateSettings": {
                "updateStrategy": "newest-build",
                "allowTags": delivery.image_updater.allow_tags,
            },
            "applicationRefs": [
                {
                    "namePattern": part.pattern,
                    "writeBackConfig": {
                        # With the account that Argo CD itself has for this repository.
                        "method": "git",
                        "gitConfig": {
                            "repository": delivery.repository,
                            "branch": delivery.branch,
                            "writeBackTarget": f"kustomization:/{overlay(stack, part.application, stack_name)}",
                        },
                    },
                    "images": [
                        {"alias": image.rpartition("/")[2], "imageName": image} for image in images[part.application]
                    ],
                }
                for part in PARTS
                if images.get(part.application)
            ],
        },
    }


def refused(stack: StackConfig, tags: tuple[str, ...] = ("latest",)) -> str:
    """Return the patch that lists refused tags, as infra/delivery/rollback.py reads and writes it."""
    lines = "".join(f'    - "{tag}"\n' for tag in tags)
    return (
        f"apiVersion: {API_VERSION}\nkind: ImageUpdater\nmetadata:\n  name: {NAME}\n"
        f"  namespace: {stack.delivery.namespace}\nspec:\n  commonUpdateSettings:\n    ignoreTags:\n{lines}"
    )
