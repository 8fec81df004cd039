"""What keeps volumes from being made is named, with its reason and its fix."""

import pytest

from ops.preflight import storage
from ops.preflight.reader import Ran
from tests.ops.preflight_machine import Answers, stack

LOCAL_PATH = {
    "class": "folders",
    "localPath": {"image": "localhost/local-path:0.0.37", "helperImage": "localhost/busybox:1.37.0"},
}
LONGHORN = {"class": "longhorn", "longhorn": {}}
NOT_FOUND = Ran(1, "", "modprobe: FATAL: Module iscsi_tcp not found in directory /lib/modules/5.15.167.4-microsoft")
KERNEL = {"uname -r": Ran(0, "5.15.167.4-microsoft-standard-WSL2\n"), "modprobe": NOT_FOUND}
READY = Answers(
    files={"/proc/modules": "iscsi_tcp 24576 2 - Live 0x0000000000000000\nlibiscsi_tcp 32768 1 iscsi_tcp, Live 0x0\n"},
    commands={
        "uname -r": Ran(0, "6.1.0-40-amd64\n"),
        "iscsiadm": Ran(0, "iscsiadm version 2.1.8\n"),
        "systemctl": Ran(0, "inactive\nactive\n"),  # Debian: the socket starts the daemon when it is called
        "findmnt --noheadings --output PROPAGATION /": Ran(0, "shared\n"),
        **{f"{tool} --version": Ran(0, f"{tool} 2.38.1\n") for tool in ("bash", "curl", "findmnt", "blkid")},
    },
)


def test_a_node_that_is_ready_for_longhorn() -> None:
    assert all(look(READY).ok for look in storage.LONGHORN_LOOKS)


def test_a_bare_wsl_lacks_everything_and_each_lack_has_its_fix() -> None:
    bare = Answers(
        commands={**KERNEL, "findmnt --noheadings --output PROPAGATION /": Ran(0, "private\n")},
    )
    found = [look(bare) for look in storage.LONGHORN_LOOKS]
    assert not any(finding.ok for finding in found)
    assert all(finding.fix for finding in found)
    assert "open-iscsi" in found[0].fix
    assert "storage.localPath" in found[1].fix


@pytest.mark.parametrize(
    ("configuration", "ok", "says"),
    [
        ("# CONFIG_ISCSI_TCP is not set\n", False, "was built without it"),
        ("CONFIG_ISCSI_TCP=m\n", False, "its modules are not installed"),
        ("CONFIG_ISCSI_TCP=y\n", True, "built into"),
        ("", False, "was built without it"),
    ],
)
def test_the_kernel_is_asked_for_the_module_itself(configuration: str, ok: bool, says: str) -> None:
    """An installed open-iscsi says nothing of the module: on many kernels of clouds and of WSL2 it is missing."""
    finding = storage.iscsi_module(Answers(commands={**KERNEL, "zcat": Ran(0, configuration)}))
    assert finding.ok is ok
    assert says in finding.says


def test_libiscsi_tcp_is_not_iscsi_tcp() -> None:
    answers = Answers(files={"/proc/modules": "libiscsi_tcp 32768 0 - Live 0x0\n"}, commands=KERNEL)
    assert not storage.iscsi_module(answers).ok


def test_an_installed_daemon_that_does_not_run_is_told_from_a_missing_one() -> None:
    stopped = Answers(commands={"iscsiadm": Ran(0, ""), "systemctl": Ran(3, "inactive\ninactive\n")})
    finding = storage.iscsid(stopped)
    assert not finding.ok
    assert "is installed" in finding.says
    assert "apt-get" not in finding.fix


def test_whoever_uses_folders_is_told_why_longhorn_would_not_work_and_is_not_held_up() -> None:
    found = storage.looks(Answers(commands=KERNEL), stack(storage=LOCAL_PATH))
    assert all(finding.ok for finding in found)
    assert "iscsi_tcp: kernel 5.15.167.4-microsoft-standard-WSL2 was built without it" in found[-1].says


def test_nfs_is_asked_for_only_where_backups_need_it() -> None:
    def names(**backups: str) -> set[str]:
        return {
            each.name for each in storage.looks(READY, stack(storage={**LONGHORN, "longhorn": {"backups": backups}}))
        }

    assert "NFS client" in names(target="nfs://nas.lan:/backups")
    assert "NFS client" not in names(target="s3://backups@eu-central-1/")


def classes(**provisioners: str) -> Answers:
    items = [{"metadata": {"name": name}, "provisioner": made} for name, made in provisioners.items()]
    return Answers(cluster={"storageclasses": items})


def test_a_class_of_somebody_else_is_not_taken_over() -> None:
    finding = storage.storage_class(classes(folders="rancher.io/local-path"), stack(storage=LOCAL_PATH))
    assert not finding.ok
    assert "rancher.io/local-path" in finding.says
    assert storage.storage_class(classes(), stack(storage=LOCAL_PATH)).ok
    assert storage.storage_class(classes(folders=storage.PROVISIONER), stack(storage=LOCAL_PATH)).ok


def test_a_class_that_nobody_makes_is_named_with_those_that_exist() -> None:
    finding = storage.storage_class(classes(standard="x", fast="y"), stack())
    assert not finding.ok
    assert "there is no folders; there are: standard, fast" in finding.says
    assert storage.storage_class(classes(folders="x"), stack()).ok


def test_without_a_cluster_nothing_is_said_against_the_class() -> None:
    assert storage.storage_class(Answers(), stack()).ok
