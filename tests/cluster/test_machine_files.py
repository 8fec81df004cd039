"""The machine's files that the node reads or adds to: hosts, apt's sources, mounts."""

from pathlib import Path

import pytest

from cluster import NodeError, apt, cleanup, hosts
from tests.cluster.support import node_in

HOSTS = "127.0.0.1 localhost\n192.168.1.5 nas\n"


@pytest.mark.parametrize("text", [HOSTS, HOSTS.rstrip("\n"), ""])
def test_our_line_is_added_once_and_taken_back(text: str):
    with_line = hosts.added(text)
    assert hosts.names_registry(with_line)
    assert hosts.added(with_line) == with_line
    assert hosts.removed(with_line).rstrip("\n") == text.rstrip("\n")


def test_a_line_of_the_persons_own_is_enough_and_stays():
    text = HOSTS + "127.0.0.1 registry.local mine\n"
    assert hosts.added(text) == text
    assert hosts.removed(text) == text


def test_a_commented_line_names_nothing():
    assert not hosts.names_registry("# 127.0.0.1 registry.local\n")


def test_the_hosts_file_is_written_in_place(tmp_path: Path):
    path = tmp_path / "hosts"
    path.write_text(HOSTS)
    inode = path.stat().st_ino
    hosts.rewrite(hosts.added(HOSTS), path)
    assert path.stat().st_ino == inode
    assert hosts.LINE in path.read_text()


DEB822 = """\
Types: deb
URIs: {uri}
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def test_the_public_mirrors_are_no_mirrors():
    assert apt.mirrors({"debian.sources": DEB822.format(uri="http://deb.debian.org/debian")}) == []


def test_a_mirror_of_ones_own_is_found_in_both_formats():
    expected = [("http://mirror.lan/debian", "bookworm"), ("http://mirror.lan/debian", "bookworm-updates")]
    assert apt.mirrors({"debian.sources": DEB822.format(uri="http://mirror.lan/debian")}) == expected
    line = "deb [arch=amd64 signed-by=/k.gpg] http://mirror.lan/debian {suite} main\n"
    assert apt.mirrors({"a.list": "".join(line.format(suite=suite) for _, suite in expected)}) == expected


def test_others_repositories_and_disabled_ones_are_no_mirrors():
    ubuntu = "deb http://archive.ubuntu.com/ubuntu noble main\n# deb http://mirror.lan/debian bookworm main\n"
    disabled = DEB822.format(uri="http://mirror.lan/debian") + "Enabled: no\n"
    vendor = "deb https://vendor.example/apt bookworm stable\n"
    assert apt.mirrors({"a.list": ubuntu, "b.sources": disabled, "c.list": vendor}) == []


def test_only_the_way_to_a_mirror_is_taken_from_apts_configuration():
    wanted = ['Acquire::http::Proxy "http://p:3128";', 'Acquire::https::CaInfo "/c";']
    dump = ['APT::Architecture "amd64";', *wanted, 'Acquire::Languages "";']
    assert apt.configuration_lines("\n".join(dump)) == wanted


def test_only_mounts_below_the_nodes_folders_are_undone_innermost_first():
    def row(point: str) -> str:
        return f"36 35 98:0 / {point} rw,noatime - ext4 /dev/sda1 rw\n"

    mountinfo = row("/") + row("/n") + row("/n/kubelet") + row("/n/kubelet/pods/a\\040b/tmp") + row("/nas")
    assert cleanup.mounts_below([Path("/n")], mountinfo) == ["/n/kubelet/pods/a b/tmp", "/n/kubelet"]


def test_outside_its_folders_the_node_takes_back_its_own_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    node = node_in(tmp_path)
    cache, logs = tmp_path / "cni" / "results", tmp_path / "containers"
    monkeypatch.setattr(cleanup, "CNI_CACHE", cache)
    monkeypatch.setattr(cleanup, "CONTAINER_LOGS", logs)
    monkeypatch.setattr(cleanup, "DEVICE_PLUGINS", tmp_path / "kubelet" / "device-plugins")
    cache.mkdir(parents=True)
    logs.mkdir()
    (cache / "aihub-1234-eth0").write_text("{}")
    (cache / "cni-loopback-1234-lo").write_text("{}")
    (logs / "ours.log").symlink_to(node.log / "pods" / "0.log")
    (logs / "other.log").symlink_to("/var/log/pods/0.log")
    cleanup.remove_elsewhere(node)
    assert not cache.parent.exists()
    assert [path.name for path in logs.iterdir()] == ["other.log"]


def test_a_folder_with_something_mounted_in_it_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kept = tmp_path / "state" / "kubelet" / "rows"
    kept.parent.mkdir(parents=True)
    kept.write_text("x")
    monkeypatch.setattr(cleanup, "mounts_below", lambda folders, _: [str(tmp_path / "state" / "kubelet")])
    with pytest.raises(NodeError, match="still mounted"):
        cleanup.remove_folder(tmp_path / "state")
    assert kept.exists()
    monkeypatch.undo()
    cleanup.remove_folder(tmp_path / "state")
    assert not (tmp_path / "state").exists()
