"""Packages: what they start is put to rest, where a service manager would keep it running."""

import stat
from pathlib import Path

import pytest

from cluster import NodeError, packages


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins: apt-get, whose one package brings a service, and systemctl, which writes down what it is told."""
    units = tmp_path / "units"
    units.mkdir()
    (units / "older.service").touch()
    programs = {
        "apt-get": f'case "$*" in *install*) touch {units}/new.service {units}/new@.service {units}/new.timer ;; esac',
        "systemctl": f'echo "$*" >> {tmp_path}/told',
    }
    for name, text in programs.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setattr(packages, "UNIT_FOLDERS", (units,))
    monkeypatch.setattr(packages, "RUNNING_SYSTEMD", tmp_path)
    return tmp_path


def test_only_services_that_come_with_a_package_are_put_to_rest(machine: Path) -> None:
    packages.install(["anything"])
    assert (machine / "told").read_text().splitlines() == ["disable --quiet --now new.service"]


def test_without_systemd_nobody_is_told(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "RUNNING_SYSTEMD", machine / "absent")
    packages.install(["anything"])
    assert not (machine / "told").exists()


REFUSAL = """\
The following packages will be REMOVED:
  containerd.io docker-ce
  docker-ce-cli
The following NEW packages will be installed:
  buildah containerd
"""


def test_what_would_remove_docker_is_refused_and_named(machine: Path) -> None:
    script = f'case "$*" in *--no-remove*) printf "%s" "{REFUSAL}"; exit 100 ;; esac; touch {machine}/removed'
    (machine / "bin" / "apt-get").write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(NodeError, match=r"would remove containerd\.io docker-ce docker-ce-cli; nothing was changed"):
        packages.install(["buildah", "containerd"])
    assert not (machine / "removed").exists()


@pytest.mark.parametrize("brought", [True, False])
def test_dockers_containerd_and_runc_count_as_there(
    machine: Path, monkeypatch: pytest.MonkeyPatch, brought: bool
) -> None:
    (machine / "bin" / "dpkg-query").write_text(
        '#!/bin/sh\nfor each; do echo "$each installed"; done | grep -v "^run"\n'
    )
    (machine / "bin" / "dpkg-query").chmod(0o755)
    program = machine / "runc"
    program.touch() if brought else None
    monkeypatch.setattr(packages, "PROGRAMS", {"runc": program})
    assert packages.missing() == ([] if brought else ["runc"])
