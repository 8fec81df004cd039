"""Each component as data: what to run, with which files, and how to ask whether it is well. Pure functions."""

from cluster.components.control_plane import controller_manager, etcd, kube_apiserver, scheduler
from cluster.components.service import Service
from cluster.components.storage import volume_provisioner
from cluster.components.worker import api_for_pods, containerd, kube_proxy, kubelet
from cluster.settings import Node


def services(node: Node) -> tuple[Service, ...]:
    """Return the node's services in the order in which they are started; they are stopped the other way round."""
    return tuple(
        component(node)
        for component in (
            containerd,
            etcd,
            kube_apiserver,
            api_for_pods,
            controller_manager,
            scheduler,
            kubelet,
            kube_proxy,
            volume_provisioner,
        )
    )
