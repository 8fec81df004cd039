"""Kubernetes objects: what happens to one when the program asks for it."""

import time

from typing_extensions import override

from plugins.kubernetes.access import Access
from plugins.kubernetes.cluster import ApiError, Cluster, Manifest, UnknownKindError, UnreachableError
from plugins.kubernetes.naming import is_autonamed, with_name, with_namespace
from plugins.kubernetes.objects import (
    annotation,
    drifted_inputs,
    identity_of,
    imported_inputs,
    manifest_of,
    named,
    outputs_of,
    planned_changes,
    planned_outputs,
    title,
)
from plugins.kubernetes.replacement import replacing
from plugins.kubernetes.waiting import POLL_SECONDS, UnreadyError, until_gone, until_ready
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
from plugins.protocol.values import reveal

ARRIVAL_SECONDS = 20
"""How long a new object waits for its namespace or its kind: the engine may be making those at the same time."""
PATCH_FORCE = "pulumi.com/patchForce"
PROPAGATION = "pulumi.com/deletionPropagationPolicy"


class Manifests(Resources):
    """Objects by server-side apply under the field manager ``pulumi``."""

    def __init__(self, access: Access) -> None:
        """Act on the given cluster."""
        self._access = access

    @override
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Complete apiVersion, kind, name and namespace."""
        metadata = new.get("metadata")
        if isinstance(metadata, dict) and metadata.get("generateName"):
            reason = "generateName cannot be applied on the server's side: leave it out for a made name"
            return Checked(inputs=new, failures={"metadata.generateName": reason})
        manifest = manifest_of({key: item for key, item in new.items() if key in ("apiVersion", "kind")}, resource.type)
        inputs = with_name({**manifest, **new}, old, resource.name, seed)
        namespace = self._access.default_namespace()
        return Checked(inputs=with_namespace(inputs, manifest["apiVersion"], manifest["kind"], namespace))

    @override
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Compare the inputs; the program's and those of the last ``up`` or refresh."""
        default = self._access.default_namespace()
        old = _spaced(manifest_of(old_inputs, resource.type), reveal(old_outputs), default)
        wanted = _spaced(manifest_of(new, resource.type), reveal(old_outputs), default)
        changes = list(differences(old, wanted))
        replaces = replacing((path for path, _ in changes), old, wanted, self._access.settings)
        # Two objects of one name cannot live side by side.
        same = wanted["metadata"].get("name") == old["metadata"].get("name") and wanted["metadata"].get(
            "namespace"
        ) == old["metadata"].get("namespace")
        blocked = bool(replaces) and same and not is_autonamed(wanted["metadata"])
        return Difference(changes=changes, replaces=replaces, delete_before_replace=blocked)

    @override
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Apply a new object and wait until it is ready.

        Raises:
            NotReadyError: it is there and not ready.
            ProviderError: it exists already (unless ``upsertExistingObjects`` is set), or was refused.
        """
        if operation.preview:
            self._access.look(operation)
            return "", planned_outputs(inputs, resource.type)
        manifest = manifest_of(inputs, resource.type)
        cluster = self._access.cluster()
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while True:
            try:
                self._refuse_existing(manifest, cluster)
                live = cluster.apply(manifest, force=self._forced(manifest))
                break
            except ApiError as error:
                if not _may_arrive(error, manifest) or time.monotonic() > deadline:
                    raise ProviderError(f"{title(manifest)}: {error}") from None
                operation.say(f"Waiting for what it needs: {error}")
            if operation.cancelled.wait(POLL_SECONDS):
                raise ProviderError(f"{title(manifest)} was not made: cancelled")
        return identity_of(live), self._settle(live, inputs, cluster, operation)

    @override
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Apply the changed object and wait until it is ready again; fields that were dropped are removed."""
        if operation.preview:
            self._access.look(operation)
            return planned_changes(old_inputs, old_outputs, new, resource.type)
        manifest = manifest_of(new, resource.type)
        cluster = self._access.cluster()
        try:
            live = cluster.apply(manifest, force=self._forced(manifest))
        except ApiError as error:
            raise ProviderError(f"{title(manifest)}: {error}") from None
        return self._settle(live, new, cluster, operation)

    @override
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Delete the object with everything it owns, and wait until it is gone."""
        target = named(resource.type, resource.identity)
        try:
            cluster = self._access.cluster()
            live = cluster.get(target)
            if live is None:
                return
            cluster.delete(target, annotation(live, PROPAGATION).capitalize() or "Foreground")
            until_gone(target, live, cluster, operation)
        except UnknownKindError:
            return
        except UnreachableError as error:
            if not self._access.settings.delete_unreachable:
                raise
            operation.warn(f"{title(target)} is forgotten, not deleted: {error}")
        except ApiError as error:
            raise ProviderError(f"{title(target)}: {error}") from None

    @override
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Return the object as it lives."""
        try:
            live = self._access.cluster().get(named(resource.type, resource.identity))
        except UnknownKindError:
            return None
        if live is None:
            return None
        if not inputs:
            found = imported_inputs(live)
            return found, outputs_of(live, found)
        return drifted_inputs(inputs, outputs, live, resource.type), outputs_of(live, inputs)

    def _forced(self, manifest: Manifest) -> bool:
        return self._access.settings.enable_patch_force or annotation(manifest, PATCH_FORCE) == "true"

    def _refuse_existing(self, manifest: Manifest, cluster: Cluster) -> None:
        if self._access.settings.upsert_existing_objects or cluster.get(manifest) is None:
            return
        raise ProviderError(
            f"{title(manifest)} already exists: import it (`pulumi import`), delete it, or let the provider take over "
            "such objects with upsertExistingObjects"
        )

    def _settle(self, live: Manifest, inputs: Properties, cluster: Cluster, operation: Operation) -> Properties:
        try:
            return outputs_of(until_ready(live, cluster, operation), inputs)
        except UnreadyError as error:
            outputs = outputs_of(error.live, inputs)
            raise NotReadyError(identity_of(error.live), outputs, inputs, error.reasons) from None


def _may_arrive(error: ApiError, manifest: Manifest) -> bool:
    if isinstance(error, UnknownKindError):
        return True
    missing = f'namespaces "{manifest["metadata"].get("namespace")}" not found'
    return error.status == 404 and missing in str(error)


def _spaced(manifest: Manifest, outputs: Properties, default: str) -> Manifest:
    """Name the namespace of an object whose kind has one, so that leaving it out and naming it are the same."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, dict) or not outputs.get("metadata", {}).get("namespace"):
        return manifest
    return {**manifest, "metadata": {**metadata, "namespace": metadata.get("namespace") or default}}
