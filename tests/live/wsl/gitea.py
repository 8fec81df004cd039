"""The Git server: Gitea on SQLite, started, filled and asked through its API."""

import base64
import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from tests.live.wsl.kube import Manifest, apply, get, kubectl, rolled_out, until
from tests.live.wsl.parts import GITEA_IMAGE

NAMESPACE, USER, PORT = "git", "platform", 3000
INSIDE = f"http://gitea.{NAMESPACE}.svc.cluster.local:{PORT}"
LABELS = {"app.kubernetes.io/name": "gitea"}


def _configuration(receiver: str) -> str:
    return f"""\
APP_NAME = aihub
RUN_USER = git
RUN_MODE = prod
[server]
HTTP_PORT = {PORT}
ROOT_URL = {INSIDE}/
STATIC_ROOT_PATH = /usr/share/gitea
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = /data/gitea.db
[repository]
ROOT = /data/repositories
[security]
INSTALL_LOCK = true
SECRET_KEY = {secrets.token_hex(32)}
INTERNAL_TOKEN = {secrets.token_hex(64)}
[oauth2]
ENABLED = false
[service]
DISABLE_REGISTRATION = true
[actions]
ENABLED = false
[indexer]
ISSUE_INDEXER_TYPE = db
[session]
PROVIDER = memory
[webhook]
; Nothing but the receiver: else whoever may write a webhook could have any address of the cluster asked.
ALLOWED_HOST_LIST = {receiver}
[log]
LEVEL = warn
"""


def _manifests(receiver: str) -> list[Manifest]:
    metadata = {"name": "gitea", "namespace": NAMESPACE, "labels": LABELS}
    container = {
        "name": "gitea",
        "image": GITEA_IMAGE,
        "imagePullPolicy": "Never",
        # Gitea writes into its configuration file, and a Secret cannot be written.
        "command": ["sh", "-c", "cp /etc/gitea/app.ini /data/app.ini && exec gitea web --config /data/app.ini"],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/api/healthz", "port": "http"}, "periodSeconds": 2},
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "configuration", "mountPath": "/etc/gitea", "readOnly": True},
        ],
    }
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "data", "emptyDir": {"sizeLimit": "2Gi"}},
            {"name": "configuration", "secret": {"secretName": "gitea"}},
        ],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "stringData": {"app.ini": _configuration(receiver)},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata,
            "spec": {
                "replicas": 1,
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": LABELS, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]},
        },
    ]


@dataclass
class Gitea:
    """The running server; this machine reaches it by its Service's address, pods by its name."""

    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    url: str = ""

    def start(self, receiver: str) -> None:
        """Start it and make its one account."""
        apply(_manifests(receiver))
        rolled_out("deployment", "gitea", NAMESPACE, 180)
        service = get("service", "gitea", NAMESPACE)
        assert service is not None
        self.url = f"http://{service['spec']['clusterIP']}:{PORT}"
        account = ["--admin", "--username", USER, "--email", "platform@aihub.local", "--must-change-password=false"]
        create = ["gitea", "admin", "user", "create", "--config", "/data/app.ini", *account]
        # By standard input: an argument could be read by any process of this machine.
        command = f'read -r password; exec {" ".join(create)} --password "$password"'
        kubectl(
            "exec", "--stdin", "--namespace", NAMESPACE, "deployment/gitea", "--", "sh", "-c", command,
            stdin=self.password + "\n",
        )  # fmt: skip
        until("Gitea's API answers", self._answers, 30)

    @property
    def authorization(self) -> str:
        """The value of the header that opens everything."""
        return "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode()

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

    def make_repository(self, name: str) -> None:
        """Make an empty private repository."""
        self.ask("POST", "/user/repos", {"name": name, "private": True, "default_branch": "main"})

    def make_webhook(self, repository: str, url: str, secret: str) -> int:
        """Have pushes to a repository announced at ``url``; return the webhook's number."""
        hook = {
            "type": "gitea",
            "active": True,
            "events": ["push"],
            "config": {"url": url, "content_type": "json", "secret": secret},
        }
        return int(self.ask("POST", f"/repos/{USER}/{repository}/hooks", hook)["id"])

    def try_webhook(self, repository: str, number: int) -> None:
        """Have the server send a webhook for the newest commit."""
        self.ask("POST", f"/repos/{USER}/{repository}/hooks/{number}/tests?ref=main")

    def remove_webhook(self, repository: str, number: int) -> None:
        """Have nothing announced any more."""
        self.ask("DELETE", f"/repos/{USER}/{repository}/hooks/{number}")
