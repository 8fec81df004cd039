"""A Helm release as the program declares it, as one plain value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plugins.protocol.provider import Properties
from plugins.protocol.values import reveal

SWITCHES = {
    "atomic": "--atomic",
    "cleanupOnFail": "--cleanup-on-fail",
    "createNamespace": "--create-namespace",
    "dependencyUpdate": "--dependency-update",
    "devel": "--devel",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "forceUpdate": "--force",
    "skipCrds": "--skip-crds",
    "waitForJobs": "--wait-for-jobs",
}
"""Inputs that are a switch of ``helm upgrade``."""
_KNOWN = {
    *SWITCHES,
    *("chart", "name", "namespace", "version", "values", "valueYamlFiles", "repositoryOpts", "skipAwait", "timeout"),
    *("maxHistory", "description", "compat", "resourceNames", "manifest", "status"),
}
_CREDENTIALS = {"repo", "username", "password"}


@dataclass(frozen=True, kw_only=True)
class Release:
    """One installation of a chart."""

    name: str
    namespace: str
    chart: str
    """Folder, archive, ``oci://`` reference, or name in ``repository``."""
    version: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    value_files: Sequence[str] = ()
    """Texts of YAML files; later ones win, ``values`` over all."""
    repository: Mapping[str, str] = field(default_factory=dict)
    """``repo`` (its URL), ``username``, ``password``."""
    switches: Sequence[str] = ()
    wait: bool = True
    timeout_seconds: int = 300
    history: int = 0
    """Revisions that Helm keeps; 0: its default."""


def release_from(inputs: Properties) -> Release:
    """Return the release that checked, known inputs declare; the vendor's defaults apply."""
    plain: dict[str, Any] = reveal(inputs)
    return Release(
        name=plain["name"],
        namespace=plain["namespace"],
        chart=plain["chart"],
        version=plain.get("version") or "",
        values=plain.get("values") or {},
        value_files=tuple(_text(asset) for asset in plain.get("valueYamlFiles") or ()),
        repository=plain.get("repositoryOpts") or {},
        switches=tuple(option for name, option in SWITCHES.items() if plain.get(name)),
        wait=not plain.get("skipAwait"),
        timeout_seconds=int(plain.get("timeout") or 300),
        history=int(plain.get("maxHistory") or 0),
    )


def _text(asset: Mapping[str, str]) -> str:
    return asset["text"] if asset.get("text") else Path(asset["path"]).read_text()


def failures_in(inputs: Properties) -> dict[str, str]:
    """Return what is wrong with a release's inputs, by property."""
    reason = "not part of this stand-in; it needs the vendor's plugin"
    failures = {name: reason for name, value in inputs.items() if name not in _KNOWN and reveal(value)}
    if not inputs.get("chart"):
        failures["chart"] = "required: a folder, an archive, an oci:// reference, or a name in repositoryOpts.repo"
    options = reveal(inputs.get("repositoryOpts") or {})
    if isinstance(options, dict):
        for name in options.keys() - _CREDENTIALS:
            failures[f"repositoryOpts.{name}"] = reason
    return failures
