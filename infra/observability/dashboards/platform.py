"""What the chat stands on: the machine, its card, the stores, the registry, builds and delivery."""

from infra.observability.dashboards.grafana import Dashboard, panel, query
from infra.observability.dashboards.pods import share_of_limit
from infra.observability.measured import WORKLOAD_STATES

OURS = 'namespace=~"$ours"'
CONTAINERS = 'container!=""'
CHROMA = 'namespace="$data"'
REGISTRY_VOLUME = 'persistentvolumeclaim="registry-data", namespace="$registry"'

MACHINE = Dashboard(
    name="machine",
    title="Machine",
    components=frozenset({"node-exporter"}),
    panels=(
        panel(
            "Processors at work",
            query('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))', "{{instance}}"),
            unit="percentunit",
        ),
        panel(
            "Memory",
            query("node_memory_MemTotal_bytes", "{{instance}} there"),
            query("node_memory_MemAvailable_bytes", "{{instance}} free"),
            query('sum(kube_pod_container_resource_requests{resource="memory"})', "reserved by pods"),
            unit="bytes",
            description="In WSL2 `there` is what .wslconfig gives, not what the PC has.",
        ),
        panel(
            "Disks",
            query(
                '1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"}'
                ' / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs"}',
                "{{mountpoint}}",
            ),
            unit="percentunit",
            red_above=0.9,
        ),
        panel(
            "Memory by namespace",
            query('sum by (namespace) (container_memory_working_set_bytes{container!=""})', "{{namespace}}"),
            unit="bytes",
        ),
        panel(
            "Processors by namespace",
            query('sum by (namespace) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))', "{{namespace}}"),
        ),
        panel(
            "Nearest to its memory limit",
            query(
                f"topk(5, {share_of_limit(CONTAINERS)})",
                "{{namespace}}/{{pod}} {{container}}",
            ),
            unit="percentunit",
            red_above=0.95,
        ),
        panel(
            "Restarts in a day",
            query("sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1d]) > 0)", "{{pod}}"),
            kind="table",
        ),
        panel(
            "Pods that are not ready",
            query('sum by (namespace, pod) (kube_pod_status_ready{condition="false"} > 0)', "{{pod}}"),
            kind="table",
        ),
        panel(
            "Volumes",
            query(
                "1 - kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes",
                "{{namespace}}/{{persistentvolumeclaim}}",
            ),
            unit="percentunit",
            red_above=0.9,
            description="Volumes of local-path are folders of the node's disk and do not appear here.",
        ),
    ),
)
"""The node, and what its pods take of it."""

GPU = Dashboard(
    name="gpu",
    title="GPU",
    components=frozenset({"gpu-exporter"}),
    panels=(
        panel("At work", query("nvidia_smi_utilization_gpu_ratio", "{{uuid}}"), unit="percentunit"),
        panel(
            "Memory",
            query("nvidia_smi_memory_used_bytes", "used"),
            query("nvidia_smi_memory_total_bytes", "there"),
            unit="bytes",
        ),
        panel(
            "Share of memory taken",
            "nvidia_smi_memory_used_bytes / nvidia_smi_memory_total_bytes",
            kind="gauge",
            unit="percentunit",
            red_above=0.97,
        ),
        panel("Temperature", query("nvidia_smi_temperature_gpu", "{{uuid}}"), unit="celsius", red_above=85),
        panel(
            "Power",
            query("nvidia_smi_power_draw_watts", "{{uuid}}"),
            unit="watt",
            description="Empty where the driver does not say, as on some laptops.",
        ),
        panel(
            "Tokens a second beside it",
            query('sum(rate(vllm:generation_tokens_total{job="engine", namespace="$chat"}[5m]))', "written"),
        ),
    ),
)
"""The card, and what comes of it."""

