"""A hash over everything that a build may read, so that a change in any of it is seen."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from docker.utils.build import exclude_paths

from plugins.docker_build.build import Build


def ignore_file(build: Build) -> Path | None:
    """Return the file that names what the build does not read: the Dockerfile's own first, then the context's."""
    own = [Path(f"{build.dockerfile}.dockerignore")] if build.dockerfile else []
    return next((path for path in (*own, build.context / ".dockerignore") if path.is_file()), None)


def _patterns(build: Build) -> list[str]:
    ignored = ignore_file(build)
    lines = ignored.read_text().splitlines() if ignored else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _files(root: Path, patterns: list[str]) -> Iterator[str]:
    # The library keeps the Dockerfile whatever the patterns say; its own content is hashed apart.
    kept = exclude_paths(str(root), patterns, dockerfile=".dockerignore")
    return (name for name in sorted(kept) if not (root / name).is_dir() or (root / name).is_symlink())


def context_hash(build: Build) -> str:
    """Return the SHA-256, in hexadecimal, over recipe, paths, modes and contents of all contexts on disk."""
    digest = hashlib.sha256()
    recipe = build.dockerfile.read_bytes() if build.dockerfile else build.inline.encode()
    digest.update(recipe)
    patterns = _patterns(build)
    roots = [build.context, *(Path(location) for _, location in sorted(build.named_contexts.items()))]
    for root in roots:
        if not root.is_dir():
            continue
        for name in _files(root, patterns):
            _add(digest, root, name)
    return digest.hexdigest()


def _add(digest: "hashlib._Hash", root: Path, name: str) -> None:
    path = root / name
    mode = path.lstat().st_mode
    digest.update(f"\0{Path(name).as_posix()}\0{mode:o}\0".encode())
    if path.is_symlink():
        digest.update(str(path.readlink()).encode())
    elif path.is_file():
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
