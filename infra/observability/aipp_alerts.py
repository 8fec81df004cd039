"""When people are told, of what: the vendor's eight services.

Whether one is up is asked of Kubernetes and not of the service: nobody knows yet which of them tell metrics.
"""

from infra.aipp.names import (
    BACKEND,
    DATA_PROCESSOR,
    FRONT,
    LINKER,
    PGVECTOR,
    POSTGRES_EXPORTER,
    RABBITMQ,
    REDIS,
    SCHEDULER,
    component,
)
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


def is_shut(store: str, told_by_its_exporter: str = "") -> str:
    """Return the question whether a StatefulSet's pod is not ready, or is and does not let its exporter in.

    An exporter of a store that is away stays up: nothing else says why its metrics are silent.
    """
    ready = f'kube_statefulset_status_replicas_ready{{statefulset="{store}", {NAMESPACE}}}'
    away = f"(sum({ready}) or vector(0)) == 0"
    return f"{away} or max({told_by_its_exporter}{{{NAMESPACE}}}) == 0" if told_by_its_exporter else away


AIPP_ALERTS = (
    Alert(
        name="AippDatabaseDown",
        component=AIPP,
        expression=is_shut(PGVECTOR, "pg_up"),
        minutes=2,
        severity="critical",
        summary="pgvector is not ready, or lets nobody in",
        description="Nothing is read or stored: the page shows errors, and what starts now waits for it.",
    ),
    Alert(
        name="AippRedisDown",
        component=AIPP,
        expression=is_shut(REDIS, "redis_up"),
        minutes=2,
        severity="critical",
        summary="The services' Redis is not ready, or lets nobody in",
        description="Sessions cannot be read, so people are logged out or refused; what starts now waits for it.",
    ),
    Alert(
        name="AippRabbitmqDown",
        component=AIPP,
        expression=is_shut(RABBITMQ),
        minutes=2,
        severity="critical",
        summary="RabbitMQ is not ready",
        description="No work is given out or taken; what starts now waits for it.",
    ),
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
        name="AippDataProcessorDown",
        component=AIPP,
        expression=is_away(DATA_PROCESSOR),
        minutes=10,
        severity="warning",
        summary="enai-data-processor is not ready",
        description="Nothing new is collected; its work waits in the queue meanwhile.",
    ),
    Alert(
        name="AippLinkerDown",
        component=LINKER,
        expression=is_away(LINKER),
        minutes=10,
        severity="warning",
        summary="enai-linker is not ready",
        description="No text is linked: a person who asks for it gets an error, other work waits in the queue.",
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
        component=LINKER,
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
