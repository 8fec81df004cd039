"""The provider: it has one type."""

from typing_extensions import override

from plugins.docker_build.images import Images
from plugins.protocol.provider import Properties, Provider, ProviderError, Resources

IMAGE = "docker-build:index:Image"


class DockerBuildProvider(Provider):
    """Images by ``buildah`` or ``docker buildx``."""

    version = "0.0.22"

    @override
    def configure(self, inputs: Properties) -> None:
        """Refuse what would silently be left out."""
        if inputs.get("registries") not in (None, "", "[]"):
            raise ProviderError(
                "registries of the docker-build provider are not part of this stand-in: give them to each Image"
            )

    @override
    def resources(self, token: str) -> Resources:
        """Return what acts on images."""
        if token != IMAGE:
            raise ProviderError(f"{token} needs the vendor's plugin; this stand-in has none")
        return Images()
