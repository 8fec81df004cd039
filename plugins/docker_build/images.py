"""Images: what happens to one when the program asks for it."""

from threading import Lock

from typing_extensions import override

from plugins.docker_build.build import build_from, failures_in, is_qualified, with_digest
from plugins.docker_build.builder import build_image, is_pushed
from plugins.docker_build.context import context_hash
from plugins.protocol.difference import Kind, differences
from plugins.protocol.provider import (
    Checked,
    Difference,
    Operation,
    Properties,
    ProviderError,
    Resource,
    Resources,
)
from plugins.protocol.values import UNKNOWN, Secret, has_unknown, reveal

_ONE_BUILD_AT_A_TIME = Lock()
"""Stages that two images share are then built once, and the second build finds them in the cache."""
LOOK_SECONDS = 1.0


class Images(Resources):
    """``docker-build:index:Image``."""

    @override
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Refuse what cannot be built; mark build secrets and passwords secret even where the program did not."""
        return Checked(inputs=_sealed(new), failures=failures_in(new))

    @override
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Compare the inputs, but for passwords, and the files that the build reads; every change is an update."""
        before, after = _compared(old_inputs, new), _compared(new, old_inputs)
        changes = list(differences(before, after))
        if not _known(new):
            return Difference(changes=changes)
        build = build_from(new)
        if (build.pull and build.push) or context_hash(build) != reveal(old_outputs).get("contextHash"):
            changes.append((("contextHash",), Kind.UPDATE))
        return Difference(changes=changes)

    @override
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Build and push; a preview only reads the context."""
        outputs = self._built(inputs, operation)
        return outputs["digest"] if outputs["digest"] is not UNKNOWN else "", outputs

    @override
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Build and push again; layers that did not change are found in the builder's cache and in the registry."""
        return self._built(new, operation)

    @override
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Forget the image: registries keep what others may use, and the builder's cache makes the next build short."""

    @override
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Return what is known; None when the registry has lost the image, so that the next update pushes it again."""
        if not inputs:
            raise ProviderError(f"{resource.identity}: an image cannot be imported, only built")
        reference = str(reveal(outputs.get("ref") or ""))
        if "@" in reference and not is_pushed(build_from(inputs), reference):
            return None
        return inputs, outputs

    def _built(self, inputs: Properties, operation: Operation) -> Properties:
        if operation.preview:
            known = context_hash(build_from(inputs)) if _known(inputs) else UNKNOWN
            return {**inputs, "contextHash": known, "digest": UNKNOWN, "ref": UNKNOWN}
        build = build_from(inputs)
        # Before the build: a file that changes while it runs must be seen as changed the next time.
        found = context_hash(build)
        while not _ONE_BUILD_AT_A_TIME.acquire(timeout=LOOK_SECONDS):
            operation.say("Waiting for another build to end")
            if operation.cancelled.is_set():
                raise ProviderError("the build was cancelled")
        try:
            digest = build_image(build, operation)
        finally:
            _ONE_BUILD_AT_A_TIME.release()
        operation.say(f"Pushed {digest}" if digest else "Built")
        qualified = [tag for tag in build.tags if is_qualified(tag)]
        first = next(iter(build.tags), "")
        reference = with_digest(qualified[0], digest) if digest and qualified else first
        return {**inputs, "contextHash": found, "digest": digest, "ref": reference}


def _sealed(inputs: Properties) -> Properties:
    hidden = {key: Secret(reveal(inputs[key])) for key in ("secrets", "registries") if inputs.get(key)}
    return {**inputs, **hidden}


def _known(inputs: Properties) -> bool:
    """Return whether the context can be read now; tags and arguments may still be unknown."""
    return not has_unknown(inputs.get("context")) and not has_unknown(inputs.get("dockerfile"))


def _compared(inputs: Properties, other: Properties) -> Properties:
    """Return what of the inputs makes another image: no passwords, no secrets that the program says to overlook."""
    plain, against = reveal(inputs), reveal(other)
    overlooked = plain.get("ignoreSecretsInDiffCalculation") or []
    both = plain.get("secrets") or {}, against.get("secrets") or {}
    registries = [{**each, "password": None} for each in plain.get("registries") or []]
    secrets = {key: text for key, text in both[0].items() if not (key in overlooked and key in both[1])}
    return {**plain, "registries": registries, "secrets": secrets}
