"""Preparing a PC, played through on a folder that stands for it."""

import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster import NodeError
from cluster.host import NVIDIA_RUNTIME
from cluster.wsl import command, containerd, toolkit
from cluster.wsl.computer import Computer
from ops.paths import CHECKOUT


def computer(root: Path, *people: str, wsl: bool = True, **files: str) -> Computer:
    version = "Linux version 5.15.167.4-microsoft-standard-WSL2" if wsl else "Linux version 6.1.0-40-amd64"
    contents = {"/proc/version": version, NVIDIA_RUNTIME: "", **files}
    made = Computer(root=root, processors=16)
    for path, text in contents.items():
        made.at(path).parent.mkdir(parents=True, exist_ok=True)
        made.at(path).write_text(text)
    for person in (*people, "Public", "Default"):
        made.at(f"/mnt/c/Users/{person}").mkdir(parents=True, exist_ok=True)
    return made


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run(pc: Computer, dry_run: bool = False) -> str:
    said: list[str] = []
    command.run(pc, said.append, dry_run=dry_run)
    return "\n".join(said)


def test_a_dry_run_changes_nothing_and_says_what_a_run_then_does(tmp_path: Path) -> None:
    pc = computer(tmp_path, "me", **{"/mnt/c/Users/me/.wslconfig": "[wsl2]\nmemory=8GB\n"})
    before = files(tmp_path)
    shown = run(pc, dry_run=True)
    assert files(tmp_path) == before
    assert "-memory=8GB\n+memory=24GB" in shown
    assert run(pc) == shown
    changed = {path for path, content in files(tmp_path).items() if before.get(path) != content}
    assert changed == {
        "etc/wsl.conf",
        "mnt/c/Users/me/.wslconfig",
        "mnt/c/Users/me/.wslconfig.before-aihub",
        "mnt/c/Users/me/aihub/aihub-windows.ps1",
    }
    assert all(path.rpartition("/")[2].removesuffix(".before-aihub") in shown for path in changed)


def test_a_second_run_finds_nothing_to_change(tmp_path: Path) -> None:
    pc = computer(tmp_path, "me", **{"/etc/containerd/config.toml": "version = 2\n"})
    first = run(pc)
    assert "systemctl restart containerd" in first
    before = files(tmp_path)
    again = run(pc)
    assert "nothing to change" in again
    assert "wsl --shutdown" not in again
    assert files(tmp_path) == before


def test_what_a_person_had_is_kept_beside_it_once(tmp_path: Path) -> None:
    pc = computer(tmp_path, "me", **{"/etc/wsl.conf": "[user]\ndefault=me\n"})
    run(pc)
    kept = pc.at("/etc/wsl.conf.before-aihub")
    assert kept.read_text() == "[user]\ndefault=me\n"
    pc.at("/etc/wsl.conf").write_text("[user]\ndefault=you\n")
    run(pc)
    assert kept.read_text() == "[user]\ndefault=me\n"


def test_outside_of_windows_only_a_dry_run_is_made(tmp_path: Path) -> None:
    pc = computer(tmp_path, wsl=False)
    before = files(tmp_path)
    with pytest.raises(NodeError, match="no Linux within Windows"):
        run(pc)
    assert "memory=24GB" in run(pc, dry_run=True)
    assert files(tmp_path) == before


@pytest.mark.parametrize(("people", "says"), [(("me", "you"), "me, you"), ((), "none")])
def test_whose_windows_it_is_must_be_clear(tmp_path: Path, people: tuple[str, ...], says: str) -> None:
    with pytest.raises(NodeError, match=says):
        run(computer(tmp_path, *people))


def test_a_misspelt_person_is_told_who_there_is(tmp_path: Path) -> None:
    computer(tmp_path, "me")
    with pytest.raises(NodeError, match="me"):
        Computer(root=tmp_path, windows_user="mee").windows_home()
    assert Computer(root=tmp_path, windows_user="me").windows_home() == "/mnt/c/Users/me"


