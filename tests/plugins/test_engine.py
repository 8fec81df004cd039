"""The real engine with the stand-ins: small programs, carried from `up` to `destroy` against a real API server."""

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from plugins.kubernetes.cluster import APPLY, Cluster, connect
from plugins.kubernetes.settings import Settings
from tests.apiserver import ApiServer
from tests.plugins.support import PREVIEW_STAND_INS, STAND_INS, Project

CANARIES = ("canary-in-a-secret", "canary-in-a-pod", "canary-of-a-build")

PROGRAM = """
    import pulumi
    import pulumi_kubernetes as k8s

    options = pulumi.ResourceOptions(provider=k8s.Provider("cluster", upsert_existing_objects=True))
    namespace = k8s.core.v1.Namespace("rooms", metadata={"name": "NAMESPACE"}, opts=options)
    settings = k8s.core.v1.ConfigMap(
        "settings", metadata={"namespace": namespace.metadata["name"]}, data={"colour": "green"}, opts=options
    )
    login = k8s.core.v1.Secret(
        "login",
        metadata={"name": "login", "namespace": namespace.metadata["name"]},
        string_data={"password": pulumi.Output.secret("canary-in-a-secret")},
        opts=options,
    )
    container = {
        "name": "web",
        "image": "registry.invalid/web:1",
        "resources": {"limits": {"cpu": "1000m"}},
        "env": [{"name": "KEY", "value": pulumi.Output.secret("canary-in-a-pod")}],
        "env_from": [{"config_map_ref": {"name": settings.metadata["name"]}}],
    }
    web = k8s.apps.v1.Deployment(
        "web",
        metadata={
            "name": "web",
            "namespace": namespace.metadata["name"],
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "selector": {"match_labels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
        opts=options,
    )
    pulumi.export("settings", settings.metadata["name"])
    pulumi.export("uid", settings.metadata["uid"])
"""


@pytest.fixture
def cluster(api_server: ApiServer) -> Cluster:
    return connect(Settings(kubeconfig=str(api_server.kubeconfig)))


@pytest.fixture
def namespace() -> str:
    return f"engine-{uuid4().hex[:8]}"


@pytest.fixture
def rooms(project: Project, api_server: ApiServer, namespace: str) -> Project:
    project.variables = {"KUBECONFIG": str(api_server.kubeconfig)}
    project.program(PROGRAM.replace("NAMESPACE", namespace))
    return project


def _change(project: Project, old: str, new: str) -> None:
    path = project.folder / "__main__.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_program_goes_from_preview_to_destroy(rooms: Project, cluster: Cluster, namespace: str) -> None:
    said = rooms.pulumi("preview")
    assert "6 to create" in said
    said += rooms.up()
    assert "6 created" in said
    said += rooms.up("--expect-no-changes")
    said += rooms.pulumi("refresh", "--yes", "--expect-no-changes")

    first = rooms.outputs()["settings"]
    assert first.startswith("settings-")
    _change(rooms, '"green"', '"blue"')
    said += rooms.pulumi("preview", "--diff")
    assert "(replace)" in said
    said += rooms.up()
    second = rooms.outputs()["settings"]
    # A made name changes with the data, so the pods roll, and the old one goes when they have.
    assert second != first
    names = [each["metadata"]["name"] for each in cluster.list("v1", "ConfigMap", namespace)]
    assert second in names
    assert first not in names

    said += rooms.pulumi("destroy", "--yes")
    assert cluster.get({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}) is None
    state = rooms.state()
    for canary in CANARIES:
        assert canary not in said
        assert canary not in state


def test_a_change_from_outside_is_seen_by_refresh_and_mended_by_up(
    rooms: Project, cluster: Cluster, namespace: str
) -> None:
    rooms.up()
    changed = {"name": "web", "image": "registry.invalid/web:2"}
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"replicas": 5, "template": {"spec": {"containers": [changed]}}},
    }
    query = [("fieldManager", "someone"), ("force", "true")]
    cluster.call("PATCH", cluster.path_of(manifest), query, json.dumps(manifest), APPLY)
    assert "1 updated" in rooms.pulumi("refresh", "--yes")
    # The field has two owners now; taking it back is said, as with the vendor's plugin.
    assert 'conflict with "someone"' in rooms.up(fails=True)
    _change(rooms, '"pulumi.com/skipAwait": "true"', '"pulumi.com/skipAwait": "true", "pulumi.com/patchForce": "true"')
    rooms.up()
    live = cluster.get(manifest)
    assert live is not None
    assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.invalid/web:1"
    # The program does not say how many replicas there are: that field is the other one's.
    assert live["spec"]["replicas"] == 5
    rooms.pulumi("refresh", "--yes", "--expect-no-changes")
    rooms.pulumi("destroy", "--yes")


