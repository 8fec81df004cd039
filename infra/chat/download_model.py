"""Fetches one version of a model and checks every file of it. Runs in a pod; standard library only.

Usage: download_model.py --folder DIR --quantization none --hub URL --repository NAME --revision COMMIT
       download_model.py --folder DIR --quantization none --address URL --file SHA256=PATH [--file ...]

A hub's listing names each file's hash: SHA-256 for the large ones, Git's own for the small ones; with an address the
hashes are stated. A file that is there and has its hash is left alone; one that was cut off is continued. What was
verified is written down, so that another run asks nobody and reads nothing. Exit status 0: the folder is complete.
"""

import argparse
import hashlib
import json
import shutil
import sys
import time
import urllib.error
import urllib.parse
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
RECORD = ".verified.json"


class DownloadError(Exception):
    """The model cannot be fetched; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class File:
    """One file of the version."""

    path: str
    url: str
    sha256: str | None
    """Stated, or published for a large file."""
    size: int | None = None
    """Where it is published."""
    git_sha1: str = ""
    """Published for a small file: Git's hash of the content with its header."""

    def matches(self, path: Path) -> bool:
        """Say whether ``path`` is this file, whole."""
        if not path.is_file() or (self.size is not None and path.stat().st_size != self.size):
            return False
        # SHA-1 is what Git names a file by; nothing better is published for small ones.
        header = f"blob {self.size}\0".encode()
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(header, usedforsecurity=False)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest() == (self.sha256 or self.git_sha1)


def published(hub: str, repository: str, revision: str) -> list[File]:
    """Return the files of a revision that an engine needs, as the hub publishes them.

    Raises:
        DownloadError: the hub does not have the revision.
    """
    url = f"{hub}/api/models/{repository}/tree/{revision}?recursive=true"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - the scheme is configured
            entries = json.load(response)
            more = 'rel="next"' in response.headers.get("Link", "")
    except urllib.error.HTTPError as error:
        raise DownloadError(f"{url}: HTTP {error.code}: check source.repository and source.revision") from None
    except (OSError, HTTPException, ValueError) as error:
        hint = "check that the pod may reach the hub, or name a mirror: source.hub, or source.address"
        raise DownloadError(f"{url}: {error}: {hint}") from None
    if more:
        raise DownloadError(f"{url}: the listing has several pages; this is no plain model repository")
    return [
        File(
            path=entry["path"],
            url=f"{hub}/{repository}/resolve/{revision}/{urllib.parse.quote(entry['path'])}",
            sha256=entry.get("lfs", {}).get("oid"),
            size=entry["size"],
            git_sha1=entry["oid"],
        )
        for entry in entries
        if entry["type"] == "file" and entry["path"].endswith(WANTED) and ".." not in entry["path"].split("/")
    ]


def stated(address: str, hashes: list[str]) -> list[File]:
    """Return the files below ``address``, from ``SHA256=PATH`` each."""
    pairs = [each.partition("=") for each in hashes]
    return [File(path=path, url=f"{address}/{urllib.parse.quote(path)}", sha256=sha256) for sha256, _, path in pairs]


def fetch(url: str, partial: Path) -> None:
    """Download ``url`` to ``partial``, going on where an earlier attempt ended.

    Raises:
        OSError, HTTPException: the connection broke, and what arrived is kept; or the server refused.
    """
    begun = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={begun}-"} if begun else {})  # noqa: S310
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the server's file ends where ours does: ours is of another one
            partial.unlink(missing_ok=True)
        raise
    with response:
        continued = response.status == 206
        with partial.open("ab" if continued else "wb") as file:
            expected = file.tell() + int(response.headers.get("Content-Length") or 0)
            shutil.copyfileobj(response, file, CHUNK_BYTES)
            if file.tell() < expected:
                raise OSError("the connection ended early")


