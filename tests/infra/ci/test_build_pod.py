"""One build, one pod: what is in it, what it may do, and what the script inside does."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.ci.build_pod import BUILD_IMAGE, FETCH_SOURCE, Build, Builder, Source, agent_pod, build_pod
from infra.ci.builder import builder_of
from infra.ci.pipelines import BUILDER_LABEL
from policy.rules import OBJECT_RULES
from tests.infra.ci.support import recorded, stack_of
from tests.infra.ci.test_jcasc import templates
from tests.infra.support import of_kind

SOURCE = Source(url="http://gitea.git.svc:3000/aihub/aihub.git", revision="0123456789ab", git_image="example.com/git:1")
BUILD = Build(
    context="service", repository="registry.local:5000/aihub/api", tags=("0123456789ab",), target="api",
    build_args={"ACCELERATOR": "cpu"},
)  # fmt: skip


def builder(name: str = "gitea") -> Builder:
    found = builder_of(stack_of(name))
    assert found
    return found


def pod(name: str = "gitea") -> dict[str, Any]:
    return build_pod("build-1", builder(name), SOURCE, BUILD)


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (found,) = pod["spec"]["containers"]
    return dict(found)


def env(pod: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container(pod)["env"]}


def test_what_to_build_and_where_to_push() -> None:
    seen = env(pod())
    assert seen["IMAGE"] == "registry.local:5000/aihub/api"
    assert (seen["CONTEXT"], seen["TARGET"], seen["TAGS"]) == ("service", "api", "0123456789ab")
    assert seen["BASE_IMAGE"] == "localhost/aihub/base:bookworm"
    assert seen["BUILD_ARGS"] == "ACCELERATOR=cpu"


def test_plain_http_follows_from_the_registry() -> None:
    assert env(pod("gitea"))["PLAIN_HTTP"] == "true"
    assert env(pod("gitlab"))["PLAIN_HTTP"] == "false"


def test_builds_find_a_registry_of_our_own_at_the_address_of_its_service() -> None:
    (service,) = (each for each in of_kind(recorded("gitea"), "Service") if each.object_name == "registry")
    address = service.properties["spec"]["clusterIP"]
    assert service.properties["spec"]["ports"][0]["port"] == 5000
    for each in (pod("gitea"), agent_pod(builder()), templates("gitea")[BUILDER_LABEL]):
        assert each["spec"]["hostAliases"] == [{"ip": address, "hostnames": ["registry.local"]}]
    assert "hostAliases" not in pod("gitlab")["spec"]


@pytest.mark.parametrize(("name", "mib"), [("gitea", 4096), ("gitlab", 8192)])
def test_memory_is_a_field_and_reserved_whole(name: str, mib: int) -> None:
    bounds = container(pod(name))["resources"]
    assert bounds["requests"]["memory"] == bounds["limits"]["memory"] == f"{mib}Mi"
    assert env(pod(name))["MEMORY_MIB"] == str(mib)


def test_every_mount_has_its_volume() -> None:
    for name in ("gitea", "gitlab"):
        whole = pod(name)
        volumes = {volume["name"] for volume in whole["spec"]["volumes"]}
        everyone = [*whole["spec"]["containers"], *whole["spec"]["initContainers"]]
        assert {mount["name"] for each in everyone for mount in each["volumeMounts"]} <= volumes


def test_agent_is_the_same_container_that_waits() -> None:
    build, agent = container(pod()), container(agent_pod(builder()))
    assert agent["command"] == ["sleep", "3600"]
    assert {variable["name"]: variable["value"] for variable in agent["env"]}["BUILD_IMAGE"] == BUILD_IMAGE
    same = ("image", "resources", "securityContext")
    assert {key: agent[key] for key in same} == {key: build[key] for key in same}


def test_login_reaches_the_builder_by_file_only() -> None:
    whole = pod()
    (login,) = (volume["secret"] for volume in whole["spec"]["volumes"] if volume["name"] == "registry-login")
    assert login == {
        "secretName": "builds-registry-pull",
        "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
    }
    assert env(whole)["DOCKER_CONFIG"] == "/etc/registry-login"


def test_fetching_is_restricted_and_building_breaks_exactly_these_rules() -> None:
    mistakes = [mistake for rule in OBJECT_RULES for mistake in rule(pod())]
    about_builder = sorted(mistake.partition("container builder: ")[2] for mistake in mistakes if "builder" in mistake)
    assert about_builder == [
        "drop ALL capabilities",
        "set allowPrivilegeEscalation: false",
        "set readOnlyRootFilesystem: true and mount an emptyDir where it writes",
        "set seccompProfile.type: RuntimeDefault",
    ]
    assert [mistake for mistake in mistakes if "builder" not in mistake] == []


def test_nothing_in_a_value_is_taken_for_a_variable_by_kubernetes() -> None:
    # $(NAME) with a known NAME would be replaced, $$ would become $.
    names = {variable["name"] for variable in container(pod())["env"]}
    for text in (BUILD_IMAGE, FETCH_SOURCE):
        assert "$$" not in text
        assert not [name for name in names if f"$({name})" in text]


# --- the script, with stand-ins for the programs that it calls
def run_build(tmp_path: Path, buildctl: str, **more: str) -> subprocess.CompletedProcess[str]:
    programs, checkout = tmp_path / "bin", tmp_path / "checkout"
    programs.mkdir()
    (checkout / "service").mkdir(parents=True)
    (checkout / "service" / "Dockerfile").write_text("FROM scratch\n")
    script = programs / "buildctl-daemonless.sh"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n{buildctl}\n')
    script.chmod(0o755)
    variables = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "BUILDER": "buildkit",
        "CONTEXT": "service",
        "TARGET": "api",
        "IMAGE": "registry.local:5000/aihub/api",
        "TAGS": "0123456789ab",
        "BASE_IMAGE": "base:1",
        "BUILD_ARGS": "A=1\nB=two words",
        "CHECKOUT": str(checkout),
        "LAST_WORD": str(tmp_path / "last-word"),
        "CGROUP": str(tmp_path / "cgroup"),
        "MEMORY_MIB": "4096",
        "REGISTRY": "registry.local:5000",
        "PLAIN_HTTP": "true",
    }
    (tmp_path / "cgroup").mkdir()
    (tmp_path / "cgroup" / "memory.events").write_text("oom 0\noom_kill 0\n")
    (tmp_path / "cgroup" / "memory.peak").write_text(str(300 * 1048576))
    return subprocess.run(
        ["sh", "-c", BUILD_IMAGE], env={**variables, **more}, capture_output=True, text=True, timeout=30
    )


WRITES_DIGEST = """
while [ "$1" != --metadata-file ]; do shift; done
printf '{"containerimage.config.digest": "sha256:aa", "containerimage.digest": "sha256:beef"}' > "$2"
cp "$(echo "$BUILDKITD_FLAGS" | sed 's/.*--config=//; s/ .*//')" TOML
"""


def test_build_pushes_by_tag_and_says_the_digest(tmp_path: Path) -> None:
    done = run_build(tmp_path, "cd " + str(tmp_path) + WRITES_DIGEST)
    assert done.returncode == 0, done.stderr
    arguments = (tmp_path / "arguments").read_text().splitlines()
    output = arguments[arguments.index("--output") + 1]
    assert output == 'type=image,"name=registry.local:5000/aihub/api:0123456789ab",push=true,oci-mediatypes=true'
    options = {arguments[place + 1] for place, word in enumerate(arguments) if word == "--opt"}
    assert options == {
        "filename=Dockerfile", "build-arg:BASE_IMAGE=base:1", "build-arg:A=1", "build-arg:B=two words", "target=api"
    }  # fmt: skip
    assert (tmp_path / "checkout" / "digest").read_text().strip() == "sha256:beef"
    last = (tmp_path / "last-word").read_text().strip()
    assert last == "Pushed registry.local:5000/aihub/api@sha256:beef (0123456789ab)"
    assert (tmp_path / "TOML").read_text() == '[registry."registry.local:5000"]\n  http = true\n'
    assert "Peak memory of the build: 300 MiB of 4096 MiB" in done.stdout


@pytest.mark.parametrize("lent", [True, False])
def test_a_build_trusts_what_its_container_does_unless_somebody_lends_it_a_list(tmp_path: Path, lent: bool) -> None:
    files = tmp_path / "build-secrets"
    files.mkdir()
    if lent:
        (files / "ca.crt").write_text("theirs")
    known = {"SSL_CERT_FILE": "/etc/aihub-trust/bundle.crt", "BUILD_FILES": str(files)}
    assert run_build(tmp_path, "cd " + str(tmp_path) + WRITES_DIGEST, **known).returncode == 0
    arguments = (tmp_path / "arguments").read_text().splitlines()
    secrets = [arguments[place + 1] for place, word in enumerate(arguments) if word == "--secret"]
    assert secrets == [f"id=ca.crt,src={files / 'ca.crt' if lent else known['SSL_CERT_FILE']}"]


def test_build_that_runs_out_of_memory_says_so(tmp_path: Path) -> None:
    kill = f"printf 'oom 1\\noom_kill 1\\n' > {tmp_path}/cgroup/memory.events; exit 1"
    done = run_build(tmp_path, kill)
    assert done.returncode == 137
    assert "ran out of memory: it may use 4096 MiB. Raise ci.builder.memoryMib" in (tmp_path / "last-word").read_text()


def test_build_that_fails_is_not_blamed_on_memory(tmp_path: Path) -> None:
    done = run_build(tmp_path, "exit 3")
    assert done.returncode == 1
    assert (tmp_path / "last-word").read_text().strip() == "The build failed; the lines above say why."


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (
            "dial tcp: lookup registry.local on 10.96.0.10:53: no such host",
            "The name of the registry, registry.local, does not resolve in this pod",
        ),
        (
            "unexpected status from PATCH request to http://registry.local:5000/v2/aihub/api/blobs/1: 500 Error",
            "The registry registry.local:5000 could not store the image: its volume is full",
        ),
        ("write /cache/buildkit/1: no space left on device", "A volume of the build is full"),
        ("dial tcp 10.96.0.9:5000: i/o timeout: http://registry.local:5000/v2/: i/o timeout", "does not answer"),
        ("GET https://pypi.example.com/: 500 Internal Server Error", "The build failed; the lines above say why."),
    ],
)
def test_build_says_whose_fault_it_is(tmp_path: Path, printed: str, said: str) -> None:
    done = run_build(tmp_path, f"echo 'ERROR: {printed}' >&2; exit 1")
    assert done.returncode == 1
    assert said in (tmp_path / "last-word").read_text()
    assert printed in done.stdout


def test_build_that_is_killed_whole_has_said_why_before(tmp_path: Path) -> None:
    """Control groups of version 2: the kernel ends every process of the container at once, this script among them."""
    done = run_build(tmp_path, "kill -9 $(ps -o ppid= -p $PPID) $PPID")
    assert done.returncode == -9
    assert "at 4096 MiB of memory (OOMKilled)" in (tmp_path / "last-word").read_text()


def test_missing_dockerfile_is_named(tmp_path: Path) -> None:
    done = run_build(tmp_path, "exit 0", CONTEXT="nowhere")
    assert done.returncode == 2
    assert "There is no nowhere/Dockerfile at this commit." in done.stdout


def run_fetch(tmp_path: Path, url: str, revision: str, **more: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": os.environ["PATH"],
        "CHECKOUT": str(tmp_path / "checkout"),
        "GIT_URL": url,
        "GIT_REVISION": revision,
        "HOME": str(tmp_path),
        "LAST_WORD": str(tmp_path / "last-word"),
    }
    return subprocess.run(
        ["sh", "-c", FETCH_SOURCE], env={**variables, **more}, capture_output=True, text=True, timeout=30
    )


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", folder, *identity, *words], capture_output=True, text=True, check=True).stdout


def test_source_is_fetched_at_its_commit(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet")
    (origin / "a").write_text("1")
    git(origin, "add", "a")
    git(origin, "commit", "--quiet", "-m", "first")
    first = git(origin, "rev-parse", "HEAD").strip()
    (origin / "a").write_text("2")
    git(origin, "commit", "--quiet", "-am", "second")
    done = run_fetch(tmp_path, f"file://{origin}", first)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "checkout" / "a").read_text() == "1"


def test_wrong_token_is_named(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    fake = programs / "git"
    fake.write_text("#!/bin/sh\ncase \"$*\" in *fetch*) echo 'fatal: Authentication failed' >&2; exit 128;; esac\n")
    fake.chmod(0o755)
    done = run_fetch(tmp_path, "http://git", "abc", PATH=f"{programs}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "refused the login: renew the token" in (tmp_path / "last-word").read_text()
