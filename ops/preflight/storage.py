"""Can volumes be made: by Longhorn, whose needs reach into the kernel, or by what the stack names instead?"""

from infra.storage.local_path import PROVISIONER
from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

LONGHORN_PROVISIONER = "driver.longhorn.io"
OR_LOCAL_PATH = "or set storage.localPath in place of storage.longhorn"


def iscsid(machine: Machine) -> Finding:
    """Does the daemon run through which a node attaches Longhorn's volumes?"""
    name = "iscsid"
    if not machine.run("iscsiadm", "--version").ok:
        fix = f"sudo apt-get install open-iscsi && sudo systemctl enable --now iscsid; {OR_LOCAL_PATH}"
        return Finding(
            name=name, ok=False, says="open-iscsi is not installed: Longhorn attaches volumes with it", fix=fix
        )
    # Debian starts the daemon at the first connection to its socket, so the socket is enough.
    states = machine.run("systemctl", "is-active", "iscsid.service", "iscsid.socket").output.split()
    runs = "active" in states
    return Finding(
        name=name,
        ok=runs,
        says="open-iscsi is installed, and "
        + ("its daemon answers" if runs else "neither iscsid nor its socket is up"),
        fix="sudo systemctl enable --now iscsid; in WSL2 that needs systemd: sudo python3 -m cluster wsl; "
        + OR_LOCAL_PATH,
    )


def iscsi_module(machine: Machine) -> Finding:
    """Can the kernel attach them?"""
    name, kernel = "iscsi_tcp", machine.run("uname", "-r").output.strip()
    if any(line.startswith("iscsi_tcp ") for line in (machine.read("/proc/modules") or "").splitlines()):
        return Finding(name=name, ok=True, says=f"loaded in kernel {kernel}")
    if machine.run("modprobe", "--dry-run", "iscsi_tcp").ok:
        return Finding(name=name, ok=True, says=f"kernel {kernel} has it; Longhorn loads it")
    configuration = machine.run("zcat", "/proc/config.gz").output
    if "CONFIG_ISCSI_TCP=y" in configuration:
        return Finding(name=name, ok=True, says=f"built into kernel {kernel}")
    if "CONFIG_ISCSI_TCP=m" in configuration:
        says = f"kernel {kernel} could load it, but its modules are not installed"
        fix = (
            f"install the modules of this kernel (Debian: linux-image-{kernel}; in WSL2: kernelModules= in .wslconfig)"
        )
    else:
        says = f"kernel {kernel} was built without it (CONFIG_ISCSI_TCP)"
        fix = "use a kernel that has it (in WSL2: your own, by kernel= in .wslconfig)"
    return Finding(name=name, ok=False, says=says, fix=f"{fix}; {OR_LOCAL_PATH}")


def mount_propagation(machine: Machine) -> Finding:
    """Do mounts that a pod makes reach the node, and so other pods?"""
    shown = machine.run("findmnt", "--noheadings", "--output", "PROPAGATION", "/")
    says = shown.output.strip() or shown.errors.strip()[-120:]
    return Finding(
        name="mount propagation",
        ok="shared" in says.split(","),
        says=f"the root file system is mounted {says}",
        fix="sudo mount --make-rshared /; in WSL2 systemd does it at each start: sudo python3 -m cluster wsl",
    )


def tools(machine: Machine) -> Finding:
    """Are the programs there that Longhorn calls on the node?"""
    lacking = [tool for tool in ("bash", "curl", "findmnt", "blkid") if not machine.run(tool, "--version").ok]
    return Finding(
        name="node's tools",
        ok=not lacking,
        says=f"missing: {', '.join(lacking)}" if lacking else "bash, curl, findmnt, blkid",
        fix="sudo apt-get install bash curl util-linux",
    )


def nfs_client(machine: Machine) -> Finding:
    """Can the node mount NFS? Only volumes of several pods and backups to nfs:// need it."""
    there = machine.run("mount.nfs", "-V").ok
    return Finding(
        name="NFS client",
        ok=there,
        says="there" if there else "none: backups to nfs:// and volumes that several nodes write to need one",
        fix="sudo apt-get install nfs-common",
    )


LONGHORN_LOOKS = (iscsid, iscsi_module, mount_propagation, tools)
"""What Longhorn needs on every node."""


def storage_class(machine: Machine, declared: Declared) -> Finding:
    """Does the class exist that the volumes name, or will it be made, and by whom?"""
    storage, name = declared.stack.storage, "StorageClass"
    wanted = storage.storage_class
    maker = LONGHORN_PROVISIONER if storage.longhorn else PROVISIONER if storage.local_path else None
    listed = machine.kubectl("storageclasses")
    if listed is None:
        return Finding(name=name, ok=True, says=f"{wanted}: no cluster answers yet, so it cannot be looked for")
    by_name = {item["metadata"]["name"]: item["provisioner"] for item in listed["items"]}
    found = by_name.get(wanted)
    if maker is None:
        says = f"{wanted} of {found}" if found else f"there is no {wanted}; there are: {', '.join(by_name) or 'none'}"
        fix = "set storage.class to one of them, or have one made: storage.localPath or storage.longhorn"
        return Finding(name=name, ok=found is not None, says=says, fix=fix)
    if found is not None and found != maker:
        fix = "name another in storage.class, or leave storage.localPath and storage.longhorn out and use that one"
        return Finding(name=name, ok=False, says=f"{wanted} is there already, of {found}, which is not ours", fix=fix)
    return Finding(name=name, ok=True, says=f"{wanted} {'is there' if found else 'will be made'}")


def could_be_longhorn(machine: Machine) -> Finding:
    """Say whether Longhorn would work here, to whoever uses folders of the node; nothing depends on it."""
    lacking = [look(machine) for look in LONGHORN_LOOKS]
    reasons = "; ".join(f"{finding.name}: {finding.says}" for finding in lacking if not finding.ok)
    says = (
        f"volumes are folders of the node; Longhorn would not work here: {reasons}"
        if reasons
        else ("volumes are folders of the node; this node could run Longhorn (storage.longhorn)")
    )
    return Finding(name="Longhorn", ok=True, says=says)


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return what is to be said about the volumes of a stack."""
    storage = declared.stack.storage
    found = [storage_class(machine, declared)]
    if storage.longhorn:
        found += [look(machine) for look in LONGHORN_LOOKS]
        backups = storage.longhorn.backups
        if backups and not backups.is_s3:
            found.append(nfs_client(machine))
    elif storage.local_path:
        found.append(could_be_longhorn(machine))
    return found
