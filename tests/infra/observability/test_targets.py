"""One table decides what is measured: monitors and flows follow from it, and nothing else is asked."""

import pytest

from infra.aipp.names import FIELDS
from infra.observability.monitors import monitor_spec
from infra.observability.names import otlp_endpoint
from infra.observability.targets import TARGETS, targets_of
from infra.plan import INGRESS, World
from infra.program import plan
from infra.recorder import Recording
from infra.stackfile import stack_of
from tests.infra.observability.support import parsed, recorded
from tests.infra.support import of_kind

OWN, FOREIGN, WATCHED = "observability-of-our-own", "observability-of-the-cluster", "aipp-watched-by-the-cluster"


def pods_of_a_stack(name: str) -> set[str]:
    return set(plan(stack_of(name)).pods)


def test_every_target_is_a_component_of_one_of_the_largest_stacks() -> None:
    assert {target.component for target in TARGETS} - pods_of_a_stack("wsl") - pods_of_a_stack("dev") == set()


@pytest.mark.parametrize("name", [OWN, FOREIGN, WATCHED])
def test_monitors_and_flows_are_the_table(name: str) -> None:
    stack = parsed(name)
    whole = plan(stack)
    targets = targets_of(stack, whole.spaces, whole.pods)
    expected = {(target.name, target.port): target.path for target in targets}
    assert {("api", 9090), ("engine", 9090), ("redis-exporter", 9121)} <= expected.keys()
    monitors = {
        (each.object_name.removeprefix("aihub-"), endpoint["portNumber"]): endpoint["path"]
        for each in of_kind(recorded(name), "PodMonitor")
        for endpoint in each.properties["spec"]["podMetricsEndpoints"]
    }
    assert monitors == expected
    flows = {(flow.target, flow.port) for flow in whole.targets_of("prometheus") if flow.reason == "read metrics"}
    assert flows == {(target.component, target.port) for target in targets}


def test_a_monitor_selects_the_component_and_names_it() -> None:
    (redis,) = (each for each in of_kind(recorded(OWN), "PodMonitor") if each.object_name == "aihub-redis-exporter")
    spec = redis.properties["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["data"]}
    assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] == "redis-exporter"
    assert spec["podMetricsEndpoints"][0]["relabelings"] == [{"targetLabel": "job", "replacement": "redis-exporter"}]
    assert redis.namespace == "observability"


def test_each_part_of_argocd_is_asked_at_its_own_pods() -> None:
    """The namespace is one component, and two of its pods have a port of the same number."""
    stack = stack_of("wsl")
    whole = plan(stack)
    parts = [each for each in targets_of(stack, whole.spaces, whole.pods) if each.component == "argocd"]
    selected = [monitor_spec(each, whole)["selector"]["matchLabels"] for each in parts]
    assert selected == [{"app.kubernetes.io/name": each.name} for each in parts]
    assert [each.port for each in parts] == [8082, 8083, 8084, 8085]
    quiet = stack.model_copy(update={"delivery": stack.delivery.model_copy(update={"image_updater": None})})
    assert "argocd-image-updater" not in {each.name for each in targets_of(quiet, whole.spaces, whole.pods)}


def test_monitors_wait_for_their_kind() -> None:
    recording = recorded(OWN)
    (release,) = (each.urn for each in recording.resources if each.name == "prometheus-stack-release")
    assert all(release in each.depends_on for each in of_kind(recording, "PodMonitor"))


