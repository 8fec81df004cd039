"""What runs in a pod before its service: waiting until it is let in, and taking back a lock that a killed pod left."""

from pathlib import Path

from pulumi import Input, Output
from pulumi_kubernetes.core.v1 import ContainerArgsDict, EnvVarArgsDict

from infra.aipp.names import (
    BACKEND,
    EXPORTER_SESSION,
    FIELDS,
    PASSWORD_FILES,
    PGVECTOR,
    RABBITMQ,
    REDIS,
    SECRETS_FOLDER,
    STORE_PORTS,
)
from infra.aipp.place import Place
from infra.aipp.plan import calls
from infra.workload import resources

PAUSE_SECONDS = 5
"""Between two attempts."""
OWN_SESSIONS = ("aipp-wait", "aipp-release", "aipp-probe", "aipp-settle", EXPORTER_SESSION)
"""Names of sessions at the database that are these steps' and the server's own checks."""


def script(name: str) -> str:
    """Return the text of a file beside this module."""
    return Path(__file__).with_name(name).read_text()


def waits(service: str, place: Place) -> list[ContainerArgsDict]:
    """Return one step for each whom ``service`` waits for, in the order of `plan.py`."""
    return [_wait(call.target, place) for call in calls(place.package, service) if call.waits]


def release_lock(place: Place) -> ContainerArgsDict:
    """Return the step that takes back the migrations' lock if nobody can hold it any more."""
    command = ["sh", "-c", script("release_lock.sh")]
    return _step("release-lock", place.package.pgvector.image, command, [*_psql(place), _known_sessions()])


def watch_lock(place: Place) -> ContainerArgsDict:
    """Return what does the same beside the service, for as long as the pod lives: a killed container runs no step.

    Kubernetes 1.29 and later start the next container without waiting for the end of one that is always restarted.
    """
    command = ["sh", "-c", script("watch_lock.sh")]
    watch = _step("watch-lock", place.package.pgvector.image, command, [*_psql(place), _known_sessions()])
    return {**watch, "restart_policy": "Always"}


def _known_sessions() -> EnvVarArgsDict:
    others = [service for service in FIELDS if service != BACKEND]
    return {"name": "KNOWN_SESSIONS", "value": ",".join((*OWN_SESSIONS, *others))}


def _wait(target: str, place: Place) -> ContainerArgsDict:
    name, package = f"wait-for-{target.removeprefix('enai-')}", place.package
    match target:
        case "pgvector":
            return _step(name, package.pgvector.image, ["sh", "-c", script("wait_for_pgvector.sh")], _psql(place))
        case "redis":
            return _step(name, package.redis.image, ["sh", "-c", script("wait_for_redis.sh")], _login(REDIS, place))
        case "rabbitmq":
            account: EnvVarArgsDict = {"name": "ACCOUNT", "value": package.rabbitmq.user}
            command = ["python3", "-c", script("wait_for_rabbitmq.py")]
            return _step(name, place.python_image, command, [*_login(RABBITMQ, place), account])
        case _:
            return _wait_for_http(name, place)


def _wait_for_http(name: str, place: Place) -> ContainerArgsDict:
    """Return the step that waits for the backend, the only one of the vendor's that others wait for."""
    if place.backend_url is None:
        raise ValueError("the backend waits for itself: infra/aipp/plan.py")
    ready: Input[str] = Output.concat(place.backend_url, place.package.backend.ready_path or "/")
    address: EnvVarArgsDict = {"name": "ADDRESS", "value": ready}
    # Whether it is ready is no secret.
    step = _step(name, place.python_image, ["python3", "-c", script("wait_for_http.py")], [address])
    return {**step, "volume_mounts": []}


def _login(store: str, place: Place) -> list[EnvVarArgsDict]:
    return [
        {"name": "HOST", "value": place.hosts[store]},
        {"name": "PORT", "value": str(STORE_PORTS[store])},
        _login_file(store),
    ]


def _login_file(store: str) -> EnvVarArgsDict:
    return {"name": "LOGIN_FILE", "value": f"{SECRETS_FOLDER}/{PASSWORD_FILES[store]}"}


def _psql(place: Place) -> list[EnvVarArgsDict]:
    database = place.package.pgvector
    return [
        {"name": "PGHOST", "value": place.hosts[PGVECTOR]},
        {"name": "PGUSER", "value": database.user},
        {"name": "PGDATABASE", "value": database.database},
        _login_file(PGVECTOR),
    ]


def _step(name: str, image: str, command: list[str], variables: list[EnvVarArgsDict]) -> ContainerArgsDict:
    return {
        "name": name,
        "image": image,
        "command": command,
        "env": [*variables, {"name": "PAUSE_SECONDS", "value": str(PAUSE_SECONDS)}],
        "resources": resources(cpu_millicores=200, memory_mib=64),
        "volume_mounts": [{"name": "secrets", "mount_path": SECRETS_FOLDER, "read_only": True}],
    }
