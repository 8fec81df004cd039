"""The vendor's eight services: are they there, what do they take, what waits for them."""

from infra.aipp.names import LINKER, POSTGRES_EXPORTER, RABBITMQ, SCHEDULER, component
from infra.observability.dashboards.grafana import Dashboard, panel, query
from infra.observability.dashboards.pods import share_of_limit
from infra.observability.measured import AIPP as MEASURED

OURS = 'namespace="$aipp"'
QUEUE = f'job="{component(RABBITMQ)}", {OURS}'
DATABASE = f'job="{POSTGRES_EXPORTER}", {OURS}'
CONTAINERS = f'container!="", {OURS}'
# The exporter says where it runs itself in `pod`, unless Prometheus believes it (honorLabels): two ways to the linker.
LINKER_CARDS = tuple(f'{label}=~"{LINKER}-.*"' for label in ("exported_pod", "pod"))


def _of_the_card(metric: str) -> str:
    return " or ".join(f"{metric}{{{which}}}" for which in LINKER_CARDS)


AIPP = Dashboard(
    name="aipp",
    title="AIPP",
    components=frozenset({MEASURED}),
    panels=(
        panel(
            "Pods that are ready",
            query(f"kube_deployment_status_replicas_ready{{{OURS}}}", "{{deployment}}"),
            query(f"kube_statefulset_status_replicas_ready{{{OURS}}}", "{{statefulset}}"),
            kind="stat",
            width=24,
            description="enai-front has two. The linker is missing here where no node has a card.",
        ),
        panel(
            "Restarts in a day",
            query(
                f"sum by (pod, container) (increase(kube_pod_container_status_restarts_total{{{OURS}}}[1d])) > 0",
                "{{pod}} {{container}}",
            ),
            kind="table",
        ),
        panel(
            "Last end, where it was not wanted",
            query(
                "sum by (container, reason) (kube_pod_container_status_last_terminated_reason"
                f'{{reason!="Completed", {OURS}}}) > 0',
                "{{container}} {{reason}}",
            ),
            kind="table",
        ),
        panel(
            "Schedulers that run",
            query(f'sum(kube_pod_status_phase{{pod=~"{SCHEDULER}-.*", phase="Running", {OURS}}})', "pods"),
            kind="stat",
            red_above=1.5,
            description="One, always: two would start everything twice.",
        ),
        panel(
            "Memory against its limit",
            query(share_of_limit(CONTAINERS), "{{pod}} {{container}}"),
            unit="percentunit",
            red_above=0.95,
        ),
        panel(
            "Processors at work",
            query(f"sum by (container) (rate(container_cpu_usage_seconds_total{{{CONTAINERS}}}[5m]))", "{{container}}"),
        ),
        panel(
            "Volumes",
            query(
                f"1 - kubelet_volume_stats_available_bytes{{{OURS}}} / kubelet_volume_stats_capacity_bytes{{{OURS}}}",
                "{{persistentvolumeclaim}}",
            ),
            unit="percentunit",
            red_above=0.9,
        ),
        panel(
            "Linker's card at work",
            query(_of_the_card("DCGM_FI_DEV_GPU_UTIL"), "{{gpu}} %"),
            description="From the cluster's DCGM exporter, part of NVIDIA's GPU operator; empty where there is none.",
        ),
        panel(
            "Linker's card: memory, MiB",
            query(_of_the_card("DCGM_FI_DEV_FB_USED"), "{{gpu}} used"),
            query(_of_the_card("DCGM_FI_DEV_FB_FREE"), "{{gpu}} free"),
        ),
        panel(
            "Messages in queues",
            query(f"sum(rabbitmq_queue_messages_ready{{{QUEUE}}})", "waiting"),
            query(f"sum(rabbitmq_queue_messages_unacked{{{QUEUE}}})", "in work"),
            description="All queues together; which one it is says RabbitMQ's page.",
        ),
        panel(
            "Who works for the queues",
            query(f"sum(rabbitmq_consumers{{{QUEUE}}})", "consumers"),
            query(f"sum(rabbitmq_connections{{{QUEUE}}})", "connections"),
        ),
        panel(
            "RabbitMQ: memory",
            query(f"rabbitmq_process_resident_memory_bytes{{{QUEUE}}}", "used"),
            query(f"rabbitmq_resident_memory_limit_bytes{{{QUEUE}}}", "from here on publishers wait"),
            unit="bytes",
        ),
        panel(
            "Database: sessions by service",
            query(f"sum by (application_name) (pg_stat_activity_count{{{DATABASE}}}) > 0", "{{application_name}}"),
            query(f"max(pg_settings_max_connections{{{DATABASE}}})", "at most"),
        ),
        panel(
            "Database: longest transaction",
            query(
                f"max by (application_name) (pg_stat_activity_max_tx_duration{{{DATABASE}}})", "{{application_name}}"
            ),
            unit="s",
        ),
        panel("Database: size", query(f"pg_database_size_bytes{{{DATABASE}}}", "{{datname}}"), unit="bytes"),
        panel(
            "What Argo CD says",
            'sum by (name, sync_status, health_status) (argocd_app_info{name="aipp"})',
            kind="table",
            description="Empty where nobody measures Argo CD.",
        ),
        panel(
            "Errors that the eight write down",
            '{$log_namespace="$aipp", $log_container=~"enai-.*|pgvector|redis|rabbitmq"}'
            " |~ `(?i)(error|exception|fatal|out of memory)`",
            kind="logs",
            width=24,
        ),
    ),
)
"""The eight services, and what they keep."""
