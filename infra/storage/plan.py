"""The namespace of what provides volumes, its pods, and whom they call."""

from infra.cluster import selector
from infra.config import StackConfig
from infra.plan import API_SERVER_PORT, Flow, Plan, Pods, Space, World

COMPONENT = "local-path"
"""Component, and name of its objects."""
LONGHORN = "longhorn"
_ADMISSION_PORT = 9502
_NFS_PORT, _HTTPS_PORT = 2049, 443


def plan(stack: StackConfig) -> Plan:
    """Return what a provisioner of this stack's takes up; of the cluster's only where it is, if that is told."""
    storage = stack.storage
    if storage.local_path:
        return Plan(
            spaces={"storage": Space(namespace=storage.local_path.namespace)},
            pods={COMPONENT: Pods(space="storage", labels=selector(COMPONENT))},
            flows=(_watches(COMPONENT),),
        )
    if storage.longhorn:
        flows = [
            _watches(LONGHORN),
            Flow(source=World.API_SERVER, target=LONGHORN, port=_ADMISSION_PORT, reason="admission of its objects"),
        ]
        if backups := storage.longhorn.backups:
            port = _HTTPS_PORT if backups.is_s3 else _NFS_PORT
            flows.append(Flow(source=LONGHORN, target=World.ANYWHERE, port=port, reason="backups"))
        return Plan(
            spaces={"storage": Space(namespace=storage.longhorn.namespace)},
            pods={LONGHORN: Pods(space="storage")},
            flows=tuple(flows),
        )
    if storage.schedules:
        return Plan(spaces={"storage": Space(namespace=storage.schedules.namespace, ours=False)})
    return Plan()


def _watches(component: str) -> Flow:
    return Flow(source=component, target=World.API_SERVER, port=API_SERVER_PORT, reason="watches claims")
