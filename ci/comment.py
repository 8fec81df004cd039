"""Writes $BODY under merge request $REVIEW_NUMBER, in Gitea or GitLab; standard library only.

The account and its password or token lie in the folder $GIT_ROBOT (default: /etc/git-robot), as ``username`` and
``password``. The address comes from Jenkins' configuration: AIHUB_GIT_URL, AIHUB_GIT_PROJECT, AIHUB_GIT_KIND.
"""

import base64
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

LIMIT = 60_000
"""Characters; GitLab takes a million, people read fewer."""


def comment_request(environment: Mapping[str, str], username: str, password: str) -> Request:
    """Return the call that writes the comment.

    Raises:
        SystemExit: REVIEW_NUMBER is no number.
    """
    number, project = environment["REVIEW_NUMBER"], environment["AIHUB_GIT_PROJECT"]
    if not re.fullmatch(r"[0-9]+", number):
        sys.exit("REVIEW_NUMBER is not the number of a merge request")
    headers = {"Content-Type": "application/json"}
    if environment["AIHUB_GIT_KIND"] == "gitlab":
        path = f"/api/v4/projects/{quote(project, safe='')}/merge_requests/{number}/notes"
        headers["PRIVATE-TOKEN"] = password
    else:
        path = f"/api/v1/repos/{project}/issues/{number}/comments"
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    body = json.dumps({"body": environment["BODY"][:LIMIT]}).encode()
    return Request(environment["AIHUB_GIT_URL"] + path, data=body, headers=headers, method="POST")  # noqa: S310 - a stack's field


def main(environment: Mapping[str, str]) -> None:
    """Write it.

    Raises:
        SystemExit: the Git server refused it; the message says what to renew.
    """
    folder = Path(environment.get("GIT_ROBOT", "/etc/git-robot"))
    username, password = ((folder / name).read_text() for name in ("username", "password"))
    try:
        with urlopen(comment_request(environment, username, password), timeout=30) as answer:  # noqa: S310 - the same
            print(f"written: {answer.status}")
    except HTTPError as error:
        sys.exit(f"the Git server answered {error.code}: renew the account that comments (docs/ci.md, Git token)")
    except URLError as error:
        sys.exit(f"the Git server does not answer ({error.reason}): the comment is not written; run this build again")


if __name__ == "__main__":
    main(os.environ)
