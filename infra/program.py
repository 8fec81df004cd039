"""The architecture on one screen: the rooms in their order. It declares no resource itself.

Not declared here and needed: the cluster and its StorageClass; where the configuration names them, an ingress
controller, cert-manager, Argo CD, External Secrets with its store, a registry that exists already.
"""

from typing import Any

import pulumi
from pulumi import ResourceOptions

import infra.aipp.plan
import infra.aipp.room
import infra.chat.plan
import infra.chat.room
import infra.ci.plan
import infra.ci.room
import infra.data.plan
import infra.data.room
import infra.delivery.plan
import infra.delivery.room
import infra.gpu.plan
import infra.gpu.room
import infra.network.plan
import infra.network.room
import infra.observability.plan
import infra.observability.room
import infra.registry.plan
import infra.registry.room
import infra.secrets.room
import infra.storage.plan
import infra.storage.room
import infra.tools.plan
import infra.tools.room
from infra import cluster
from infra.config import ConfigError, Secrets, StackConfig, load
from infra.plan import Plan, kubernetes_namespaces, merged, shared_namespaces
from infra.site import Site
from infra.storage.schedules import scheduled


def plan(stack: StackConfig) -> Plan:
    """Return what the whole stack takes up: its namespaces, its pods, and who calls whom.

    Raises:
        ConfigError: two parts would share a namespace, or one would take somebody else's.
    """
    rooms = (
        infra.network,
        infra.storage,
        infra.gpu,
        infra.registry,
        infra.ci,
        infra.data,
        infra.chat,
        infra.delivery,
        infra.tools,
        infra.aipp,
    )
    plans = [room.plan.plan(stack) for room in rooms]
    whole = merged([*plans, infra.observability.plan.plan(stack, plans)])  # what the others run is what is measured
    if problems := [*shared_namespaces(stack, whole), *kubernetes_namespaces(whole)]:
        raise ConfigError("The stack's configuration is wrong:\n  " + "\n  ".join(problems), problems)
    return whole


def declare(stack: StackConfig, secrets: Secrets) -> dict[str, Any]:
    """Declare one installation and return what the stack exports."""
    on_cluster = scheduled(stack, ResourceOptions(provider=cluster.provider(stack.cluster.context)))
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
    infra.secrets.room.declare(site)  # who may read what in Vault
    infra.network.room.declare(site)  # who may call whom: nothing but the declared flows
    infra.storage.room.declare(site)  # what makes volumes, where the cluster has nothing that does
    infra.gpu.room.declare(site)  # RuntimeClass and device plugin
    registry = infra.registry.room.declare(site)  # where images are pushed to and pulled from
    infra.ci.room.declare(site, registry)  # Git server, Jenkins, builders: from a push to an image
    stores = infra.data.room.declare(site, registry)  # Redis: conversations; Chroma: documents
    delivery = infra.delivery.room.declare(site, registry)  # Argo CD, Image Updater, Argo Rollouts
    chat_url = infra.chat.room.declare(site, registry, stores, delivery)  # api and engine, by Pulumi or by Argo CD
    infra.tools.room.declare(site)  # Penpot
    aipp_url = infra.aipp.room.declare(site, registry, delivery)  # the vendor's eight services, the same two ways
    infra.observability.room.declare(site)  # what measures all of it, shows it and raises alarms

    return {
        "chatUrl": chat_url,
        "chatDelivery": stack.chat.delivery,
        "namespaces": names,
        "registry": registry.host,
        **({"aippUrl": aipp_url, "aippNamespace": stack.aipp.namespace} if stack.aipp and aipp_url else {}),
        **({"gpus": gpus} if (gpus := sum(stack.card_requests().values())) else {}),
    }


def deploy() -> None:
    """Run as the Pulumi program.

    Raises:
        ConfigError: the stack's configuration is wrong; every mistake is in the message.
    """
    for name, value in declare(*load()).items():
        pulumi.export(name, value)
