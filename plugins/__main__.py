"""``python -m plugins [--preview] pulumi-resource-NAME ENGINE``: what the launchers run."""

import os
import sys

from plugins.protocol.provider import Provider
from plugins.protocol.server import serve


def provider_for(name: str, *, preview_only: bool) -> Provider:
    """Return the stand-in for a provider; imports only what that one needs."""
    # Imported here because each brings libraries that the others do not need, and the engine waits for the port.
    if not preview_only and name == "kubernetes":
        from plugins.kubernetes.provider import KubernetesProvider  # noqa: PLC0415

        return KubernetesProvider()
    if not preview_only and name == "docker-build":
        from plugins.docker_build.provider import DockerBuildProvider  # noqa: PLC0415

        return DockerBuildProvider()
    from plugins.preview.provider import PreviewProvider  # noqa: PLC0415

    return PreviewProvider(name)


def main(arguments: list[str]) -> None:
    """Serve the stand-in that the first argument names."""
    # Set by the launcher for this process alone; helm's plugins and kubeconfig's login commands are other programs.
    os.environ.pop("PYTHONPATH", None)
    preview_only = arguments[:1] == ["--preview"]
    launcher, *rest = arguments[1:] if preview_only else arguments
    serve(provider_for(launcher.removeprefix("pulumi-resource-"), preview_only=preview_only), rest)


if __name__ == "__main__":
    main(sys.argv[1:])
