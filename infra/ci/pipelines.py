"""The pipelines: which there are, what starts each, and what it may touch. Declares nothing."""

from dataclasses import dataclass
from typing import Literal

TRUSTED = "aihub"
"""Folder of pipelines that run what is on the main branch; only it may use the builders' pods, where Secrets are."""
REVIEWS = "reviews"
"""Folder of pipelines that run what nobody has approved yet: in pods of a namespace without any Secret."""

BUILDER_LABEL = "builder"
"""Pods that build, scan and sign; see :func:`infra.ci.build_pod.agent_pod`."""
TEST_LABEL = "tests"
"""Pods that run tests and previews."""
DRIFT_LABEL = "drift"
"""Pods that compare the cluster with what is declared."""
COMMENT_LABEL = "comment"
"""Pods that write a comment on a merge request."""


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One job of Jenkins."""

    folder: str
    """:data:`TRUSTED` or :data:`REVIEWS`."""
    name: str
    """Name within the folder."""
    script: str
    """Its Jenkinsfile in the repository; always read from the main branch, so that no merge request changes it."""
    starts_on: Literal["push", "review", "call", "schedule"]
    """A push to the main branch, a merge request, another pipeline, or every morning."""
    description: str
    """What people read in Jenkins."""

    @property
    def path(self) -> str:
        """Return FOLDER/NAME."""
        return f"{self.folder}/{self.name}"


PIPELINES = (
    Pipeline(
        folder=TRUSTED,
        name="service",
        script="service/Jenkinsfile",
        starts_on="push",
        description="Tests, builds, scans and signs the images api and engine.",
    ),
    Pipeline(
        folder=TRUSTED,
        name="web",
        script="service/web/Jenkinsfile",
        starts_on="push",
        description="Tests, builds, scans and signs the image of the front end.",
    ),
    Pipeline(
        folder=REVIEWS,
        name="infra",
        script="infra/Jenkinsfile",
        starts_on="review",
        description="Tests, policy, preview and rendered objects of a merge request; has no secret.",
    ),
    Pipeline(
        folder=TRUSTED,
        name="comment",
        script="ci/comment.Jenkinsfile",
        starts_on="call",
        description="Writes what reviews/infra found under its merge request.",
    ),
    Pipeline(
        folder=TRUSTED,
        name="drift",
        script="ci/drift.Jenkinsfile",
        starts_on="schedule",
        description="Every morning: what somebody changed by hand.",
    ),
)
