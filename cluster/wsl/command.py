"""``python -m cluster wsl``: what differs from what a node on WSL2 needs, and putting it right."""

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cluster import NodeError
from cluster.components.containerd import registry_hosts
from cluster.wsl import containerd, rancher, settings, toolkit, windows
from cluster.wsl.computer import Computer

Say = Callable[[str], None]
STACK_FILE = Path(__file__).resolve().parent.parent.parent / "Pulumi.wsl.yaml"
REGISTRY_AUTHORITY = "/etc/aihub/registry-ca.crt"
"""Who signed the registry's certificate; there is none where it speaks plain HTTP."""
UNKNOWN_HOME = "/mnt/c/Users/YOU"
"""Stands for the person's folder in a dry run outside of WSL."""
BACKUP = ".before-aihub"
"""Added to the name of a file that is changed for the first time."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file that is not as it should be."""

    path: str
    """As the Linux sees it."""
    before: str | None
    """None: there is none."""
    after: str

    def shown(self) -> str:
        """Return the difference, line by line."""
        old = (self.before or "").splitlines()
        lines = difflib.unified_diff(old, self.after.splitlines(), self.path, self.path, n=1, lineterm="")
        return "\n".join(lines) if self.before is not None else f"+++ {self.path} (new)\n" + self._whole()

    def _whole(self) -> str:
        lines = self.after.splitlines()
        return "\n".join(f"+{line}" for line in lines[:12]) + (f"\n... {len(lines)} lines" if len(lines) > 12 else "")


def changes(computer: Computer, home: str, registry_ca: str | None = None) -> Iterator[Change]:
    """Yield the files that must change; reads only.

    Args:
        computer: this Linux.
        home: the person's folder in Windows.
        registry_ca: certificate of the authority that signed the registry's; None: that of an earlier run, if any.

    Raises:
        NodeError: containerd's file, or that of RKE2 or k3s, cannot be merged.
    """
    wanted: dict[str, Callable[[str], str]] = {
        settings.WSL_CONF: settings.wsl_conf,
        f"{home}/.wslconfig": lambda text: settings.wslconfig(text, computer.processors),
        f"{home}/{windows.SCRIPT}": lambda _: windows.script(windows.hosts_of(STACK_FILE.read_text())),
    }
    certificate = registry_ca or computer.read(REGISTRY_AUTHORITY)
    authority = REGISTRY_AUTHORITY if certificate else None
    if certificate:
        wanted[REGISTRY_AUTHORITY] = lambda _: certificate
    if computer.at(containerd.CONFIG).exists():
        wanted[containerd.CONFIG] = containerd.configuration
        wanted[containerd.HOSTS] = lambda _: registry_hosts(Path(authority) if authority else None)
    for folder in rancher.FOLDERS.values():
        if computer.at(folder).is_dir():
            wanted[rancher.file_of(folder)] = partial(rancher.registries, rancher.file_of(folder), authority)
    for path, merged in wanted.items():
        before = computer.read(path)
        after = merged(before or "")
        if after != before:
            yield Change(path=path, before=before, after=after)


def apply(computer: Computer, change: Change) -> None:
    """Write a file; the first time, what a person had there is kept beside it."""
    place = computer.at(change.path)
    place.parent.mkdir(parents=True, exist_ok=True)
    backup = place.with_name(place.name + BACKUP)
    if change.before is not None and not backup.exists():
        backup.write_bytes(place.read_bytes())
    place.write_bytes(change.after.encode())


def run(computer: Computer, say: Say, *, dry_run: bool, registry_ca: str | None = None) -> None:
    """Prepare this Linux and the Windows around it, or say what that would change.

    Raises:
        NodeError: this is no WSL, whose Windows it is cannot be told, or a file cannot be merged.
    """
    if not computer.is_wsl and not dry_run:
        fix = "run it in the Linux within Windows; with --dry-run it shows here what it would write there"
        raise NodeError("this is no Linux within Windows (WSL2): /proc/version does not name Microsoft", fix)
    home = computer.windows_home() if computer.is_wsl else UNKNOWN_HOME
    found = list(changes(computer, home, registry_ca))
    packages = toolkit.pending(computer)
    for change in found:
        say(change.shown())
    for line in packages:
        say(f"+ {line}")
    if not found and not packages:
        say("nothing to change")
    if not dry_run:
        for change in found:
            apply(computer, change)
        toolkit.install(computer)
    for line in afterwards(home, {change.path for change in found}):
        say(line)


def afterwards(home: str, changed: set[str]) -> Iterator[str]:
    """Yield what a person must do then, and only what these changes ask for."""
    if {settings.WSL_CONF, f"{home}/.wslconfig"} & changed:
        yield "then, in Windows: wsl --shutdown; and start it again"
    if containerd.CONFIG in changed:
        yield "then: sudo systemctl restart containerd"
    for service, folder in rancher.FOLDERS.items():
        if rancher.file_of(folder) in changed:
            yield f"then: sudo systemctl restart {service}"
    script = windows.as_windows_path(f"{home}/{windows.SCRIPT}")
    yield f"in Windows, as administrator, after each start of WSL: powershell -ExecutionPolicy Bypass -File {script}"
