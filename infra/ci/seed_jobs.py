"""The pipelines as Job DSL, which Jenkins' configuration as code runs at each start: jobs with their triggers.

A trigger that only a Jenkinsfile declares exists after the first run, so the first push would find nobody. Here job and
trigger are one object, made before the webhook (see :mod:`infra.ci.room`). Syntax: Job DSL's dynamic DSL,
``properties { pipelineTriggers { ... } }`` (github.com/jenkinsci/job-dsl-plugin, docs/Migration.md, 1.77).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from infra.ci.git import Git, git_of
from infra.ci.pipelines import PIPELINES, REVIEWS, TRUSTED, Pipeline
from infra.ci.webhook import SELECTOR
from infra.config import StackConfig

CASC = Path(__file__).with_name("casc")
CLOUDS: Mapping[str, tuple[str, ...]] = {TRUSTED: ("builds", "reviews"), REVIEWS: ("reviews",)}
"""Folder -> clouds, and so namespaces, in which its pipelines may have pods."""
FOLDERS = {
    TRUSTED: "What is on the main branch. May use the pods in which Secrets are.",
    REVIEWS: "What nobody has approved yet. Its pods are in a namespace without any Secret.",
}
GIT_CREDENTIAL = "git"
"""Credential with which a GitLab's private project is read; a server of our own needs none."""
WEBHOOK_SECRET = "%(webhook-secret)"  # noqa: S105 - a placeholder, see infra.ci.jcasc
PARAMETERS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "infra": (("stringParam", "REVIEW_NUMBER", "Number of the merge request"),),
    "comment": (
        ("stringParam", "REVIEW_NUMBER", "Number of the merge request"),
        ("textParam", "BODY", "What to write under it"),
    ),
}
"""Pipeline -> (kind, name, description)."""


def seed_jobs(stack: StackConfig) -> list[str]:
    """Return the Job DSL scripts of a stack with Jenkins: folders first, then the pipelines."""
    git = git_of(stack)
    if not git or not stack.ci.git:
        return []
    host = "gitlab" if stack.ci.git.gitlab else "gitea"
    folders = [
        _filled(
            "folder",
            PATH=path,
            DESCRIPTION=text,
            CLOUDS=", ".join(f"'{cloud}'" for cloud in CLOUDS[path]),
        )
        for path, text in FOLDERS.items()
    ]
    return [*folders, *(_pipeline(pipeline, git, host) for pipeline in PIPELINES)]


def _pipeline(pipeline: Pipeline, git: Git, host: str) -> str:
    trigger = ""
    if pipeline.starts_on == "schedule":
        trigger = _filled("trigger-schedule")
    elif pipeline.starts_on != "call":
        trigger = _filled(
            f"trigger-{host}-{pipeline.starts_on}",
            SELECTOR=SELECTOR,
            BRANCH=git.branch,
            WEBHOOK_SECRET=WEBHOOK_SECRET,
        )
    return _filled(
        "pipeline",
        PATH=pipeline.path,
        DESCRIPTION=pipeline.description,
        PARAMETERS="\n".join(
            f"{kind}('{name}', '', '{text}')" for kind, name, text in PARAMETERS.get(pipeline.name, ())
        ),
        PROPERTIES=trigger,
        URL=git.clone_url,
        CREDENTIALS=f"credentials('{GIT_CREDENTIAL}')" if host == "gitlab" else "",
        BRANCH=git.branch,
        SCRIPT=pipeline.script,
    )


def _filled(name: str, **values: str) -> str:
    """Return ``casc/NAME.groovy`` with ``@KEY@`` replaced; a text of several lines keeps its placeholder's indentation.

    Raises:
        KeyError: the file has a placeholder that ``values`` lacks.
    """

    def fill(match: re.Match[str]) -> str:
        return values[match["key"]].replace("\n", f"\n{match['indent'] or ''}")

    text = (CASC / f"{name}.groovy").read_text()
    filled = re.sub(r"(?P<indent>(?<=\n)[ ]+)?@(?P<key>[A-Z_]+)@", lambda m: (m["indent"] or "") + fill(m), text)
    return "\n".join(line for line in filled.splitlines() if line.strip()) + "\n"
