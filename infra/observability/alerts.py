"""When people are told, of what: the chat and what it stands on."""

from collections.abc import Container

from infra.observability.aipp_alerts import AIPP_ALERTS
from infra.observability.alert import Alert
from infra.observability.measured import NODE, WORKLOAD_STATES

ENGINE = 'job="engine", namespace="$chat"'
API = 'job="api", namespace="$chat"'
OURS = 'namespace=~"$ours"'
REGISTRY_VOLUME = 'persistentvolumeclaim="registry-data", namespace="$registry"'

PLATFORM_ALERTS = (
    Alert(
        name="EngineDown",
        component="engine",
        expression=f"absent(up{{{ENGINE}}} == 1)",
        minutes=5,
        severity="critical",
        summary="No engine answers",
        description="Questions are held back for a minute and then refused with 503. History and documents still work.",
    ),
    Alert(
        name="ApiDown",
        component="api",
        expression=f"absent(up{{{API}}} == 1)",
        minutes=2,
        severity="critical",
        summary="No replica of the api answers",
        description="Nobody reaches the chat.",
    ),
    Alert(
        name="ErrorRateHigh",
        component="api",
        expression=(
            f'sum(rate(chatbot_http_request_seconds_count{{{API}, status=~"5.."}}[10m]))'
            f" / sum(rate(chatbot_http_request_seconds_count{{{API}}}[10m])) > 0.05"
        ),
        minutes=10,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of requests to the api fail",
        description="Every twentieth request or more ends with a fault of ours.",
    ),
    Alert(
        name="AnswersFailing",
        component="api",
        expression=(
            f'sum(rate(chatbot_answers_total{{{API}, outcome="failed"}}[10m]))'
            f" / sum(rate(chatbot_answers_total{{{API}}}[10m])) > 0.05"
        ),
        minutes=10,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of answers fail, also in the middle of a stream",
        description="A stream that breaks has begun with 200, so ErrorRateHigh does not see it.",
    ),
    Alert(
        name="FirstTokenSlow",
        component="api",
        expression=(
            "histogram_quantile(0.95, "
            f"sum by (le) (rate(chatbot_time_to_first_token_seconds_bucket{{{API}}}[10m]))) > 10"
        ),
        minutes=10,
        severity="warning",
        summary="One in twenty answers takes {{ $value | humanizeDuration }} to begin",
        description="People wait more than ten seconds for the first word; retrieval and waiting are part of it.",
    ),
    Alert(
        name="QueueLong",
        component="engine",
        expression=f"sum(vllm:num_requests_waiting{{{ENGINE}}}) > 8",
        minutes=5,
        severity="warning",
        summary="{{ $value }} requests wait for the model",
        description="More is asked than the card can answer.",
    ),
    Alert(
        name="HistoryWaiting",
        component="api",
        expression=f"sum(chatbot_history_pending{{{API}}}) > 0",
        minutes=10,
        severity="critical",
        summary="{{ $value }} turns are not in Redis yet",
        description="They are kept in the api's memory only and are lost if it restarts.",
    ),
    Alert(
        name="RedisMemoryHigh",
        component="redis-exporter",
        expression=f"redis_memory_used_bytes{{{OURS}}} / (redis_memory_max_bytes{{{OURS}}} > 0) > 0.85",
        minutes=10,
        severity="warning",
        summary="Redis in {{ $labels.namespace }} uses {{ $value | humanizePercentage }} of its memory",
        description="Nothing is evicted: at 100 % it refuses writes, new turns of every conversation among them.",
    ),
    Alert(
        name="VolumeNearlyFull",
        component=NODE,
        expression=(
            f"kubelet_volume_stats_available_bytes{{{OURS}}} / kubelet_volume_stats_capacity_bytes{{{OURS}}} < 0.1"
        ),
        minutes=15,
        severity="warning",
        summary="{{ $value | humanizePercentage }} is left on volume {{ $labels.persistentvolumeclaim }}",
        description="What writes to it stops when it is full (namespace {{ $labels.namespace }}).",
    ),
    Alert(
        name="DiskNearlyFull",
        component="node-exporter",
        expression=(
            'node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs"}'
            ' / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs"} < 0.1'
            " and on (instance, device, mountpoint) node_filesystem_readonly == 0"
        ),
        minutes=15,
        severity="critical",
        summary="{{ $value | humanizePercentage }} is left on the node's disk {{ $labels.mountpoint }}",
        description="At 85 to 90 % the kubelet removes images and then evicts pods; local-path volumes lie there too.",
    ),
    Alert(
        name="RegistryNearlyFull",
        component="registry",
        expression=(
            f"kubelet_volume_stats_available_bytes{{{REGISTRY_VOLUME}}}"
            f" / kubelet_volume_stats_capacity_bytes{{{REGISTRY_VOLUME}}} < 0.15"
        ),
        minutes=15,
        severity="warning",
        summary="{{ $value | humanizePercentage }} is left for images in the registry",
        description="The next push of an engine's image, some 4 GiB, fails when it is full.",
    ),
    Alert(
        name="CertificateExpiring",
        component="cert-manager",
        expression="certmanager_certificate_expiration_timestamp_seconds - time() < 7 * 24 * 3600",
        minutes=60,
        severity="warning",
        summary="Certificate {{ $labels.namespace }}/{{ $labels.name }} ends in {{ $value | humanizeDuration }}",
        description="cert-manager renews it a month ahead, so something stops it. Browsers refuse the page afterwards.",
    ),
    Alert(
        name="RolloutDegraded",
        component="rollouts",
        expression='rollout_info{phase="Degraded"} == 1',
        minutes=5,
        severity="warning",
        summary="Rollout {{ $labels.namespace }}/{{ $labels.name }} was given up",
        description="The version before it answers; what was pushed last does not.",
    ),
    Alert(
        name="ApplicationUnhealthy",
        component="argocd",
        expression='argocd_app_info{health_status=~"Degraded|Missing"} == 1',
        minutes=15,
        severity="warning",
        summary="Application {{ $labels.name }} is {{ $labels.health_status }}",
        description="What Git says and what runs differ, or what runs does not work.",
    ),
    Alert(
        name="BuildFailing",
        component="jenkins",
        expression="default_jenkins_builds_last_build_result == 0",
        minutes=5,
        severity="warning",
        summary="The last build of {{ $labels.jenkins_job }} failed",
        description="What was pushed since is in no image.",
    ),
    Alert(
        name="GpuMemoryNearlyFull",
        component="gpu-exporter",
        expression="nvidia_smi_memory_used_bytes / nvidia_smi_memory_total_bytes > 0.97",
        minutes=10,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of the card's memory is taken",
        description="A longer conversation, or a second engine, may end with out of memory.",
    ),
    Alert(
        name="OutOfMemory",
        component=NODE,
        expression=f'increase(container_oom_events_total{{container!="", {OURS}}}[15m]) > 0',
        minutes=0,
        severity="warning",
        summary="{{ $labels.namespace }}/{{ $labels.pod }} ran out of memory",
        description="A process of container {{ $labels.container }} was ended by the kernel at the container's limit.",
    ),
    Alert(
        name="PodRestarting",
        component=WORKLOAD_STATES,
        expression=f"increase(kube_pod_container_status_restarts_total{{{OURS}}}[30m]) > 3",
        minutes=5,
        severity="warning",
        summary="{{ $labels.namespace }}/{{ $labels.pod }} restarts again and again",
        description="Container {{ $labels.container }} started more than three times within half an hour.",
    ),
    Alert(
        name="TargetDown",
        component=NODE,
        expression=f"up{{{OURS}}} == 0",
        minutes=15,
        severity="warning",
        summary="{{ $labels.job }} does not tell its metrics",
        description="Dashboards and alerts about it are blind: it is down, or no flow lets Prometheus ask it.",
    ),
)


ALERTS = (*PLATFORM_ALERTS, *AIPP_ALERTS)


def alerts_of(measured: Container[str]) -> tuple[Alert, ...]:
    """Return the alerts whose metrics exist where these components are measured."""
    return tuple(alert for alert in ALERTS if alert.component in measured)
