"""What may go wrong with the eight services does, on purpose; each test leaves all of them ready again."""

import contextlib
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from infra.aipp.names import BACKEND, FRONT, LINKER, PGVECTOR, REDIS, SCHEDULER
from tests.live.common.kube import get, kubectl, listed, until
from tests.live.dev import figures, images, services, tree
from tests.live.dev.faults import all_ready, another, bad, commit, end, found
from tests.live.dev.operators import EXTERNAL_SECRETS, NAMESPACE, PORT
from tests.live.dev.platform import Platform, kill_container, offer_gpus, registry_away, without_healing

pytestmark = pytest.mark.live

LATE_SECONDS = 60


def test_verify_says_that_all_is_well(platform: Platform) -> None:
    findings = found()
    assert not bad(findings), bad(findings)
    assert f"pods in {NAMESPACE}" in findings
    assert "health of enai-backend" in findings
    assert "0.8.5" in findings["extension vector"].says


def test_database_that_comes_a_minute_late_is_waited_for(platform: Platform) -> None:
    before = services.name_of(BACKEND)
    with without_healing():
        kubectl("scale", "statefulset/pgvector", "--namespace", NAMESPACE, "--replicas=0")
        until("the database is away", lambda: not services.pods(PGVECTOR), 120)
        end(BACKEND)
        until("a new backend", lambda: another(BACKEND, before), 120)
        begun = time.monotonic()
        while time.monotonic() - begun < LATE_SECONDS:
            assert not services.is_ready(BACKEND)
            time.sleep(5)
        assert "waiting for pgvector" in services.log(BACKEND, "wait-for-pgvector")
        assert "wait-for-pgvector" in bad(found())[f"pods in {NAMESPACE}"]
        kubectl("scale", "statefulset/pgvector", "--namespace", NAMESPACE, "--replicas=1")
        until("the database", lambda: services.is_ready(PGVECTOR), 180)
        back = time.monotonic()
        until("the backend", lambda: services.is_ready(BACKEND), 180)
        figures.keep("faults", "database 60 s late: backend ready after the database", time.monotonic() - back)
    assert not any(each["restartCount"] for each in services.pod(BACKEND)["status"]["containerStatuses"])
    all_ready("all ready")


LOCKED = "SELECT locked FROM databasechangeloglock"
GRANTED = "SELECT lockgranted FROM databasechangeloglock"


def test_lock_of_a_migration_that_was_killed_is_taken_back(platform: Platform) -> None:
    before = services.name_of(BACKEND)
    commit(platform, "A migration of a minute", backend={"environment": {"MIGRATION_SECONDS": "60"}})
    until("the new backend", lambda: another(BACKEND, before), 120)
    until("the migration", lambda: services.ask_database(LOCKED) == "t", 120)
    assert not services.is_ready(BACKEND)
    _kill_the_container()
    before = services.name_of(BACKEND)
    end(BACKEND, "--grace-period=0", "--force")
    killed = time.monotonic()
    assert services.ask_database(LOCKED) == "t"
    until("a new backend", lambda: another(BACKEND, before), 60)
    until("the step", lambda: "released: held by" in _log(BACKEND, "release-lock"), 120)
    figures.keep("faults", "pod killed in a migration: its lock is taken back after", time.monotonic() - killed)
    assert before in services.log(BACKEND, "release-lock")
    done = commit(platform, "No migration", backend={})
    until("the backend", lambda: services.is_ready(BACKEND), 240)
    figures.keep("faults", "pod killed in a migration of 60 s: backend ready after", time.monotonic() - killed)
    until("Synced", lambda: services.synced(done), 300, pause=2)
    assert services.ask_database(LOCKED) == "f"
    all_ready("all ready")


def _kill_the_container() -> None:
    """Kill the migrating process alone: its pod stays, so that none of the pod's steps runs again."""
    time.sleep(6)  # whoever watches the lock has seen it
    granted, killed = services.ask_database(GRANTED), time.monotonic()
    kill_container(services.pod(BACKEND), BACKEND)
    until("another migration", lambda: services.ask_database(GRANTED) not in (granted, ""), 90)
    figures.keep("faults", "container killed in a migration: it runs again after", time.monotonic() - killed)
    assert f"released, held by {services.name_of(BACKEND)}" in services.log(BACKEND, "watch-lock")


def _log(service: str, container: str) -> str:
    """Return what a container said; empty where it has not begun."""
    with contextlib.suppress(AssertionError):
        return services.log(service, container)
    return ""


