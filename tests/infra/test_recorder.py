"""The recorder is stricter than Pulumi's own mocks, and never writes a secret down."""

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi import ComponentResource, Output, ResourceOptions

from infra.recorder import SECRET, record


def config_map(
    name: str, data: dict[str, pulumi.Input[str]], opts: ResourceOptions | None = None
) -> k8s.core.v1.ConfigMap:
    return k8s.core.v1.ConfigMap(name, metadata={"name": name, "namespace": "test"}, data=data, opts=opts)


def test_records_inputs_with_whole_numbers_and_their_parents() -> None:
    def program() -> None:
        parent = ComponentResource("aihub:test:Parent", "parent")
        child = ComponentResource("aihub:test:Child", "child", {}, ResourceOptions(parent=parent))
        config_map("settings", {"a": "b"}, ResourceOptions(parent=child, retain_on_delete=True))

    recording = record(program, stack="test")
    (found,) = recording.objects()
    assert (
        found.urn == "urn:pulumi:test::aihub::aihub:test:Parent$aihub:test:Child$kubernetes:core/v1:ConfigMap::settings"
    )
    assert found.properties["data"] == {"a": "b"}
    assert (found.kind, found.namespace, found.object_name, found.retained) == ("ConfigMap", "test", "settings", True)
    assert recording.room_of(found) == "test"


def test_secrets_are_not_written_down() -> None:
    recording = record(lambda: config_map("settings", {"a": Output.secret("canary")}), stack="test")
    assert recording.objects()[0].properties["data"] == {"a": SECRET}
    assert "canary" not in repr(recording)


def test_dependencies_are_recorded() -> None:
    def program() -> None:
        first = config_map("first", {})
        config_map("second", {"first": first.metadata["name"]})

    first, second = record(program, stack="test").objects()
    assert second.depends_on == (first.urn,)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda: [config_map("twice", {}), config_map("twice", {})], "declared twice"),
        (lambda: k8s.core.v1.ConfigMap("unnamed", data={}), "has no metadata.name"),
        (lambda: k8s.core.v1.ConfigMap.get("read", "default/read"), "has no metadata.name"),
        (lambda: pulumi.runtime.invoke("kubernetes:yaml:decode", {}).value, "called kubernetes:yaml:decode"),
        (lambda: config_map("inside", {"a": f"{Output.from_input('x')}"}), "Output"),
        (lambda: Output.from_input(1).apply(lambda _: 1 / 0), "division by zero"),
    ],
    ids=["duplicate", "unnamed", "read", "call", "output-in-a-string", "error-in-a-callback"],
)
def test_mistakes_fail(program: object, message: str) -> None:
    assert callable(program)
    with pytest.raises(Exception, match=message):
        record(program, stack="test")


def test_runs_do_not_see_each_other() -> None:
    first = record(lambda: config_map("settings", {}), stack="test")
    second = record(lambda: config_map("settings", {}), stack="test")
    assert first == second
