"""Who of the eight services calls whom, stated once: network policies, waiting and the order of deployment follow."""

from collections.abc import Iterable
from dataclasses import dataclass

from infra.aipp.names import (
    BACKEND,
    DATA_PROCESSOR,
    FIELDS,
    FRONT,
    LINKER,
    PGVECTOR,
    RABBITMQ,
    REDIS,
    SCHEDULER,
    STORE_PORTS,
    STORES,
    component,
)
from infra.cluster import selector
from infra.config import StackConfig
from infra.config.aipp import AippConfig
from infra.data import rabbitmq
from infra.plan import INGRESS, Flow, Plan, Pods, Space, World

WAVES = {
    **dict.fromkeys(STORES, 1),
    BACKEND: 2,
    **dict.fromkeys((DATA_PROCESSOR, LINKER, SCHEDULER), 3),
    FRONT: 4,
}
"""Service -> its wave; 0 is what all of them read, and the way in comes with the last."""
ENTRANCE_WAVE = max(WAVES.values())


@dataclass(frozen=True, kw_only=True)
class Call:
    """One service that calls another."""

    source: str
    """Who calls."""
    target: str
    """Who answers."""
    reason: str
    """What for."""
    waits: bool = True
    """Whether the caller's pods start only once the target lets them in; False: it is asked while people work."""


CALLS = (
    Call(source=BACKEND, target=PGVECTOR, reason="tables, and vectors beside them"),
    Call(source=BACKEND, target=REDIS, reason="sessions and cached answers"),
    Call(source=BACKEND, target=RABBITMQ, reason="work for the others"),
    Call(source=BACKEND, target=LINKER, reason="link a text that a person waits for", waits=False),
    Call(source=DATA_PROCESSOR, target=PGVECTOR, reason="write what it collected"),
    Call(source=DATA_PROCESSOR, target=REDIS, reason="remember where it was"),
    Call(source=DATA_PROCESSOR, target=RABBITMQ, reason="take work, report results"),
    Call(source=DATA_PROCESSOR, target=BACKEND, reason="the backend makes the tables"),
    Call(source=LINKER, target=PGVECTOR, reason="read texts, write links"),
    Call(source=LINKER, target=RABBITMQ, reason="take work, report results"),
    Call(source=SCHEDULER, target=PGVECTOR, reason="what is due, and what was done"),
    Call(source=SCHEDULER, target=REDIS, reason="marks of what runs"),
    Call(source=SCHEDULER, target=RABBITMQ, reason="give out work"),
    Call(source=SCHEDULER, target=BACKEND, reason="the backend makes the tables"),
    Call(source=FRONT, target=BACKEND, reason="pages that are made on the server"),
)


def in_order(calls: Iterable[Call], waves: dict[str, int]) -> None:
    """Check that nobody waits for what is deployed later or together with it.

    Raises:
        ValueError: someone does: a mistake of the program; the message names both.
    """
    for call in calls:
        if call.waits and waves[call.target] >= waves[call.source]:
            raise ValueError(
                f"{call.source} (wave {waves[call.source]}) waits for {call.target} (wave {waves[call.target]}), which "
                "comes no earlier: it would wait for ever; give it an earlier wave, or do not wait"
            )


in_order(CALLS, WAVES)


def services(config: AippConfig) -> list[str]:
    """Return the services that are deployed, wave by wave; the linker is none where there is no GPU."""
    return [service for service in WAVES if service != LINKER or config.linker.gpu_count]


def calls(config: AippConfig, source: str) -> list[Call]:
    """Return whom a service calls, among those that are deployed."""
    there = services(config)
    return [call for call in CALLS if call.source == source and call.target in there]


def port(config: AippConfig, service: str) -> int:
    """Return where a service listens."""
    return STORE_PORTS[service] if service in STORES else config.services()[FIELDS[service]].port


def is_argocds(stack: StackConfig) -> bool:
    """Say whether the namespace and its policies stand in Git, too: nothing of Pulumi's is in it then.

    Where secrets are Pulumi's they need the namespace before Argo CD comes, and it stays Pulumi's with its policies.
    """
    config = stack.aipp
    if not config or config.delivery != "argocd":
        return False
    pulls_by_pulumi = stack.registry.username is not None and config.pull_secret is None
    return stack.secrets.vault is not None and not pulls_by_pulumi


def plan(stack: StackConfig) -> Plan:
    """Return what the services take up; nothing where the stack has none."""
    config = stack.aipp
    if not config:
        return Plan()
    there = services(config)
    flows = [
        Flow(source=INGRESS, target=service, port=port(config, service), reason="people open the page")
        for service in (FRONT, BACKEND)
    ]
    if config.rabbitmq.host:
        page = "people look at the queues"
        target = component(RABBITMQ)
        flows.append(Flow(source=INGRESS, target=target, port=rabbitmq.MANAGEMENT_PORT, reason=page))
    for service in there:
        flows += [
            Flow(
                source=component(service),
                target=component(call.target),
                port=port(config, call.target),
                reason=call.reason,
            )
            for call in calls(config, service)
        ]
        if service in FIELDS:
            flows += [
                Flow(source=service, target=World.ANYWHERE, port=outside, reason="what aipp names in outsidePorts")
                for outside in config.services()[FIELDS[service]].outside_ports
            ]
    if config.secrets_by == "agent" and stack.secrets.vault and stack.secrets.vault.access:
        vault = stack.secrets.vault.access.port
        flows += [
            Flow(source=component(service), target=World.ANYWHERE, port=vault, reason="Vault's agent fetches its files")
            for service in there
        ]
    return Plan(
        spaces={"aipp": Space(namespace=config.namespace, ours=not is_argocds(stack), in_git=is_argocds(stack))},
        pods={component(service): Pods(space="aipp", labels=selector(service)) for service in there},
        flows=tuple(flows),
    )
