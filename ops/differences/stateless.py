"""Drift as the API server alone shows it: for a CI job that has neither Pulumi's state nor any secret.

The API server notes for every field who wrote it last. A declared field that is otherwise, and belongs neither to those
who apply what is declared nor to a controller, was changed by hand. What is declared and missing was removed, or has
not been deployed yet: the two look the same from here. Secrets and charts are not looked at, nor Pulumi's Jobs whose
names end in a hash, since without the secrets theirs is another.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.recorder import SECRET
from ops.differences.objects import PULUMI, Declared, shown
from ops.errors import OpsError
from ops.machine import Finding
from plugins.kubernetes.cluster import Cluster, Manifest, UnknownKindError
from plugins.kubernetes.cluster import connect as connect_to
from plugins.kubernetes.settings import Settings
from plugins.protocol.provider import ProviderError

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its account, https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/."""
OURS = ("pulumi", "argocd-controller", "helm", "Helm")
"""Who applies what is declared."""
CONTROLLERS = ("kube-", "kubelet", "rollouts-controller", "cert-manager-", "external-secrets", "longhorn-")
"""How the names of those begin that write fields while an object lives."""


def connection(context: str | None) -> Cluster:
    """Return the cluster: the one this pod runs in, unless a kubeconfig is named; else the kubeconfig's.

    Raises:
        OpsError: there is neither.
    """
    # A pod has one cluster, whatever people call it in their kubeconfig; but a CI's own may run in another one.
    inside = ACCOUNT.is_dir() and not os.environ.get("KUBECONFIG")
    settings = Settings(kubeconfig=_in_cluster()) if inside else Settings(context=context or "")
    try:
        return connect_to(settings)
    except ProviderError as error:
        raise OpsError(str(error), "kubectl config get-contexts") from None


def _in_cluster() -> str:
    cluster = {
        "server": "https://kubernetes.default.svc",
        "certificate-authority": str(ACCOUNT / "ca.crt"),
    }
    return json.dumps(
        {
            "clusters": [{"name": "here", "cluster": cluster}],
            "users": [{"name": "account", "user": {"tokenFile": str(ACCOUNT / "token")}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "account"}}],
            "current-context": "here",
        }
    )


def findings(cluster: Cluster, declared: Iterable[Declared]) -> list[Finding]:
    """Return a finding for each object that somebody changed, or one that says that nobody did.

    Raises:
        OpsError: the API server does not answer, or not to this account.
    """
    objects = [
        each
        for each in declared
        if "apiVersion" in each.content
        and each.content["kind"] != "Secret"
        and not (each.owner == PULUMI and each.is_hashed_job)
    ]
    try:
        found = [finding for each in objects if (finding := _judged(each, _live(cluster, each)))]
    except ProviderError as error:
        raise OpsError(str(error), "kubectl auth can-i get deployments --all-namespaces") from None
    says = f"{len(objects)} objects are as they are declared"
    return found or [Finding(name="cluster", ok=True, says=says)]


def _live(cluster: Cluster, declared: Declared) -> Manifest | None:
    try:
        return cluster.get(dict(declared.content))
    except UnknownKindError:
        return None


def _judged(declared: Declared, live: Manifest | None) -> Finding | None:
    fix = "make up" if declared.owner == "Pulumi" else "Argo CD's self-heal"
    if live is None:
        says = "is not there: removed by hand, or not deployed yet"
        return Finding(name=declared.what, ok=False, says=says, fix=f"{fix} makes it")
    texts = [*_taken(declared.content, live), *(f"{path} is gone" for path in _missing(declared.content, live, ""))]
    if not texts:
        return None
    return Finding(
        name=declared.what,
        ok=False,
        says="; ".join(texts),
        fix=f"{fix} puts it back; to keep the change, declare it",
    )


def _taken(declared: Mapping[str, Any], live: Manifest) -> Iterator[str]:
    """Yield each declared field that a stranger wrote: ``path: declared -> found (by whom, when)``."""
    for noted in live["metadata"].get("managedFields", ()):
        manager = noted["manager"]
        if manager in OURS or manager.startswith(CONTROLLERS) or noted.get("subresource") == "status":
            continue
        for path, wanted, found in _owned(noted.get("fieldsV1", {}), declared, live, ""):
            yield f"{path}: {shown(wanted)} -> {shown(found)} (by {manager}, {noted.get('time', 'no time noted')})"


def _owned(fields: Mapping[str, Any], declared: Any, live: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield (path, declared, live) of what lies below the fields that somebody owns, where the two differ.

    ``f:NAME`` is a member, ``k:{...}`` the element of a list with these keys; others are sets, which nobody declares.
    """
    inner = {key: below for key, below in fields.items() if key[:2] in {"f:", "k:"}}
    if not inner:
        if declared not in (live, SECRET):
            yield path, declared, live
        return
    for key, below in inner.items():
        if key.startswith("f:") and isinstance(declared, Mapping) and key[2:] in declared:
            found = live.get(key[2:]) if isinstance(live, Mapping) else None
            yield from _owned(below, declared[key[2:]], found, f"{path}.{key[2:]}".lstrip("."))
        elif key.startswith("k:") and isinstance(declared, Sequence):
            keys = json.loads(key[2:])
            wanted, found = _with(keys, declared), _with(keys, live)
            if wanted is not None:
                yield from _owned(below, wanted, found, f"{path}[{'/'.join(map(str, keys.values()))}]")


def _with(keys: Mapping[str, Any], elements: Any) -> Any:
    """Return the element of a list that has these keys; one that leaves a key out has its default."""
    listed = elements if isinstance(elements, list) else []
    return next((each for each in listed if all(each.get(key, value) == value for key, value in keys.items())), None)


def _missing(declared: Any, live: Any, path: str) -> Iterator[str]:
    """Yield the outermost declared fields that the object lacks; empty ones are dropped by the API server itself."""
    if not isinstance(declared, Mapping) or not isinstance(live, Mapping):
        yield from _missing_elements(declared, live, path)
        return
    for key, value in declared.items():
        place = f"{path}.{key}".lstrip(".")
        if key not in live:
            if not _is_empty(value):
                yield place
        else:
            yield from _missing(value, live[key], place)


def _missing_elements(declared: Any, live: Any, path: str) -> Iterator[str]:
    """Yield the elements that a list lacks; they are known by their names."""
    if not isinstance(declared, list) or not all(isinstance(each, Mapping) and "name" in each for each in declared):
        return
    for each in declared:
        found = _with({"name": each["name"]}, live)
        if found is None:
            yield f"{path}[{each['name']}]"
        else:
            yield from _missing(each, found, f"{path}[{each['name']}]")


def _is_empty(value: Any) -> bool:
    return all(map(_is_empty, value.values())) if isinstance(value, Mapping) else value in (None, "", 0, False, [])
