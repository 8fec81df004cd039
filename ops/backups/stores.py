"""Which stores a stack has, and where their pods are."""

from dataclasses import dataclass
from types import ModuleType
from typing import cast

from infra.aipp import names as aipp
from infra.cluster import selector
from infra.config import StackConfig
from ops.backups import chroma, postgres, rabbitmq, redis
from ops.backups.kinds import Kind
from ops.backups.reach import Pod
from ops.errors import OpsError
from ops.kubectl import Kubectl


@dataclass(frozen=True, kw_only=True)
class Store:
    """One server that keeps something nobody can make again."""

    name: str
    """What the backup calls it."""
    kind: str
    """Key of :data:`KINDS`; its name in the cluster, too."""
    namespace: str
    """Where it is declared."""

    @property
    def does(self) -> Kind:
        """Return what can be done with it."""
        return KINDS[self.kind]


def _kind(module: ModuleType) -> Kind:
    return cast("Kind", module)


KINDS: dict[str, Kind] = {
    "redis": _kind(redis),
    "chroma": _kind(chroma),
    aipp.PGVECTOR: _kind(postgres),
    aipp.RABBITMQ: _kind(rabbitmq),
}


def stores(stack: StackConfig) -> tuple[Store, ...]:
    """Return the stores of a stack."""
    chat = [Store(name=kind, kind=kind, namespace=stack.data.namespace) for kind in ("redis", "chroma")]
    package = [
        Store(name=aipp.component(kind), kind=kind, namespace=stack.aipp.namespace)
        for kind in aipp.STORES
        if stack.aipp
    ]
    return (*chat, *package)


def pod_of(kubectl: Kubectl, store: Store, namespace: str) -> Pod:
    """Return the store's pod.

    Raises:
        OpsError: the cluster does not answer, or no such pod is ready.
    """
    labels = ",".join(f"{key}={value}" for key, value in selector(store.kind).items())
    for item in kubectl.get("-n", namespace, "pods", "-l", labels)["items"]:
        conditions = item["status"].get("conditions") or ()
        if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            return Pod(kubectl=kubectl, namespace=namespace, pod=item["metadata"]["name"], container=store.kind)
    raise OpsError(
        f"{store.name}: no ready pod in namespace {namespace} has the labels {labels}",
        f"kubectl -n {namespace} get pods; make up brings it",
    )
