"""What outlives a garbage collection, by the real registry: what a tag leads to, signatures among it."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.registry.server import FORGET_UNTAGGED
from infra.registry.server_config import DATA, configuration
from ops import signing_key
from tests.infra.registry.registries import free_port
from tests.live.wsl import signature

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass
class Store:
    """A registry that runs, and its folder."""

    folder: Path
    host: str

    def blob(self, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = requests.post(f"http://{self.host}/v2/aihub/api/blobs/uploads/", timeout=10)
        headers = {"Content-Type": "application/octet-stream"}
        where = begun.headers["Location"]
        requests.put(where, params={"digest": digest}, data=data, headers=headers, timeout=10).raise_for_status()
        return {"digest": digest, "size": len(data)}

    def push(self, kind: str, tag: str | None = None, **content: Any) -> dict[str, Any]:
        data = json.dumps({"schemaVersion": 2, "mediaType": kind, **content}).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        url = f"http://{self.host}/v2/aihub/api/manifests/{tag or digest}"
        requests.put(url, data=data, headers={"Content-Type": kind}, timeout=10).raise_for_status()
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def image(self, text: str, tag: str | None = None) -> dict[str, Any]:
        config = self.blob(json.dumps({"architecture": "amd64", "os": "linux", "author": text}).encode())
        config["mediaType"] = "application/vnd.oci.image.config.v1+json"
        return self.push(MANIFEST, tag, config=config, layers=[])

    def holds(self, manifest: dict[str, Any]) -> bool:
        """Say whether a manifest is there, and what it names."""
        url = f"http://{self.host}/v2/aihub/api"
        headers = {"Accept": manifest["mediaType"]}
        found = requests.get(f"{url}/manifests/{manifest['digest']}", headers=headers, timeout=10)
        config = found.json().get("config")
        whole = config is None or requests.get(f"{url}/blobs/{config['digest']}", timeout=10).ok
        return found.ok and whole

    def collect(self, keep_tags: str = "", days_later: int = 2) -> None:
        """Do both steps of the CronJob, some days after all that was pushed so far."""
        for link in self.folder.rglob("link"):
            os.utime(link, (link.stat().st_mtime - days_later * 86400,) * 2)
        repositories = str(self.folder / "data" / "docker" / "registry" / "v2" / "repositories")
        environment = {"PATH": os.environ["PATH"], "KEEP_TAGS": keep_tags, "REPOSITORIES": repositories}
        subprocess.run(["sh", str(FORGET_UNTAGGED)], env=environment, check=True, capture_output=True)
        config = str(self.folder / "config.yml")
        subprocess.run(["docker-registry", "garbage-collect", config], check=True, capture_output=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    if shutil.which("docker-registry") is None:
        pytest.skip("no docker-registry on PATH (Debian: apt-get install docker-registry)")
    port = free_port()
    text = configuration(port=port, login=False, tls=False).replace(DATA, str(tmp_path / "data"))
    (tmp_path / "config.yml").write_text(text)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(tmp_path / "config.yml")], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                requests.get(f"http://127.0.0.1:{port}/v2/", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield Store(tmp_path, f"127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def test_what_a_tag_leads_to_stays_and_the_rest_goes(store: Store) -> None:
    tagged, part, left = store.image("tagged", "0123456789ab"), store.image("part"), store.image("left")
    index = store.push(INDEX, "sha256-of-it", manifests=[part])
    store.collect()
    assert [store.holds(each) for each in (tagged, part, index, left)] == [True, True, True, False]


def test_a_part_goes_with_the_last_tag_that_leads_to_it(store: Store) -> None:
    part = store.image("part")
    index = store.push(INDEX, "old", manifests=[part])
    newest = store.image("newest", "new")
    store.collect(keep_tags="1")
    assert [store.holds(each) for each in (part, index, newest)] == [False, False, True]


def test_what_was_just_pushed_waits_for_its_tag(store: Store) -> None:
    part = store.image("part")
    store.collect(days_later=0)
    assert store.holds(part)


def test_signature_and_list_of_parts_outlive_it(store: Store, tmp_path: Path) -> None:
    if not signature.is_here():
        pytest.skip("cosign is not built: python -m toolchain cosign")
    reference = f"{store.host}/aihub/api@{store.image('signed', '0123456789ab')['digest']}"
    keys = {"cosignKey": signing_key.make("word"), "cosignPassword": "word"}
    public = tmp_path / "cosign.pub"
    public.write_text(signing_key.public_half(keys["cosignKey"], "word") or "")
    signature.sign(reference, keys, tmp_path)
    store.collect(keep_tags="60")
    assert signature.holds(reference, public)
    assert signature.holds(reference, public, "verify-attestation", "--type=cyclonedx")
