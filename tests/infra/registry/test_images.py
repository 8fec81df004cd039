"""Images: built from this checkout, pushed, mirrored, pulled."""

import json
import re
from pathlib import Path

import pulumi_kubernetes as k8s
import pytest
from pulumi import ComponentResource, Output, ResourceOptions, RunError

from infra.recorder import Recording, record
from infra.registry.access import Account, Registry, pull_secret_files
from infra.registry.build import BUILD_FILES, build_secrets
from infra.registry.copies import Copies, CopiesArgs, SourceLogin
from infra.registry.image import BuiltImage, BuiltImageArgs
from infra.registry.mirror import Mirror, MirrorArgs, mirrored
from infra.secrets.files import fill, for_vault
from infra.stackfile import CHECKOUT

REGISTRY = Registry(host="registry.local:5000", project="aihub", base_image="localhost/base:1")


def built(registry: Registry, **more: object) -> Recording:
    args = BuiltImageArgs(registry=registry, context="service", tag="0.1.0", target="api", **more)  # type: ignore[arg-type]  # the tests' own
    return record(lambda: BuiltImage("api", args), stack="test")


def image_of(recording: Recording) -> dict[str, object]:
    (image,) = (each for each in recording.resources if each.type == "docker-build:index:Image")
    return image.properties


def test_image_is_pushed_with_its_base_and_never_built_by_a_preview() -> None:
    image = image_of(built(REGISTRY, build_args={"ACCELERATOR": "cpu"}))
    assert image["tags"] == ["registry.local:5000/aihub/api:0.1.0"]
    assert image["buildArgs"] == {"BASE_IMAGE": "localhost/base:1", "ACCELERATOR": "cpu"}
    assert (image["push"], image["buildOnPreview"], image["target"]) == (True, False, "api")
    assert image["context"] == {"location": "service"}


def test_reference_holds_the_digest() -> None:
    (outputs,) = built(REGISTRY).outputs.values()
    assert str(outputs["reference"]).startswith("registry.local:5000/aihub/api:0.1.0@sha256:")


def test_password_is_pushed_with_and_stays_secret() -> None:
    registry = Registry(**{**vars(REGISTRY), "username": "pusher", "password": Output.secret("canary")})
    recording = built(registry)
    assert image_of(recording)["registries"]
    assert "canary" not in repr(recording)


def test_push_waits_for_our_own_server() -> None:
    def program() -> None:
        server = ComponentResource("aihub:test:Server", "server")
        metadata: k8s.meta.v1.ObjectMetaArgsDict = {"name": "pod", "namespace": "registry"}
        k8s.core.v1.Pod("pod", metadata=metadata, opts=ResourceOptions(parent=server))
        registry = Registry(**{**vars(REGISTRY), "server": server})
        BuiltImage("api", BuiltImageArgs(registry=registry, context="service", tag="1"))

    (image,) = (each for each in record(program, stack="test").resources if each.type == "docker-build:index:Image")
    assert [urn.rpartition("::")[2] for urn in image.depends_on] == ["pod"]


