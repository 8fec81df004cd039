"""The cluster a stack lives in: how it is reached, its namespaces, the labels of everything in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions

PROJECT = "aihub"
STACK = f"{PROJECT}/stack"
"""Label of a namespace: the stack that it belongs to."""

POD_SECURITY_EXCEPTIONS: Mapping[str, str] = {
    "builds": "seccomp Unconfined for rootless BuildKit, which makes a user namespace of its own; root for Kaniko",
    "registry": "a host port: nodes pull images from it before any cluster network is up",
    "storage": "folders of the node: what makes volumes writes outside of any volume",
    "node-exporter": "files of the node: what measures its disks, memory and processors must see them",
    "gpu": "the kubelet's folder of sockets: the device plugin registers its cards there",
}
"""Space -> what its pods need beyond Pod Security `restricted`, and why. Every space not listed is restricted."""


def labels(room: str, component: str, part: str | None = None) -> dict[str, Input[str]]:
    """Return the labels of every object of a component; they are constant, so selectors may use them.

    Args:
        room: folder in ``infra/`` that declares it.
        component: name of the component's instance, e.g. ``redis``.
        part: what within it, where it runs more than one kind of pod, e.g. ``garbage-collection``.
    """
    return {
        "app.kubernetes.io/name": part or component,
        "app.kubernetes.io/component": room,
        "app.kubernetes.io/part-of": PROJECT,
        "app.kubernetes.io/managed-by": "pulumi",
    }


def selector(component: str) -> dict[str, str]:
    """Return the labels that pick a component's pods, among everything in their namespace."""
    return {"app.kubernetes.io/name": component, "app.kubernetes.io/part-of": PROJECT}


def provider(context: str | None) -> k8s.Provider:
    """Return the connection to the cluster.

    Args:
        context: context of the kubeconfig (``$KUBECONFIG`` or ``~/.kube/config``); None: the current one.
    """
    # Volumes and their namespaces outlive `destroy`; the next `up` must take them over instead of failing on them.
    return k8s.Provider("cluster", context=context, upsert_existing_objects=True)


@dataclass(frozen=True, kw_only=True)
class NamespacesArgs:
    """What :class:`Namespaces` needs from its caller."""

    names: Mapping[str, str]
    """Space -> name of its namespace."""


class Namespaces(ComponentResource):
    """The namespaces of all spaces, each with the Pod Security level that its pods may have."""

    names: Output[dict[str, str]]
    """Space -> name of its namespace; known once the namespaces are there."""

    def __init__(self, name: str, args: NamespacesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:cluster:Namespaces", name, {}, opts)
        made = {
            space: k8s.core.v1.Namespace(
                f"{name}-{space}",
                metadata={"name": namespace, "labels": {**labels("cluster", space), **_pod_security(space)}},
                # Deleting a namespace deletes the claims in it, kept ones too.
                opts=ResourceOptions(parent=self, retain_on_delete=True),
            )
            for space, namespace in args.names.items()
        }
        self.names = Output.all(**{space: namespace.metadata["name"] for space, namespace in made.items()})
        self.register_outputs({"names": self.names})


def _pod_security(space: str) -> dict[str, Input[str]]:
    """Return the labels of the Pod Security admission; what is not enforced is still warned about."""
    level = "privileged" if space in POD_SECURITY_EXCEPTIONS else "restricted"
    prefix = "pod-security.kubernetes.io"
    return {f"{prefix}/enforce": level, f"{prefix}/warn": "restricted", f"{prefix}/audit": "restricted"}
