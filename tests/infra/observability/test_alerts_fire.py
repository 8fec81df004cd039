"""Prometheus' own rule tester: each alert is raised by what it is for, and by nothing beside it."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from infra.observability.alert import rule_spec
from infra.observability.alerts import ALERTS
from tests.infra.aipp.servers import found
from tests.infra.observability.support import SCOPE

HOURS = 4
"""How long the series of a case last, one sample a minute; what is looked at is the end."""
API = 'job="api", namespace="the-chat"'
VOLUME = 'persistentvolumeclaim="registry-data", namespace="the-registry"'
QUEUE = 'job="aipp-rabbitmq", namespace="the-aipp"'
DATABASE = 'job="aipp-postgres-exporter", namespace="the-aipp"'
LINKER = 'container="enai-linker", namespace="the-aipp", pod="enai-linker-1"'
READY = "kube_deployment_status_replicas_ready"
STORE_READY = "kube_statefulset_status_replicas_ready"


@dataclass(frozen=True)
class Case:
    """Series and their values, in the short form of promtool: ``0+1x60`` is 0, 1, 2 ... 60."""

    bad: dict[str, str]
    good: dict[str, str]


def constant(series: str, bad: float, good: float) -> Case:
    """Return a case of one series that stays where it is."""
    return Case({series: f"{bad}x240"}, {series: f"{good}x240"})


def share(part: str, whole: str, bad: str, good: str) -> Case:
    """Return a case of a counter that is compared with the sum of all."""
    return Case({part: f"0+{bad}x240", whole: "0+100x240"}, {part: f"0+{good}x240", whole: "0+100x240"})


def room(left: str, size: str, bad: int, good: int) -> Case:
    """Return a case of a volume or a disk of 100."""
    return Case({left: f"{bad}x240", size: "100x240"}, {left: f"{good}x240", size: "100x240"})


CASES = {
    "EngineDown": constant('up{job="engine", namespace="the-chat"}', 0, 1),
    # Somebody else's api beside ours.
    "ApiDown": Case({f"up{{{API}}}": "0x240", 'up{job="api", namespace="other"}': "1x240"}, {f"up{{{API}}}": "1x240"}),
    "ErrorRateHigh": share(
        f'chatbot_http_request_seconds_count{{{API}, status="502"}}',
        f'chatbot_http_request_seconds_count{{{API}, status="200"}}',
        "20",
        "1",
    ),
    "AnswersFailing": share(
        f'chatbot_answers_total{{{API}, outcome="failed"}}',
        f'chatbot_answers_total{{{API}, outcome="complete"}}',
        "20",
        "1",
    ),
    "FirstTokenSlow": Case(
        {
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="10.0"}}': "0+1x240",
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="30.0"}}': "0+100x240",
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="+Inf"}}': "0+100x240",
        },
        {
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="10.0"}}': "0+99x240",
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="30.0"}}': "0+100x240",
            f'chatbot_time_to_first_token_seconds_bucket{{{API}, le="+Inf"}}': "0+100x240",
        },
    ),
    "QueueLong": constant('vllm:num_requests_waiting{job="engine", namespace="the-chat", model_name="m"}', 9, 2),
    "HistoryWaiting": constant(f"chatbot_history_pending{{{API}}}", 3, 0),
    "RedisMemoryHigh": Case(
        {
            'redis_memory_used_bytes{namespace="the-data", pod="p"}': "90x240",
            'redis_memory_max_bytes{namespace="the-data", pod="p"}': "100x240",
        },
        # No limit at all is no limit that is near.
        {
            'redis_memory_used_bytes{namespace="the-data", pod="p"}': "90x240",
            'redis_memory_max_bytes{namespace="the-data", pod="p"}': "0x240",
        },
    ),
    "VolumeNearlyFull": room(
        'kubelet_volume_stats_available_bytes{namespace="the-data", persistentvolumeclaim="v"}',
        'kubelet_volume_stats_capacity_bytes{namespace="the-data", persistentvolumeclaim="v"}',
        5,
        50,
    ),
    "DiskNearlyFull": Case(
        {
            'node_filesystem_avail_bytes{instance="n", device="d", mountpoint="/", fstype="ext4"}': "5x240",
            'node_filesystem_size_bytes{instance="n", device="d", mountpoint="/", fstype="ext4"}': "100x240",
            'node_filesystem_readonly{instance="n", device="d", mountpoint="/", fstype="ext4"}': "0x240",
        },
        # A medium that nobody can write to is full by nature.
        {
            'node_filesystem_avail_bytes{instance="n", device="d", mountpoint="/", fstype="iso9660"}': "0x240",
            'node_filesystem_size_bytes{instance="n", device="d", mountpoint="/", fstype="iso9660"}': "100x240",
            'node_filesystem_readonly{instance="n", device="d", mountpoint="/", fstype="iso9660"}': "1x240",
        },
    ),
    "RegistryNearlyFull": room(
        f"kubelet_volume_stats_available_bytes{{{VOLUME}}}", f"kubelet_volume_stats_capacity_bytes{{{VOLUME}}}", 10, 20
    ),
    # Time begins at 0 here.
    "CertificateExpiring": constant(
        'certmanager_certificate_expiration_timestamp_seconds{namespace="n", name="c"}', 5 * 86400, 60 * 86400
    ),
    "RolloutDegraded": Case(
        {'rollout_info{namespace="the-chat", name="api", phase="Degraded"}': "1x240"},
        {'rollout_info{namespace="the-chat", name="api", phase="Healthy"}': "1x240"},
    ),
    "ApplicationUnhealthy": Case(
        {'argocd_app_info{name="backend-chat", health_status="Degraded"}': "1x240"},
        {'argocd_app_info{name="backend-chat", health_status="Healthy"}': "1x240"},
    ),
    "BuildFailing": constant('default_jenkins_builds_last_build_result{jenkins_job="backend"}', 0, 1),
    "GpuMemoryNearlyFull": Case(
        {'nvidia_smi_memory_used_bytes{uuid="u"}': "99x240", 'nvidia_smi_memory_total_bytes{uuid="u"}': "100x240"},
        {'nvidia_smi_memory_used_bytes{uuid="u"}': "80x240", 'nvidia_smi_memory_total_bytes{uuid="u"}': "100x240"},
    ),
    "OutOfMemory": Case(
        {'container_oom_events_total{namespace="the-chat", pod="p", container="engine"}': "0x235 1x5"},
        # An hour ago: whoever was told then is not told again.
        {'container_oom_events_total{namespace="the-chat", pod="p", container="engine"}': "0x180 1x60"},
    ),
    "PodRestarting": Case(
        {'kube_pod_container_status_restarts_total{namespace="the-chat", pod="p", container="c"}': "0+0.2x240"},
        {'kube_pod_container_status_restarts_total{namespace="the-chat", pod="p", container="c"}': "0x230 1x10"},
    ),
    "TargetDown": constant('up{job="x", namespace="the-data"}', 0, 1),
    # Its pod is ready, and the exporter is refused.
    "AippDatabaseDown": Case(
        {f'{STORE_READY}{{namespace="the-aipp", statefulset="pgvector"}}': "1x240", f"pg_up{{{DATABASE}}}": "0x240"},
        {f'{STORE_READY}{{namespace="the-aipp", statefulset="pgvector"}}': "1x240", f"pg_up{{{DATABASE}}}": "1x240"},
    ),
    # The chat's makes no difference; nor is an exporter needed.
    "AippRedisDown": Case(
        {
            f'{STORE_READY}{{namespace="the-aipp", statefulset="redis"}}': "0x240",
            f'{STORE_READY}{{namespace="the-data", statefulset="redis"}}': "1x240",
        },
        {
            f'{STORE_READY}{{namespace="the-aipp", statefulset="redis"}}': "1x240",
            'redis_up{job="redis-exporter", namespace="the-data"}': "0x240",
        },
    ),
    "AippRabbitmqDown": constant(f'{STORE_READY}{{namespace="the-aipp", statefulset="rabbitmq"}}', 0, 1),
    "AippDataProcessorDown": constant(f'{READY}{{namespace="the-aipp", deployment="enai-data-processor"}}', 0, 1),
    "AippLinkerDown": constant(f'{READY}{{namespace="the-aipp", deployment="enai-linker"}}', 0, 1),
    # The first: there is no such Deployment. The second pod of another Deployment makes no difference.
    "AippBackendDown": Case(
        {f'{READY}{{namespace="the-aipp", deployment="enai-front"}}': "2x240"},
        {
            f'{READY}{{namespace="the-aipp", deployment="enai-backend"}}': "1x240",
        },
    ),
    "AippFrontDown": constant(f'{READY}{{namespace="the-aipp", deployment="enai-front"}}', 0, 1),
    "AippSchedulerDown": constant(f'{READY}{{namespace="the-aipp", deployment="enai-scheduler"}}', 0, 1),
    "AippSchedulerTwice": Case(
        {
            'kube_pod_status_phase{namespace="the-aipp", pod="enai-scheduler-1", phase="Running"}': "1x240",
            'kube_pod_status_phase{namespace="the-aipp", pod="enai-scheduler-2", phase="Running"}': "1x240",
        },
        # One takes over from the other, or waits for a volume that the other still has.
        {
            'kube_pod_status_phase{namespace="the-aipp", pod="enai-scheduler-1", phase="Running"}': "1x240",
            'kube_pod_status_phase{namespace="the-aipp", pod="enai-scheduler-2", phase="Pending"}': "1x240",
            'kube_pod_status_phase{namespace="the-aipp", pod="enai-scheduler-2", phase="Running"}': "0x240",
        },
    ),
    "AippLinkerOutOfMemory": Case(
        {
            f"kube_pod_container_status_restarts_total{{{LINKER}}}": "0x235 1x5",
            f'kube_pod_container_status_last_terminated_reason{{{LINKER}, reason="OOMKilled"}}': "_x235 1x5",
        },
        # It was, long ago: the reason stays until the next end.
        {
            f"kube_pod_container_status_restarts_total{{{LINKER}}}": "0x100 1x140",
            f'kube_pod_container_status_last_terminated_reason{{{LINKER}, reason="OOMKilled"}}': "_x100 1x140",
        },
    ),
    "AippQueueGrowing": Case(
        {f"rabbitmq_queue_messages_ready{{{QUEUE}}}": "0+5x240"},
        # As long, and getting shorter.
        {f"rabbitmq_queue_messages_ready{{{QUEUE}}}": "5000-5x240"},
    ),
    "AippQueueBlocked": Case(
        {
            f"rabbitmq_alarms_memory_used_watermark{{{QUEUE}}}": "0x240",
            f"rabbitmq_alarms_free_disk_space_watermark{{{QUEUE}}}": "1x240",
        },
        {
            f"rabbitmq_alarms_memory_used_watermark{{{QUEUE}}}": "0x240",
            f"rabbitmq_alarms_free_disk_space_watermark{{{QUEUE}}}": "0x240",
        },
    ),
    "AippDatabaseConnections": Case(
        {
            f'pg_stat_activity_count{{{DATABASE}, state="idle", application_name="enai-backend"}}': "60x240",
            f'pg_stat_activity_count{{{DATABASE}, state="active", application_name="enai-scheduler"}}': "30x240",
            f"pg_settings_max_connections{{{DATABASE}}}": "100x240",
        },
        {
            f'pg_stat_activity_count{{{DATABASE}, state="idle", application_name="enai-backend"}}': "60x240",
            f"pg_settings_max_connections{{{DATABASE}}}": "100x240",
        },
    ),
}


@pytest.fixture(scope="module")
def promtool() -> str:
    return found("promtool", "prometheus")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(yaml.safe_dump(rule_spec(ALERTS, "docs/runbooks.md", SCOPE)))
    return path


def failures(promtool: str, rules: Path, series: dict[str, dict[str, str]], expected: int) -> str:
    """Return what promtool says where the series of an alert, at their end, have not raised as many as expected."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in its_series.items()],
            "promql_expr_test": [
                {
                    "expr": f"count(ALERTS{{alertname='{alert}', alertstate='firing'}}) or vector(0)",
                    "eval_time": f"{HOURS}h",
                    "exp_samples": [{"labels": "{}", "value": expected}],
                }
            ],
        }
        for alert, its_series in series.items()
    ]
    path = rules.with_name(f"cases-{expected}.yml")
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}))
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == ("SUCCESS" in said) == ("FAILED" not in said), said
    return said


@pytest.fixture(scope="module")
def not_raised(promtool: str, rules: Path) -> str:
    return failures(promtool, rules, {name: case.bad for name, case in CASES.items()}, 1)


@pytest.fixture(scope="module")
def raised_all_the_same(promtool: str, rules: Path) -> str:
    return failures(promtool, rules, {name: case.good for name, case in CASES.items()}, 0)


def test_prometheus_takes_every_rule_and_its_texts(promtool: str, rules: Path) -> None:
    done = subprocess.run([promtool, "check", "rules", "--lint=all", str(rules)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"SUCCESS: {len(ALERTS)} rules found" in done.stdout


def test_every_alert_has_its_case() -> None:
    assert CASES.keys() == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", CASES)
def test_is_raised_by_what_it_is_for(not_raised: str, name: str) -> None:
    assert f"alertname='{name}'" not in not_raised


@pytest.mark.parametrize("name", CASES)
def test_is_not_raised_by_what_looks_alike(raised_all_the_same: str, name: str) -> None:
    assert f"alertname='{name}'" not in raised_all_the_same
