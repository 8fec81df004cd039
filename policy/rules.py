"""The rules: each takes one object and yields what is wrong with it, one sentence a mistake, naming the fix.

They know nothing of Pulumi, so the same functions run on recorded resources, on rendered files and in the engine. What
they must know of a stack's configuration, those in policy/declared.py are given.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from infra.cluster import POD_SECURITY_EXCEPTIONS
from infra.config.types import is_floating
from policy.pods import SERVERS, Manifest, containers, describe, pod_spec

Rule = Callable[[Manifest], Iterator[str]]
"""Yields the mistakes of one object."""

_SECRET_NAME = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN(?!S)|API_?KEY|PRIVATE_?KEY|ENGINE_?KEY)", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\[secret\]|^\s*requirepass\s|password\s*[:=]\s*(?!\$\{)\S",
    re.IGNORECASE | re.MULTILINE,
)
_NAMES_A_FILE = re.compile(r"_FILE$", re.IGNORECASE)
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def restricted_pods(manifest: Manifest) -> Iterator[str]:
    """Pods meet Pod Security `restricted`; a space listed in POD_SECURITY_EXCEPTIONS may use a host port."""
    spec = pod_spec(manifest)
    if spec is None:
        return
    what = describe(manifest)
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{what}: {field} gives the pod the node's own; leave it out"
    for volume in spec.get("volumes") or ():
        if "hostPath" in volume:
            yield f"{what}: volume {volume.get('name')} is a hostPath; use a PersistentVolumeClaim"
    for container in containers(manifest):
        for fix in _restricts(container, spec.get("securityContext") or {}):
            yield f"{what}, container {container.get('name')}: {fix}"
        if any("hostPort" in port for port in container.get("ports") or ()) and not _excepted(manifest):
            yield f"{what}, container {container.get('name')}: uses a hostPort; use a Service, or list the exception"


def _restricts(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a container lacks, given the security context of its pod."""
    own = container.get("securityContext") or {}
    if not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield "set runAsNonRoot: true"
    if own.get("runAsUser", pod.get("runAsUser")) in (None, 0):
        yield "set runAsUser to a number other than 0"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "set allowPrivilegeEscalation: false"
    if own.get("privileged"):
        yield "is privileged; leave that out"
    if "ALL" not in ((own.get("capabilities") or {}).get("drop") or ()):
        yield "drop ALL capabilities"
    if set((own.get("capabilities") or {}).get("add") or ()) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities; leave them out"
    if own.get("readOnlyRootFilesystem") is not True:
        yield "set readOnlyRootFilesystem: true and mount an emptyDir where it writes"
    seccomp = own.get("seccompProfile") or pod.get("seccompProfile") or {}
    if seccomp.get("type") not in ("RuntimeDefault", "Localhost"):
        yield "set seccompProfile.type: RuntimeDefault"


def _excepted(manifest: Manifest) -> bool:
    labels = (manifest.get("metadata") or {}).get("labels") or {}
    return labels.get("app.kubernetes.io/component", "") in POD_SECURITY_EXCEPTIONS


def own_account(manifest: Manifest) -> Iterator[str]:
    """Pods run under a ServiceAccount of their own and carry no token for the API server."""
    spec = pod_spec(manifest)
    if spec is None:
        return
    if spec.get("serviceAccountName", "default") == "default":
        yield f"{describe(manifest)}: runs as the namespace's default ServiceAccount; give it one of its own"
    if spec.get("automountServiceAccountToken") is not False:
        yield f"{describe(manifest)}: set automountServiceAccountToken: false"


def pinned_images(manifest: Manifest) -> Iterator[str]:
    """Images are pinned by a version or a digest."""
    for container in containers(manifest):
        image = str(container.get("image", ""))
        where = f"{describe(manifest)}, container {container.get('name')}"
        if _DIGEST.search(image):
            continue
        tag = image.rpartition("/")[2].partition(":")[2]
        if not tag:
            yield f"{where}: its image names neither tag nor digest"
        elif is_floating(tag):
            yield f"{where}: its image has a floating tag; name a version or a digest"


def bounded_resources(manifest: Manifest) -> Iterator[str]:
    """Every container says what CPU and memory it needs and may use at most."""
    for container in containers(manifest):
        declared = container.get("resources") or {}
        for bound in ("requests", "limits"):
            for resource in ("cpu", "memory"):
                if resource not in (declared.get(bound) or {}):
                    yield f"{describe(manifest)}, container {container.get('name')}: set resources.{bound}.{resource}"


def probed_servers(manifest: Manifest) -> Iterator[str]:
    """Everything that serves is asked whether it has started, lives, and is ready."""
    if manifest.get("kind") not in SERVERS:
        return
    for container in (pod_spec(manifest) or {}).get("containers") or ():
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if not container.get(probe):
                yield f"{describe(manifest)}, container {container.get('name')}: has no {probe}"


def no_plain_secrets(manifest: Manifest) -> Iterator[str]:
    """Nothing secret stands in environment variables or ConfigMaps; it is mounted from a Secret as a file."""
    for container in containers(manifest):
        for variable in container.get("env") or ():
            if "value" in variable and _looks_secret(str(variable.get("name")), str(variable["value"])):
                yield (
                    f"{describe(manifest)}, container {container.get('name')}: variable {variable.get('name')} holds a "
                    "secret; mount it from a Secret as a file"
                )
    if manifest.get("kind") == "ConfigMap":
        # A policy may meet the whole map as one secret value, in which case it is no map at all.
        data = manifest.get("data") or {}
        entries: Iterable[tuple[str, Any]] = data.items() if isinstance(data, Mapping) else [("data", "[secret]")]
        for key, value in entries:
            if _looks_secret(str(key), str(value)):
                yield f"{describe(manifest)}: {key} holds a secret; put it into a Secret"


def _looks_secret(name: str, value: str) -> bool:
    named = bool(_SECRET_NAME.search(name)) and not _NAMES_A_FILE.search(name)
    return named or bool(_SECRET_TEXT.search(value))


def default_deny(manifests: Iterable[Manifest]) -> Iterator[str]:
    """Every namespace with pods has a NetworkPolicy that refuses what no other allows (a rule about a whole stack)."""
    everything = list(manifests)
    with_pods = {_namespace(manifest) for manifest in everything if pod_spec(manifest) is not None}
    denied = {_namespace(manifest) for manifest in everything if _denies_by_default(manifest)}
    for namespace in sorted(with_pods - denied):
        yield f"namespace {namespace}: has pods and no default-deny NetworkPolicy (empty podSelector, both directions)"


def _namespace(manifest: Manifest) -> str:
    return str((manifest.get("metadata") or {}).get("namespace", "default"))


def _denies_by_default(manifest: Manifest) -> bool:
    spec = manifest.get("spec") or {}
    return (
        manifest.get("kind") == "NetworkPolicy"
        and not (spec.get("podSelector") or {})
        and set(spec.get("policyTypes") or ()) == {"Ingress", "Egress"}
        and not spec.get("ingress")
        and not spec.get("egress")
    )


OBJECT_RULES: tuple[Rule, ...] = (
    restricted_pods,
    own_account,
    pinned_images,
    bounded_resources,
    probed_servers,
    no_plain_secrets,
)
"""Rules about one object."""
