"""Images, really built with buildah and pushed to a real registry."""

import json
import shutil
import socket
import stat
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins.docker_build.build import build_from
from plugins.docker_build.builder import docker_build_command, workspace
from plugins.docker_build.images import Images
from plugins.protocol.difference import Kind
from plugins.protocol.provider import ProviderError
from plugins.protocol.values import UNKNOWN, Secret
from tests.plugins.kubernetes.support import Said, resource

IMAGE = resource("docker-build:index:Image", "image")
RECIPE = """\
FROM scratch AS base
COPY busybox /bin/sh
FROM base AS first
RUN --mount=type=secret,id=token,target=/token --mount=type=secret,id=absent,target=/absent \\
    read text < /token; test -n "$text"
COPY file /file
FROM base AS second
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry on a free loopback port."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry on PATH (Debian: apt-get install docker-registry)")
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    for _ in range(50):
        try:
            urllib.request.urlopen(f"http://{address}/v2/")
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.kill()
    process.wait()


@pytest.fixture
def inputs(registry: str, tmp_path: Path, _buildah: None) -> Iterator[dict[str, Any]]:
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox on PATH (Debian: apt-get install busybox-static)")
    shutil.copy(busybox, tmp_path / "busybox")
    (tmp_path / "Dockerfile").write_text(RECIPE)
    (tmp_path / "file").write_text("one\n")
    tag = f"{registry}/tests/image:1"
    yield {
        "context": {"location": str(tmp_path)},
        "target": "first",
        "push": True,
        "tags": [tag],
        "secrets": Secret({"token": "hunter22"}),
    }
    subprocess.run(["buildah", "rmi", "--force", tag], capture_output=True, check=False)


def _manifest(registry: str, reference: str) -> dict[str, Any]:
    url = f"http://{registry}/v2/tests/image/manifests/{reference}"
    accepted = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=accepted)) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_an_image_is_built_pushed_and_known_by_its_digest(registry: str, inputs: dict[str, Any]) -> None:
    said = Said()
    identity, outputs = Images().create(IMAGE, inputs, said.operation())
    assert identity == outputs["digest"]
    assert outputs["ref"] == f"{registry}/tests/image:1@{outputs['digest']}"
    assert any("STEP" in line for line in said.status)
    assert f"Pushing {registry}/tests/image:1" in said.status
    # What containerd needs to read zstd layers.
    layers = _manifest(registry, outputs["digest"])["layers"]
    assert {layer["mediaType"] for layer in layers} == {"application/vnd.oci.image.layer.v1.tar+zstd"}


def test_no_secret_of_the_build_stays_in_a_layer(registry: str, inputs: dict[str, Any], tmp_path: Path) -> None:
    Images().create(IMAGE, inputs, Said().operation())
    copied = tmp_path / "copied"
    subprocess.run(
        ["buildah", "push", "-q", "-D", f"{registry}/tests/image:1", f"dir:{copied}"], check=True, capture_output=True
    )
    contents = b"".join(path.read_bytes() for path in copied.iterdir())
    assert b"one\n" in contents
    assert b"hunter22" not in contents


def test_the_same_files_give_the_same_digest_and_others_another(inputs: dict[str, Any]) -> None:
    images = Images()
    _, first = images.create(IMAGE, inputs, Said().operation())
    assert images.diff(IMAGE, inputs, first, inputs).changes == []
    again = images.update(IMAGE, inputs, first, inputs, Said().operation())
    assert again["digest"] == first["digest"]
    Path(inputs["context"]["location"], "file").write_text("two\n")
    assert images.diff(IMAGE, inputs, first, inputs).changes == [(("contextHash",), Kind.UPDATE)]
    assert images.update(IMAGE, inputs, first, inputs, Said().operation())["digest"] != first["digest"]


def test_a_build_that_fails_shows_its_last_lines(inputs: dict[str, Any]) -> None:
    Path(inputs["context"]["location"], "Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")
    with pytest.raises(ProviderError, match=r"buildah build failed with exit status(.|\n)*nothing"):
        Images().create(IMAGE, {**inputs, "target": ""}, Said().operation())


def test_a_preview_builds_nothing_and_knows_the_context(inputs: dict[str, Any]) -> None:
    said = Said()
    identity, outputs = Images().create(IMAGE, inputs, said.operation(preview=True))
    assert (identity, outputs["digest"], outputs["ref"]) == ("", UNKNOWN, UNKNOWN)
    assert len(outputs["contextHash"]) == 64
    assert not said.status


def test_build_secrets_and_passwords_are_secret_whatever_the_program_says(inputs: dict[str, Any]) -> None:
    registries = [{"address": "a", "username": "b", "password": "c"}]
    checked = Images().check(IMAGE, {}, {**inputs, "secrets": {"token": "x"}, "registries": registries}, b"")
    assert checked.inputs["secrets"] == Secret({"token": "x"})
    assert checked.inputs["registries"] == Secret(registries)


def test_a_new_password_alone_builds_nothing(inputs: dict[str, Any]) -> None:
    images = Images()
    old = {**inputs, "registries": [{"address": "a", "username": "b", "password": "old"}]}
    new = {**inputs, "registries": [{"address": "a", "username": "b", "password": "new"}]}
    outputs = images.create(IMAGE, inputs, Said().operation(preview=True))[1]
    assert images.diff(IMAGE, old, outputs, new).changes == []
    assert images.diff(IMAGE, {**old, "secrets": {"t": "1"}}, outputs, {**old, "secrets": {"t": "2"}}).changes
    overlook = {**old, "ignoreSecretsInDiffCalculation": ["t"]}
    assert not images.diff(
        IMAGE, {**overlook, "secrets": {"t": "1"}}, outputs, {**overlook, "secrets": {"t": "2"}}
    ).changes


def test_secrets_lie_in_a_private_folder_while_the_build_runs_and_nowhere_after(inputs: dict[str, Any]) -> None:
    build = build_from({**inputs, "registries": [{"address": "a", "username": "b", "password": "c"}]})
    with workspace(build) as files:
        folder = files.folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert files.secrets["token"].read_text() == "hunter22"
        assert files.logins is not None
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        command = docker_build_command(build, files)
    assert not folder.exists()
    assert not any("hunter22" in word for word in command)
    assert f"id=token,src={files.secrets['token']}" in command


def test_an_image_that_the_registry_lost_is_gone_and_one_it_has_is_not(registry: str, inputs: dict[str, Any]) -> None:
    _, outputs = Images().create(IMAGE, inputs, Said().operation())
    assert Images().read(IMAGE, inputs, outputs, Said().operation()) == (inputs, outputs)
    lost = {**outputs, "ref": outputs["ref"].rpartition("@")[0] + "@sha256:" + "0" * 64}
    assert Images().read(IMAGE, inputs, lost, Said().operation()) is None
    away = {**outputs, "ref": outputs["ref"].replace(registry, "127.0.0.1:1")}
    assert Images().read(IMAGE, inputs, away, Said().operation()) is None
