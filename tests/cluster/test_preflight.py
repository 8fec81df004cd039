"""Everything that stands in the way is named at once, each with its fix, before anything is touched."""

import os
import platform
import socket
import sys
from pathlib import Path

import pytest

from cluster import NodeError, __main__, host, node, preflight
from cluster.preflight import Problem
from cluster.settings import complete
from tests.cluster.support import node_in

MEMINFO = "MemTotal: 32000000 kB\nMemAvailable: {kib} kB\n"


def test_all_problems_come_at_once_each_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host, "is_root", lambda: False)
    monkeypatch.setattr(preflight, "is_free", lambda port: port != 6443)
    monkeypatch.setattr(preflight, "DISK_GIB", 10**6)
    monkeypatch.setattr(preflight, "MEMORY_GIB", 0)  # whatever else runs here
    with pytest.raises(NodeError) as caught:
        preflight.check(node_in(tmp_path))
    text = str(caught.value)
    for part in ("a node needs root", "run it with sudo", "port 6443 (API server) is taken", "ss -ltnp", "GiB free"):
        assert part in text
    assert text.count("->") == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("release", "refused"),
    [
        ({"ID": "ubuntu", "VERSION_ID": "22.04"}, True),
        ({"ID": "ubuntu", "VERSION_ID": "24.04"}, False),
        ({"ID": "ubuntu", "VERSION_ID": "26.04"}, False),
        ({"ID": "debian", "VERSION_ID": "11"}, True),
        ({"ID": "debian", "VERSION_ID": "12"}, False),
        ({"ID": "debian"}, False),  # testing
        ({"ID": "linuxmint", "VERSION_ID": "21.3"}, False),
    ],
)
def test_a_release_whose_etcd_does_not_know_our_options_is_refused(release: dict[str, str], refused: bool):
    found = preflight.outdated(release)
    assert bool(found) is refused
    assert all("aihub:cluster" in problem.fix for problem in found)


def test_an_old_release_is_named_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    old = {"ID": "ubuntu", "VERSION_ID": "22.04"}
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: old)
    monkeypatch.setattr(host, "is_root", lambda: False)
    with pytest.raises(NodeError, match=r"Ubuntu 22\.04: its etcd is too old.*Ubuntu 24\.04 is the first"):
        preflight.check(node_in(tmp_path))


def test_a_listener_takes_its_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not preflight.is_free(port)
    assert preflight.is_free(port)


@pytest.mark.parametrize(("kib", "count"), [(3 * 2**20, 0), (2**20, 1)])
def test_memory_is_what_is_available(kib: int, count: int):
    assert len(preflight.memory(MEMINFO.format(kib=kib))) == count


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ({"dst": "default", "dev": "eth0"}, False),
        ({"dst": "192.168.1.0/24", "dev": "eth0"}, False),
        ({"dst": "10.244.0.0/24", "dev": "aihub0"}, False),
        ({"dst": "10.244.0.0/16", "dev": "flannel.1"}, True),
        ({"dst": "10.96.12.3", "dev": "tun0"}, True),
        ({"dst": "10.0.0.0/8", "dev": "tun0"}, True),
    ],
)
def test_a_network_that_the_cluster_would_hide_is_named(route: dict[str, str], taken: bool):
    found = preflight.overlapping([route])
    assert bool(found) is taken
    assert all(route["dev"] in problem.what for problem in found)


def test_disk_is_asked_of_the_nearest_folder_that_exists(tmp_path: Path):
    assert preflight.disk(tmp_path / "not" / "yet", needed_gib=0) == []
    found = preflight.disk(tmp_path / "not" / "yet", needed_gib=10**6)
    assert isinstance(found[0], Problem)
    assert str(tmp_path) in found[0].what


def test_capabilities_are_read_from_the_kernels_mask():
    status = "Name:\tx\nCapEff:\t000001fffeffffff\n"
    assert not host.has_capability(status, host.CAP_SYS_RESOURCE)
    assert host.has_capability(status, 21)


def test_a_users_path_is_completed_and_kept_in_front():
    assert (
        complete("/home/me/bin:/usr/bin:/bin")
        == "/home/me/bin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"
    )
    assert complete(complete("/usr/bin")) == complete("/usr/bin")


def test_the_systems_programs_are_found_by_who_has_no_sbin_on_path(monkeypatch: pytest.MonkeyPatch):
    def status() -> list[node.State]:
        return [node.State(name="PATH", ok="/usr/sbin" in os.environ["PATH"].split(":"), says=os.environ["PATH"])]

    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(sys, "argv", ["cluster", "status"])
    monkeypatch.setattr(node, "status", status)
    assert __main__.main() == 0
