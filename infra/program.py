"""The architecture on one screen: the rooms in their order. It declares no resource itself.

Not declared here and needed: the cluster and its StorageClass; where the configuration names them, an ingress
controller, cert-manager, Argo CD, External Secrets with its store, a registry that exists already.
"""

from typing import Any

import pulumi
from pulumi import ResourceOptions

import infra.chat.room
import infra.data.room
import infra.network.room
import infra.registry.room
from infra import cluster
from infra.config import Secrets, StackConfig, load
from infra.site import Site


def declare(stack: StackConfig, secrets: Secrets) -> dict[str, Any]:
    """Declare one installation and return what the stack exports."""
    on_cluster = ResourceOptions(provider=cluster.provider(stack.cluster.context))
    rooms = {"data": stack.data.namespace, "chat": stack.chat.namespace}
    if stack.registry.server:
        rooms["registry"] = stack.registry.server.namespace
    namespaces = cluster.Namespaces("namespaces", cluster.NamespacesArgs(names=rooms), opts=on_cluster)

    site = Site(
        stack=stack,
        secrets=secrets,
        namespaces={room: namespaces.names[room] for room in rooms},
        options=on_cluster,
    )
    infra.network.room.declare(site)  # who may call whom: nothing but the declared flows
    registry = infra.registry.room.declare(site)  # where images are pushed to and pulled from
    stores = infra.data.room.declare(site, registry)  # Redis: conversations; Chroma: documents
    chat_url = infra.chat.room.declare(site, registry, stores)  # api and engine, by Pulumi or by Argo CD

    return {
        "chatUrl": chat_url,
        "chatDelivery": stack.chat.delivery,
        "namespaces": rooms,
        "registry": registry.host,
    }


def deploy() -> None:
    """Run as the Pulumi program.

    Raises:
        ConfigError: the stack's configuration is wrong; every mistake is in the message.
    """
    for name, value in declare(*load()).items():
        pulumi.export(name, value)
