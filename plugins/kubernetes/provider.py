"""The provider: which of its parts answers for which type."""

from typing_extensions import override

from plugins.kubernetes.access import Access
from plugins.kubernetes.manifests import Manifests
from plugins.kubernetes.objects import type_of
from plugins.kubernetes.releases import RELEASE, Releases
from plugins.kubernetes.settings import Settings, settings_from
from plugins.protocol.provider import Properties, Provider, Resources


class KubernetesProvider(Provider):
    """Objects by server-side apply, charts by ``helm``."""

    version = "4.34.2"

    def __init__(self) -> None:
        """Make a provider that reaches no cluster before it must."""
        self._access = Access(Settings())

    @override
    def configure(self, inputs: Properties) -> None:
        """Take kubeconfig, context, namespace and switches."""
        self._access = Access(settings_from(inputs))

    @override
    def resources(self, token: str) -> Resources:
        """Return what acts on a type."""
        return resources_for(token, self._access)


def resources_for(token: str, access: Access) -> Resources:
    """Return what acts on a type.

    Raises:
        ProviderError: a type of the vendor's plugin that this one does not have.
    """
    if token == RELEASE:
        return Releases(access)
    type_of(token)
    return Manifests(access)
