"""Images that must exist before any registry does: the base of all builds, and what the node itself runs.

Each is an archive in the user's cache, named after everything it was made from and checked before it is used.
"""

import hashlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster import NodeError, apt
from cluster.addons import DNS_IMAGE
from cluster.components.containerd import PAUSE_IMAGE
from cluster.settings import Node
from toolchain.cache import cache_root, folder, sha256
from toolchain.tools import COREDNS, PAUSE

Say = Callable[[str], None]

SOURCES = Path(__file__).resolve().parents[1] / "images"
BASE_IMAGE = "localhost/aihub/base:bookworm"
REGISTRY_IMAGE = "localhost/aihub/registry:2.8.2"
PUBLIC_SOURCES = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
BASE_RECIPE = (
    "--variant=minbase",
    "--include=python3,python3-venv,ca-certificates",
    # dpkg keeps to these in later layers too. Licences stay.
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    # Nothing of this machine: its mirrors, its name, its name servers.
    '--customize-hook=rm -f "$1/etc/apt/sources.list" && cat > "$1/etc/apt/sources.list.d/debian.sources" <<END\n'
    f"{PUBLIC_SOURCES}END",
    '--customize-hook=: > "$1/etc/hostname"; : > "$1/etc/resolv.conf"; rm -rf "$1"/var/log/*',
    '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
)
ARCHIVE_LABEL = "aihub.archive"


@dataclass(frozen=True, kw_only=True)
class NodeImage:
    """An image that goes into the node's containerd as an archive."""

    reference: str
    recipe: Path
    """Folder of its Dockerfile."""
    context: Path
    """Folder that the Dockerfile copies from."""
    copied: tuple[Path, ...]
    """What it copies: part of what the image is made from."""
    on_base: bool = False
    """Built on the base image."""


def node_images() -> tuple[NodeImage, ...]:
    """Return the images that the node runs without a registry."""
    pause, coredns = folder(PAUSE) / "bin", folder(COREDNS) / "bin"
    registry = SOURCES / "registry"
    return (
        NodeImage(reference=PAUSE_IMAGE, recipe=SOURCES / "pause", context=pause, copied=(pause / "pause",)),
        NodeImage(reference=DNS_IMAGE, recipe=SOURCES / "coredns", context=coredns, copied=(coredns / "coredns",)),
        NodeImage(
            reference=REGISTRY_IMAGE,
            recipe=registry,
            context=registry,
            copied=(registry / "config.yml",),
            on_base=True,
        ),
    )


def _run(argv: list[str], what: str, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise NodeError(f"{what} failed: {said}", f"run it by hand to see more: {' '.join(argv)}")
    return done.stdout.strip()


def _archive(name: str, made_from: list[bytes]) -> Path:
    key = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in made_from)).hexdigest()[:12]
    return cache_root() / "images" / f"{name}-{key}.tar"


def is_whole(archive: Path) -> bool:
    """Say whether an archive is as it was when it was finished."""
    mark = archive.with_suffix(".sha256")
    return archive.exists() and mark.exists() and mark.read_text().strip() == sha256(archive)


def _finish(partial: Path, archive: Path) -> None:
    archive.with_suffix(".sha256").write_text(sha256(partial) + "\n")
    partial.rename(archive)


def base_archive() -> Path:
    """Return where the base image's archive lies or will lie."""
    return _archive("base", [part.encode() for part in BASE_RECIPE])


def _in_builder(reference: str) -> str:
    """Return the digest of the archive from which buildah's image was made; empty: there is none."""
    template = f'{{{{index .OCIv1.Config.Labels "{ARCHIVE_LABEL}"}}}}'
    command = ["buildah", "inspect", "--type", "image", "--format", template, reference]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def base_is_ready() -> bool:
    """Say whether buildah has the base image of this recipe."""
    mark = base_archive().with_suffix(".sha256")
    return mark.exists() and _in_builder(BASE_IMAGE) == mark.read_text().strip()


def make_base(say: Say) -> None:
    """Make Debian 12 with Python and the public CAs, and give it to buildah.

    Raises:
        NodeError: Debian cannot be reached, or buildah refused.
    """
    archive = base_archive()
    archive.parent.mkdir(parents=True, exist_ok=True)
    if not is_whole(archive):
        say("base image: fetching Debian 12 packages (about 1 min)")
        partial = archive.with_suffix(".partial.tar")
        options = [f"--aptopt={line}" for line in apt.machine_configuration_lines()]
        mirrors = [f"deb [signed-by={apt.KEYRING}] {uri} {suite} main" for uri, suite in apt.machine_mirrors()]
        _run(["mmdebstrap", *BASE_RECIPE, *options, apt.SUITE, str(partial), *mirrors], "making the base image")
        _finish(partial, archive)
    container = _run(["buildah", "from", "scratch"], "buildah from")
    try:
        _run(["buildah", "add", "--quiet", container, str(archive), "/"], "buildah add")
        label = f"{ARCHIVE_LABEL}={archive.with_suffix('.sha256').read_text().strip()}"
        _run(["buildah", "config", "--label", label, "--cmd", "/bin/sh", container], "buildah config")
        _run(["buildah", "commit", "--quiet", container, BASE_IMAGE], "buildah commit")
    finally:
        subprocess.run(["buildah", "rm", container], capture_output=True, check=False)


def archive_of(image: NodeImage) -> Path:
    """Return where an image's archive lies or will lie.

    Raises:
        FileNotFoundError: a file that goes into it has not been made yet.
    """
    parts = [(image.recipe / "Dockerfile").read_bytes(), *(sha256(path).encode() for path in image.copied)]
    if image.on_base:
        parts.append(base_archive().name.encode())
    return _archive(image.reference.rpartition("/")[2].partition(":")[0], parts)


def make(image: NodeImage, node: Node, say: Say) -> Path:
    """Build an image unless its archive is at hand; return the archive.

    Raises:
        NodeError: the build failed.
    """
    archive = archive_of(image)
    if is_whole(archive):
        return archive
    say(f"building {image.reference}")
    archive.parent.mkdir(parents=True, exist_ok=True)
    secrets = apt.build_secrets(node.state / "build") if image.on_base else {}
    mounted = [f"--secret=id={name},src={path}" for name, path in secrets.items()]
    base = [f"--build-arg=BASE_IMAGE={BASE_IMAGE}"] if image.on_base else []
    file = f"--file={image.recipe / 'Dockerfile'}"
    options = ["--quiet", "--isolation=chroot", "--layers", file, f"--tag={image.reference}"]
    _run(["buildah", "bud", *options, *base, *mounted, str(image.context)], f"building {image.reference}")
    partial = archive.with_suffix(".partial.tar")
    partial.unlink(missing_ok=True)
    _run(["buildah", "push", "--quiet", image.reference, f"docker-archive:{partial}:{image.reference}"], "buildah push")
    _finish(partial, archive)
    return archive


def forget() -> None:
    """Remove the node's images from buildah's storage.

    The base stays: every layer in the builder's cache stands on it, and one made anew would not be the same.
    """
    listed = subprocess.run(
        ["buildah", "images", "--format", "{{.Name}}:{{.Tag}}"], capture_output=True, text=True, check=False
    ).stdout
    for reference in listed.split():
        if reference.startswith("localhost/aihub/") and reference != BASE_IMAGE:
            subprocess.run(["buildah", "rmi", "--force", reference], capture_output=True, check=False)
