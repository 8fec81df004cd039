"""Is on the cluster what the stack expects of others there? Whatever waits for a part that nobody runs waits for ever.

What is expected is read from everything that the stack declares; what it makes itself is not looked for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from infra.config import StackConfig
from infra.plan import World
from ops.machine import Finding
from ops.preflight.cilium import reaches_no_node
from ops.preflight.declared import Declared, walk
from ops.preflight.fields import lacking, manifests_of
from ops.preflight.reader import Machine
from ops.preflight.versions import too_old

NAME = "platform"
KINDS = "customresourcedefinitions"

OPERATORS = {
    "Application": ("argo-cd", "delivery.argocd"),
    "AppProject": ("argo-cd", "delivery.argocd"),
    "AnalysisTemplate": ("argo-rollouts", "delivery.rollouts"),
    "Rollout": ("argo-rollouts", "delivery.rollouts"),
    "Certificate": ("cert-manager", "network.certificates"),
    "ClusterIssuer": ("cert-manager", "network.certificates"),
    "Issuer": ("cert-manager", "network.certificates"),
    "PodMonitor": ("kube-prometheus-stack", "observability.stack"),
    "PrometheusRule": ("kube-prometheus-stack", "observability.stack"),
    "RecurringJob": ("longhorn", "storage.longhorn"),
}
"""Kind -> the chart that brings it where it is ours, and the field that has it installed."""
LISTS = {
    "IngressClass": "ingressclasses",
    "ClusterIssuer": "clusterissuers.cert-manager.io",
    "ClusterSecretStore": "clustersecretstores.external-secrets.io",
    "RuntimeClass": "runtimeclasses",
}
"""Kind of what an object names -> how it is listed."""


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return a finding for each part that is not there, or one that says that all are."""
    there = machine.kubectl("namespaces")
    if there is None:
        return [Finding(name=NAME, ok=True, says="no cluster answers yet, so nothing on it can be looked for")]
    found = [
        *_kinds(machine, declared),
        *_named(machine, declared),
        *_namespaces({item["metadata"]["name"] for item in there["items"]}, declared),
        *_collector(machine, declared),
        *reaches_no_node(machine, declared),
        *too_old(machine, declared),
    ]
    return found or [Finding(name=NAME, ok=True, says="every part of it that the stack names is there")]


def _kinds(machine: Machine, declared: Declared) -> Iterator[Finding]:
    """Yield what is to be said of kinds that others' operators bring."""
    listed = machine.kubectl(KINDS)
    if listed is None:
        yield Finding(name=NAME, ok=True, says=f"kinds were not looked for: {KINDS} cannot be listed by this account")
        return
    served = {
        f"{item['spec']['group']}/{version['name']} {item['spec']['names']['kind']}"
        for item in listed["items"]
        for version in item["spec"]["versions"]
        if version["served"]
    }
    kinds = _kinds_of(declared)
    for wanted in sorted(kinds - served):
        version, _, kind = wanted.partition(" ")
        group, field = version.partition("/")[0], OPERATORS.get(kind, ("", ""))[1]
        older = sorted(each for each in served if each.startswith(f"{group}/") and each.endswith(f" {kind}"))
        yield Finding(
            name=f"kind {kind}",
            ok=False,
            says=f"the cluster knows no {kind} of {version}" + (f", but {', '.join(older)}" if older else ""),
            fix="have its operator raised"
            if older
            else "have its operator installed" + f", or set {field}" * bool(field),
        )
    others = [each for each in manifests_of(declared) if f"{each['apiVersion']} {each['kind']}" in kinds]
    yield from lacking(listed["items"], others)


def _kinds_of(declared: Declared) -> set[str]:
    """Return ``group/version kind`` of everything that an operator brings which the stack does not install."""
    charts = {
        str(each.properties["chart"]).rpartition("/")[2]
        for each in declared.recording.resources
        if each.type.startswith("kubernetes:helm.sh/")
    }
    wanted = {f"{each.properties.get('apiVersion', '')} {each.kind}" for each in declared.recording.objects()}
    if _argocd_delivers(declared):
        wanted |= {"argoproj.io/v1alpha1 Application", "argoproj.io/v1alpha1 AppProject"}
    return {
        each
        for each in wanted
        if "." in (group := each.partition("/")[0])
        and not group.endswith(".k8s.io")
        and OPERATORS.get(each.partition(" ")[2], ("", ""))[0] not in charts
    }


