"""What passed becomes a version, as a whole and in order; what did not never looks like one."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from infra.config.delivery import ImageUpdaterConfig
from infra.stackfile import CHECKOUT
from tests.infra.ci.support import stack_of
from tests.infra.ci.test_jcasc import templates
from tests.infra.registry.registries import (
    ACCOUNT,
    DIGEST,
    INDEX,
    MANIFEST,
    PASSWORD,
    Certificates,
    free_port,
    real_registry,
)

REPOSITORY = "enai/prod/backend"
VERSION = re.compile(ImageUpdaterConfig().allow_tags.removeprefix("regexp:"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.made_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def host(tmp_path: Path, certificates: Certificates) -> Iterator[str]:
    with real_registry(tmp_path, certificates) as port:
        yield f"localhost:{port}"


def tag(
    host: str, certificates: Certificates, folder: Path, *references: str, password: str = PASSWORD
) -> "subprocess.CompletedProcess[str]":
    """Run the script as the pipeline does, with a login as the pod has it."""
    (folder / "config.json").write_text(
        json.dumps({"auths": {host: {"username": ACCOUNT, "password": password}, "elsewhere:5000": {}}})
    )
    settings = {
        "REFERENCES": " ".join(references),
        "TAG": "0123456789ab",
        "DOCKER_CONFIG": str(folder),
        "SSL_CERT_FILE": str(certificates.authority),
        "AIHUB_PLAIN_HTTP": "false",
    }
    script = [sys.executable, str(CHECKOUT / "ci" / "tag.py")]
    return subprocess.run(script, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60)


def pulled(host: str, certificates: Certificates, name: str) -> tuple[bytes, str]:
    """Return what is there by a name: the manifest, and which image it is."""
    answer = requests.get(
        f"https://{host}/v2/{REPOSITORY}/manifests/{name}",
        headers={"Accept": INDEX},
        auth=(ACCOUNT, PASSWORD),
        verify=str(certificates.authority),
        timeout=10,
    )
    return answer.content, answer.headers["Docker-Content-Digest"]


def test_an_image_gets_one_more_name(host: str, certificates: Certificates, tmp_path: Path) -> None:
    done = tag(host, certificates, tmp_path, f"{host}/{REPOSITORY}@{DIGEST}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{host}/{REPOSITORY}:0123456789ab is {DIGEST}\n"
    assert pulled(host, certificates, "0123456789ab") == (MANIFEST, DIGEST)
    again = tag(host, certificates, tmp_path, f"{host}/{REPOSITORY}@{DIGEST}")
    assert again.returncode == 0, "a build that is run again names the same image again"


def test_what_is_not_there_ends_it(host: str, certificates: Certificates, tmp_path: Path) -> None:
    missing = f"{host}/{REPOSITORY}@sha256:{'0' * 64}"
    done = tag(host, certificates, tmp_path, missing, f"{host}/{REPOSITORY}@{DIGEST}")
    assert done.returncode != 0
    assert "is not named 0123456789ab: the registry answered 404; run this build again" in done.stderr
    assert not done.stdout, "what stands behind it is not named either"


def test_a_login_that_is_refused_says_so(host: str, certificates: Certificates, tmp_path: Path) -> None:
    done = tag(host, certificates, tmp_path, f"{host}/{REPOSITORY}@{DIGEST}", password="no-password")
    assert "the registry answered 401" in done.stderr
    assert "no-password" not in done.stderr + done.stdout


def test_a_registry_that_is_away_says_so(certificates: Certificates, tmp_path: Path) -> None:
    host = f"localhost:{free_port()}"
    done = tag(host, certificates, tmp_path, f"{host}/{REPOSITORY}@{DIGEST}")
    assert done.returncode != 0
    assert "the registry does not answer" in done.stderr


def test_a_build_pushes_by_a_name_that_is_no_version() -> None:
    """Image Updater would deploy it while it is still being looked at, or after it was refused."""
    steps = (CHECKOUT / "ci" / "publish.groovy").read_text()
    (name,) = re.findall(r'"TAGS=([^"]*)"', steps)
    assert name == "unchecked"
    assert not VERSION.search(name)
    assert VERSION.search("0123456789ab")


@pytest.mark.parametrize(
    ("pipeline", "images"), [("service/Jenkinsfile", ["engine", "api"]), ("service/web/Jenkinsfile", ["page"])]
)
def test_a_version_comes_after_every_check_of_every_image(pipeline: str, images: list[str]) -> None:
    steps = (CHECKOUT / "ci" / "publish.groovy").read_text()
    order = [steps.index(text) for text in ("$BUILD_IMAGE", "--exit-code 1", "cosign attest", "def version(", "tag.py")]
    assert order == sorted(order)
    script = (CHECKOUT / pipeline).read_text()
    (named,) = re.findall(r"publish\.version\(\[(.*)\]\)", script)
    assert named.split(", ") == images
    assert script.index("publish.version(") > max(script.index(f"def {image} = publish.image(") for image in images)


def test_who_names_has_python_and_the_login() -> None:
    (tagger,) = (each for each in templates("gitlab")["builder"]["spec"]["containers"] if each["name"] == "tagger")
    assert tagger["image"] == stack_of("gitlab").registry.base_image
    folder = next(each["value"] for each in tagger["env"] if each["name"] == "DOCKER_CONFIG")
    assert folder in {each["mountPath"] for each in tagger["volumeMounts"]}
    assert "HOME" in {each["name"] for each in tagger["env"]}, "the login comes beside what was there"
