"""When people are told, of what: the vendor's eight services.

Whether one is up is asked of Kubernetes and not of the service: nobody knows yet which of them tell metrics.
"""

from infra.aipp.names import BACKEND, FRONT, LINKER, POSTGRES_EXPORTER, RABBITMQ, SCHEDULER, component
from infra.observability.alert import Alert
from infra.observability.measured import AIPP

NAMESPACE = 'namespace="$aipp"'
QUEUE = f'job="{component(RABBITMQ)}", {NAMESPACE}'
DATABASE = f'job="{POSTGRES_EXPORTER}", {NAMESPACE}'
LINKERS = f'container="{LINKER}", {NAMESPACE}'

RUNNING_SCHEDULERS = f'sum(kube_pod_status_phase{{pod=~"{SCHEDULER}-.*", phase="Running", {NAMESPACE}}})'


def is_away(service: str) -> str:
    """Return the question whether no pod of a Deployment is ready; true also where there is no such Deployment."""
    ready = f'kube_deployment_status_replicas_ready{{deployment="{service}", {NAMESPACE}}}'
    return f"(sum({ready}) or vector(0)) == 0"


AIPP_ALERTS = (
    Alert(
        name="AippBackendDown",
        component=AIPP,
        expression=is_away(BACKEND),
        minutes=5,
        severity="critical",
        summary="enai-backend is not ready",
        description="The page shows nothing; whoever needs new tables waits in its init container.",
    ),
    Alert(
        name="AippFrontDown",
        component=AIPP,
        expression=is_away(FRONT),
        minutes=2,
        severity="critical",
        summary="No pod of enai-front is ready",
        description="Nobody opens the page. With two replicas on two nodes a single failure does not lead here.",
    ),
    Alert(
        name="AippSchedulerDown",
        component=AIPP,
        expression=is_away(SCHEDULER),
        minutes=10,
        severity="critical",
        summary="enai-scheduler is not ready",
        description="Nothing is started at its time. After a node went silent this needs a person, on purpose.",
    ),
    Alert(
        name="AippSchedulerTwice",
        component=AIPP,
        expression=f"{RUNNING_SCHEDULERS} > 1",
        minutes=1,
        severity="critical",
        summary="{{ $value }} pods of enai-scheduler run at once",
        description="Each starts everything: work is done twice, and perhaps written twice.",
    ),
    Alert(
        name="AippLinkerOutOfMemory",
        component=AIPP,
        expression=(
            f"increase(kube_pod_container_status_restarts_total{{{LINKERS}}}[15m]) > 0"
            " and on (namespace, pod, container)"
            f' kube_pod_container_status_last_terminated_reason{{reason="OOMKilled", {LINKERS}}} == 1'
        ),
        minutes=0,
        severity="warning",
        summary="{{ $labels.pod }} was ended at its memory limit",
        description="Texts that it had in hand are linked again after its start, which loads the model first.",
    ),
    Alert(
        name="AippQueueGrowing",
        component=component(RABBITMQ),
        # More than a moment's work, and no less than half an hour ago.
        expression=(
            f"sum(rabbitmq_queue_messages_ready{{{QUEUE}}}) > 100"
            f" and sum(deriv(rabbitmq_queue_messages_ready{{{QUEUE}}}[30m])) > 0"
        ),
        minutes=30,
        severity="warning",
        summary="{{ $value }} messages wait, and they become more",
        description="Who takes them is away or slower than who sends them. RabbitMQ holds publishers back in the end.",
    ),
    Alert(
        name="AippQueueBlocked",
        component=component(RABBITMQ),
        expression=(
            f"max(rabbitmq_alarms_memory_used_watermark{{{QUEUE}}}) > 0"
            f" or max(rabbitmq_alarms_free_disk_space_watermark{{{QUEUE}}}) > 0"
        ),
        minutes=2,
        severity="critical",
        summary="RabbitMQ takes no more messages",
        description="It is short of memory or disk and holds every publisher back: backend and scheduler stand still.",
    ),
    Alert(
        name="AippDatabaseConnections",
        component=POSTGRES_EXPORTER,
        expression=f"sum(pg_stat_activity_count{{{DATABASE}}}) / max(pg_settings_max_connections{{{DATABASE}}}) > 0.85",
        minutes=10,
        severity="warning",
        summary="{{ $value | humanizePercentage }} of the database's connections are taken",
        description="At 100 % a service that starts, or asks for one more, is refused.",
    ),
)
