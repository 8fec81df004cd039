"""Everything that the chain needs: node, Git server, Argo CD, Rollouts, Pulumi's part, both repositories."""

import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from cluster import node
from cluster.images import BASE_IMAGE
from cluster.settings import NODE_ADDRESS, REGISTRY, load
from infra.gitops import declare_workload, tree
from infra.recorder import record
from infra.stackfile import placeholder_secrets
from ops import access, providers
from ops.credentials import Credentials, completed, keep, wanted_by
from ops.engine import Engine, build_files
from ops.paths import CHECKOUT, PRIVATE, StackPaths
from ops.progress import Progress
from ops.up import engine_binaries
from tests.live.wsl import jenkins, parts, rollback
from tests.live.wsl.gitea import INSIDE, USER, Gitea
from tests.live.wsl.jenkins import Jenkins
from tests.live.wsl.kube import apply, get, rolled_out
from tests.live.wsl.repository import Repository
from tests.live.wsl.stages import Stages
from tests.live.wsl.updater import Updater
from tests.live.wsl.visitors import Visitors
from toolchain.ensure import ensure_all
from toolchain.golang import forget_build_files
from toolchain.tools import LIVE

HERE = Path(__file__).parent
URL = "http://127.0.0.1:31302"
GITOPS = f"{INSIDE}/{USER}/gitops.git"
BUILD_FILES = {"AIHUB_BUILD_CA": "ca.crt", "AIHUB_BUILD_PIP_CONF": "pip.conf"}


class LivePaths(StackPaths):
    """The files of stack ``wsl`` as it is run here: its name, with the configuration of this folder."""

    @property
    def directory(self) -> Path:
        """A folder of its own, so that a real stack ``wsl`` of this checkout is left alone."""
        directory = PRIVATE / "live"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory

    @property
    def declared_config(self) -> Path:
        """What Pulumi declares here."""
        return HERE / "stack.yaml"


@dataclass
class Platform:
    """The running chain."""

    gitea: Gitea
    service: Repository
    """Source of the service."""
    manifests: Repository
    """The tree that Argo CD follows."""
    jenkins: Jenkins
    updater: Updater
    visitors: Visitors
    stages: Stages


def say(line: str) -> None:
    """Tell the person."""
    print(line, file=sys.stderr, flush=True)


def bring_up(folder: Path) -> Platform:
    """Bring all of it up; ``folder`` takes the working copies."""
    ensure_all(LIVE, say)
    node.up(say)
    parts.import_images(load(), say)
    parts.install_rollouts()
    parts.install_argocd(secrets.token_urlsafe(32))
    parts.define_image_updater()
    gitea = Gitea()
    gitea.start(NODE_ADDRESS)
    api_key = _pulumi_up(gitea.password)
    stages = Stages()
    registry = get("service", "registry", "registry")
    assert registry is not None
    builds = Jenkins(jenkins.builder(registry["spec"]["clusterIP"]), stages)
    _push_base()
    files = {BUILD_FILES[name]: Path(path).read_text() for name, path in build_files().items()}
    apply(jenkins.namespace(files, gitea.password))
    apply([_argocd_login(gitea)])
    service, manifests = (Repository(gitea, name, folder / name) for name in ("service", "gitops"))
    for repository in (service, manifests):
        repository.make()
    _fill_service(service)
    _fill_manifests(manifests)
    rollback.install(GITOPS, USER, gitea.password)
    for kind, name in (("deployment", "argocd-repo-server"), ("statefulset", "argocd-application-controller")):
        rolled_out(kind, name, "argocd", 180)
    rolled_out("deployment", "argo-rollouts", "argo-rollouts", 120)
    return Platform(
        gitea=gitea,
        service=service,
        manifests=manifests,
        jenkins=builds,
        updater=Updater(manifests, jenkins.REPOSITORY),
        visitors=Visitors(URL, api_key),
        stages=stages,
    )


def _pulumi_up(git_password: str) -> str:
    """Have Pulumi declare its part; return the chat's API key."""
    paths = LivePaths("wsl")
    binaries = engine_binaries(Progress("make live"))
    forget_build_files()
    reach = access.of_stack(paths)
    engine = Engine(
        paths=paths,
        binaries=binaries,
        providers=providers.for_up(binaries[0]),
        kubeconfig=reach.kubeconfig,
        variables=reach.variables,
    )
    stack = rollback.parsed(yaml.safe_load(paths.declared_config.read_text())["config"])
    values = completed({"deliveryPassword": git_password}, wanted_by(stack))
    keep(paths, values)
    credentials = Credentials(values=values, wanted=wanted_by(stack))
    engine.prepare(credentials)
    engine.run("up", "--yes", "--skip-preview", "--suppress-outputs", "--refresh")
    return credentials.api_key


def _push_base() -> None:
    """Give the registry the base image: what is built inside the cluster can only start from what it can pull."""
    target = f"docker://{REGISTRY}/aihub/base:bookworm"
    command = ["buildah", "push", "--quiet", "--tls-verify=false", BASE_IMAGE, target]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-800:]


def _argocd_login(gitea: Gitea) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "repository-gitops",
            "namespace": "argocd",
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": {"url": GITOPS, "username": USER, "password": gitea.password},
    }


def _fill_service(service: Repository) -> None:
    """Push the checkout's own service, as Git would hold it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "service"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        target = service.folder / name
        if (CHECKOUT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, target)
    service.commit_and_push("The service as it is")


def _fill_manifests(manifests: Repository) -> None:
    """Push the tree that `make render STACK=wsl` writes, without what this node cannot keep (differences.yaml)."""
    config = rollback.wsl(GITOPS, USER)
    recording = record(declare_workload, stack="wsl", config=config, secrets=placeholder_secrets())
    for name, text in tree("wsl", rollback.parsed(config), recording).items():
        (manifests.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (manifests.folder / name).write_text(text)
    manifests.commit_and_push("make render STACK=wsl")
