"""The vendor's own binaries, where the vendor can be reached."""

import http.client
import io
import tarfile
import urllib.request
from hashlib import sha256
from pathlib import Path

from toolchain import ToolchainError
from toolchain.tools import DOWNLOAD_TIMEOUT_SECONDS, Archive, Tool


class DownloadError(ToolchainError):
    """The vendor answered, and what it sent is not what it published."""


class UnreachableError(ToolchainError):
    """Nothing came from the vendor; the message names the address, and what came instead."""


def fetch(url: str) -> bytes:
    """Return the whole body of ``url``.

    Raises:
        UnreachableError: no answer, an error status, or a body cut short.
    """
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - https constants
            body: bytes = response.read()
            return body
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{url}: {error}") from error


def published_digest(checksums: str, file_name: str) -> str:
    """Return the SHA-256 for ``file_name`` from a checksum file (one digest, or ``digest  name`` lines)."""
    for line in checksums.splitlines():
        words = line.split()
        if words and (len(words) == 1 or words[1].lstrip("*").endswith(file_name)):
            return words[0]
    raise DownloadError(f"no checksum is published for {file_name}")


def _unpack(archive: Archive, url: str, body: bytes, directory: Path) -> None:
    if not archive.members:
        (directory / archive.binaries[0]).write_bytes(body)
        return
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        names = set(tar.getnames())
        for member, binary in zip(archive.members, archive.binaries, strict=True):
            source = tar.extractfile(member) if member in names else None
            if source is None:
                raise DownloadError(f"{url} holds no {member}")
            (directory / binary).write_bytes(source.read())


def addresses(tool: Tool, archive: Archive) -> tuple[str, str]:
    """Return where the vendor publishes an archive of ``tool``, and where its SHA-256."""
    words = {"version": tool.version, "number": tool.version.removeprefix("v")}
    return archive.url.format(**words), archive.checksum_url.format(**words)


def download(tool: Tool, directory: Path) -> None:
    """Fill ``directory`` with the vendor's binaries of ``tool``.

    Raises:
        UnreachableError: the vendor, or one of its files, cannot be had from here.
        DownloadError: a digest differs from the published one; nothing of it is kept.
    """
    for archive in tool.archives:
        url, checksum_url = addresses(tool, archive)
        checksums, body = fetch(checksum_url).decode(), fetch(url)
        expected = published_digest(checksums, url.rsplit("/", 1)[-1])
        if sha256(body).hexdigest() != expected:
            raise DownloadError(f"{url} does not match its published SHA-256; try again")
        _unpack(archive, url, body, directory)
