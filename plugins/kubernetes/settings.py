"""The provider's own inputs."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plugins.protocol.provider import ProviderError

_NOT_HERE = ("renderYamlToDirectory", "alwaysRender", "skipUpdateUnreachable", "cluster")
"""Provider inputs of the vendor's plugin that change what happens and that this one does not have."""

_LISTS = ("clusters", "users", "contexts")
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
"""Keys of a kubeconfig that name files beside it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to reach the cluster, and the vendor's switches that are honoured here, under the vendor's names."""

    kubeconfig: str = ""
    """Content or path; empty: ``KUBECONFIG``, else ``~/.kube/config``."""
    context: str = ""
    """Context of the kubeconfig; empty: its current one."""
    namespace: str = ""
    """Namespace of objects that name none; empty: the context's, else ``default``."""
    upsert_existing_objects: bool = False
    """Creating an object that exists already takes it over."""
    enable_patch_force: bool = False
    """Take fields over from other owners."""
    delete_unreachable: bool = False
    """Deleting succeeds when the cluster is away."""
    enable_config_map_mutable: bool = False
    """A ConfigMap's data change in place rather than by replacement."""
    enable_secret_mutable: bool = False
    """A Secret's data change in place rather than by replacement."""


def settings_from(inputs: dict[str, Any]) -> Settings:
    """Return the settings; values that are not text arrive as JSON text.

    Raises:
        ProviderError: an input of the vendor's plugin that this one does not have.
    """
    for name in _NOT_HERE:
        if _truth(inputs.get(name)):
            raise ProviderError(f"the Kubernetes provider's {name} is not part of this stand-in; remove it")
    if "enableServerSideApply" in inputs and not _truth(inputs["enableServerSideApply"]):
        raise ProviderError("enableServerSideApply: false is not part of this stand-in, which applies nothing else")

    def flag(name: str, variable: str) -> bool:
        return _truth(inputs.get(name, os.environ.get(variable)))

    return Settings(
        kubeconfig=inputs.get("kubeconfig") or "",
        context=inputs.get("context") or "",
        namespace=inputs.get("namespace") or "",
        upsert_existing_objects=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        enable_patch_force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        enable_config_map_mutable=flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        enable_secret_mutable=flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
    )


def _truth(value: Any) -> bool:
    return value is not None and str(value).lower() not in ("", "false", "0", "null")


def load_kubeconfig(settings: Settings) -> dict[str, Any]:
    """Return the kubeconfig, several files merged as ``kubectl`` does, with file names in it made absolute.

    Raises:
        ProviderError: there is none, or it is not one.
    """
    text = settings.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    if "\n" in text or text.lstrip().startswith("{"):
        return _checked(yaml.safe_load(text), "the provider's kubeconfig")
    files = [Path(name).expanduser() for name in text.split(os.pathsep) if name]
    found = [_absolute(_checked(yaml.safe_load(file.read_text()), str(file)), file) for file in files if file.is_file()]
    if not found:
        raise ProviderError(
            f"there is no kubeconfig at {text}: set KUBECONFIG (or `pulumi config set kubernetes:kubeconfig PATH`)"
        )
    # The first file that names something wins, as documented for KUBECONFIG.
    merged = {key: item for content in reversed(found) for key, item in content.items()}
    for key in _LISTS:
        merged[key] = list({each["name"]: each for content in reversed(found) for each in content[key]}.values())
    return merged


def _checked(content: Any, source: str) -> dict[str, Any]:
    if not isinstance(content, dict) or any(not isinstance(content.get(key), list) for key in _LISTS):
        raise ProviderError(f"{source} is not a kubeconfig: it lacks one of the lists {', '.join(_LISTS)}")
    return content


def _absolute(kubeconfig: dict[str, Any], file: Path) -> dict[str, Any]:
    def resolved(entry: dict[str, Any]) -> dict[str, Any]:
        return {key: str(file.parent / item) if key in _FILES else item for key, item in entry.items()}

    clusters = [{**each, "cluster": resolved(each["cluster"])} for each in kubeconfig["clusters"]]
    users = [{**each, "user": resolved(each["user"])} for each in kubeconfig["users"]]
    return {**kubeconfig, "clusters": clusters, "users": users}


def active_context(kubeconfig: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    """Return name and content of the context that is used.

    Raises:
        ProviderError: the kubeconfig has no such context.
    """
    wanted = name or kubeconfig.get("current-context", "")
    contexts = {each["name"]: each.get("context") or {} for each in kubeconfig["contexts"]}
    if wanted not in contexts:
        raise ProviderError(f"the kubeconfig has no context {json.dumps(wanted)}; it has {', '.join(sorted(contexts))}")
    return wanted, contexts[wanted]
