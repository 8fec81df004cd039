"""A person's own settings stay; ours are added once; what is said to be changed is what is changed."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from cluster import NodeError
from cluster.components.containerd import configuration as node_configuration
from cluster.host import NVIDIA_RUNTIME
from cluster.wsl import containerd, ini, settings, windows
from tests.cluster.support import ORDINARY, node_in

MINE = """\
# my own
[wsl2]
Memory = 8GB
swap=0   ; none

[experimental]
autoMemoryReclaim=gradual
"""


def test_everything_else_in_the_file_stays_as_it_was_written() -> None:
    after = settings.wslconfig(MINE, processors=16)
    kept = [line for line in MINE.splitlines() if line and line != "Memory = 8GB"]
    assert [line for line in after.splitlines() if line in kept] == kept
    assert ini.value_of(after, "wsl2", "memory") == "24GB"
    assert "8GB" not in after
    assert after.index("processors=14") < after.index("[experimental]")


@pytest.mark.parametrize(
    "text", ["", MINE, MINE.replace("\n", "\r\n"), "[wsl2]\n", "[general]\ninstanceIdleTimeout=5\n"]
)
def test_a_second_time_changes_nothing(text: str) -> None:
    once = settings.wslconfig(text, processors=16)
    assert settings.wslconfig(once, processors=14) == once
    assert settings.wsl_conf(settings.wsl_conf(text)) == settings.wsl_conf(text)
    assert ("\r\n" in once) == ("\r\n" in text)


@pytest.mark.parametrize(
    ("theirs", "memory"), [("28GB", "28GB"), ("24576MB", "24576MB"), ("16GB", "24GB"), ("0", "24GB"), ("", "24GB")]
)
def test_memory_that_is_enough_stays(theirs: str, memory: str) -> None:
    text = f"[wsl2]\nmemory={theirs}\n" if theirs else "[wsl2]\n"
    assert ini.value_of(settings.wslconfig(text, 16), "wsl2", "memory") == memory


def test_their_number_of_processors_and_their_timeouts_stay() -> None:
    theirs = "[wsl2]\nprocessors=3\nvmIdleTimeout=5000\n[general]\ninstanceIdleTimeout=1\n"
    after = settings.wslconfig(theirs, processors=3)
    assert (ini.value_of(after, "wsl2", "processors"), ini.value_of(after, "wsl2", "vmIdleTimeout")) == ("3", "5000")
    assert ini.value_of(after, "general", "instanceIdleTimeout") == "1"


def test_words_for_the_kernel_are_added_to_theirs() -> None:
    after = settings.wslconfig("[wsl2]\nkernelCommandLine=quiet vsyscall=emulate\n", 16)
    assert ini.value_of(after, "wsl2", "kernelCommandLine") == "quiet vsyscall=emulate cgroup_no_v1=all"


def test_wsl_conf_gets_systemd_and_keeps_its_hosts_file() -> None:
    after = settings.wsl_conf("[boot]\nsystemd=false\ncommand=service docker start\n[user]\ndefault=me\n")
    assert ini.value_of(after, "boot", "systemd") == "true"
    assert ini.value_of(after, "boot", "command") == "service docker start"
    assert ini.value_of(after, "user", "default") == "me"
    assert ini.value_of(after, "network", "generateHosts") == "false"


V2 = """\
version = 2
# mine
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = true
"""
V3 = "version = 3\n[plugins.'io.containerd.cri.v1.images']\nsnapshotter = 'overlayfs'"
CRI, RUNTIME = "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"


@pytest.mark.parametrize(
    ("text", "plugin", "systemd"), [(V2, CRI, True), (V3, RUNTIME, False), ("version = 2", CRI, False)]
)
def test_containerd_gets_the_runtime_with_the_control_groups_of_runc(text: str, plugin: str, systemd: bool) -> None:
    after = containerd.configuration(text)
    runtime = tomllib.loads(after)["plugins"][plugin]["containerd"]["runtimes"]["nvidia"]
    assert runtime["options"] == {"BinaryName": NVIDIA_RUNTIME, "SystemdCgroup": systemd}
    assert after.startswith(text)
    assert containerd.configuration(after) == after


@pytest.mark.parametrize("text", [V2, "version = 2\n", '[grpc]\naddress = "/x"\n'.join(["version = 2\n", ""])])
def test_containerd_itself_reads_it_and_still_knows_runc(tmp_path: Path, text: str) -> None:
    """A file that names one runtime takes containerd's own list away: only the real one shows that."""
    if not shutil.which("containerd"):
        pytest.skip("containerd is not installed")
    file = tmp_path / "config.toml"
    file.write_text(containerd.configuration(text))
    command = ["containerd", "--config", str(file), "config", "dump"]
    dumped = tomllib.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    cri = next(plugin for name, plugin in dumped["plugins"].items() if "runtimes" in plugin.get("containerd", {}))
    assert {"runc", "nvidia"} <= set(cri["containerd"]["runtimes"])
    assert cri["containerd"]["default_runtime_name"] == "runc"


def test_containerd_is_told_where_registries_are_described() -> None:
    images = tomllib.loads(containerd.configuration(V3))["plugins"]["io.containerd.cri.v1.images"]
    assert images["registry"]["config_path"] == containerd.CERTS
    assert images["snapshotter"] == "overlayfs"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = ", "cannot be read"),
        ("root = '/x'\n", "version 1"),
        (
            'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = []\n',
            "registries",
        ),
    ],
)
def test_what_cannot_be_merged_is_said_and_not_guessed(text: str, says: str) -> None:
    with pytest.raises(NodeError, match=says):
        containerd.configuration(text)


def test_dockers_containerd_is_left_alone() -> None:
    text = 'version = 2\ndisabled_plugins = ["cri"]\n'
    assert containerd.configuration(text) == text


def test_our_own_node_has_the_runtime_where_the_toolkit_is(tmp_path) -> None:
    import dataclasses

    def runtimes(nvidia: bool) -> dict:
        node = node_in(tmp_path, dataclasses.replace(ORDINARY, nvidia=nvidia))
        return tomllib.loads(node_configuration(node))["plugins"][CRI]["containerd"]["runtimes"]

    assert set(runtimes(False)) == {"runc"}
    assert runtimes(True)["nvidia"]["options"]["SystemdCgroup"] == runtimes(True)["runc"]["options"]["SystemdCgroup"]


def test_names_for_people_are_those_of_the_stack_without_the_registry() -> None:
    text = "host: registry.local:5000\nhost: chat.aihub.local # not old.aihub.local\nuser: me@aihub.local\nurl: https://git.aihub.local/x.git\n"
    assert windows.hosts_of(text) == ["chat.aihub.local", "git.aihub.local"]


def test_the_script_forwards_the_ports_and_can_be_run_again() -> None:
    text = windows.script(["chat.aihub.local"])
    assert "\r\n" in text
    assert "\n" not in text.replace("\r\n", "")
    assert "$ports = 31302, 31084" in text
    assert text.index("portproxy delete") < text.index("portproxy add")
    assert '$names = "chat.aihub.local"' in text
    # Only lines that carry our mark are replaced in Windows' hosts file.
    assert "EndsWith($mark)" in text
    assert windows.as_windows_path("/mnt/c/Users/me/aihub/x.ps1") == "C:\\Users\\me\\aihub\\x.ps1"
