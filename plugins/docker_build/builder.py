"""The programs that build: ``buildah`` where it is installed, else Docker's engine through ``buildx``."""

import base64
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugins.docker_build.build import Build
from plugins.docker_build.context import ignore_file
from plugins.protocol.process import run
from plugins.protocol.provider import Operation, ProviderError

COMPRESSION = ("--compression-format", "zstd", "--compression-level", "3")
"""Of a compiled library of 448 MB, zstd 3 sends 104 MB, zstd 1 113, gzip 124, each in four to five seconds on two
cores; unpacked by the command-line tools, zstd takes a tenth of gzip's time. containerd reads it since 1.5, in OCI
manifests only."""

ASK_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Files of one build that must not outlive it; the folder is its owner's alone."""

    folder: Path
    secrets: dict[str, Path]
    recipe: Path
    logins: Path | None
    """Credentials in the form of Docker's ``config.json``; None when the program gave none."""


@contextmanager
def workspace(build: Build) -> Iterator[Workspace]:
    """Write secrets, credentials and an inline recipe to files, and remove them."""
    # In memory where the system has such a folder: secrets then never reach a disk.
    shared = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of mode 0700 in it
    parent = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="image-build-", dir=parent) as name:
        folder = Path(name)
        secrets = {}
        for index, (identity, text) in enumerate(build.secrets.items()):
            secrets[identity] = _private(folder / f"secret-{index}", text)
        recipe = build.dockerfile or _private(folder / "Dockerfile", build.inline)
        logins = _private(folder / "config.json", _login_file(build)) if build.logins else None
        yield Workspace(folder=folder, secrets=secrets, recipe=recipe, logins=logins)


def _private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _login_file(build: Build) -> str:
    known: dict[str, object] = {}
    for path in (Path.home() / ".docker" / "config.json", Path.home() / ".config" / "containers" / "auth.json"):
        if path.is_file():
            known |= json.loads(path.read_text()).get("auths") or {}
    given = {
        login.address: {"auth": base64.b64encode(f"{login.username}:{login.password}".encode()).decode()}
        for login in build.logins
    }
    return json.dumps({"auths": {**known, **given}})


def build_image(build: Build, operation: Operation) -> str:
    """Build the image and push it to each of its tags; return its digest, or an empty text if it is not pushed.

    Raises:
        ProviderError: no builder here, or the build or the push failed.
    """
    with workspace(build) as files:
        if shutil.which("buildah"):
            return _with_buildah(build, files, operation)
        if _docker_answers():
            return _with_docker(build, files, operation)
    raise ProviderError(
        "there is nothing here to build images with: install buildah (Debian: apt-get install buildah), or start "
        "Docker with its buildx plugin"
    )


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    for command in (["docker", "version"], ["docker", "buildx", "version"]):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return False
    return True


def _common(build: Build, files: Workspace) -> list[str]:
    """Return the options that both programs spell alike."""
    options = ["--file", str(files.recipe)]
    options += [option for tag in build.tags for option in ("--tag", tag)]
    options += [option for key, text in build.arguments.items() for option in ("--build-arg", f"{key}={text}")]
    options += [option for key, text in build.labels.items() for option in ("--label", f"{key}={text}")]
    options += [option for key, path in files.secrets.items() for option in ("--secret", f"id={key},src={path}")]
    options += [
        option for key, place in build.named_contexts.items() for option in ("--build-context", f"{key}={place}")
    ]
    options += [option for pair in build.hosts for option in ("--add-host", pair)]
    options += ["--platform", ",".join(build.platforms)] if build.platforms else []
    options += ["--target", build.target] if build.target else []
    options += ["--network", build.network] if build.network else []
    options += ["--no-cache"] if build.no_cache else []
    return options


def buildah_build_command(build: Build, files: Workspace) -> list[str]:
    """Return the command that builds into buildah's own storage."""
    command = ["buildah", "build", "--layers", "--isolation", "chroot", "--format", "oci"]
    # Images of ``localhost/`` exist nowhere but in the storage: asking for newer ones would fail.
    command += ["--pull=true" if build.pull else "--pull=false"]
    ignored = ignore_file(build)
    command += ["--ignorefile", str(ignored)] if ignored else []
    command += ["--authfile", str(files.logins)] if files.logins else []
    return [*command, *_common(build, files), "--iidfile", str(files.folder / "image"), str(build.context)]


def buildah_push_command(image: str, tag: str, files: Workspace) -> list[str]:
    """Return the command that pushes a built image to one tag."""
    command = ["buildah", "push", "--format", "oci", *COMPRESSION, "--digestfile", str(files.folder / "digest")]
    # As Docker does: a registry on this machine itself may speak plain HTTP.
    command += ["--tls-verify=false"] if _is_loopback(tag.partition("/")[0]) else []
    command += ["--authfile", str(files.logins)] if files.logins else []
    return [*command, image, f"docker://{tag}"]


def _is_loopback(registry: str) -> bool:
    host = registry.rpartition(":")[0] or registry
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def is_pushed(build: Build, reference: str) -> bool:
    """Return whether the registry holds ``reference`` (``name:tag@digest``); one that does not answer holds none.

    True also where nobody can be asked: without skopeo (which comes with buildah here), or when the login is refused.
    """
    if shutil.which("skopeo") is None:
        return True
    tagged, _, digest = reference.partition("@")
    name = tagged.rpartition(":")[0] if ":" in tagged.rpartition("/")[2] else tagged
    with workspace(build) as files:
        command = ["skopeo", "inspect", "--raw"]
        command += ["--tls-verify=false"] if _is_loopback(name.partition("/")[0]) else []
        command += ["--authfile", str(files.logins)] if files.logins else []
        asked = subprocess.run(
            [*command, f"docker://{name}@{digest}"], capture_output=True, text=True, check=False, timeout=ASK_SECONDS
        )
    gone = ("manifest unknown", "name unknown", "connection refused", "no such host", "not found")
    return asked.returncode == 0 or not any(word in asked.stderr.lower() for word in gone)


def _with_buildah(build: Build, files: Workspace, operation: Operation) -> str:
    run(buildah_build_command(build, files), operation)
    image = (files.folder / "image").read_text().strip()
    digest = ""
    for tag in build.tags if build.push else ():
        operation.say(f"Pushing {tag}")
        run(buildah_push_command(image, tag, files), operation)
        digest = (files.folder / "digest").read_text().strip()
    return digest


def docker_build_command(build: Build, files: Workspace) -> list[str]:
    """Return the command that builds with BuildKit and pushes in one go."""
    command = ["docker", "buildx", "build", "--progress", "plain", "--provenance=false"]
    command += ["--pull"] if build.pull else []
    command += ["--push"] if build.push else ["--load"]
    return [*command, *_common(build, files), "--metadata-file", str(files.folder / "metadata"), str(build.context)]


def _with_docker(build: Build, files: Workspace, operation: Operation) -> str:
    variables = {}
    if files.logins:
        # Builders that the person made are remembered beside the credentials; they stay in use.
        variables = {"DOCKER_CONFIG": str(files.folder), "BUILDX_CONFIG": str(Path.home() / ".docker" / "buildx")}
    run(docker_build_command(build, files), operation, variables)
    if not build.push:
        return ""
    digest: str = json.loads((files.folder / "metadata").read_text())["containerimage.digest"]
    return digest
