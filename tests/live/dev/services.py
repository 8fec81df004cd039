"""What has become of the eight services: who is ready since when, and what Argo CD makes of it."""

from datetime import datetime

from infra.aipp.plan import WAVES
from infra.aipp.tree import APPLICATION
from tests.live.common.kube import Manifest, get, kubectl, listed
from tests.live.dev.operators import NAMESPACE

STORES = ("pgvector", "redis", "rabbitmq")


def application() -> Manifest:
    """Return the Application as it is now."""
    found = get("application.argoproj.io", APPLICATION, "argocd")
    assert found is not None
    return found


def synced(commit: str) -> bool:
    """Say whether Argo CD has all of a commit in the cluster, and all of it is well."""
    status = application().get("status", {})
    sync = status.get("sync", {})
    states = (sync.get("status"), sync.get("revision"), status.get("health", {}).get("status"))
    return states == ("Synced", commit, "Healthy") and status.get("operationState", {}).get("phase") == "Succeeded"


def why() -> str:
    """Return what Argo CD and the pods say about what is not well."""
    status = application().get("status", {})
    bad = [
        f"{each['kind']}/{each['name']}: {each.get('status')} {each.get('health', {})}"
        for each in status.get("resources", [])
        if each.get("status") != "Synced" or each.get("health", {}).get("status", "Healthy") != "Healthy"
    ]
    operation = status.get("operationState", {})
    said = [str(status.get("conditions", "")), f"{operation.get('phase')}: {operation.get('message')}"]
    pods = kubectl("get", "pods", "--namespace", NAMESPACE, "--output", "wide", check=False)
    return "\n".join([*bad, *said, pods, kubectl("get", "events", "--namespace", NAMESPACE, check=False)[-3000:]])


def workload(service: str) -> Manifest | None:
    """Return a service's StatefulSet or Deployment."""
    return get("statefulset" if service in STORES else "deployment", service, NAMESPACE)


def pods(service: str) -> list[Manifest]:
    """Return a service's pods that are not being ended, newest last."""
    found = listed("pods", NAMESPACE, f"app.kubernetes.io/name={service}")
    return [each for each in found if "deletionTimestamp" not in each["metadata"]]


def pod(service: str) -> Manifest:
    """Return a service's newest pod."""
    return pods(service)[-1]


def name_of(service: str) -> str:
    """Return the name of a service's newest pod."""
    return str(pod(service)["metadata"]["name"])


def ready_since(pod: Manifest) -> float | None:
    """Return when a pod became ready (seconds since 1970); None: it is not."""
    for each in pod["status"].get("conditions", []):
        if each["type"] == "Ready" and each["status"] == "True":
            return seconds(each["lastTransitionTime"])
    return None


def is_ready(service: str) -> bool:
    """Say whether as many pods of a service are ready as it wants."""
    wanted = (workload(service) or {"spec": {"replicas": 1}})["spec"]["replicas"]
    return sum(ready_since(each) is not None for each in pods(service)) == wanted


def not_ready() -> list[str]:
    """Return the services that are deployed and not ready."""
    return [service for service in WAVES if workload(service) and not is_ready(service)]


def seconds(time: str) -> float:
    """Return a time of the API server as seconds since 1970."""
    return datetime.fromisoformat(time).timestamp()


def waves() -> dict[int, tuple[float, float]]:
    """Return wave -> when its first workload was made, and when its last pod became ready."""
    found: dict[int, tuple[float, float]] = {}
    for wave in sorted(set(WAVES.values())):
        made, ready = [], []
        for service in (service for service, its in WAVES.items() if its == wave):
            declared = workload(service)
            assert declared, f"{service} is not deployed"
            made.append(seconds(declared["metadata"]["creationTimestamp"]))
            times = [ready_since(each) for each in pods(service)]
            assert times, f"{service} has no pod"
            assert None not in times, f"{service} is not ready"
            ready += [time for time in times if time is not None]
        found[wave] = (min(made), max(ready))
    return found


def restarts() -> dict[str, int]:
    """Return container -> how often it was started again, in every pod."""
    return {
        f"{each['metadata']['name']}/{status['name']}": status["restartCount"]
        for each in listed("pods", NAMESPACE)
        for status in each["status"].get("containerStatuses", [])
    }


def log(service: str, container: str) -> str:
    """Return what a container of a service's newest pod said."""
    return kubectl("logs", "--namespace", NAMESPACE, name_of(service), "--container", container)


def ask_database(sql: str) -> str:
    """Return what the database answers, asked in its own pod; a session of no known name would hold a migration up."""
    inside = [
        "env",
        "PGAPPNAME=aipp-probe",
        "psql",
        "-qtAX",
        "-h",
        "/var/run/postgresql",
        "-U",
        "aipp",
        "-d",
        "aipp",
        "-c",
        sql,
    ]
    return kubectl("exec", "--namespace", NAMESPACE, "pgvector-0", "--", *inside).strip()
