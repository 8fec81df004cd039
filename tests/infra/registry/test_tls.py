"""A registry of our own that speaks TLS: from the two commands of docs/registry.md to a push by who knows it."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pulumi import RunError

import ops.paths
from infra.config import ConfigError, parse, pem
from infra.program import deploy
from infra.recorder import SECRET, Recording, record
from infra.registry.server_config import DATA, TLS, configuration
from ops import secret
from ops.errors import OpsError
from ops.paths import StackPaths
from tests.infra.registry.registries import free_port
from tests.infra.support import CANARIES, CONFIGS, config_file, of_kind, pod_of

ROOT = Path(__file__).resolve().parents[3]
SMALLEST = config_file(CONFIGS / "valid" / "smallest.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which somebody did what the page says, for a registry at localhost."""
    folder = tmp_path_factory.mktemp("made")
    (commands,) = re.findall(r"```sh\n(openssl req.*?)```", (ROOT / "docs" / "registry.md").read_text(), re.DOTALL)
    script = commands.replace("registry.local", "localhost")
    (folder / "commands").write_text(script)
    done = subprocess.run(["sh", "-ec", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def config(made: Path, **server: Any) -> dict[str, Any]:
    tls = {"certificate": (made / "registry.crt").read_text()}
    registry = {
        "host": "localhost:5000",
        "baseImage": "localhost/aihub/base:bookworm",
        "server": {"image": "docker.io/library/registry:2.8.3", "tls": tls, **server},
    }
    return {
        **SMALLEST,
        "aihub:registry": registry,
        "aihub:network": {"authorities": (made / "authority.crt").read_text()},
    }


def declared(made: Path, key: str) -> Recording:
    return record(deploy, stack="test", config=config(made), secrets={**CANARIES, "aihub:registryTlsKey": key})


def test_what_the_page_makes_is_what_the_stack_takes(made: Path) -> None:
    stack = parse({key.removeprefix("aihub:"): value for key, value in config(made).items()})
    assert stack.registry.server
    assert stack.registry.server.tls
    (certificate,) = pem.certificates(stack.registry.server.tls.certificate)
    assert pem.names(certificate) == ["localhost", "registry.registry.svc"]
    (authority,) = pem.certificates((made / "authority.crt").read_text())
    assert not pem.is_authority(certificate)
    assert pem.is_authority(authority)


def test_the_secret_is_made_with_the_namespace_and_a_new_key_replaces_the_pod(made: Path) -> None:
    recording = declared(made, (made / "registry.key").read_text())
    (found,) = (each.properties for each in of_kind(recording, "Secret") if each.object_name == "registry-tls")
    assert (found["type"], found["stringData"]) == ("kubernetes.io/tls", SECRET)
    assert found["metadata"]["namespace"] == "registry"
    (server,) = (each.properties for each in of_kind(recording, "StatefulSet") if each.object_name == "registry")
    secrets = [each["secret"]["secretName"] for each in pod_of(server)["volumes"] if "secret" in each]
    assert secrets == ["registry-tls"]
    (other,) = (
        each.properties
        for each in of_kind(declared(made, "placeholder"), "StatefulSet")
        if each.object_name == "registry"
    )
    annotations = [each["spec"]["template"]["metadata"]["annotations"] for each in (server, other)]
    assert annotations[0] != annotations[1]
    # The collector reads the same configuration, which names the certificate.
    (job,) = (each.properties for each in of_kind(recording, "CronJob"))
    collector = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert "registry-tls" in [each["secret"]["secretName"] for each in collector["volumes"] if "secret" in each]


def test_a_certificate_that_runs_out_soon_is_said(made: Path, caplog: pytest.LogCaptureFixture) -> None:
    declared(made, "placeholder")
    assert "runs out" not in caplog.text
    command = (made / "commands").read_text().replace("-days 825", "-days 30").partition("\nopenssl")[2]
    (made / "soon").mkdir()
    for name in ("authority.crt", "authority.key"):
        shutil.copy(made / name, made / "soon")
    subprocess.run(["sh", "-ec", f"openssl{command}"], cwd=made / "soon", check=True, capture_output=True)
    declared(made / "soon", "placeholder")
    assert "aihub:registry.server.tls.certificate runs out on " in caplog.text


def test_another_certificates_key_is_refused(made: Path) -> None:
    with pytest.raises(RunError, match=r"aihub:registryTlsKey: is not the key of registry\.server\.tls\.certificate"):
        declared(made, (made / "authority.key").read_text())


def test_another_certificates_key_is_not_kept(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = parse({key.removeprefix("aihub:"): value for key, value in config(made).items()})
    monkeypatch.setattr(ops.paths, "PRIVATE", tmp_path)
    paths = StackPaths("test")
    monkeypatch.setattr(secret, "given", lambda _: (made / "authority.key").read_text())
    with pytest.raises(OpsError, match=r"is not the key of registry\.server\.tls\.certificate"):
        secret.renew(paths, stack, "registryTlsKey")
    assert not paths.secrets.exists()
    monkeypatch.setattr(secret, "given", lambda _: (made / "registry.key").read_text())
    secret.renew(paths, stack, "registryTlsKey")
    assert json.loads(paths.secrets.read_text())["registryTlsKey"].startswith("-----BEGIN PRIVATE KEY-----\n")


def test_a_certificate_of_two_names_stands_for_no_third(made: Path) -> None:
    registry = {**config(made)["aihub:registry"], "host": "registry.example.com:5000"}
    rooms = {**config(made), "aihub:registry": registry}
    with pytest.raises(ConfigError, match=r"does not stand for registry\.example\.com \(registry\.host\)"):
        parse({key.removeprefix("aihub:"): value for key, value in rooms.items()})


def test_a_star_stands_for_one_label(tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj"]
    command += ["/CN=any", "-addext", "subjectAltName=DNS:*.example.com,IP:10.0.0.5"]
    subprocess.run([*command, "-keyout", "key", "-out", "crt"], cwd=tmp_path, check=True, capture_output=True)
    (certificate,) = pem.certificates((tmp_path / "crt").read_text())
    hosts = {"a.example.com": True, "b.a.example.com": False, "10.0.0.5": True, "example.com": False}
    assert {host: pem.covers(certificate, host) for host in hosts} == hosts


def test_a_chain_leads_to_its_authority_only_when_it_is_whole(made: Path) -> None:
    certificate, authority = (
        pem.certificates((made / f"{name}.crt").read_text()) for name in ("registry", "authority")
    )
    assert pem.comes_from(certificate, authority)
    assert pem.comes_from([*certificate, *authority], authority)
    assert not pem.comes_from(certificate, pem.public_authorities())
    assert not pem.comes_from([*authority, *certificate], authority)
    assert pem.comes_from(pem.public_authorities()[:1], pem.public_authorities())


# --- the registry itself, by the configuration that it is given in the cluster
@pytest.fixture(scope="module")
def registry(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry on PATH (Debian: apt-get install docker-registry)")
    folder = tmp_path_factory.mktemp("registry")
    for name in ("crt", "key"):
        shutil.copy(made / f"registry.{name}", folder / f"tls.{name}")
    port = free_port()
    text = configuration(port=port, login=False, tls=True).replace(TLS, str(folder)).replace(DATA, str(folder / "data"))
    (folder / "config.yml").write_text(text)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                requests.get(f"https://localhost:{port}/v2/", verify=str(made / "authority.crt"), timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield f"localhost:{port}"
    finally:
        process.kill()
        process.wait()


def pushed(registry: str, made: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Push an empty image, as a program in Go that knows what the environment names."""
    if shutil.which("skopeo") is None:
        pytest.skip("no skopeo on PATH (Debian: apt-get install skopeo)")
    layout = made / "image"
    if not layout.exists():
        blobs = layout / "blobs" / "sha256"
        blobs.mkdir(parents=True)

        def blob(content: Any, kind: str) -> dict[str, Any]:
            data = json.dumps(content).encode()
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            media_type = f"application/vnd.oci.image.{kind}+json"
            return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

        nothing = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
        kind = "application/vnd.oci.image.manifest.v1+json"
        whole = {"schemaVersion": 2, "mediaType": kind, "config": blob(nothing, "config.v1"), "layers": []}
        (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [blob(whole, "manifest.v1")]}))
        (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return subprocess.run(
        ["skopeo", "copy", "--insecure-policy", "--digestfile", str(made / "digest"), f"oci:{layout}",
         f"docker://{registry}/aihub/api:unchecked"],
        env={"PATH": os.environ["PATH"], "HOME": str(made), **variables}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip


def test_who_knows_the_authority_pushes_and_nobody_else(registry: str, made: Path) -> None:
    refused = pushed(registry, made)
    assert refused.returncode != 0
    assert "certificate signed by unknown authority" in refused.stderr
    done = pushed(registry, made, SSL_CERT_FILE=str(made / "authority.crt"))
    assert done.returncode == 0, done.stderr


def test_the_machine_that_pushes_takes_the_authority_from_dockers_folder(registry: str, made: Path) -> None:
    # The folder that docs/registry.md names lies below /etc; this is the one of the same form that a person may have.
    folder = made / ".config" / "containers" / "certs.d" / registry
    folder.mkdir(parents=True)
    shutil.copy(made / "authority.crt", folder / "ca.crt")
    done = pushed(registry, made)
    shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr


def test_the_pipeline_names_an_image_there(registry: str, made: Path) -> None:
    assert pushed(registry, made, SSL_CERT_FILE=str(made / "authority.crt")).returncode == 0
    digest = (made / "digest").read_text().strip()
    variables = {"REFERENCES": f"{registry}/aihub/api@{digest}", "TAG": "0123456789ab", "AIHUB_PLAIN_HTTP": "false"}
    command = [sys.executable, str(ROOT / "ci" / "tag.py")]

    def run(**more: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], **variables, **more}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert "certificate verify failed" in run().stderr
    done = run(SSL_CERT_FILE=str(made / "authority.crt"))
    assert done.stdout.strip() == f"{registry}/aihub/api:0123456789ab is {digest}", done.stderr