def test_an_object_that_was_not_ready_in_time_is_kept_and_awaited_again(
    rooms: Project, cluster: Cluster, namespace: str
) -> None:
    _change(rooms, '"pulumi.com/skipAwait": "true"', '"pulumi.com/timeoutSeconds": "2"')
    said = rooms.up(fails=True)
    assert f"Deployment {namespace}/web was not ready within 2 s" in said
    assert "canary" not in said
    _change(rooms, '"pulumi.com/timeoutSeconds": "2"', '"pulumi.com/skipAwait": "true"')
    assert "1 updated" in rooms.up()
    rooms.pulumi("destroy", "--yes")


def test_a_kept_object_is_taken_over_by_the_next_up(
    project: Project, api_server: ApiServer, cluster: Cluster, namespace: str
) -> None:
    project.variables = {"KUBECONFIG": str(api_server.kubeconfig)}
    project.program(f"""
        import pulumi
        import pulumi_kubernetes as k8s

        provider = k8s.Provider("cluster", upsert_existing_objects=True)
        volume = k8s.core.v1.ConfigMap(
            "volume",
            metadata={{"name": "{namespace}", "namespace": "default"}},
            opts=pulumi.ResourceOptions(provider=provider, retain_on_delete=True),
        )
        pulumi.export("uid", volume.metadata["uid"])
    """)
    project.up()
    uid = project.outputs()["uid"]
    project.pulumi("destroy", "--yes")
    project.up()
    assert project.outputs()["uid"] == uid


def test_no_secret_of_a_build_is_in_the_state(project: Project, tmp_path: Path, _buildah: None) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text("FROM scratch\n")
    project.program("""
        import pulumi_docker_build as docker_build

        docker_build.Image(
            "image",
            context={"location": "context"},
            tags=["127.0.0.1:1/none:1"],
            push=True,
            secrets={"token": "canary-of-a-build"},
            build_on_preview=False,
        )
    """)
    said = project.pulumi("preview") + project.up(fails=True)
    assert "127.0.0.1:1" in said
    assert "canary-of-a-build" not in said
    assert "canary-of-a-build" not in project.state()
    subprocess.run(["buildah", "rmi", "--force", "127.0.0.1:1/none:1"], capture_output=True, check=False)


def test_the_preview_stand_in_needs_no_cluster_and_refuses_to_act(rooms: Project) -> None:
    rooms.plugins = PREVIEW_STAND_INS
    rooms.variables = {"KUBECONFIG": "/nowhere"}
    said = rooms.pulumi("preview")
    assert "6 to create" in said
    assert "without a cluster" not in said
    said = rooms.up(fails=True)
    assert "can only preview" in said
    assert "pulumi plugin install resource kubernetes" in said


def test_a_preview_stand_in_can_be_had_for_any_provider(project: Project) -> None:
    project.plugins = project.folder / "plugins"
    project.plugins.mkdir()
    (project.plugins / "pulumi-resource-anything").symlink_to((PREVIEW_STAND_INS / "pulumi-resource-gitlab").resolve())
    project.program("""
        import pulumi

        class Thing(pulumi.CustomResource):
            size: pulumi.Output[int]
            address: pulumi.Output[str]

            def __init__(self, name):
                version = pulumi.ResourceOptions(version="1.2.3")
                super().__init__("anything:index:Thing", name, {"size": 3, "address": None}, version)

        thing = Thing("thing")
        pulumi.export("size", thing.size)
        pulumi.export("address", thing.address.apply(lambda address: address.upper()))
    """)
    said = project.pulumi("preview")
    assert "anything:index:Thing thing create" in said
    assert "size" in said
    assert "can only preview" in project.up(fails=True)


ENGINE = """
import subprocess, time
plugin = subprocess.Popen([{plugin!r}, "127.0.0.1:1"])
print(plugin.pid, flush=True)
time.sleep(60)
"""


def test_a_plugin_whose_engine_was_killed_ends() -> None:
    command = [sys.executable, "-c", ENGINE.format(plugin=str(STAND_INS / "pulumi-resource-kubernetes"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        plugin, port = int(engine.stdout.readline()), int(engine.stdout.readline())
        engine.kill()
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            break
        assert time.monotonic() < deadline, f"process {plugin} still serves"
        time.sleep(0.2)
