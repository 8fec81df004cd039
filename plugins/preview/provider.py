"""A provider for previews: echoes inputs, and refuses everything that would act."""

from typing_extensions import override

from plugins.preview.echo import Echo
from plugins.protocol.provider import (
    Checked,
    Difference,
    Operation,
    Properties,
    Provider,
    ProviderError,
    Resource,
    Resources,
)


class PreviewProvider(Provider):
    """Stands in for the provider of the given name, and for all of its types."""

    version = "9999.0.0"
    """Above any that a program asks for: the engine warns of plugins that are older."""

    def __init__(self, name: str) -> None:
        """Stand in for ``name``."""
        self._name = name

    @override
    def configure(self, inputs: Properties) -> None:
        """Take any inputs: nothing is reached with them."""

    @override
    def resources(self, token: str) -> Resources:
        """Return what previews a type."""
        return PreviewOnly(self._name, _resources_for(token))


def _resources_for(token: str) -> Resources:
    """Return what knows a type's names and replacements without its cluster or builder; an echo for all others."""
    # Imported here, since the libraries of one are of no use to the other.
    if token == "docker-build:index:Image":  # noqa: S105 - a type token
        from plugins.docker_build.images import Images  # noqa: PLC0415

        return Images()
    if token.startswith("kubernetes:"):
        from plugins.kubernetes.access import Access  # noqa: PLC0415
        from plugins.kubernetes.provider import resources_for  # noqa: PLC0415
        from plugins.kubernetes.settings import Settings  # noqa: PLC0415

        try:
            return resources_for(token, Access(Settings(), offline=True))
        except ProviderError:
            return Echo()
    return Echo()


class PreviewOnly(Resources):
    """The previews of other resources, and a clear refusal of the rest."""

    def __init__(self, provider: str, previews: Resources) -> None:
        """Let only the previews through."""
        self._provider = provider
        self._previews = previews

    @override
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Check as the real stand-in does."""
        return self._previews.check(resource, old, new, seed)

    @override
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Compare as the real stand-in does."""
        return self._previews.diff(resource, old_inputs, old_outputs, new)

    @override
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Preview a new object."""
        if not operation.preview:
            raise self._refusal(resource, "created")
        return self._previews.create(resource, inputs, operation)

    @override
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Preview a change."""
        if not operation.preview:
            raise self._refusal(resource, "updated")
        return self._previews.update(resource, old_inputs, old_outputs, new, operation)

    @override
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Refuse."""
        raise self._refusal(resource, "deleted")

    @override
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Refuse: what is outside is not known here."""
        raise self._refusal(resource, "read")

    def _refusal(self, resource: Resource, done: str) -> ProviderError:
        return ProviderError(
            f"{resource.type} {resource.name} was not {done}: what answers for the provider {self._provider} here can "
            f"only preview. Install Pulumi's own plugin (`pulumi plugin install resource {self._provider}`), and take "
            "the folder of the preview-only stand-ins off PATH"
        )
