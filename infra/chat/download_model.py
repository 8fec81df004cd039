"""Fetches one revision of a model from a hub and checks every file of it. Runs in a pod; standard library only.

Usage: download_model.py HUB MODEL_ID REVISION FOLDER

The hub's listing names each file's hash: SHA-256 for the large ones, Git's own for the small ones. A file that is
there and has its hash is left alone; one that was cut off is continued. Exit status 0: the folder is complete.
"""

import hashlib
import json
import shutil
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

WANTED = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""Weights only as safetensors: the other formats run code when they are loaded."""
CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60
ATTEMPTS = 5
PARTIAL = ".partial"


class DownloadError(Exception):
    """The model cannot be fetched; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class File:
    """One file of the revision."""

    path: str
    size: int
    sha256: str | None
    """Of large files."""
    git_sha1: str
    """Of small files: Git's hash of the content with its header."""

    def matches(self, path: Path) -> bool:
        """Say whether ``path`` is this file, whole."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        # SHA-1 is what Git names a file by; nothing better is published for small ones.
        header = f"blob {self.size}\0".encode()
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(header, usedforsecurity=False)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest() == (self.sha256 or self.git_sha1)


def listing(hub: str, model_id: str, revision: str) -> list[File]:
    """Return the files of a revision that an engine needs.

    Raises:
        DownloadError: the hub does not have it, or it holds no safetensors weights.
    """
    url = f"{hub}/api/models/{model_id}/tree/{revision}?recursive=true"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - the scheme is configured
            entries = json.load(response)
            more = 'rel="next"' in response.headers.get("Link", "")
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url}: HTTP {error.code}: check chat.model.id and .revision, or use a mirror") from None
    except (OSError, HTTPException, ValueError) as error:
        raise DownloadError(f"{url}: {error}: check that the pod may reach the hub, or set chat.model.hub") from None
    if more:
        raise DownloadError(f"{url}: the listing has several pages; this is no plain model repository")
    files = [
        File(entry["path"], entry["size"], entry.get("lfs", {}).get("oid"), entry["oid"])
        for entry in entries
        if entry["type"] == "file" and entry["path"].endswith(WANTED) and ".." not in entry["path"].split("/")
    ]
    if not any(file.path.endswith(".safetensors") for file in files):
        raise DownloadError(f"{model_id} at {revision} has no .safetensors weights: choose a repository that has")
    return files


def fetch(url: str, partial: Path, size: int) -> None:
    """Download ``url`` to ``partial``, going on where an earlier attempt ended.

    Raises:
        OSError, HTTPException: the connection broke; what arrived is kept.
    """
    begun = partial.stat().st_size if partial.exists() else 0
    if begun >= size:
        partial.unlink(missing_ok=True)
        begun = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
        continued = response.status == 206
        with partial.open("ab" if continued else "wb") as file:
            shutil.copyfileobj(response, file, CHUNK_BYTES)


def get(hub: str, model_id: str, revision: str, file: File, folder: Path) -> None:
    """Bring one file into ``folder``, unless it is there.

    Raises:
        DownloadError: it did not arrive whole in several attempts.
    """
    target = folder / file.path
    if file.matches(target):
        print(f"{file.path}: there, hash as published", flush=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + PARTIAL)
    url = f"{hub}/{model_id}/resolve/{revision}/{file.path}"
    problem = ""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt)
        print(f"{file.path}: fetching {file.size / 1e6:.1f} MB", flush=True)
        try:
            fetch(url, partial, file.size)
        except (OSError, HTTPException) as error:
            problem = str(error)
            continue
        if file.matches(partial):
            partial.replace(target)
            print(f"{file.path}: fetched, hash as published", flush=True)
            return
        if partial.stat().st_size < file.size:
            problem = "the connection ended early"
            continue
        problem = "its content does not have the hash that the hub publishes"
        partial.unlink(missing_ok=True)
    raise DownloadError(f"{url}: {problem} ({ATTEMPTS} attempts)")


def main(hub: str, model_id: str, revision: str, folder: Path) -> None:
    """Make ``folder`` hold the revision, whole.

    Raises:
        DownloadError: it could not be made so.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = listing(hub, model_id, revision)
    missing = sum(file.size for file in files if not (folder / file.path).exists())
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise DownloadError(
            f"{missing / 1e9:.1f} GB are missing and {free / 1e9:.1f} GB are free: raise chat.model.storageGib"
        )
    for file in files:
        get(hub, model_id, revision, file, folder)


if __name__ == "__main__":
    try:
        main(sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    except DownloadError as error:
        sys.exit(str(error))
