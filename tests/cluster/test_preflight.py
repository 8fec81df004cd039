"""Everything that stands in the way is named at once, each with its fix, before anything is touched."""

import socket
from pathlib import Path

import pytest

from cluster import NodeError, host, preflight
from cluster.preflight import Problem
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