def test_build_secrets_are_the_files_the_machine_names(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\n")
    assert build_secrets({}) == {}
    assert set(build_secrets({"AIHUB_BUILD_PIP_CONF": str(tmp_path / "pip.conf"), "AIHUB_BUILD_CA": ""})) == {
        "pip.conf"
    }


def test_every_build_secret_that_a_dockerfile_asks_for_can_be_given_and_no_other() -> None:
    files = [
        path for pattern in ("service", "service/web", "images/*") for path in CHECKOUT.glob(f"{pattern}/Dockerfile")
    ]
    asked = {name for path in files for name in re.findall(r"type=secret,id=([\w.-]+)", path.read_text())}
    assert asked == set(BUILD_FILES)


def test_build_secret_that_cannot_be_read_names_variable_and_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"AIHUB_BUILD_CA names .*/none, which cannot be read \(No such file"):
        build_secrets({"AIHUB_BUILD_CA": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("image", "copy"),
    [
        ("docker.io/library/redis:7.4.2", "r:5000/mirror/library/redis:7.4.2"),
        ("library/redis:7.4.2", "r:5000/mirror/library/redis:7.4.2"),
        ("gitlab.example.com:10003/enai/prod/linker:v1", "r:5000/mirror/enai/prod/linker:v1"),
        ("localhost/some:1", "r:5000/mirror/some:1"),
        (f"docker.io/library/redis@sha256:{'ab' * 32}", "r:5000/mirror/library/redis:sha256-abababababab"),
        (f"docker.io/library/redis:7@sha256:{'ab' * 32}", "r:5000/mirror/library/redis:7"),
    ],
)
def test_copies_keep_path_and_version(image: str, copy: str) -> None:
    assert mirrored("r:5000", image) == copy


def test_mirror_pulls_tags_and_pushes() -> None:
    args = MirrorArgs(registry=REGISTRY, images=("docker.io/library/redis:7.4.2",))
    recording = record(lambda: Mirror("mirror", args), stack="test")
    by_type = {each.type: each.properties for each in recording.resources if each.custom}
    copy = "registry.local:5000/mirror/library/redis:7.4.2"
    assert by_type["docker:index/remoteImage:RemoteImage"]["name"] == "docker.io/library/redis:7.4.2"
    assert by_type["docker:index/tag:Tag"]["targetImage"] == copy
    assert by_type["docker:index/registryImage:RegistryImage"]["name"] == copy
    assert by_type["docker:index/registryImage:RegistryImage"]["keepRemotely"] is True


def copied(login: SourceLogin | None = None) -> Recording:
    copies = {f"vendor.example.com:10003/prod/linker@sha256:{'ab' * 32}": "registry.local:5000/aipp/linker:v1.0.0"}
    args = CopiesArgs(registry=REGISTRY, copies=copies, login=login)
    return record(lambda: Copies("copies", args), stack="test")


def test_copies_are_by_digest_and_kept() -> None:
    recording = copied()
    (copy,) = (each for each in recording.resources if each.custom)
    assert (copy.type, copy.name) == ("docker-build:index:Index", "copies-aipp-linker-v1-0-0")
    assert copy.properties["sources"] == [f"vendor.example.com:10003/prod/linker@sha256:{'ab' * 32}"]
    assert (copy.properties["tag"], copy.properties["push"]) == ("registry.local:5000/aipp/linker:v1.0.0", True)
    # Else `destroy`, and a change of the copy's name, would delete what pods run.
    assert copy.retained
    (outputs,) = recording.outputs.values()
    (reference,) = outputs["references"].values()
    assert reference.startswith(f"{copy.properties['tag']}@sha256:")


def test_login_to_the_source_stays_secret() -> None:
    login = SourceLogin(host="docker.io", username="reader", password=Output.secret("canary"))
    recording = copied(login)
    assert [each.name for each in recording.resources if each.type == "pulumi:providers:docker-build"]
    assert "canary" not in repr(recording)


def test_pull_secret_is_what_nodes_read() -> None:
    account = Account(host="registry.local:5000", username="puller", key="registryPassword")
    (text,) = pull_secret_files(account).values()
    assert json.loads(text) == {
        "auths": {"registry.local:5000": {"username": "puller", "password": "${registryPassword}"}}
    }


def test_a_robots_name_survives_the_template() -> None:
    """Harbor's names hold a `$`, which marks a secret in a template."""
    account = Account(host="harbor.example.com", username="robot$nodes", key="harborPullPassword")
    (text,) = pull_secret_files(account).values()
    filled, external = fill(text, {"harborPullPassword": "its"}), for_vault(text)
    for password, written in (("its", filled), ("{{ .harborPullPassword }}", external)):
        assert json.loads(written)["auths"] == {"harbor.example.com": {"username": "robot$nodes", "password": password}}