def test_a_mark_at_the_beginning_of_windows_own_files_is_no_text(tmp_path: Path) -> None:
    pc = computer(tmp_path, "me")
    pc.at("/mnt/c/Users/me/.wslconfig").write_bytes(b"\xef\xbb\xbf[wsl2]\r\nmemory=8GB\r\n")
    run(pc)
    assert pc.read("/mnt/c/Users/me/.wslconfig").startswith("[wsl2]\r\nmemory=24GB\r\n")  # type: ignore[union-attr]


def test_packages_that_cannot_be_reached_are_named_with_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pc = computer(tmp_path, "me")
    pc.at(NVIDIA_RUNTIME).unlink()

    def refuse(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(NodeError, match=r"(?s)no route.*libnvidia-container1.*dpkg"):
        run(pc)
    assert not pc.at(toolkit.LIST).exists()


def test_the_command_refuses_here_in_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "wsl"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    if "microsoft" in Path("/proc/version").read_text().lower():
        pytest.skip("this is WSL")
    assert done.returncode == 1
    assert "no Linux within Windows" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("folder", "service"), [("rke2", "rke2-server"), ("k3s", "k3s")])
def test_rke2_and_k3s_are_told_of_the_registry(tmp_path: Path, folder: str, service: str) -> None:
    path = f"/etc/rancher/{folder}/registries.yaml"
    pc = computer(tmp_path, "me", **{f"/etc/rancher/{folder}/config.yaml": "token: x\n"})
    said = run(pc)
    assert f"systemctl restart {service}" in said
    assert yaml.safe_load(pc.at(path).read_text()) == {
        "mirrors": {"registry.local:5000": {"endpoint": ["http://registry.local:5000"]}}
    }
    assert "nothing to change" in run(pc)


@pytest.mark.parametrize("folder", ["rke2", "k3s"])
def test_rke2_and_k3s_are_told_who_signed_the_registrys_certificate(tmp_path: Path, folder: str) -> None:
    path = f"/etc/rancher/{folder}/registries.yaml"
    pc = computer(tmp_path, "me", **{f"/etc/rancher/{folder}/config.yaml": "token: x\n"})
    run(pc)  # plain HTTP, at first
    command.run(pc, lambda _: None, dry_run=False, registry_ca="certificate\n")
    assert yaml.safe_load(pc.at(path).read_text()) == {
        "mirrors": {"registry.local:5000": {"endpoint": ["https://registry.local:5000"]}},
        "configs": {"registry.local:5000": {"tls": {"ca_file": "/etc/aihub/registry-ca.crt"}}},
    }
    assert pc.read("/etc/aihub/registry-ca.crt") == "certificate\n"
    assert "nothing to change" in run(pc)  # it is remembered


def test_a_packaged_containerd_is_told_who_signed_the_registrys_certificate(tmp_path: Path) -> None:
    pc = computer(tmp_path, "me", **{containerd.CONFIG: "version = 2\n"})
    command.run(pc, lambda _: None, dry_run=False, registry_ca="certificate\n")
    (told,) = tomllib.loads(pc.at(containerd.HOSTS).read_text())["host"].items()
    assert told[0] == "https://registry.local:5000"
    assert pc.at(told[1]["ca"]).read_text() == "certificate\n"


def test_a_registries_file_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = "/etc/rancher/k3s/registries.yaml"
    pc = computer(tmp_path, "me", **{path: "# mine\nconfigs: {}"})
    run(pc)
    assert pc.at(path).read_text().startswith("# mine\nconfigs: {}\nmirrors:\n")
    assert pc.at(f"{path}.before-aihub").read_text() == "# mine\nconfigs: {}"


@pytest.mark.parametrize("text", ["mirrors:\n  docker.io: {}\n", "- a list\n", "{"])
def test_a_registries_file_that_cannot_be_merged_is_said(tmp_path: Path, text: str) -> None:
    pc = computer(tmp_path, "me", **{"/etc/rancher/k3s/registries.yaml": text})
    with pytest.raises(NodeError, match=r"registries\.yaml"):
        run(pc)
