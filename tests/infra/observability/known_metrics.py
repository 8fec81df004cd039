"""Metrics that exist, by whom; read in the source of the version that is pinned, or in the service of this checkout."""

import re
from collections.abc import Mapping
from pathlib import Path

TELEMETRY = Path(__file__).parents[3] / "service/chatbot/telemetry.py"
_DEFINITION = re.compile(r'\b(Gauge|Counter|Histogram)\(\s*"([^"]+)"')
_SUFFIXES = {"Gauge": ("",), "Counter": ("_total",), "Histogram": ("_bucket", "_count", "_sum")}
OF_ITS_PROCESSES = frozenset({"process_resident_memory_bytes"})
"""Of those that ProcessCollector of prometheus_client adds, the ones that are asked for."""


def families_of_the_service() -> frozenset[str]:
    """Return what api and engine measure, each once, by the name in their source."""
    return frozenset(name for _, name in _DEFINITION.findall(TELEMETRY.read_text()))


def of_the_service() -> frozenset[str]:
    """Return the metrics that api and engine tell, as Prometheus sees them."""
    found = _DEFINITION.findall(TELEMETRY.read_text())
    assert len(found) >= 12
    return frozenset(name + suffix for kind, name in found for suffix in _SUFFIXES[kind]) | OF_ITS_PROCESSES


OF_OTHERS: Mapping[str, frozenset[str]] = {
    "Prometheus itself": frozenset({"up"}),
    "kubelet (k8s.io/kubernetes pkg/kubelet/metrics/collectors)": frozenset(
        {"kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"}
    ),
    "cAdvisor in the kubelet (google/cadvisor metrics/prometheus.go)": frozenset(
        {
            "container_cpu_usage_seconds_total",
            "container_memory_working_set_bytes",
            "container_oom_events_total",
        }
    ),
    "kube-state-metrics 2.20 (docs/metrics/workload)": frozenset(
        {
            "kube_deployment_status_replicas_ready",
            "kube_pod_container_resource_limits",
            "kube_pod_container_resource_requests",
            "kube_pod_container_status_last_terminated_reason",
            "kube_pod_container_status_restarts_total",
            "kube_pod_status_phase",
            "kube_pod_status_ready",
            "kube_statefulset_status_replicas_ready",
        }
    ),
    "node exporter 1.12 (collector)": frozenset(
        {
            "node_cpu_seconds_total",
            "node_filesystem_avail_bytes",
            "node_filesystem_readonly",
            "node_filesystem_size_bytes",
            "node_memory_MemAvailable_bytes",
            "node_memory_MemTotal_bytes",
        }
    ),
    "redis_exporter 1.88 (exporter/exporter.go)": frozenset(
        {
            "redis_aof_current_size_bytes",
            "redis_aof_last_write_status",
            "redis_commands_processed_total",
            "redis_connected_clients",
            "redis_db_keys",
            "redis_memory_max_bytes",
            "redis_memory_used_bytes",
            "redis_up",
        }
    ),
    "postgres_exporter 0.20 (exporter/postgres_exporter.go; collector/pg_stat_activity.go, pg_database.go)": frozenset(
        {
            "pg_database_size_bytes",
            "pg_settings_max_connections",
            "pg_stat_activity_count",
            "pg_stat_activity_max_tx_duration",
            "pg_up",
        }
    ),
    "RabbitMQ's own plugin, 3.10 and 3.13 (prometheus_rabbitmq_core_metrics_collector, ..._alarm_...)": frozenset(
        {
            "rabbitmq_alarms_free_disk_space_watermark",
            "rabbitmq_alarms_memory_used_watermark",
            "rabbitmq_connections",
            "rabbitmq_consumers",
            "rabbitmq_process_resident_memory_bytes",
            "rabbitmq_queue_messages_ready",
            "rabbitmq_queue_messages_unacked",
            "rabbitmq_resident_memory_limit_bytes",
        }
    ),
    "NVIDIA's dcgm-exporter 4.8 (etc/default-counters.csv)": frozenset(
        {"DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_GPU_UTIL"}
    ),
    "nvidia_gpu_exporter 1.14 (its own dashboards)": frozenset(
        {
            "nvidia_smi_memory_total_bytes",
            "nvidia_smi_memory_used_bytes",
            "nvidia_smi_power_draw_watts",
            "nvidia_smi_temperature_gpu",
            "nvidia_smi_utilization_gpu_ratio",
        }
    ),
    "distribution 2.8 and 3 (metrics/prometheus.go, registry/handlers/app.go, docker/go-metrics)": frozenset(
        {"registry_http_requests_total", "registry_storage_action_seconds_bucket"}
    ),
    "Jenkins' prometheus plugin (docs/metrics/index.md)": frozenset(
        {
            "default_jenkins_builds_failed_build_count",
            "default_jenkins_builds_last_build_duration_milliseconds",
            "default_jenkins_builds_last_build_result",
            "default_jenkins_builds_success_build_count",
        }
    ),
    "Argo CD 3.4 (controller/metrics/metrics.go)": frozenset({"argocd_app_info", "argocd_app_sync_total"}),
    "Argo Rollouts (controller/metrics/prommetrics.go)": frozenset({"rollout_info"}),
    "cert-manager 1.21 (internal/collectors/certificate_collector.go)": frozenset(
        {"certmanager_certificate_expiration_timestamp_seconds"}
    ),
}
"""Whose, and where it was read -> names."""


def known() -> frozenset[str]:
    """Return every metric that exists."""
    return of_the_service().union(*OF_OTHERS.values())
