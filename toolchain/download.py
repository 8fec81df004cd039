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


def fetch(url: str) -> bytes:
    """Return the whole body of ``url``.

    Raises:
        OSError: no answer, an error status, or a body cut short.
    """
    with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response:  # noqa: S310 - https constants
        body: bytes = response.read()
        expected = response.headers.get("Content-Length")
    if expected is not None and len(body) != int(expected):
        raise OSError(f"{url}: {len(body)} of {expected} bytes arrived")
    return body


def published_digest(checksums: str, file_name: str) -> str:
    """Return the SHA-256 for ``file_name`` from a checksum file (one digest, or ``digest  name`` lines)."""
    for line in checksums.splitlines():
        words = line.split()
        if words and (len(words) == 1 or words[1].lstrip("*").endswith(file_name)):
            return words[0]
    raise DownloadError(f"no checksum is published for {file_name}")


def _unpack(archive: Archive, body: bytes, directory: Path) -> None:
    if not archive.members:
        (directory / archive.binaries[0]).write_bytes(body)
        return
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
        for member, binary in zip(archive.members, archive.binaries, strict=True):
            source = tar.extractfile(member)
            if source is None:
                raise DownloadError(f"{archive.url} holds no {member}")
            (directory / binary).write_bytes(source.read())


def download(tool: Tool, directory: Path) -> bool:
    """Fill ``directory`` with the vendor's binaries of ``tool``; False when the vendor cannot be reached.

    Raises:
        DownloadError: a digest differs from the published one; nothing of it is kept.
    """
    for archive in tool.archives:
        url = archive.url.format(version=tool.version)
        try:
            checksums = fetch(archive.checksum_url.format(version=tool.version)).decode()
            body = fetch(url)
        except (OSError, http.client.HTTPException):
            return False
        expected = published_digest(checksums, url.rsplit("/", 1)[-1])
        if sha256(body).hexdigest() != expected:
            raise DownloadError(f"{url} does not match its published SHA-256; try again")
        _unpack(archive, body, directory)
    return bool(tool.archives)