def _argocd_delivers(declared: Declared) -> bool:
    # The recording has the objects that Argo CD will own, in place of the Applications.
    stack = declared.stack
    return "argocd" in {stack.chat.delivery, stack.aipp.delivery if stack.aipp else ""}


def _named(machine: Machine, declared: Declared) -> Iterator[Finding]:
    """Yield what is to be said of objects that others of the stack name, and that it does not make."""
    made = {(each.kind, each.object_name) for each in declared.recording.objects()}
    wanted = dict(each for resource in declared.recording.objects() for each in _names(resource.properties))
    for (kind, name), field in sorted(wanted.items()):
        if (kind, name) in made:
            continue
        listed = machine.kubectl(LISTS[kind]) or {"items": []}
        there = sorted(item["metadata"]["name"] for item in listed["items"])
        if name not in there:
            yield Finding(
                name=f"{kind} {name}",
                ok=False,
                says=f"there is no {name}; there are: {', '.join(there) or 'none'}",
                fix=f"set {field} to one of them, or have {name} made by whoever runs the cluster",
            )


def _names(manifest: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (kind, name) -> field of what a manifest names."""
    spec = manifest.get("spec") or {}
    issuer = (manifest["metadata"].get("annotations") or {}).get("cert-manager.io/cluster-issuer")
    if manifest["kind"] == "Ingress":
        yield ("IngressClass", spec["ingressClassName"]), "network.ingressClass"
    if issuer:
        yield ("ClusterIssuer", issuer), "network.clusterIssuer"
    if manifest["kind"] == "ExternalSecret":
        yield (spec["secretStoreRef"]["kind"], spec["secretStoreRef"]["name"]), "secrets.vault.store"
    for mapping in walk(spec):
        if runtime := mapping.get("runtimeClassName"):
            yield ("RuntimeClass", runtime), "runtimeClass (of chat.engine, aipp.linker)"


def _namespaces(there: set[str], declared: Declared) -> Iterator[Finding]:
    """Yield what is to be said of namespaces of others: objects are put there, or flows begin or end there."""
    plan, stack = declared.plan, declared.stack
    ends = {end for flow in plan.flows for end in (flow.source, flow.target)} - set(World)
    spaces = {plan.spaces[plan.pods[end].space] for end in ends}
    wanted = {each.namespace for each in declared.recording.objects()} | {space.namespace for space in spaces}
    wanted |= {stack.delivery.namespace} if _argocd_delivers(declared) else set()
    vault = stack.secrets.vault
    if vault and vault.access and vault.access.owns_store:
        wanted.add(vault.access.service_account_namespace)
    fields = _namespace_fields(stack)
    for name in sorted(wanted - there - declared.own_namespaces - {""}):
        field = fields.get(name, "the field that names it")
        yield Finding(
            name=f"namespace {name}",
            ok=False,
            says="is not there, and what the stack expects in it is somebody else's",
            fix=f"correct {field}, or have made by whoever runs the cluster what belongs into it",
        )


def _namespace_fields(stack: StackConfig) -> dict[str, str]:
    """Return namespace of others -> the field that names it."""
    access = stack.secrets.vault.access if stack.secrets.vault else None
    monitors, schedules = stack.observability.monitors, stack.storage.schedules
    collector = monitors.collector if monitors else None
    named = {
        "delivery.namespace": stack.delivery.namespace,
        "network.ingressNamespace": stack.network.ingress_namespace,
        "secrets.vault.access.serviceAccountNamespace": access.service_account_namespace if access else None,
        "storage.schedules.namespace": schedules.namespace if schedules else None,
        "observability.monitors.collector.namespace": collector.namespace if collector else None,
        "observability.monitors.dashboardNamespace": monitors.dashboard_namespace if monitors else None,
        "observability.monitors.namespace": monitors.namespace if monitors else None,
    }
    return {namespace: field for field, namespace in named.items() if namespace}


def _collector(machine: Machine, declared: Declared) -> Iterator[Finding]:
    monitors = declared.stack.observability.monitors
    if not monitors or not monitors.collector:
        return
    collector = monitors.collector
    listed = machine.kubectl("services", "--namespace", collector.namespace) or {"items": []}
    there = sorted(item["metadata"]["name"] for item in listed["items"])
    if collector.service not in there:
        yield Finding(
            name=f"Service {collector.service}",
            ok=False,
            says=f"is not in {collector.namespace}, so traces go nowhere; there are: {', '.join(there) or 'none'}",
            fix="set observability.monitors.collector.service to the one that takes OTLP, or leave collector out",
        )
