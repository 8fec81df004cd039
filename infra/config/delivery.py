"""How new versions reach the cluster: Argo CD, Image Updater, Argo Rollouts."""

from typing import Annotated

from pydantic import Field, model_validator

from infra.config.types import DnsLabel, HostName, Mib, Section, Url


class ArgoCdConfig(Section):
    """An Argo CD of our own, in ``delivery.namespace``; sized for one PC and a handful of Applications."""

    host: HostName | None = None
    """Host name of its page; absent: no Ingress, `kubectl port-forward` only."""
    webhook: bool = False
    """Be told of each push by the Git server of `aihub:ci`, which holds ``repository``; false: look every minute."""
    controller_memory_mib: Mib = 768
    """What compares Git and cluster; it holds every object of the cluster that it watches."""
    repo_server_memory_mib: Mib = 384
    """What reads Git and runs kustomize."""
    server_memory_mib: Mib = 256
    """The page and the API."""
    redis_memory_mib: Mib = 96
    """Its cache; nothing in it is missed."""


class ImageUpdaterConfig(Section):
    """Argo CD Image Updater: writes the tag of a new image into the overlay in Git."""

    allow_tags: str = "regexp:^[0-9a-f]{7,12}$"
    """Which tags are versions: those named after a commit. A first image that Pulumi pushed is none."""
    memory_mib: Mib = 192
    """Memory of its one pod."""


class RolloutsConfig(Section):
    """The controller of Argo Rollouts, in a namespace of its own."""

    namespace: DnsLabel = "argo-rollouts"
    memory_mib: Mib = 192
    """Memory of its one pod."""


class AnalysisConfig(Section):
    """What a new version must show before it may take over; it is asked real questions."""

    requests: Annotated[int, Field(ge=1, le=1000, strict=True)] = 20
    """Number of questions."""
    error_percent: Annotated[int, Field(ge=0, le=99, strict=True)] = 5
    """More failed answers than this send it back."""
    first_token_seconds: Annotated[int, Field(ge=1, le=300, strict=True)] = 10
    """95 of 100 answers must begin within this time; on a card that people use meanwhile."""


class RollbackConfig(Section):
    """What names the good tag in Git again after a failed rollout, and refuses the bad one."""

    memory_mib: Mib = 128
    """Memory of its Job."""


class DeliveryConfig(Section):
    """The Git repository that Argo CD follows, and what works on it."""

    repository: Url | None = None
    """Its address, as pods reach it; needed as soon as anything is delivered by Argo CD. On a Git server of our own
    (`aihub:ci`), which then makes repository and account: ``http://gitea.<namespace>.svc:3000/<organisation>/<name>.git``
    """
    username: str | None = None
    """Account that reads and writes it, with `aihub:deliveryPassword`; absent: anybody may read, nobody writes."""
    branch: str = "main"
    path: str = "gitops-apps"
    """Folder of the rendered tree in the repository."""
    namespace: DnsLabel = "argocd"
    """Namespace in which Argo CD looks for its Applications."""
    argocd: ArgoCdConfig | None = None
    """Absent: the cluster has one."""
    image_updater: ImageUpdaterConfig | None = None
    """Absent: pipelines or people write tags into the overlay."""
    rollouts: RolloutsConfig | None = None
    """Absent: the cluster has the controller, or no workload asks for it."""
    analysis: AnalysisConfig = AnalysisConfig()
    rollback: RollbackConfig | None = None
    """Absent: after a failed rollout the old version serves, and Git names the bad one until a person changes it."""

    @model_validator(mode="after")
    def _image_updater_is_beside_argocd(self) -> "DeliveryConfig":
        if self.image_updater and not self.argocd:
            raise ValueError("imageUpdater shares the namespace and the Git account of an Argo CD of ours: set argocd")
        return self

    @model_validator(mode="after")
    def _writers_have_an_account(self) -> "DeliveryConfig":
        for field, writer in (("imageUpdater", self.image_updater), ("rollback", self.rollback)):
            if writer and not (self.repository and self.username):
                raise ValueError(f"{field} writes to Git: set repository and username, or leave {field} out")
        return self