def get(file: File, folder: Path) -> None:
    """Bring one file into ``folder``, unless it is there.

    Raises:
        DownloadError: it did not arrive whole in several attempts.
    """
    target = folder / file.path
    if file.matches(target):
        print(f"{file.path}: there, hash as expected", flush=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + PARTIAL)
    problem = ""
    for attempt in range(ATTEMPTS):
        time.sleep(attempt)
        print(f"{file.path}: fetching{f' {file.size / 1e6:.1f} MB' if file.size else ''}", flush=True)
        try:
            fetch(file.url, partial)
        except (OSError, HTTPException) as error:
            problem = str(error)
            continue
        if file.matches(partial):
            partial.replace(target)
            print(f"{file.path}: fetched, hash as expected", flush=True)
            return
        problem = "its content does not have the hash that is published or stated for it"
        partial.unlink(missing_ok=True)
    raise DownloadError(f"{file.url}: {problem} ({ATTEMPTS} attempts)")


def check_config(path: Path, quantization: str) -> None:
    """Return if the engine can load what ``config.json`` describes; asked before gigabytes are fetched.

    Raises:
        DownloadError: it cannot.
    """
    try:
        config = json.loads(path.read_text())
        parts = [config, config.get("text_config") or {}]
    except (ValueError, AttributeError):
        raise DownloadError(f"{path.name} is no JSON object: this is no model") from None
    if "auto_map" in config:
        raise DownloadError(f"{path.name} asks for code of its repository (auto_map), which no engine of ours runs")
    packings = [part.get(key) for part in parts for key in ("quantization_config", "compression_config")]
    found = next((str(each.get("quant_method", "of an unnamed kind")) for each in packings if each), "none")
    if found != quantization:
        hint = "name the repository of the unpacked weights" if quantization == "none" else "correct the field"
        raise DownloadError(f"the weights' quantization is {found}, the version's says {quantization}: {hint}")


def record(folder: Path, source: str, files: list[File]) -> str:
    """Return what is written down of a verified folder: a file that was touched since has another size or time."""
    stats = {file.path: (folder / file.path).stat() for file in files}
    return json.dumps({"source": source, "files": {path: [it.st_size, it.st_mtime_ns] for path, it in stats.items()}})


def is_verified(folder: Path, source: str) -> bool:
    """Say whether an earlier run verified this very source, and nothing in the folder was touched since."""
    try:
        text = (folder / RECORD).read_text()
        files = [File(path=path, url="", sha256=None) for path in json.loads(text)["files"]]
        return text == record(folder, source, files)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def main(options: argparse.Namespace) -> None:
    """Make the folder hold the version, whole.

    Raises:
        DownloadError: it could not be made so.
    """
    folder: Path = options.folder
    source = json.dumps({name: str(value) for name, value in sorted(vars(options).items())})
    if is_verified(folder, source):
        print(f"{folder}: verified before, nothing was touched since", flush=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    files = (
        stated(options.address.rstrip("/"), options.file)
        if options.address
        else published(options.hub.rstrip("/"), options.repository, options.revision)
    )
    config = next((file for file in files if file.path == "config.json"), None)
    if config is None or not any(file.path.endswith(".safetensors") for file in files):
        raise DownloadError("a config.json and *.safetensors weights are needed, and the source does not have both")
    get(config, folder)
    check_config(folder / config.path, options.quantization)
    missing = sum(file.size or 0 for file in files if not (folder / file.path).exists())
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise DownloadError(
            f"{missing / 1e9:.1f} GB are missing and {free / 1e9:.1f} GB are free: raise chat.modelStore.storageGib, "
            "or prune the versions that are not listed any more"
        )
    for file in files:
        get(file, folder)
    (folder / RECORD).write_text(record(folder, source, files))


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--quantization", required=True)
    parser.add_argument("--hub")
    parser.add_argument("--repository")
    parser.add_argument("--revision")
    parser.add_argument("--address")
    parser.add_argument("--file", action="append", default=[], metavar="SHA256=PATH")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main(arguments())
    except DownloadError as error:
        sys.exit(str(error))
