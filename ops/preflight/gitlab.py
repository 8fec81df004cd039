"""May the token do in GitLab what `pulumi up` will do with it? Its provider says so only in the middle of it all."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from infra.ci.git import followed_project
from infra.ci.webhook import argocd_webhook
from infra.config import StackConfig
from ops.clients.gitlab import CORRECT, GitLab
from ops.credentials import kept
from ops.errors import OpsError
from ops.machine import Finding
from ops.paths import StackPaths

TOKEN_KEY = "gitToken"  # noqa: S105 - its name
SCOPE = "api"
RIGHTS = {"hooks": "webhooks", "deploy_tokens": "deploy tokens"}
"""What only a Maintainer sees and makes: the API's path -> its name."""
ROLES = {
    5: "Minimal Access",
    10: "Guest",
    15: "Planner",
    20: "Reporter",
    30: "Developer",
    40: "Maintainer",
    50: "Owner",
}
"""Access level -> the role's name."""
_TOKEN = re.compile(r"[!-~]+")
"""What may stand in a header."""


def looks(name: str, stack: StackConfig, token: str | None = None) -> list[Finding]:
    """Return what is to be said about a stack's GitLab and a token; nothing where it uses none.

    Args:
        name: of the stack.
        stack: its configuration.
        token: None: the one that was given before.
    """
    git = stack.ci.git
    if not git or not git.gitlab:
        return []
    token = kept(StackPaths(name)).get(TOKEN_KEY, "") if token is None else token
    renew = f"make secret STACK={name} NAME={TOKEN_KEY}"
    if not token:
        return [Finding(name="GitLab", ok=False, says=f"{TOKEN_KEY} was not given yet", fix=renew)]
    wanted = {git.gitlab.project: ("ci.git.gitlab.project", tuple(RIGHTS))}
    if argocd_webhook(stack):
        wanted.setdefault(followed_project(stack), ("delivery.repository", ("hooks",)))
    return findings(git.gitlab.url, token, renew, wanted)


def findings(url: str, token: str, renew: str, wanted: Mapping[str, tuple[str, Sequence[str]]]) -> list[Finding]:
    """Return one finding on the token, and where it is known one on each project.

    Args:
        url: address of the GitLab.
        token: the access token.
        renew: command that sets another one.
        wanted: path of a project -> the field that names it, and which of RIGHTS are needed there.
    """
    try:
        if not _TOKEN.fullmatch(token):
            raise OpsError(f"{TOKEN_KEY} holds a space, a line break or a letter that no token has", renew)
        gitlab = GitLab(url, token)
        until = demand_token(gitlab, renew)
    except OpsError as error:
        return [Finding(name="GitLab", ok=False, says=error.problem, fix=error.fix)]
    says = f"{gitlab.url} knows the token" + (f", until {until}" if until else "")
    found = [Finding(name="GitLab", ok=True, says=says)]
    for project, (field, rights) in wanted.items():
        name, makes = f"GitLab {project}", " and ".join(RIGHTS[right] for right in rights)
        try:
            demand_project(gitlab, project, field, rights, renew)
            found.append(Finding(name=name, ok=True, says=f"the token may make {makes}"))
        except OpsError as error:
            found.append(Finding(name=name, ok=False, says=error.problem, fix=error.fix))
    return found


def demand_token(gitlab: GitLab, renew: str) -> str:
    """Look whether the token is known and has its scope; return its last day, empty where it has none.

    Raises:
        OpsError: it is not so; which of all, and what to do.
    """
    # Any token may see itself, whatever its scopes (GitLab's lib/api/personal_access_tokens/self_information.rb).
    answer = gitlab.ask("personal_access_tokens/self")
    match answer.status:
        case 200:
            scopes = [str(scope) for scope in answer.fields.get("scopes") or ()]
            if SCOPE in scopes:
                return str(answer.fields.get("expires_at") or "")
            raise OpsError(
                f"the token's scopes are {', '.join(scopes) or 'none'}: webhooks and deploy tokens need {SCOPE}",
                f"make a token with scope {SCOPE} and role Maintainer, then: {renew}",
            )
        case 400:
            raise OpsError(f"{gitlab.url}: this is no personal, project or group access token", renew)
        case 401:
            raise OpsError(f"{gitlab.url} refuses the token: it {_why(answer.fields)}", renew)
        case 404:
            raise OpsError(
                f"{gitlab.url} tells no token about itself: it is older than GitLab 15.5, or something else",
                f"{CORRECT}, or have that GitLab raised",
            )
    raise _refused(gitlab, answer.path, answer.status, renew)


def demand_project(gitlab: GitLab, project: str, field: str, rights: Sequence[str], renew: str) -> None:
    """Look whether the token sees a project, and there what only a Maintainer sees.

    The project's ``permissions`` alone would not do: they leave out what comes from a group further up, or an invited
    one (gitlab-org/gitlab issue 3754).

    Raises:
        OpsError: it is not so; which of all, and what to do.
    """
    path = f"projects/{quote(project, safe='')}"
    answer = gitlab.ask(path)
    if answer.status == 404:
        raise OpsError(
            f"there is no project {project}, or none that the token sees",
            f"correct {field}, or take a token of that project (of a group or a person, where there are two): {renew}",
        )
    if answer.status != 200:
        raise _refused(gitlab, answer.path, answer.status, renew)
    for right in rights:
        seen = gitlab.ask(f"{path}/{right}?per_page=1")
        if seen.status == 403:
            role = _role(answer.fields.get("permissions")) or "below Maintainer"
            raise OpsError(
                f"the token may make no {RIGHTS[right]}: its role is {role}, and they need Maintainer",
                f"make a token with scope {SCOPE} and role Maintainer, then: {renew}",
            )
        if seen.status != 200:
            raise _refused(gitlab, seen.path, seen.status, renew)


def _refused(gitlab: GitLab, path: str, status: int, renew: str) -> OpsError:
    return OpsError(
        f"{gitlab.url} refuses the token: {path} of its API answers {status}",
        "look in GitLab whether the token's account is blocked, must accept terms, or may not come from this address; "
        f"or take another token: {renew}",
    )


def _why(said: Mapping[str, Any]) -> str:
    """Return what is wrong with a token; the server's own words are not repeated."""
    words = str(said.get("error_description") or "").lower()
    if "expired" in words:
        return "has expired"
    return "was revoked" if "revoked" in words else "is wrong, or its account is gone"


def _role(permissions: Any) -> str:
    """Return the highest role that a project's ``permissions`` name; empty: they name none."""
    given = permissions.values() if isinstance(permissions, dict) else ()
    levels = [each["access_level"] for each in given if isinstance(each, dict) and each.get("access_level")]
    return ROLES.get(max(levels), "") if levels else ""
