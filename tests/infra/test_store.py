"""A server that keeps something: its folders, and in which order its objects come."""

from pulumi import ComponentResource, ResourceOptions

from infra.folders import Folder
from infra.recorder import Recording, record
from infra.store import StoreArgs, declare_store
from tests.infra.support import of_kind, only, pod_of

ARGS = StoreArgs(
    namespace="data", image="some:1.0", storage_class="longhorn", storage_gib=1, memory_mib=64, move_after_seconds=60
)


class Some(ComponentResource):
    def __init__(self, name: str, args: StoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:tests:Some", name, {}, opts)
        declare_store(
            self,
            name,
            args,
            room="data",
            container={"name": "server", "volume_mounts": [{"name": "data", "mount_path": "/more"}]},
            ports={"query": 4000, "metrics": 4001},
            data_folder="/data",
            config_folder="/etc/some",
            config={"some.conf": "a = 1\n"},
            folders=[
                Folder.of_secret("auth", "/etc/auth", "some-auth", files=["password"]),
                Folder.of_config("init", "/etc/init", "some-init", copies={"a.sql": "/first/a.sql"}),
                Folder.shared_memory(32),
            ],
            init_containers=[{"name": "before"}],
        )


def recorded() -> Recording:
    return record(lambda: Some("some", ARGS), stack="test")


def test_every_container_finds_the_folders_and_then_its_own() -> None:
    pod = pod_of(only(recorded(), "StatefulSet"))
    first, server = (
        [(mount["name"], mount["mountPath"]) for mount in container["volumeMounts"]]
        for container in (*pod["initContainers"], *pod["containers"])
    )
    everywhere = [
        ("data", "/data"),
        ("config", "/etc/some"),
        ("auth", "/etc/auth"),
        ("init", "/etc/init"),
        ("init", "/first/a.sql"),
        ("shared-memory", "/dev/shm"),
    ]
    assert first == [*everywhere, ("tmp", "/tmp")]
    assert server == [*everywhere, ("data", "/more"), ("tmp", "/tmp")]
    assert [volume["name"] for volume in pod["volumes"]] == ["data", "config", "auth", "init", "shared-memory", "tmp"]


def test_only_data_and_memory_can_be_written_and_only_the_named_secrets_are_there() -> None:
    pod = pod_of(only(recorded(), "StatefulSet"))
    (container,) = pod["containers"]
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/data", "/more", "/dev/shm", "/tmp"}
    (secret,) = (volume["secret"] for volume in pod["volumes"] if "secret" in volume)
    assert secret["items"] == [{"key": "password", "path": "password"}]


def test_service_comes_after_the_server_and_names_its_ports() -> None:
    recording = recorded()
    (service,), (server,) = of_kind(recording, "Service"), of_kind(recording, "StatefulSet")
    assert server.urn in service.depends_on
    ports = service.properties["spec"]["ports"]
    assert [(port["port"], port["targetPort"]) for port in ports] == [(4000, "query"), (4001, "metrics")]
    assert "annotations" not in server.properties["spec"]["template"]["metadata"]


def test_pod_that_never_became_ready_is_replaced_by_the_next_template() -> None:
    spec = only(recorded(), "StatefulSet")["spec"]
    assert (spec["podManagementPolicy"], spec["replicas"]) == ("Parallel", 1)


def test_pod_of_a_silent_node_is_given_up() -> None:
    tolerations = pod_of(only(recorded(), "StatefulSet"))["tolerations"]
    assert {each["tolerationSeconds"] for each in tolerations} == {60}
