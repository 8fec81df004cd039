"""One collector, Alloy: reads the logs of all pods and takes the traces that pods send."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.cluster import labels
from infra.observability.names import COLLECTOR_PORT, OTLP_PORT
from infra.versions import ALLOY
from infra.workload import Settings, SettingsArgs, resources

MEMORY_MIB = 256
FILE = "config.alloy"
STATE = "/var/lib/alloy"


@dataclass(frozen=True, kw_only=True)
class CollectorArgs:
    """What a :class:`Collector` needs from its caller."""

    namespace: Input[str]
    """Namespace of every child."""
    logs_url: Input[str]
    """Where Loki takes lines."""
    traces_url: Input[str]
    """Where Tempo takes traces."""
    metrics_url: Input[str]
    """Where Prometheus takes samples that were sent instead of asked for."""


class Collector(ComponentResource):
    """One pod that reads logs through the API server, so that it needs nothing of the node (docs/decisions/1102)."""

    service: Output[str]
    """Name of the Service that takes OTLP."""

    def __init__(self, name: str, args: CollectorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:observability:Collector", name, {}, opts)
        content = Output.all(args.logs_url, args.traces_url, args.metrics_url).apply(
            lambda urls: configuration(logs_url=urls[0], traces_url=urls[1], metrics_url=urls[2])
        )
        settings = Settings(
            f"{name}-settings",
            SettingsArgs(namespace=args.namespace, labels=labels("observability", name), data={FILE: content}),
            opts=ResourceOptions(parent=self),
        )
        installed = release(
            name, ALLOY, namespace=args.namespace, values=values(name, settings.config_map), parent=self
        )
        self.service = installed.name.apply(str)
        self.register_outputs({"service": self.service})


def configuration(*, logs_url: str, traces_url: str, metrics_url: str) -> str:
    """Return the pipelines in Alloy's language (grafana.com/docs/alloy/latest/reference/components)."""
    rules = "".join(
        f'  rule {{\n    source_labels = ["__meta_kubernetes_{source}"]\n    target_label  = "{label}"\n  }}\n'
        for label, source in LOG_LABELS.items()
    )
    return f"""logging {{
  level  = "warn"
  format = "json"
}}

discovery.kubernetes "pods" {{
  role = "pod"
}}

discovery.relabel "pods" {{
  targets = discovery.kubernetes.pods.targets
{rules}}}

loki.source.kubernetes "pods" {{
  targets    = discovery.relabel.pods.output
  forward_to = [loki.write.loki.receiver]
}}

loki.source.kubernetes_events "cluster" {{
  log_format = "json"
  forward_to = [loki.write.loki.receiver]
}}

loki.write "loki" {{
  endpoint {{
    url = "{logs_url}"
  }}
}}

otelcol.receiver.otlp "pods" {{
  http {{
    endpoint = "0.0.0.0:{OTLP_PORT}"
  }}
  output {{
    traces  = [otelcol.processor.batch.pods.input]
    metrics = [otelcol.processor.batch.pods.input]
  }}
}}

otelcol.processor.batch "pods" {{
  output {{
    traces  = [otelcol.exporter.otlphttp.tempo.input]
    metrics = [otelcol.exporter.prometheus.pushed.input]
  }}
}}

otelcol.exporter.otlphttp "tempo" {{
  client {{
    endpoint = "{traces_url}"
  }}
}}

otelcol.exporter.prometheus "pushed" {{
  forward_to = [prometheus.remote_write.prometheus.receiver]
}}

prometheus.remote_write "prometheus" {{
  endpoint {{
    url = "{metrics_url}"
  }}
}}
"""


LOG_LABELS = {
    "namespace": "namespace",
    "pod": "pod_name",
    "container": "pod_container_name",
    "app": "pod_label_app_kubernetes_io_name",
}
"""Label of a log stream -> what Kubernetes says of the pod; few, since each combination is a stream of its own."""


def values(name: str, config_map: Input[str]) -> dict[str, Any]:
    """Return the chart's values."""

    def readable(*what: str, verbs: Sequence[str]) -> list[dict[str, Any]]:
        return [{"apiGroups": [""], "resources": list(what), "verbs": list(verbs)}]

    return {
        "fullnameOverride": name,
        "crds": {"create": False},
        # The name of the ConfigMap changes with its content, so nothing has to reload it.
        "configReloader": {"enabled": False},
        # The chart's own rules read every Secret and every node. It joins the two lists, and neither may be empty.
        "rbac": {
            "rules": readable("pods", "events", verbs=("get", "list", "watch")),
            "clusterRules": readable("pods/log", verbs=("get",)),
        },
        "global": {"podSecurityContext": {"fsGroup": 473, "seccompProfile": {"type": "RuntimeDefault"}}},
        "controller": {
            "type": "deployment",
            "replicas": 1,
            "volumes": {"extra": [{"name": "state", "emptyDir": {"sizeLimit": "512Mi"}}]},
        },
        "alloy": {
            "enableReporting": False,
            "configMap": {"create": False, "name": config_map, "key": FILE},
            "storagePath": STATE,
            "listenPort": COLLECTOR_PORT,
            "mounts": {"extra": [{"name": "state", "mountPath": STATE}]},
            "extraPorts": [{"name": "otlp-http", "port": OTLP_PORT, "targetPort": OTLP_PORT, "protocol": "TCP"}],
            "resources": resources(cpu_millicores=500, memory_mib=MEMORY_MIB),
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 473,
                "runAsGroup": 473,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
        },
    }
