"""How Argo CD delivers."""

from infra.config.types import DnsLabel, Section, Url


class DeliveryConfig(Section):
    """The Git repository that Argo CD follows."""

    repository: Url | None = None
    """Its address; needed as soon as anything is delivered by Argo CD."""
    branch: str = "main"
    path: str = "gitops-apps"
    """Folder of the rendered tree in the repository."""
    namespace: DnsLabel = "argocd"
    """Namespace in which Argo CD looks for its Applications."""
