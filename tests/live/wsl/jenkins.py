"""A stand-in for Jenkins: takes the webhook, and has the room `ci`'s own pod build the commit.

What it shares with the real one: the address that Gitea calls, the webhook's signature and its refusal (401 in place of
the plugin's 403), the pod, the build step, the tag.
"""

import hashlib
import hmac
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cluster.settings import NODE_ADDRESS, REGISTRY
from infra.ci.build_pod import Build, Builder, Source, build_pod
from infra.ci.git import git_of
from infra.ci.webhook import webhooks
from tests.live.common.gitea import Gitea
from tests.live.common.kube import Manifest, apply, get, kubectl, until
from tests.live.common.parts import BUILDKIT_IMAGE
from tests.live.wsl.stages import Stages

NAMESPACE, PORT = "builds", 18099
REPOSITORY = f"{REGISTRY}/aihub/api"
BUILD_SECONDS = 900
GIT_LOGIN = "git-login"
TAG_LENGTH = 8


def tag_of(commit: str) -> str:
    """Return the tag of the image that a commit becomes."""
    return commit[:TAG_LENGTH]


def builder(registry_address: str) -> Builder:
    """Return the room's builder, sized for this machine."""
    return Builder(
        kind="buildkit",
        image=BUILDKIT_IMAGE,
        namespace=NAMESPACE,
        service_account="build",
        registry_host=REGISTRY,
        registry_plain_http=True,
        base_image=f"{REGISTRY}/aihub/base:bookworm",
        cpu_millicores=2000,
        memory_mib=3072,
        deadline_seconds=BUILD_SECONDS,
        cache_claim="build-cache",
        cache_gib=8,
        build_secrets="build-secrets",
        # The cluster's DNS does not know the name that the node knows the registry by.
        host_aliases={REGISTRY.partition(":")[0]: registry_address},
    )


def namespace(files: dict[str, str], gitea: Gitea) -> list[Manifest]:
    """Return what builds need: a namespace that admits rootless BuildKit, an account, a cache, the logins."""
    metadata = {"namespace": NAMESPACE}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            # Its own user namespace needs system calls that Pod Security `baseline` forbids.
            "metadata": {"name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "privileged"}},
        },
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "build", **metadata}},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "build-cache", **metadata},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "8Gi"}}},
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "build-secrets", **metadata},
            "stringData": files,
        },
        git_login(GIT_LOGIN, gitea.tree_account, gitea.secrets["deliveryPassword"]),
    ]


def git_login(name: str, username: str, password: str) -> Manifest:
    """Return a Secret with a login to the Git server."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {"username": username, "password": password},
    }


@dataclass
class Jenkins:
    """The receiver and what it has built."""

    gitea: Gitea
    builder: Builder
    stages: Stages
    refused: int = 0
    """Webhooks whose signature was wrong."""
    builds: dict[str, str] = field(default_factory=dict)
    """Commit -> the last word of its build."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    @property
    def address(self) -> str:
        """Where the Git server calls it."""
        (call,) = webhooks(self.gitea.stack)
        return call.url

    def entrance(self) -> list[Manifest]:
        """Return what leads from Jenkins' Service, as the chart would make it, to this machine."""
        url = urlsplit(self.address)
        name, namespace, _ = str(url.hostname).split(".")
        metadata = {"name": name, "namespace": namespace}
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": metadata,
                "spec": {"ports": [{"port": url.port, "targetPort": PORT}]},
            },
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4",
                "ports": [{"port": PORT}],
                "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
            },
        ]

    def build(
        self,
        commit: str,
        context: str = "service",
        target: str | None = "api",
        login: str = GIT_LOGIN,
        **changed: Any,
    ) -> str:
        """Build one commit in a pod of its own and return the pod's last word.

        Args:
            commit: what to build.
            context: folder with the Dockerfile.
            target: its stage.
            login: Secret with the login to the Git server.
            **changed: fields of the builder that are otherwise for this build.
        """
        git = git_of(self.gitea.stack)
        assert git
        source = Source(url=git.clone_url, revision=commit, git_image=BUILDKIT_IMAGE, login=login)
        build = Build(context=context, repository=REPOSITORY, tags=(tag_of(commit),), target=target)
        name = f"build-{tag_of(commit)}-{next(self._numbers)}"
        apply([build_pod(name, replace(self.builder, **changed), source, build)])

        def ended() -> Manifest | None:
            pod = get("pod", name, NAMESPACE)
            return pod if pod and pod["status"].get("phase") in ("Succeeded", "Failed") else None

        pod = until(f"pod {name} ends", ended, BUILD_SECONDS + 60)
        word = last_word(pod)
        if pod["status"]["phase"] == "Failed":
            log = kubectl("logs", name, "--namespace", NAMESPACE, "--all-containers", "--tail=60", check=False)
            word = f"FAILED: {word}\n{log}"
        self.builds[commit] = word
        return word

    def received(self, signature: str, body: bytes) -> int:
        """Take a webhook and return its status: 401 for a wrong signature, never a silent 200."""
        expected = hmac.new(self.gitea.secrets["gitWebhookSecret"].encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, expected):
            self.refused += 1
            return 401
        push: dict[str, Any] = json.loads(body)
        if push.get("ref") == "refs/heads/main" and push["after"] not in self.builds:
            self.stages.mark("webhook", push["after"])
            self.builds[push["after"]] = ""
            threading.Thread(target=self._build_and_mark, args=(push["after"],), daemon=True).start()
        return 200

    def _build_and_mark(self, commit: str) -> None:
        word = self.build(commit)
        if word.startswith("Pushed"):
            self.stages.mark("image", commit)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take webhooks for so long."""
        jenkins, url = self, urlsplit(self.address)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                is_its = self.path == f"{url.path}?{url.query}"
                status = jenkins.received(self.headers.get("X-Gitea-Signature", ""), body) if is_its else 404
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((NODE_ADDRESS, PORT), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def last_word(pod: Manifest) -> str:
    """Return what the first failed container, or else the last one, said at its end."""
    states = [*pod["status"].get("initContainerStatuses", []), *pod["status"].get("containerStatuses", [])]
    ended = [state["state"]["terminated"] for state in states if "terminated" in state["state"]]
    failed = [each for each in ended if each["exitCode"]]
    return str((failed or ended or [{}])[0 if failed else -1].get("message", "")).strip()
