"""What goes wrong on purpose, and is put right again."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.common.kube import get, kubectl, listed, rolled_out, until

ARGOCD = (("statefulset", "argocd-application-controller"), ("deployment", "argocd-repo-server"))
ROOM_MIB = 64


@contextmanager
def argocd_away() -> Iterator[None]:
    """Have no Argo CD for so long: neither what compares, nor what reads Git."""
    for kind, name in ARGOCD:
        _scale(kind, name, "argocd", 0)
    try:
        until("Argo CD's pods are gone", lambda: not any(_pods("argocd", name) for _, name in ARGOCD), 120)
        yield
    finally:
        for kind, name in ARGOCD:
            _scale(kind, name, "argocd", 1)
        for kind, name in ARGOCD:
            rolled_out(kind, name, "argocd", 180)


@dataclass(frozen=True)
class Disk:
    """The registry's volume, on a file system that is hardly larger than what it holds."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Leave not one byte free."""
        with self._ballast.open("wb", buffering=0) as file:
            for size in (2**20, 2**12):
                try:
                    while True:
                        file.write(os.urandom(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def make_room(self) -> None:
        """Give back what :meth:`fill` took."""
        self._ballast.unlink()


@contextmanager
def registry_on_a_small_disk() -> Iterator[Disk]:
    """Have the registry's volume on a file system of its own; afterwards all that it holds is back where it was."""
    (claim,) = listed("persistentvolumeclaims", "registry")
    volume = get("persistentvolume", claim["spec"]["volumeName"], "registry")
    assert volume is not None
    folder = Path(volume["spec"]["local"]["path"])
    aside = folder.with_name(f"{folder.name}-aside")
    with _registry_stopped():
        before = folder.stat()
        used = int(_run("du", "--summarize", "--block-size=1M", str(folder)).split()[0])
        folder.rename(aside)
        folder.mkdir()
        size = f"size={used + used // 20 + ROOM_MIB}m,mode={before.st_mode & 0o7777:o}"
        _run("mount", "-t", "tmpfs", "-o", f"{size},uid={before.st_uid},gid={before.st_gid}", "tmpfs", str(folder))
        _run("cp", "--archive", f"{aside}/.", str(folder))
    try:
        yield Disk(folder)
    finally:
        with _registry_stopped():
            _run("cp", "--archive", f"{folder}/.", str(aside))
            _run("umount", str(folder))
            folder.rmdir()
            aside.rename(folder)


@contextmanager
def _registry_stopped() -> Iterator[None]:
    _scale("statefulset", "registry", "registry", 0)
    until("the registry's pod is gone", lambda: get("pod", "registry-0", "registry") is None, 120)
    try:
        yield
    finally:
        _scale("statefulset", "registry", "registry", 1)
        rolled_out("statefulset", "registry", "registry", 120)


def _scale(kind: str, name: str, namespace: str, replicas: int) -> None:
    kubectl("scale", f"{kind}/{name}", "--namespace", namespace, f"--replicas={replicas}")


def _pods(namespace: str, name: str) -> bool:
    return bool(listed("pods", namespace, f"app.kubernetes.io/name={name}"))


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr[-800:]}"
    return done.stdout
