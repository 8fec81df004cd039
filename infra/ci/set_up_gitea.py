"""Makes what a Gitea must hold: an organisation, repositories, who may write, webhooks; run in a Job.

Standard library only, and safe to run again: what is there stays, but for webhooks, which are made anew.
Environment: GITEA_URL, ORGANISATION, REPOSITORIES (names, separated by spaces), WRITERS (accounts, separated by
spaces), ADMIN, FOLDER (with ``admin-password`` and the files of WEBHOOKS), WEBHOOKS (a list in JSON: ``repository``,
``url``, ``events``, ``secret_file``).
"""

import base64
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

WAIT_SECONDS = 120


class Api:
    """Gitea's HTTP API, as the administrator."""

    def __init__(self, url: str, login: str) -> None:
        """Take the server's address and ``USER:PASSWORD``."""
        self._url = f"{url}/api/v1"
        basic = base64.b64encode(login.encode()).decode()
        self._headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        """Return (status, answer); only refused logins and faults of the server are errors.

        Raises:
            SystemExit: the login was refused, or the server answered 5xx; the message names the call and the fix.
        """
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data=data, method=method, headers=self._headers)  # noqa: S310 - http(s)
        try:
            with urlopen(request, timeout=30) as response:  # noqa: S310 - the same
                text = response.read()
                return response.status, json.loads(text) if text else None
        except HTTPError as error:
            if error.code in (401, 403):
                sys.exit(
                    f"{method} {path}: Gitea refused the administrator ({error.code}): its pod sets the password "
                    "of aihub:gitAdminPassword at its start; restart it, then run `pulumi up` again"
                )
            if error.code >= 500:
                sys.exit(f"{method} {path}: Gitea answered {error.code}: {error.read().decode(errors='replace')[:300]}")
            return error.code, None


def wait_for(url: str) -> None:
    """Return once the server answers.

    Raises:
        SystemExit: it does not within WAIT_SECONDS.
    """
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with urlopen(f"{url}/api/healthz", timeout=5):  # noqa: S310 - http(s)
                return
        except (URLError, OSError) as error:
            if time.monotonic() > until:
                sys.exit(f"Gitea at {url} does not answer within {WAIT_SECONDS} s: {error}")
            time.sleep(2)


def ensure(api: Api, path: str, create_at: str, body: Mapping[str, Any]) -> None:
    """Make what lies at ``path`` unless it is there.

    Raises:
        SystemExit: it could not be made.
    """
    if api.call("GET", path)[0] == 200:
        return
    status, _ = api.call("POST", create_at, body)
    if status >= 400 and api.call("GET", path)[0] != 200:
        sys.exit(f"POST {create_at}: Gitea answered {status}")
    print(f"made {path}")


def ensure_webhook(api: Api, repository: str, url: str, events: Sequence[str], secret: str) -> None:
    """Make the webhook to ``url`` with the secret and the events of today, in place of the one that is there.

    A new one, since Gitea keeps the secret of one that is edited and says nothing (its routers/api/v1/utils/hook.go).
    It is made before the old one goes: no push between the two is told to nobody.

    Raises:
        SystemExit: Gitea refused it.
    """
    body = {
        "type": "gitea",
        "active": True,
        "events": events,
        "config": {"url": url, "content_type": "json", "secret": secret},
    }
    _, hooks = api.call("GET", f"/repos/{repository}/hooks?limit=50")
    status, _ = api.call("POST", f"/repos/{repository}/hooks", body)
    if status >= 400:
        sys.exit(f"webhook of {repository}: Gitea answered {status}; ALLOWED_HOST_LIST must have its host")
    for old in hooks or ():
        if old["config"].get("url") == url:
            api.call("DELETE", f"/repos/{repository}/hooks/{old['id']}")
    print(f"webhook of {repository} calls {url}")


def main(environment: Mapping[str, str]) -> None:
    """Do all of it."""
    url, organisation = environment["GITEA_URL"], environment["ORGANISATION"]
    secrets = Path(environment["FOLDER"])
    wait_for(url)
    api = Api(url, f"{environment['ADMIN']}:{(secrets / 'admin-password').read_text()}")
    ensure(api, f"/orgs/{organisation}", "/orgs", {"username": organisation, "visibility": "public"})
    for name in environment["REPOSITORIES"].split():
        repository = f"{organisation}/{name}"
        # Public within the cluster: builds of merge requests read it without a login, and so without a secret.
        made = {"name": name, "private": False, "auto_init": False, "default_branch": "main"}
        ensure(api, f"/repos/{repository}", f"/orgs/{organisation}/repos", made)
        for writer in environment["WRITERS"].split():
            status, _ = api.call("PUT", f"/repos/{repository}/collaborators/{writer}", {"permission": "write"})
            if status >= 400:
                sys.exit(f"{writer} may not write to {repository}: Gitea answered {status}")
    for webhook in json.loads(environment["WEBHOOKS"]):
        secret = (secrets / webhook["secret_file"]).read_text()
        ensure_webhook(api, f"{organisation}/{webhook['repository']}", webhook["url"], webhook["events"], secret)


if __name__ == "__main__":
    main(os.environ)