def test_linker_over_its_memory_is_started_again_alone(platform: Platform) -> None:
    before, pod = services.restarts(), services.name_of(LINKER)
    service = get("service", LINKER, NAMESPACE)
    assert service is not None
    address = f"http://{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}/?mib=2048"
    with contextlib.suppress(OSError):
        urllib.request.urlopen(urllib.request.Request(address, method="POST"), timeout=60)
    until("the linker is started again", lambda: services.restarts()[f"{pod}/{LINKER}"] > before[f"{pod}/{LINKER}"], 60)
    (status,) = services.pod(LINKER)["status"]["containerStatuses"]
    assert status["lastState"]["terminated"]["reason"] == "OOMKilled"
    all_ready("the linker is ready again")
    assert {name: number for name, number in services.restarts().items() if number != before[name]} == {
        f"{pod}/{LINKER}": before[f"{pod}/{LINKER}"] + 1
    }
    finding = found()[f"memory in {NAMESPACE}"]
    assert not finding.ok
    assert LINKER in finding.says
    end(LINKER)
    until("another linker", lambda: another(LINKER, pod), 120)
    all_ready("all ready")
    until("verify finds nothing", lambda: not bad(found()), 60, pause=3)


@contextmanager
def visitor(host: str) -> Iterator[dict[str, list[str]]]:
    """Open the page all the while; yield the answers' versions and the failures."""
    seen: dict[str, list[str]] = {"versions": [], "failures": []}
    stop = threading.Event()

    def visit() -> None:
        while not stop.wait(0.3):
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{PORT}/", headers={"Host": host})
                with urllib.request.urlopen(request, timeout=15) as answer:
                    text = answer.read().decode()
                seen["versions"].append(text.partition("<title>AIPP ")[2].partition("<")[0])
            except OSError as error:
                seen["failures"].append(f"{time.strftime('%T')} {error}")

    thread = threading.Thread(target=visit, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join(timeout=30)


def test_registry_that_is_away_during_a_rollout_stops_nobody(platform: Platform) -> None:
    config = tree.model().aipp
    assert config
    second = config.front.image.replace(images.FIRST, images.SECOND)
    with visitor(config.host) as seen:
        with registry_away():
            commit(platform, f"The page is {images.SECOND}", front={"image": second})
            until("the new page cannot be pulled", lambda: "ImagePull" in str(_waiting(FRONT)), 120)
            assert any("ImagePull" in says for says in bad(found()).values())
            seen["versions"].clear()
            time.sleep(20)
            assert set(seen["versions"]) == {images.FIRST}
        back = time.monotonic()
        until("the new page is there", lambda: _whole(FRONT), 420, pause=2)
        figures.keep("faults", "registry away: page replaced after it is back", time.monotonic() - back)
        seen["versions"].clear()
        until("the new page answers", lambda: images.SECOND in seen["versions"], 30)
    assert not seen["failures"], seen["failures"]
    done = commit(platform, "The page as it was")
    until("Synced", lambda: services.synced(done), 300, pause=2)


def _waiting(service: str) -> list[Any]:
    """Return why the containers of a service's pods wait."""
    statuses = [each for pod in services.pods(service) for each in pod["status"].get("containerStatuses", [])]
    return [each["state"].get("waiting", {}).get("reason") for each in statuses]


def _whole(service: str) -> bool:
    """Say whether a Deployment has replaced all its pods."""
    status = (services.workload(service) or {"status": {}})["status"]
    return status.get("updatedReplicas") == status.get("replicas") == status.get("availableReplicas") == 2


TERMINATE = '{"status": {"operationState": {"phase": "Terminating"}}}'
"""What `argocd app terminate-op` does."""


@pytest.mark.parametrize(("service", "field"), [(BACKEND, "backend"), (REDIS, "redis")])
def test_commit_that_cannot_become_ready_holds_the_next_up_until_it_is_ended(
    platform: Platform, service: str, field: str
) -> None:
    """A store's too: the pod that never became ready is replaced, as a Deployment's is."""
    name = getattr(tree.model().aipp, field).image.rpartition(":")[0]
    commit(platform, f"A tag of {field} that is nowhere", **{field: {"image": f"{name}:v9.9.9"}})
    until("it cannot be pulled", lambda: "ImagePull" in str(_waiting(service)), 180)
    good = commit(platform, f"{field} as it was")
    time.sleep(30)
    assert services.application()["status"]["operationState"]["phase"] == "Running"
    assert not services.synced(good)
    ended = time.monotonic()
    where = ["application.argoproj.io", "aipp", "--namespace", "argocd"]
    kubectl("patch", *where, "--type=merge", "--patch", TERMINATE)
    until("Synced", lambda: services.synced(good), 300, pause=2)
    figures.keep("faults", f"{field} that cannot become ready: well again after", time.monotonic() - ended)
    all_ready("all ready")


def test_second_scheduler_waits_wherever_it_comes_from(platform: Platform) -> None:
    """Scaled by hand while Argo CD looks away: the volume is one pod's alone; looking again, Argo CD takes it back."""
    before = services.pod(SCHEDULER)
    with without_healing():
        kubectl("scale", f"deployment/{SCHEDULER}", "--namespace", NAMESPACE, "--replicas=2")
        until("a second scheduler", lambda: len(services.pods(SCHEDULER)) == 2, 60)
        until("it may not run", lambda: "ReadWriteOncePod" in _unscheduled(SCHEDULER), 60)
        time.sleep(10)  # nor does it a moment later
        (second,) = (each for each in services.pods(SCHEDULER) if each["metadata"]["uid"] != before["metadata"]["uid"])
        assert second["status"]["phase"] == "Pending"
        assert "nodeName" not in second["spec"]
        assert "ReadWriteOncePod" in bad(found())[f"pods in {NAMESPACE}"]
        (first,) = (each for each in services.pods(SCHEDULER) if each["metadata"]["uid"] == before["metadata"]["uid"])
        assert services.ready_since(first) == services.ready_since(before)
    begun = time.monotonic()
    until("the second is gone", lambda: len(services.pods(SCHEDULER)) == 1, 180)
    figures.keep("faults", "scheduler scaled to 2: Argo CD has taken it back after", time.monotonic() - begun)
    now = services.pod(SCHEDULER)
    assert now["metadata"]["uid"] == before["metadata"]["uid"]
    assert now["status"]["containerStatuses"] == before["status"]["containerStatuses"]
    until("Synced", lambda: services.synced(platform.manifests.head()), 300, pause=2)
    all_ready("all ready")


def _unscheduled(service: str) -> str:
    """Return why pods of a service have no node."""
    conditions = [each for pod in services.pods(service) for each in pod["status"].get("conditions", [])]
    return str([each.get("message") for each in conditions if each["type"] == "PodScheduled"])


def test_secret_that_vault_does_not_give_is_named(platform: Platform) -> None:
    before, name = services.name_of(SCHEDULER), f"{SCHEDULER}-secrets"
    platform.operators.sealed = True
    try:
        until("the secrets are not synced", lambda: "external secrets" in bad(found()), 60)
        assert not services.not_ready()  # what runs goes on
        kubectl("delete", "secret", name, "--namespace", NAMESPACE)
        end(SCHEDULER)
        until("another scheduler", lambda: another(SCHEDULER, before), 120)
        until("its pod says why", lambda: name in str(bad(found()).get(f"events in {NAMESPACE}")), 90, pause=3)
        assert "Vault is sealed" in bad(found())["external secrets"]
    finally:
        platform.operators.sealed = False
    all_ready("the scheduler has its secret", 240)


def test_without_a_gpu_the_linker_waits_or_is_left_out(platform: Platform) -> None:
    before = services.name_of(LINKER)
    offer_gpus(0)
    end(LINKER)
    until("another linker", lambda: another(LINKER, before), 120)
    until("it finds no node", lambda: "Insufficient nvidia.com/gpu" in str(services.pod(LINKER)["status"]), 60)
    findings = found()
    assert not findings["gpu"].ok
    assert "0 nvidia.com/gpu allocatable, 1 asked for" in findings["gpu"].says
    begun = time.monotonic()
    done = commit(platform, "No GPU", linker={"gpuCount": 0, "runtimeClass": None})
    until("the linker is gone", lambda: services.workload(LINKER) is None, 240)
    until("Synced", lambda: services.synced(done), 240, pause=2)
    figures.keep("faults", "no GPU: the other seven stand without the linker after", time.monotonic() - begun)
    assert not services.not_ready()
    assert not bad(found(gpus=0)), bad(found(gpus=0))
    offer_gpus(1)


def test_first_deployment_waits_for_a_sealed_vault_and_goes_on(platform: Platform) -> None:
    """As on an empty cluster: the namespace is gone with all that was in it."""
    platform.operators.sealed = True
    try:
        with without_healing():
            kubectl("delete", "namespace", NAMESPACE)
        until("the first wave fails", _first_wave_fails, 120)
        assert services.workload(PGVECTOR) is None  # its wave has not come
        assert "Vault is sealed" in bad(found(0))["external secrets"]
    finally:
        platform.operators.sealed = False
    opened = time.monotonic()
    try:
        until("the page", lambda: services.workload(FRONT) and not services.not_ready(), 400, pause=2)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{services.why()}") from None
    figures.keep(
        "faults", "first deployment with Vault sealed: all ready after it is opened", time.monotonic() - opened
    )


def _first_wave_fails() -> bool:
    """Say whether Argo CD tries again, since the Secrets of the first wave do not come."""
    operation = services.application()["status"].get("operationState", {})
    return "unsuccessfully" in operation.get("message", "") and bool(listed(EXTERNAL_SECRETS, NAMESPACE))
