"""Packages: what they start is put to rest, where a service manager would keep it running."""

import stat
from pathlib import Path

import pytest

from cluster import packages


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
