"""What is measured, written down and alerted on, and who looks at it."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from infra.config.types import DnsLabel, Gib, HostName, Image, Mib, Section, Url

Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
"""How long something is kept."""
_ENDPOINT = re.compile(r"(https://[^\s/@?#]+)?/[^\s?#]+")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def _endpoint(value: str) -> str:
    if not _ENDPOINT.fullmatch(value):
        raise ValueError("must be a path below the issuer, e.g. /oauth/token, or a whole https address")
    return value


def _label_name(value: str) -> str:
    if not _LABEL_NAME.fullmatch(value):
        raise ValueError("must be the name of a label in Loki: letters, digits and '_', e.g. k8s_namespace_name")
    return value


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""Where an issuer answers: a path below its own address, or an address elsewhere."""
LabelName = Annotated[str, AfterValidator(_label_name)]
"""Name of a label of log lines."""


class PrometheusConfig(Section):
    """Metrics and alerts."""

    retention_days: Days = 7
    storage_gib: Gib = 8
    """Volume; the oldest samples go early when four fifths of it are taken."""
    memory_mib: Mib = 1024
    """Memory, reserved whole: about 100,000 series."""


class LokiConfig(Section):
    """Logs of every pod."""

    retention_days: Days = 7
    storage_gib: Gib = 5
    memory_mib: Mib = 512
    """Memory, reserved whole."""


class TempoConfig(Section):
    """Traces."""

    retention_days: Days = 2
    storage_gib: Gib = 3
    memory_mib: Mib = 384
    """Memory, reserved whole."""


class IssuerEndpointsConfig(Section):
    """Where an issuer answers, since Grafana cannot look that up in `ISSUER/.well-known/openid-configuration`."""

    authorize: Endpoint
    """`authorization_endpoint` there: where people log in; Keycloak: /protocol/openid-connect/auth."""
    token: Endpoint
    """`token_endpoint`; Keycloak: /protocol/openid-connect/token."""
    userinfo: Endpoint
    """`userinfo_endpoint`; Keycloak: /protocol/openid-connect/userinfo."""


class OwnStackConfig(Section):
    """Prometheus, Grafana, Loki, Tempo and a collector of our own, sized for one PC."""

    namespace: DnsLabel = "observability"
    node_namespace: DnsLabel = "node-exporter"
    """A namespace of its own: what measures a node reads the node's files, which Pod Security `restricted` forbids."""
    grafana_host: HostName | None = None
    """Host name of Grafana's Ingress; absent: `kubectl port-forward` only."""
    issuer_endpoints: IssuerEndpointsConfig | None = None
    """Of `aihub:network.login.issuer`, with which people log in to Grafana as everywhere else; absent: an issuer of
    our own, whose endpoints are known."""
    prometheus: PrometheusConfig = PrometheusConfig()
    loki: LokiConfig = LokiConfig()
    tempo: TempoConfig = TempoConfig()
    gpu_exporter_image: Image | None = None
    """Image of `nvidia_gpu_exporter`, which asks `nvidia-smi`: that works on Linux and in WSL2, where DCGM sees
    nothing. It runs where `aihub:gpu` says that cards are. Absent: no metrics of the card."""
    control_plane: bool = False
    """Measure etcd, scheduler, controller manager, kube-proxy, the API server and DNS too. RKE2 and kubeadm bind the
    first four to the loopback address: open those before switching it on."""
    notify: Url | None = None
    """Webhook that Alertmanager posts alerts to; absent: they are seen in Grafana only."""


class TheirCollectorConfig(Section):
    """The cluster's own OpenTelemetry collector, Alloy among them."""

    namespace: DnsLabel
    """Where it runs."""
    service: DnsLabel = "opentelemetry-collector"
    """Its Service."""
    port: Annotated[int, Field(ge=1, le=65535, strict=True)] = 4318
    """Port of the Service and of its pods that takes OTLP over HTTP."""
    pod_labels: dict[str, str] = Field(default_factory=lambda: {"app.kubernetes.io/name": "opentelemetry-collector"})
    """Labels of its pods, for the network policies; Alloy's: ``app.kubernetes.io/name: alloy``."""


class LogLabelsConfig(Section):
    """What the cluster's own shipper of logs calls the labels by which dashboards pick lines."""

    namespace: LabelName = "namespace"
    """Of the pod's namespace; the OpenTelemetry collector says k8s_namespace_name."""
    container: LabelName = "container"
    """Of the container, which is called like its service; the OpenTelemetry collector says k8s_container_name."""


class MonitorsConfig(Section):
    """Use the cluster's own Prometheus and Grafana: only what they need to find ours is declared.

    That Prometheus must ask the kubelets and kube-state-metrics already, as kube-prometheus-stack's does.
    """

    namespace: DnsLabel
    """Namespace in which they run and look for monitors, rules and dashboards."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which Prometheus selects monitors and rules, e.g. ``release: kube-prometheus-stack``."""
    dashboard_namespace: DnsLabel | None = None
    """Namespace in which Grafana looks for dashboards, where that is another, e.g. ``cattle-dashboards``."""
    dashboard_labels: dict[str, str] = Field(default_factory=lambda: {"grafana_dashboard": "1"})
    """Labels by which Grafana selects dashboards among the ConfigMaps."""
    log_labels: LogLabelsConfig = LogLabelsConfig()
    collector: TheirCollectorConfig | None = None
    """Where api, engine and AIPP's services send traces; absent: they make none."""


class ObservabilityConfig(Section):
    """What is measured, written down and alerted on: by a stack of our own, or by the cluster's."""

    stack: OwnStackConfig | None = None
    """Absent: none of our own."""
    monitors: MonitorsConfig | None = None
    """Absent: the cluster's Prometheus, if it has one, is left alone."""
    redis_exporter_image: Image | None = None
    """Image of `redis_exporter`; absent: no metrics of Redis, the chat's and AIPP's. With ``aipp.secretsBy: agent`` of
    the chat's only: an exporter takes its password from a Secret."""
    postgres_exporter_image: Image | None = None
    """Image of `postgres_exporter` 0.17 or later; absent, or with ``aipp.secretsBy: agent``: no
    metrics of AIPP's database."""
    runbooks: Url | None = None
    """Where people read `docs/runbooks.md`; absent: on the pages of `aihub:ci.git`, else alerts name the file."""

    @model_validator(mode="after")
    def _one_prometheus(self) -> "ObservabilityConfig":
        if self.stack and self.monitors:
            raise ValueError("stack and monitors are two Prometheus for one thing: set one of the two")
        return self

    @model_validator(mode="after")
    def _someone_reads_the_exporters(self) -> "ObservabilityConfig":
        images = {
            "redisExporterImage": self.redis_exporter_image,
            "postgresExporterImage": self.postgres_exporter_image,
        }
        for field, image in images.items():
            if image and not (self.stack or self.monitors):
                raise ValueError(f"{field} is for a Prometheus: set stack or monitors too, or leave it out")
        return self
