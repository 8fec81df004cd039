"""Sizes of volumes between two states of a Git tree: a claim grows by a change of its number, and never shrinks."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

_GIB = re.compile(r"([0-9]+)Gi")
"""As :class:`infra.storage.volume.Volume` writes it."""


def claims_of(texts: Iterable[str]) -> dict[str, int]:
    """Return ``namespace/name`` -> GiB of every claim in these YAML files."""
    return dict(_claims(manifest for text in texts for manifest in yaml.safe_load_all(text)))


def _claims(manifests: Iterable[object]) -> Iterator[tuple[str, int]]:
    for manifest in manifests:
        if isinstance(manifest, Mapping) and manifest.get("kind") == "PersistentVolumeClaim":
            size = _GIB.fullmatch(str(manifest["spec"]["resources"]["requests"]["storage"]))
            if size:
                yield f"{manifest['metadata'].get('namespace', '')}/{manifest['metadata']['name']}", int(size[1])


def shrunk(directory: Path, files: Mapping[str, str]) -> list[str]:
    """Return what is wrong with writing ``files`` over a tree: every claim that would become smaller, with the fix."""
    before = claims_of((directory / name).read_text() for name in files if (directory / name).is_file())
    after = claims_of(text for name, text in files.items() if "/base/" in name)
    return [
        f"volume {claim} would shrink from {before[claim]} to {size} GiB, which no storage does: "
        f"set its storageGib to {before[claim]} or more"
        for claim, size in sorted(after.items())
        if size < before.get(claim, size)
    ]