def test_the_cluster_s_prometheus_finds_them_by_its_labels_and_may_ask() -> None:
    recording = recorded(FOREIGN)
    for each in [*of_kind(recording, "PodMonitor"), *of_kind(recording, "PrometheusRule")]:
        assert each.namespace == "monitoring"
        assert each.properties["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    assert not [each for each in recording.resources if each.type == "kubernetes:helm.sh/v3:Release"]
    (api,) = (each for each in of_kind(recording, "NetworkPolicy") if each.object_name == "api")
    callers = {
        peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        for rule in api.properties["spec"]["ingress"]
        if {"protocol": "TCP", "port": 9090} in rule["ports"]
        for peer in rule["from"]
    }
    assert callers == {"monitoring"}


def test_what_is_somebody_else_s_is_not_watched() -> None:
    whole = plan(parsed(OWN))
    assert not whole.spaces[whole.pods[INGRESS].space].ours
    assert not [flow for flow in whole.flows if (flow.source, flow.target) == ("prometheus", INGRESS)]


def test_nothing_is_measured_unless_asked_for() -> None:
    recording = recorded("smallest")
    assert not [each for each in recording.resources if recording.outermost(each).type.startswith("aihub:observab")]
    assert "prometheus" not in plan(parsed("smallest")).pods


def test_alerts_leave_the_cluster_only_to_the_declared_place() -> None:
    flows = [flow for flow in plan(parsed(OWN)).targets_of("alertmanager") if flow.target == World.ANYWHERE]
    assert [flow.port for flow in flows] == [8080]


def test_traces_go_where_the_collector_listens() -> None:
    endpoint = otlp_endpoint(parsed(OWN))
    assert endpoint == "http://collector.observability.svc:4318"
    recording = recorded(OWN)
    (collector,) = (each for each in recording.resources if each.name == "collector-release")
    values = collector.properties["values"]
    assert values["fullnameOverride"] == "collector"
    assert [port["port"] for port in values["alloy"]["extraPorts"]] == [4318]
    senders = {flow.source for flow in plan(parsed(OWN)).sources_of("collector") if flow.port == 4318}
    assert senders == {"api", "engine"}
    assert otlp_endpoint(parsed(FOREIGN)) is None


def test_services_are_asked_where_the_configuration_says() -> None:
    stack = parsed(WATCHED)
    whole = plan(stack)
    asked = {each.component: (each.port, each.path) for each in targets_of(stack, whole.spaces, whole.pods)}
    assert asked["enai-backend"] == (8080, "/actuator/prometheus")
    assert asked["enai-linker"] == (8000, "/metrics")
    assert asked["aipp-rabbitmq"] == (15692, "/metrics")
    assert (
        not {"enai-front", "enai-data-processor", "aipp-pgvector"} & asked.keys()
    )  # they tell nothing, or are told of


def test_a_port_that_is_asked_is_one_that_its_pods_declare() -> None:
    recording, stack = recorded(WATCHED), parsed(WATCHED)
    whole = plan(stack)
    for target in targets_of(stack, whole.spaces, whole.pods):
        labels = whole.pods[target.component].labels
        pods = [
            each.properties["spec"]["template"]
            for each in recording.objects()
            if each.kind in {"Deployment", "StatefulSet"}
            and labels.items() <= each.properties["spec"]["template"]["metadata"]["labels"].items()
            and each.namespace == whole.spaces[whole.pods[target.component].space].namespace
        ]
        ports = {port["containerPort"] for pod in pods for each in pod["spec"]["containers"] for port in each["ports"]}
        assert target.port in ports, target.component


def settings(recording: Recording, name: str) -> dict[str, str]:
    (found,) = (each for each in of_kind(recording, "ConfigMap") if each.object_name.startswith(f"{name}-settings-"))
    return dict(found.properties["data"])


def test_traces_go_to_the_collector_of_the_cluster() -> None:
    stack, recording = parsed(WATCHED), recorded(WATCHED)
    assert otlp_endpoint(stack) == "http://gateway.telemetry.svc:4319"
    assert settings(recording, "engine")["CHATBOT_OTLP_ENDPOINT"] == "http://gateway.telemetry.svc:4319"
    backend = settings(recording, "enai-backend")
    assert backend["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://gateway.telemetry.svc:4319"
    assert backend["OTEL_SERVICE_NAME"] == "enai-backend"
    assert backend["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"  # what the configuration adds stays
    # Metrics are asked for, and lines are read from the pods: neither is sent a second time.
    assert (backend["OTEL_METRICS_EXPORTER"], backend["OTEL_LOGS_EXPORTER"]) == ("none", "none")
    senders = {flow.source for flow in plan(stack).sources_of("collector") if flow.port == 4319}
    assert senders == {"api", "engine", *FIELDS}
    (policy,) = (each for each in of_kind(recording, "NetworkPolicy") if each.object_name == "enai-front")
    (peer,) = (
        rule["to"][0]
        for rule in policy.properties["spec"]["egress"]
        if {"protocol": "TCP", "port": 4319} in rule["ports"]
    )
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "otel"}


def test_services_without_a_collector_are_told_of_none() -> None:
    assert not [key for key in settings(recorded("aipp-from-vault"), "enai-backend") if key.startswith("OTEL_")]


def test_dashboards_go_where_the_grafana_of_the_cluster_looks() -> None:
    recording = recorded(WATCHED)
    maps = [each for each in of_kind(recording, "ConfigMap") if each.object_name.startswith("aihub-dashboard-")]
    assert {each.object_name for each in maps} == {f"aihub-dashboard-{name}" for name in ("chat", "aipp", "data")}
    for each in maps:
        assert each.namespace == "cattle-dashboards"
        assert {"grafana_dashboard": "1", "team": "platform"}.items() <= each.properties["metadata"]["labels"].items()
    (aipp,) = (
        each.properties["data"]["aihub-aipp.json"] for each in maps if each.object_name == "aihub-dashboard-aipp"
    )
    assert '{k8s_namespace_name=\\"aipp\\", k8s_container_name=~' in aipp
    assert "$aipp" not in aipp


def test_alerts_of_the_cluster_are_about_our_namespaces() -> None:
    (rule,) = of_kind(recorded(WATCHED), "PrometheusRule")
    rules = {each["alert"]: each["expr"] for each in rule.properties["spec"]["groups"][0]["rules"]}
    assert {
        "AippBackendDown",
        "AippSchedulerTwice",
        "AippQueueGrowing",
        "VolumeNearlyFull",
        "PodRestarting",
    } <= rules.keys()
    assert "DiskNearlyFull" not in rules  # nodes are the cluster's
    assert 'namespace=~"aipp|chat|data"' in rules["VolumeNearlyFull"]
    assert 'namespace="aipp"' in rules["AippBackendDown"]


def test_own_stack_looks_after_the_whole_cluster() -> None:
    (rule,) = of_kind(recorded(OWN), "PrometheusRule")
    rules = {each["alert"]: each["expr"] for each in rule.properties["spec"]["groups"][0]["rules"]}
    assert 'namespace=~".*"' in rules["PodRestarting"]
    assert not [name for name in rules if name.startswith("Aipp")]
