"""Redis: a password that no process list shows, a file that survives, bounds that hold."""

import pytest

from infra.data.redis import AUTH_FILES, Redis, RedisArgs, configuration
from infra.recorder import Recording, record
from tests.infra.support import container_of, only, pod_of


@pytest.fixture(scope="module")
def recording() -> Recording:
    args = RedisArgs(
        namespace="data",
        image="redis:7.0",
        auth="redis-auth",
        auth_version="abc",
        storage_class="local-path",
        storage_gib=2,
        memory_mib=512,
        pull_secret="pull",
    )
    return record(lambda: Redis("redis", args), stack="test")


def test_host_is_the_service(recording: Recording) -> None:
    (urn,) = (resource.urn for resource in recording.resources if resource.type == "aihub:data:Redis")
    assert recording.outputs[urn] == {"host": "redis.data.svc"}


def test_password_reaches_the_server_by_file_only(recording: Recording) -> None:
    server = only(recording, "StatefulSet")
    assert container_of(server)["command"] == ["redis-server", "/etc/redis-config/redis.conf"]
    assert "env" not in container_of(server)
    (auth,) = (volume["secret"] for volume in pod_of(server)["volumes"] if "secret" in volume)
    assert auth == {"secretName": "redis-auth", "defaultMode": 0o440}
    assert "include /etc/redis-auth/auth.conf" in configuration(512)
    assert AUTH_FILES["auth.conf"] == 'requirepass "${redisPassword}"\n'


def test_new_password_restarts_the_server(recording: Recording) -> None:
    annotations = only(recording, "StatefulSet")["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"aihub/secrets-version": "abc"}


def test_nothing_is_evicted_and_memory_leaves_room_for_rewriting() -> None:
    lines = configuration(512).splitlines()
    assert {"appendonly yes", "maxmemory-policy noeviction", "maxmemory 384mb"} <= set(lines)


def test_image_is_pulled_with_the_login(recording: Recording) -> None:
    assert only(recording, "ServiceAccount")["imagePullSecrets"] == [{"name": "pull"}]
