"""Helm releases: what happens to one when the program asks for it."""

import hashlib
import secrets
from typing import Any

from typing_extensions import override

from plugins.kubernetes.access import Access
from plugins.kubernetes.chart import failures_in, release_from
from plugins.kubernetes.helm import Helm, helm
from plugins.protocol.difference import differences
from plugins.protocol.provider import (
    Checked,
    Difference,
    NotReadyError,
    Operation,
    Properties,
    ProviderError,
    Resource,
    Resources,
)
from plugins.protocol.values import conceal, reveal, secret_texts

RELEASE = "kubernetes:helm.sh/v3:Release"
_IDENTITY = ("name", "namespace")


class Releases(Resources):
    """``kubernetes:helm.sh/v3:Release`` through the ``helm`` program."""

    def __init__(self, access: Access) -> None:
        """Act on the given cluster."""
        self._access = access

    @override
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Complete name and namespace; refuse what this stand-in does not have."""
        digits = hashlib.sha256(seed + resource.name.encode()).hexdigest()[:8] if seed else secrets.token_hex(4)
        made = old.get("name") or f"{resource.name}-{digits}"
        defaults = {"name": made, "namespace": self._access.default_namespace()}
        inputs = {**defaults, **{key: value for key, value in new.items() if value not in (None, "")}}
        return Checked(inputs=inputs, failures=failures_in(inputs))

    @override
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Compare the inputs; another name or namespace is another release."""
        changes = list(differences(reveal(old_inputs), reveal(new)))
        return Difference(changes=changes, replaces=frozenset(path for path, _ in changes if path[0] in _IDENTITY))

    @override
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Install the chart; a release of that name that is there already is upgraded."""
        if operation.preview:
            return "", inputs
        outputs = self._upgraded(inputs, operation)
        return f"{reveal(inputs['namespace'])}/{reveal(inputs['name'])}", outputs

    @override
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Upgrade the release."""
        return new if operation.preview else self._upgraded(new, operation)

    @override
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Uninstall the release; Helm leaves the chart's CustomResourceDefinitions."""
        release = release_from(outputs)
        limit = int(operation.timeout_seconds) or release.timeout_seconds
        with helm(self._access.settings) as program:
            program.uninstall(release.name, release.namespace, limit, operation)

    @override
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Return the release as Helm knows it; values that were changed outside are a drift."""
        namespace, _, name = resource.identity.rpartition("/")
        with helm(self._access.settings) as program:
            status = program.status(name, namespace)
            if status is None:
                return None
            if not inputs:
                raise ProviderError(f"{resource.identity}: a release cannot be imported by this stand-in")
            found = inputs
            if not inputs.get("valueYamlFiles") and (live := program.values(name, namespace)) != reveal(
                inputs.get("values") or {}
            ):
                found = {**inputs, "values": conceal(live, inputs.get("values"), secret_texts(inputs))}
            return found, {**found, "status": _summary(status)}

    def _upgraded(self, inputs: Properties, operation: Operation) -> Properties:
        release = release_from(inputs)
        with helm(self._access.settings) as program:
            operation.say(f"helm upgrade --install {release.name}")
            try:
                program.upgrade(release, operation)
            except ProviderError as error:
                status = _status_after_failure(program, release.name, release.namespace)
                if status is None:
                    raise
                outputs = {**inputs, "status": _summary(status)}
                raise NotReadyError(f"{release.namespace}/{release.name}", outputs, inputs, [str(error)]) from None
            return {**inputs, "status": _summary(program.status(release.name, release.namespace) or {})}


def _status_after_failure(program: Helm, name: str, namespace: str) -> dict[str, Any] | None:
    try:
        return program.status(name, namespace)
    except ProviderError:
        return None


def _summary(status: dict[str, Any]) -> Properties:
    """Return the outputs that the vendor's plugin has under ``status``; no values, no manifest, no notes."""
    return {
        key: status.get(key) for key in ("name", "namespace", "revision", "status", "chart", "version", "appVersion")
    }