DATA = Dashboard(
    name="data",
    title="Data stores",
    components=frozenset({"redis-exporter", WORKLOAD_STATES}),
    panels=(
        panel(
            "Redis: memory",
            query(f"redis_memory_used_bytes{{{OURS}}}", "{{namespace}} used"),
            query(f"redis_memory_max_bytes{{{OURS}}}", "{{namespace}} at most"),
            unit="bytes",
        ),
        panel(
            "Redis: commands", query(f"rate(redis_commands_processed_total{{{OURS}}}[5m])", "{{namespace}}"), unit="ops"
        ),
        panel("Redis: keys", query(f"sum by (namespace, db) (redis_db_keys{{{OURS}}})", "{{namespace}} {{db}}")),
        panel("Redis: connections", query(f"redis_connected_clients{{{OURS}}}", "{{namespace}}")),
        panel(
            "Redis: append-only file",
            query(f"redis_aof_current_size_bytes{{{OURS}}}", "{{namespace}}"),
            unit="bytes",
        ),
        panel(
            "Redis: last write to it went well",
            query(f"redis_aof_last_write_status{{{OURS}}}", "{{namespace}}"),
            kind="stat",
            description="0: turns are acknowledged and not on the disk.",
        ),
        panel(
            "Chroma: memory",
            query(f'sum by (pod) (container_memory_working_set_bytes{{container="chroma", {CHROMA}}})', "{{pod}}"),
            unit="bytes",
            description="Chroma has no metrics of its own for Prometheus; this is what the node sees of it.",
        ),
        panel(
            "Chroma: ready",
            query(f'kube_statefulset_status_replicas_ready{{statefulset="chroma", {CHROMA}}}', "replicas"),
            kind="stat",
        ),
    ),
)
"""Redis from inside, Chroma from outside."""

REGISTRY = Dashboard(
    name="registry",
    title="Registry",
    components=frozenset({"registry"}),
    panels=(
        panel(
            "Requests",
            query("sum by (handler) (rate(registry_http_requests_total[5m]))", "{{handler}}"),
            unit="reqps",
        ),
        panel(
            "Answers by status",
            query("sum by (code) (rate(registry_http_requests_total[5m]))", "{{code}}"),
            unit="reqps",
            description="401 before a login is normal; 5xx is not.",
        ),
        panel(
            "Volume taken",
            query(
                f"1 - kubelet_volume_stats_available_bytes{{{REGISTRY_VOLUME}}}"
                f" / kubelet_volume_stats_capacity_bytes{{{REGISTRY_VOLUME}}}",
                "layers",
            ),
            unit="percentunit",
            red_above=0.85,
        ),
        panel(
            "Time of the storage",
            query(
                "histogram_quantile(0.95, sum by (le, action) (rate(registry_storage_action_seconds_bucket[5m])))",
                "{{action}}",
            ),
            unit="s",
        ),
    ),
)
"""Pushes, pulls, and the room that is left."""

DELIVERY = Dashboard(
    name="delivery",
    title="Builds and delivery",
    components=frozenset({"jenkins", "argocd", "rollouts"}),
    panels=(
        panel(
            "Last build went well",
            query("default_jenkins_builds_last_build_result", "{{jenkins_job}}"),
            kind="stat",
        ),
        panel(
            "Time of the last build",
            query("default_jenkins_builds_last_build_duration_milliseconds", "{{jenkins_job}}"),
            unit="ms",
        ),
        panel(
            "Builds in a day",
            query("sum(increase(default_jenkins_builds_success_build_count[1d]))", "went well"),
            query("sum(increase(default_jenkins_builds_failed_build_count[1d]))", "failed"),
        ),
        panel(
            "Applications",
            "sum by (name, sync_status, health_status) (argocd_app_info)",
            kind="table",
        ),
        panel("Syncs", query("sum by (name, phase) (increase(argocd_app_sync_total[1h]))", "{{name}} {{phase}}")),
        panel("Rollouts", "sum by (name, phase) (rollout_info)", kind="table"),
    ),
)
"""From a push to what runs."""
