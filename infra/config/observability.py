"""What is measured, written down and alerted on, and who looks at it."""

from typing import Annotated

from pydantic import Field, model_validator

from infra.config.types import DnsLabel, Gib, HostName, Image, Mib, Section, Url

Days = Annotated[int, Field(ge=1, le=3650, strict=True)]
"""How long something is kept."""


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


class IssuerPathsConfig(Section):
    """Where an issuer answers below its address, since Grafana cannot look that up; defaults: Dex's.

    They stand in `ISSUER/.well-known/openid-configuration`; GitLab's are /oauth/authorize, /oauth/token and
    /oauth/userinfo.
    """

    authorize: str = "/auth"
    token: str = "/token"  # noqa: S105 - a path
    userinfo: str = "/userinfo"


class OwnStackConfig(Section):
    """Prometheus, Grafana, Loki, Tempo and a collector of our own, sized for one PC."""

    namespace: DnsLabel = "observability"
    node_namespace: DnsLabel = "node-exporter"
    """A namespace of its own: what measures a node reads the node's files, which Pod Security `restricted` forbids."""
    grafana_host: HostName | None = None
    """Host name of Grafana's Ingress; absent: `kubectl port-forward` only."""
    issuer_paths: IssuerPathsConfig = IssuerPathsConfig()
    """Used where `aihub:network.login` is set; then people log in to Grafana as everywhere else."""
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

    @model_validator(mode="after")
    def _namespaces_differ(self) -> "OwnStackConfig":
        if self.namespace == self.node_namespace:
            raise ValueError("namespace and nodeNamespace are the same: the one is restricted, the other cannot be")
        return self


class MonitorsConfig(Section):
    """Use the cluster's own Prometheus and Grafana: only what they need to find ours is declared."""

    namespace: DnsLabel
    """Namespace in which they run and look for monitors, rules and dashboards."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels by which Prometheus selects monitors and rules, e.g. ``release: kube-prometheus-stack``."""


class ObservabilityConfig(Section):
    """What is measured, written down and alerted on: by a stack of our own, or by the cluster's."""

    stack: OwnStackConfig | None = None
    """Absent: none of our own."""
    monitors: MonitorsConfig | None = None
    """Absent: the cluster's Prometheus, if it has one, is left alone."""
    redis_exporter_image: Image | None = None
    """Image of `redis_exporter`; absent: no metrics of Redis."""
    runbooks: Url | None = None
    """Where people read `docs/runbooks.md`; absent: alerts name the file."""

    @model_validator(mode="after")
    def _one_prometheus(self) -> "ObservabilityConfig":
        if self.stack and self.monitors:
            raise ValueError("stack and monitors are two Prometheus for one thing: set one of the two")
        return self

    @model_validator(mode="after")
    def _someone_reads_the_exporter(self) -> "ObservabilityConfig":
        if self.redis_exporter_image and not (self.stack or self.monitors):
            raise ValueError("redisExporterImage is for a Prometheus: set stack or monitors too, or leave it out")
        return self
