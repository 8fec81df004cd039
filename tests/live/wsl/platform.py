"""Everything that the chain needs: node, Git server, Argo CD, Rollouts, Pulumi's part, both repositories."""

import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster import node
from cluster.images import BASE_IMAGE
from cluster.settings import REGISTRY, load
from infra.ci.webhook import argocd_webhook
from infra.gitops import declare_workload, tree
from infra.recorder import record
from infra.stackfile import placeholder_secrets
from ops.engine import build_files
from ops.paths import CHECKOUT
from tests.live.common import parts
from tests.live.common.configuration import parsed
from tests.live.common.gitea import Gitea
from tests.live.common.kube import apply, get, rolled_out
from tests.live.common.repository import Repository
from tests.live.wsl import argocd_server, jenkins, rollback
from tests.live.wsl.declared import Declared
from tests.live.wsl.jenkins import Jenkins
from tests.live.wsl.stages import Stages
from tests.live.wsl.updater import Updater
from tests.live.wsl.visitors import Visitors
from toolchain.ensure import ensure_all
from toolchain.tools import LIVE

URL = "http://127.0.0.1:31302"
POLL_SECONDS = 60
"""How often Argo CD looks at Git by itself, as in stack `wsl`: what a webhook told it while it was away it finds so."""
BUILD_FILES = {"AIHUB_BUILD_CA": "ca.crt", "AIHUB_BUILD_PIP_CONF": "pip.conf"}


@dataclass
class Platform:
    """The running chain."""

    declared: Declared
    gitea: Gitea
    service: Repository
    """Source of the service."""
    manifests: Repository
    """The tree that Argo CD follows."""
    jenkins: Jenkins
    updater: Updater
    visitors: Visitors
    stages: Stages

    def roll_out_by(self, strategy: str) -> None:
        """Change `chat.api.rollout`, as a person would: `make up`, then `make render` and a commit of the tree."""
        self.declared.up(strategy)
        self.manifests.take_over()
        _fill_manifests(self.manifests, strategy)


def say(line: str) -> None:
    """Tell the person."""
    print(line, file=sys.stderr, flush=True)


def bring_up(folder: Path) -> Platform:
    """Bring all of it up; ``folder`` takes the working copies."""
    ensure_all(LIVE, say)
    node.up(say)
    parts.import_images(load(), say)
    parts.install_rollouts()
    gitea = Gitea()
    _install_argocd(gitea)
    parts.define_image_updater()
    declared = Declared(gitea.secrets["deliveryPassword"])
    declared.up()
    _push_base()
    gitea.start()
    stages = Stages()
    registry = get("service", "registry", "registry")
    assert registry is not None
    builds = Jenkins(gitea, jenkins.builder(registry["spec"]["clusterIP"]), stages)
    files = {BUILD_FILES[name]: Path(path).read_text() for name, path in build_files().items()}
    apply([*jenkins.namespace(files, gitea), *builds.entrance(), gitea.argocd_login()])
    for kind, name in (
        ("deployment", "argocd-repo-server"),
        ("statefulset", "argocd-application-controller"),
        ("deployment", argocd_server.NAME),
    ):
        rolled_out(kind, name, "argocd", 180)
    rolled_out("deployment", "argo-rollouts", "argo-rollouts", 120)
    service = Repository(gitea, gitea.source, folder / "service")
    manifests = Repository(gitea, gitea.tree, folder / "gitops")
    for repository in (service, manifests):
        repository.make()
    _fill_service(service)
    _fill_manifests(manifests)
    rollback.install(gitea)
    return Platform(
        declared=declared,
        gitea=gitea,
        service=service,
        manifests=manifests,
        jenkins=builds,
        updater=Updater(manifests, jenkins.REPOSITORY),
        visitors=Visitors(URL, declared.api_key),
        stages=stages,
    )


def _push_base() -> None:
    """Give the registry the base image: what is built inside the cluster can only start from what it can pull."""
    target = f"docker://{REGISTRY}/aihub/base:bookworm"
    command = ["buildah", "push", "--quiet", "--tls-verify=false", BASE_IMAGE, target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-800:]


def _install_argocd(gitea: Gitea) -> None:
    """Start Argo CD's core and its server, with the secret of the webhook as room `delivery` gives it to them."""
    webhook = argocd_webhook(gitea.stack)
    assert webhook
    settings = {
        "server.secretkey": secrets.token_urlsafe(32),
        webhook.setting: gitea.secrets["argocdWebhookSecret"],
    }
    parts.install_argocd(settings, POLL_SECONDS)
    argocd_server.install()


def _fill_service(service: Repository) -> None:
    """Put the checkout's own service into the working copy, as Git would hold it; a test pushes it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "service"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = service.folder / name
        if (CHECKOUT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, target)


def _fill_manifests(manifests: Repository, strategy: str = "canary") -> None:
    """Push the tree that `make render STACK=wsl` writes, without what this node cannot keep (differences.yaml)."""
    config = rollback.wsl(strategy)
    recording = record(declare_workload, stack="wsl", config=config, secrets=placeholder_secrets())
    for name, text in tree("wsl", parsed(config), recording).items():
        if "/overlays/" in name and (manifests.folder / name).exists():
            continue  # others write there
        (manifests.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (manifests.folder / name).write_text(text)
    manifests.commit_and_push(f"make render STACK=wsl ({strategy})")
