"""The architecture on one screen: the rooms in their order. It declares no resource itself.

Not declared here and needed: the cluster and its StorageClass; where the configuration names them, an ingress
controller, cert-manager, Argo CD, External Secrets with its store, a registry that exists already.
"""

from typing import Any

import pulumi
from pulumi import ResourceOptions

import infra.chat.plan
import infra.chat.room
import infra.data.plan
import infra.data.room
import infra.network.plan
import infra.network.room
import infra.registry.plan
import infra.registry.room
from infra import cluster
from infra.config import Secrets, StackConfig, load
from infra.plan import Plan, merged
from infra.site import Site


def plan(stack: StackConfig) -> Plan:
    """Return what the whole stack takes up: its namespaces, its pods, and who calls whom."""
    rooms = (infra.network, infra.registry, infra.data, infra.chat)
    return merged(room.plan.plan(stack) for room in rooms)


def declare(stack: StackConfig, secrets: Secrets) -> dict[str, Any]:
    """Declare one installation and return what the stack exports."""
    on_cluster = ResourceOptions(provider=cluster.provider(stack.cluster.context))
    whole = plan(stack)
    names = {space: its.namespace for space, its in whole.spaces.items() if its.ours}
    namespaces = cluster.Namespaces("namespaces", cluster.NamespacesArgs(names=names), opts=on_cluster)

    site = Site(
        stack=stack,
        secrets=secrets,
        plan=whole,
        namespaces={space: namespaces.names[space] for space in names},
        options=on_cluster,
    )
    infra.network.room.declare(site)  # who may call whom: nothing but the declared flows
    registry = infra.registry.room.declare(site)  # where images are pushed to and pulled from
    stores = infra.data.room.declare(site, registry)  # Redis: conversations; Chroma: documents
    chat_url = infra.chat.room.declare(site, registry, stores)  # api and engine, by Pulumi or by Argo CD

    return {
        "chatUrl": chat_url,
        "chatDelivery": stack.chat.delivery,
        "namespaces": names,
        "registry": registry.host,
    }


def deploy() -> None:
    """Run as the Pulumi program.

    Raises:
        ConfigError: the stack's configuration is wrong; every mistake is in the message.
    """
    for name, value in declare(*load()).items():
        pulumi.export(name, value)
