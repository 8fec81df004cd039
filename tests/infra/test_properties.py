"""What holds for every component, whatever its arguments."""

import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.chat.api import Api, ApiArgs
from infra.chat.engine import Engine, EngineArgs
from infra.chat.model_store import ModelStore, ModelStoreArgs
from infra.chat.page import Page, PageArgs
from infra.config.chat_models import ModelConfig
from infra.data.chroma import Chroma, ChromaArgs
from infra.data.pgvector import Pgvector, PgvectorArgs
from infra.data.rabbitmq import RabbitMq, RabbitMqArgs
from infra.data.redis import Redis, RedisArgs
from infra.recorder import Recording, record
from infra.registry.server import RegistryServer, RegistryServerArgs
from policy.pods import pod_spec
from policy.rules import OBJECT_RULES

DNS_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
names = st.from_regex(r"[a-z][a-z0-9-]{0,23}[a-z0-9]", fullmatch=True)
sizes_gib = st.integers(1, 65536)
memories_mib = st.integers(32, 65536)
IMAGE = "docker.io/library/some:1.0"
MODEL = ModelConfig.model_validate({"source": {"repository": "a/b", "revision": "0" * 40}})


@st.composite
def declarations(draw: st.DrawFn) -> tuple[str, str, int, Callable[[], Any]]:
    """Draw a component: its name, its namespace, the size of its volume (0: none), and what declares it."""
    name, namespace, size, memory = draw(names), draw(names), draw(sizes_gib), draw(memories_mib)
    common: dict[str, Any] = {"namespace": namespace, "image": IMAGE}
    volume: dict[str, Any] = {"storage_class": draw(names), "storage_gib": size}
    secret: dict[str, Any] = {"secret": "some", "secret_version": "1"}
    processors = draw(st.integers(10, 64000))
    choices: list[tuple[int, Callable[[], Any]]] = [
        (size, lambda: Redis(name, RedisArgs(**common, **volume, auth="some", auth_version="1", memory_mib=memory))),
        (size, lambda: Chroma(name, ChromaArgs(**common, **volume, memory_mib=memory))),
        (
            size,
            lambda: Pgvector(
                name,
                PgvectorArgs(
                    **common,
                    **volume,
                    database="some",
                    user="some",
                    auth="some",
                    auth_version="1",
                    cpu_millicores=processors,
                    memory_mib=memory,
                    move_after_seconds=draw(st.none() | st.integers(0, 3600)),
                ),
            ),
        ),
        (
            size,
            lambda: RabbitMq(
                name,
                RabbitMqArgs(
                    **common,
                    **volume,
                    definitions="some",
                    definitions_version="1",
                    cpu_millicores=processors,
                    memory_mib=memory,
                ),
            ),
        ),
        (
            size,
            lambda: RegistryServer(
                name,
                RegistryServerArgs(
                    **common,
                    **volume,
                    port=draw(st.integers(1024, 65535)),
                    listen_address=None,
                    garbage_collection="0 4 * * 0",
                    accounts=draw(st.sampled_from([None, "accounts"])),
                    tls_secret=draw(st.sampled_from([None, "tls"])),
                ),
            ),
        ),
        (
            size,
            lambda: ModelStore(
                name,
                ModelStoreArgs(**common, **volume, models={"v1": MODEL}, serving=None, secret="some"),
            ),
        ),
        (
            0,
            lambda: Api(
                name,
                ApiArgs(
                    **common,
                    **secret,
                    engine_url="http://engine/v1",
                    redis_host="redis",
                    chroma_host="chroma",
                    replicas=draw(st.integers(1, 50)),
                    cpu_millicores=processors,
                    memory_mib=memory,
                    node_port=draw(st.none() | st.integers(30000, 32767)),
                ),
            ),
        ),
        (
            0,
            lambda: Page(
                name,
                PageArgs(**common, replicas=draw(st.integers(1, 50)), cpu_millicores=processors, memory_mib=memory),
            ),
        ),
        (
            0,
            lambda: Engine(
                name,
                EngineArgs(
                    **common,
                    **secret,
                    cpu_millicores=processors,
                    memory_mib=memory,
                    shared_memory_mib=64,
                    gpu_count=draw(st.integers(0, 8)),
                    model_claim=draw(st.sampled_from([None, "models"])),
                ),
            ),
        ),
    ]
    storage, declare = draw(st.sampled_from(choices))
    return name, namespace, storage, declare


def manifests(recording: Recording) -> list[dict[str, Any]]:
    return [resource.properties for resource in recording.objects()]


@settings(max_examples=60, deadline=None)
@given(declarations())
def test_names_namespaces_selectors_sizes_and_policies(drawn: tuple[str, str, int, Callable[[], Any]]) -> None:
    name, namespace, storage_gib, declare = drawn
    recording = record(declare, stack="test")
    for resource in recording.objects():
        assert DNS_1123.fullmatch(resource.object_name)
        assert len(resource.object_name) <= 63
        assert resource.object_name.startswith(name)
        assert resource.namespace == namespace
        for rule in OBJECT_RULES:
            assert list(rule(resource.properties)) == []
    for manifest in manifests(recording):
        selected: dict[str, Any] = (manifest.get("spec") or {}).get("selector") or {}
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            assert selected["matchLabels"].items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
        if manifest["kind"] == "Service":
            assert len(_selected(selected, recording)) == 1
        if manifest["kind"] == "PersistentVolumeClaim":
            assert manifest["spec"]["resources"]["requests"]["storage"] == f"{storage_gib}Gi"
    assert bool(storage_gib) == any(manifest["kind"] == "PersistentVolumeClaim" for manifest in manifests(recording))


@settings(max_examples=30, deadline=None)
@given(declarations())
def test_every_mount_has_a_volume_and_every_port_of_a_service_a_container(
    drawn: tuple[str, str, int, Callable[[], Any]],
) -> None:
    recording = record(drawn[3], stack="test")
    for manifest in manifests(recording):
        if spec := pod_spec(manifest):
            volumes = {volume["name"] for volume in spec["volumes"]}
            assert len(volumes) == len(spec["volumes"])
            mounts = [mount for container in spec["containers"] for mount in container["volumeMounts"]]
            assert {mount["name"] for mount in mounts} == volumes
        if manifest["kind"] == "Service":
            (target,) = _selected(manifest["spec"]["selector"], recording)
            ports = {port["name"] for container in target["containers"] for port in container["ports"]}
            assert {port["targetPort"] for port in manifest["spec"]["ports"]} <= ports


def _selected(selector: dict[str, str], recording: Recording) -> list[dict[str, Any]]:
    """Return the specs of the servers' pods that a selector picks."""
    return [
        manifest["spec"]["template"]["spec"]
        for manifest in manifests(recording)
        if manifest["kind"] in {"Deployment", "StatefulSet"}
        and selector.items() <= manifest["spec"]["template"]["metadata"]["labels"].items()
    ]
