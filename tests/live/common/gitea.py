"""The Git server: room `ci`'s own Gitea with its set-up Job, as stack `wsl` declares them, asked through its API.

Applied as recorded from the program; secrets are made as `make up` would make them.
"""

import base64
import copy
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from infra.ci.git import ADMIN, GITEA, GITEA_PORT, delivery_account, followed_project, organisation
from infra.ci.gitea_config import SECRET_FILES
from infra.ci.gitea_setup import COMPONENT as SETUP
from infra.ci.secret_files import WEBHOOK_FILES
from infra.config import StackConfig
from infra.delivery.argocd import REPOSITORY_SECRET, repository_files
from infra.program import deploy
from infra.recorder import Recording, record
from infra.secrets.files import fill
from infra.stackfile import placeholder_secrets
from ops.credentials import completed, wanted_by
from tests.live.common.configuration import kept, parsed
from tests.live.common.kube import Manifest, apply, get, kubectl, rolled_out, until

STACK, NAMESPACE = "wsl", "git"
SECRETS = ("gitea-secrets", f"{SETUP}-secrets")
FILES = {**SECRET_FILES, **WEBHOOK_FILES, "delivery-password": "${deliveryPassword}"}
"""What the two Secrets hold between them; a recording has no values."""
JOB_SECONDS = 240


@dataclass
class Gitea:
    """The running server; this machine reaches it by its Service's address, pods by its name."""

    stack: StackConfig = field(default_factory=lambda: parsed(kept(STACK)))
    """What is declared."""
    secrets: dict[str, str] = field(init=False, repr=False)
    """Everything secret that the stack wants."""
    url: str = ""
    _job: Manifest = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.secrets = completed({}, wanted_by(self.stack))

    def start(self) -> None:
        """Start it, with its accounts, and have its Job make the repositories and their webhooks."""
        recording = record(deploy, stack=STACK, config=kept(STACK), secrets=placeholder_secrets())
        found = self._declared(recording)
        (self._job,) = (each for each in found if each["kind"] == "Job")
        apply(sorted((each for each in found if each["kind"] != "Job"), key=lambda each: each["kind"] != "Namespace"))
        rolled_out("statefulset", GITEA, NAMESPACE, 300)
        service = get("service", GITEA, NAMESPACE)
        assert service is not None
        self.url = f"http://{service['spec']['clusterIP']}:{GITEA_PORT}"
        until("Gitea's API answers", self._answers, 30)
        self.set_up()

    def set_up(self) -> None:
        """Run the set-up Job, once more where it has run."""
        name = self._job["metadata"]["name"]
        kubectl("delete", "job", name, "--namespace", NAMESPACE, "--ignore-not-found")
        apply([self._job])

        def ended() -> str:
            job = get("job", name, NAMESPACE) or {}
            ends = [each["type"] for each in job.get("status", {}).get("conditions", ()) if each["status"] == "True"]
            return next((end for end in ends if end in ("Complete", "Failed")), "")

        end = until(f"Job {name} ends", ended, JOB_SECONDS)
        assert end == "Complete", kubectl("logs", f"job/{name}", "--namespace", NAMESPACE, "--tail=20", check=False)

    def _declared(self, recording: Recording) -> list[Manifest]:
        """Return the server, the Job and what belongs to them, with the secrets in the Secrets."""
        found = []
        for each in recording.objects():
            is_namespace = (each.kind, each.object_name) == ("Namespace", NAMESPACE)
            if is_namespace or recording.outermost(each).name in (GITEA, SETUP, *SECRETS):
                manifest = copy.deepcopy(each.properties)
                if each.kind == "Secret":
                    manifest["stringData"] = {file: fill(text, self.secrets) for file, text in FILES.items()}
                found.append(manifest)
        return found

    @property
    def source(self) -> str:
        """Project of the source, which is built."""
        git = self.stack.ci.git
        assert git
        return f"{organisation(self.stack)}/{git.repository}"

    @property
    def tree(self) -> str:
        """Project of the tree that Argo CD follows."""
        return f"{organisation(self.stack)}/{followed_project(self.stack)}"

    @property
    def projects(self) -> tuple[str, str]:
        """Both."""
        return self.source, self.tree

    @property
    def tree_url(self) -> str:
        """Address of that tree, as pods reach it."""
        return str(self.stack.delivery.repository)

    @property
    def tree_account(self) -> str:
        """Account that delivery reads and writes with."""
        account = delivery_account(self.stack)
        assert account
        return account

    def argocd_login(self) -> Manifest:
        """Return the Secret that makes the tree known to Argo CD."""
        files = repository_files(self.tree_url, self.tree_account)
        labels = {"argocd.argoproj.io/secret-type": "repository"}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": REPOSITORY_SECRET, "namespace": self.stack.delivery.namespace, "labels": labels},
            "stringData": {file: fill(text, self.secrets) for file, text in files.items()},
        }

    @property
    def authorization(self) -> str:
        """The value of the header that opens everything."""
        return "Basic " + base64.b64encode(f"{ADMIN}:{self.secrets['gitAdminPassword']}".encode()).decode()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request to the API and return its JSON."""
        request = urllib.request.Request(
            f"{self.url}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": self.authorization, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()[:500]!r}") from None

    def _answers(self) -> bool:
        """Say whether the API can be reached: a Service leads to its pod a moment after that is ready."""
        try:
            return bool(self.ask("GET", "/version"))
        except OSError:
            return False

    @contextmanager
    def private(self, project: str) -> Iterator[None]:
        """Have a project read only by who logs in; the Job makes it public within the cluster."""
        self.ask("PATCH", f"/repos/{project}", {"private": True})
        try:
            yield
        finally:
            self.ask("PATCH", f"/repos/{project}", {"private": False})

    def webhooks(self, project: str) -> list[dict[str, Any]]:
        """Return who is told of pushes to a project."""
        return list(self.ask("GET", f"/repos/{project}/hooks"))

    def spoil_webhook(self, project: str) -> None:
        """Put a webhook with a wrong secret in the place of the project's one, and have it sent."""
        (right,) = self.webhooks(project)
        self.ask("DELETE", f"/repos/{project}/hooks/{right['id']}")
        config = {**right["config"], "secret": "not the secret"}
        wrong = {"type": "gitea", "active": True, "events": right["events"], "config": config}
        number = self.ask("POST", f"/repos/{project}/hooks", wrong)["id"]
        self.ask("POST", f"/repos/{project}/hooks/{number}/tests?ref={self.stack.delivery.branch}")
