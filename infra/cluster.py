"""The cluster a stack lives in: how it is reached, its namespaces, the labels of everything in it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_kubernetes as k8s
from pulumi import ComponentResource, Input, Output, ResourceOptions

PROJECT = "aihub"

HOST_PORT_EXCEPTION = "hostPort"
"""The one thing a namespace may be excepted from Pod Security `restricted` for in this program."""

POD_SECURITY_EXCEPTIONS: Mapping[str, str] = {
    "registry": f"{HOST_PORT_EXCEPTION}: nodes pull images from it before any cluster network is up",
}
"""Room -> what its namespace needs beyond Pod Security `restricted`, and why. Everything not listed is restricted."""


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


def selector(component: str) -> dict[str, Input[str]]:
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
    """Room -> name of its namespace."""


class Namespaces(ComponentResource):
    """The namespaces of all rooms, each with the Pod Security level that its room may have."""

    names: Output[dict[str, str]]
    """Room -> name of its namespace; known once the namespaces are there."""

    def __init__(self, name: str, args: NamespacesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:cluster:Namespaces", name, {}, opts)
        made = {
            room: k8s.core.v1.Namespace(
                f"{name}-{room}",
                metadata={"name": namespace, "labels": {**labels("cluster", room), **_pod_security(room)}},
                # Deleting a namespace deletes the claims in it, kept ones too.
                opts=ResourceOptions(parent=self, retain_on_delete=True),
            )
            for room, namespace in args.names.items()
        }
        self.names = Output.all(**{room: namespace.metadata["name"] for room, namespace in made.items()})
        self.register_outputs({"names": self.names})


def _pod_security(room: str) -> dict[str, Input[str]]:
    """Return the labels of the Pod Security admission; what is not enforced is still warned about."""
    level = "privileged" if room in POD_SECURITY_EXCEPTIONS else "restricted"
    prefix = "pod-security.kubernetes.io"
    return {f"{prefix}/enforce": level, f"{prefix}/warn": "restricted", f"{prefix}/audit": "restricted"}
