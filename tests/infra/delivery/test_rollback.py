"""What a failed rollout leaves in Git: a real repository, and an API server that answers from a table."""

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from infra.config import parse
from infra.delivery import rollback
from infra.delivery.image_updater import refused
from infra.delivery.rollback import Checkout, RollbackError, main, tags_of, with_refused, with_tags
from tests.infra.support import CONFIGS, config_file

ROLLOUT = "/apis/argoproj.io/v1alpha1/namespaces/chat/rollouts/api"
REPLICAS = "/apis/apps/v1/namespaces/chat/replicasets/api-5d9"
ENGINE_DEPLOYMENT = "/apis/apps/v1/namespaces/chat/deployments/engine"
UPDATER = "/apis/argocd-image-updater.argoproj.io/v1alpha1/namespaces/argocd/imageupdaters/chat"
OVERLAY, REFUSED = "apps/backend-chat/kustomization.yaml", "apps/updates-chat/refused.yaml"
API, ENGINE = "registry.local:5000/aihub/api", "registry.local:5000/aihub/engine"
GOOD, BAD = "0a1b2c3", "7654321"


def pods(tag: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "api", "image": f"{API}:{tag}"}]}}}


def failed_rollout(**status: Any) -> dict[str, Any]:
    whole = {"abort": True, "observedGeneration": "4", "stableRS": "5d9", "currentPodHash": "77c", **status}
    return {"metadata": {"name": "api", "generation": 4}, "spec": pods(BAD), "status": whole}


def overlay(api: str, engine: str) -> str:
    return (
        f"# whose it is\nkind: Kustomization\nimages:\n- name: {API}\n  newTag: {api}\n"
        f'- newTag: "{engine}" # by a pipeline\n  name: {ENGINE}\nresources:\n- ../../base\n'
    )


class Cluster:
    """An API server that knows what stands in ``objects``."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {
            ROLLOUT: failed_rollout(),
            REPLICAS: {"spec": pods(GOOD)},
            UPDATER: {"spec": {"commonUpdateSettings": {"ignoreTags": ["latest"]}}},
        }
        self.asked: list[str] = []
        self.absent = {"status": 403}
        """What it answers to the rest: 403 to whom it is hidden from, 404 where there is none."""
        objects, asked, absent = self.objects, self.asked, self.absent

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                body = json.dumps(objects.get(self.path, {})).encode()
                self.send_response(200 if self.path in objects else absent["status"])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    Thread(target=running.server.serve_forever, daemon=True).start()
    yield running
    running.server.shutdown()
    running.server.server_close()


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=someone", "-c", "user.email=someone@aihub.invalid")
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout


class Repository:
    """A bare repository, and somebody's clone of it."""

    def __init__(self, directory: Path) -> None:
        self.bare, self.clone = directory / "gitops.git", directory / "clone"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare)], check=True)
        subprocess.run(["git", "clone", "--quiet", str(self.bare), str(self.clone)], check=True, capture_output=True)
        git(self.clone, "checkout", "--quiet", "-B", "main")

    def push(self, message: str, **files: str) -> None:
        for name, text in files.items():
            path = self.clone / {"overlay": OVERLAY, "refused": REFUSED}[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", message)
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")

    def pull(self) -> None:
        git(self.clone, "pull", "--quiet", "--rebase", "origin", "main")

    def text(self, file: str) -> str:
        return git(self.bare, "show", f"main:{file}")

    def log(self) -> list[str]:
        return git(self.bare, "log", "--format=%s", "main").splitlines()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    stack = parse(config_file(CONFIGS / "valid/delivery-of-our-own.yaml"))
    made.push("render", overlay=overlay("0.1.0", "0.1.0"), refused=refused(stack))
    made.push("images", overlay=overlay(GOOD, GOOD))
    made.push("images", overlay=overlay(BAD, BAD))
    return made


def run(cluster: Cluster, repository: Repository, *more: str) -> int:
    place = ["--rollout=chat/api", f"--repository={repository.bare}", f"--overlay={OVERLAY}", f"--api={cluster.url}"]
    return main([*place, f"--refused={REFUSED}", "--updater=argocd/chat", *more])


def test_first_refuses_then_waits_then_names_the_good_tag(
    cluster: Cluster, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cluster, repository) == 0
    assert f'    - "latest"\n    - "{BAD}"\n' in repository.text(REFUSED)
    assert tags_of(repository.text(OVERLAY)) == {API: BAD, ENGINE: BAD}
    assert run(cluster, repository) == 0  # Argo CD has not told Image Updater yet
    assert tags_of(repository.text(OVERLAY)) == {API: BAD, ENGINE: BAD}
    cluster.objects[UPDATER]["spec"]["commonUpdateSettings"]["ignoreTags"].append(BAD)
    assert run(cluster, repository) == 0
    assert tags_of(repository.text(OVERLAY)) == {API: GOOD, ENGINE: GOOD}
    assert repository.text(OVERLAY).startswith("# whose it is\n")
    assert run(cluster, repository) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [
        f"refused {BAD}",
        f"{BAD} is refused in Git; waiting until Argo CD has told Image Updater",
        f"no image is {BAD} any more",
        f"{BAD} is named no more",
    ]
    assert repository.log()[:2] == [f"Go back from {BAD}", f"Refuse {BAD}: its rollout failed"]


@pytest.mark.parametrize(
    "rollout",
    [
        failed_rollout(abort=None),
        failed_rollout(observedGeneration="3"),
        failed_rollout(currentPodHash="5d9"),
        failed_rollout(stableRS=""),
        {"metadata": {"generation": 1}, "spec": pods(BAD)},
    ],
    ids=["healthy", "not-seen-yet", "went-back-already", "first-ever", "new"],
)
def test_does_nothing_unless_a_rollout_was_sent_back(
    rollout: dict[str, Any], cluster: Cluster, repository: Repository
) -> None:
    cluster.objects[ROLLOUT] = rollout
    before = repository.log()
    assert run(cluster, repository) == 0
    assert repository.log() == before
    assert cluster.asked == [ROLLOUT]


def test_a_newer_tag_in_git_is_left_alone(cluster: Cluster, repository: Repository) -> None:
    repository.push("the remedy", overlay=overlay("fedcba9", "fedcba9"))
    cluster.objects[UPDATER]["spec"]["commonUpdateSettings"]["ignoreTags"].append(BAD)
    assert [run(cluster, repository) for _ in range(2)] == [0, 0]
    assert tags_of(repository.text(OVERLAY)) == {API: "fedcba9", ENGINE: "fedcba9"}
    assert BAD in repository.text(REFUSED)


def test_an_image_goes_back_to_what_it_was_and_never_to_a_refused_tag(cluster: Cluster, repository: Repository) -> None:
    repository.pull()
    stack_refused = repository.text(REFUSED)
    repository.push("an engine of its own", overlay=overlay(GOOD, "aaaaaaa"))
    repository.push("refuse", refused=with_refused(stack_refused, "aaaaaaa"), overlay=overlay(GOOD, "bbbbbbb"))
    repository.push("again", overlay=overlay(GOOD, "aaaaaaa"))
    repository.push("the bad one", overlay=overlay(BAD, BAD))
    # The engine never ran the tag that the api goes back to once the history is cut here.
    history = [overlay(GOOD, "aaaaaaa"), overlay(GOOD, "bbbbbbb")]
    failed = rollback.Failed(bad=BAD, good=GOOD, reason="")
    back = rollback.former_tags(overlay(BAD, BAD), failed, history, {"aaaaaaa"})
    assert back == {API: GOOD, ENGINE: "bbbbbbb"}


def test_the_image_is_not_blamed_for_what_else_changed(
    cluster: Cluster, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.objects[REPLICAS] = {"spec": pods(BAD)}
    before = repository.log()
    assert run(cluster, repository) == 1
    assert "the image is not the cause" in capsys.readouterr().err
    assert repository.log() == before


def test_without_image_updater_the_tag_goes_back_at_once(cluster: Cluster, repository: Repository) -> None:
    place = ["--rollout=chat/api", f"--repository={repository.bare}", f"--overlay={OVERLAY}", f"--api={cluster.url}"]
    assert main(place) == 0
    assert tags_of(repository.text(OVERLAY)) == {API: GOOD, ENGINE: GOOD}
    assert repository.log()[0] == f"Go back from {BAD}"


def test_an_engine_that_does_not_start_takes_its_commit_back(cluster: Cluster, repository: Repository) -> None:
    """The api of that commit was not even tried: Argo CD waits for the engine first."""
    cluster.objects[ROLLOUT] = failed_rollout(abort=None)
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too long"}
    engine = {"metadata": {"generation": 7}, "spec": pods(BAD), "status": {"observedGeneration": 7}}
    cluster.objects[ENGINE_DEPLOYMENT] = engine
    assert run(cluster, repository, "--deployment=chat/engine") == 0
    assert BAD not in repository.text(REFUSED)
    engine["status"]["conditions"] = [{"type": "Available", "status": "False"}, stuck]
    cluster.objects[UPDATER]["spec"]["commonUpdateSettings"]["ignoreTags"].append(BAD)
    assert [run(cluster, repository, "--deployment=chat/engine") for _ in range(2)] == [0, 0]
    assert BAD in repository.text(REFUSED)
    assert tags_of(repository.text(OVERLAY)) == {API: GOOD, ENGINE: GOOD}


def test_what_argo_cd_has_yet_to_make_is_no_failure(cluster: Cluster, repository: Repository) -> None:
    """A fresh installation: its first minute must not leave a failed Job behind."""
    cluster.absent["status"] = 404
    del cluster.objects[ROLLOUT]
    before = repository.log()
    assert run(cluster, repository, "--deployment=chat/engine") == 0
    assert cluster.asked == [ROLLOUT, ENGINE_DEPLOYMENT]
    assert repository.log() == before


def test_there_must_be_something_to_go_back_to() -> None:
    failed = rollback.Failed(bad=BAD, good="", reason="")
    with pytest.raises(RollbackError, match="nothing to go back to"):
        rollback.former_tags(overlay(BAD, BAD), failed, [overlay(BAD, BAD)], set())


def test_what_others_pushed_meanwhile_stays(tmp_path: Path, repository: Repository) -> None:
    checkout = Checkout(tmp_path / "late", str(repository.bare), "main")
    repository.push("by Image Updater", overlay=overlay("fedcba9", "fedcba9"))
    assert checkout.change(REFUSED, lambda text: with_refused(text, BAD), "Refuse it")
    assert repository.log()[:2] == ["Refuse it", "by Image Updater"]
    assert tags_of(repository.text(OVERLAY))[API] == "fedcba9"


def test_a_push_that_is_forbidden_is_an_error(tmp_path: Path, repository: Repository) -> None:
    hook = repository.bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    checkout = Checkout(tmp_path / "late", str(repository.bare), "main")
    with pytest.raises(RollbackError, match="protected branch"):
        checkout.change(REFUSED, lambda text: with_refused(text, BAD), "Refuse it")


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda cluster, repository: cluster.objects.pop(ROLLOUT), "the API answers 403"),
        (lambda cluster, repository: cluster.objects.update({REPLICAS: {"spec": pods("")}}), "has no tag"),
        (
            lambda cluster, repository: repository.push("flat", refused="ignoreTags: [latest]\n"),
            "no line `ignoreTags:`",
        ),
        (lambda cluster, repository: git(repository.clone, "push", "--quiet", "origin", ":main"), "git clone failed"),
    ],
    ids=["no-right", "no-tag", "no-list", "no-branch"],
)
def test_says_what_is_wrong(
    break_it: Any, message: str, cluster: Cluster, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository.bare, "config", "receive.denyDeleteCurrent", "ignore")
    break_it(cluster, repository)
    assert run(cluster, repository) == 1
    assert message in capsys.readouterr().err


def test_credentials_stand_in_no_argument_and_no_file(tmp_path: Path, repository: Repository) -> None:
    (tmp_path / "username").write_text("gitops")
    (tmp_path / "password").write_text("hunter2")
    checkout = Checkout(tmp_path / "tree", str(repository.bare), "main", tmp_path)
    assert not any(
        "hunter2" in path.read_text(errors="replace") for path in (tmp_path / "tree").rglob("*") if path.is_file()
    )
    assert "hunter2" not in checkout._environment["GIT_CONFIG_VALUE_0"]
    assert checkout._environment["GIT_CONFIG_KEY_0"] == f"http.{repository.bare}.extraHeader"


def test_a_tag_of_digits_stays_text() -> None:
    text = with_tags(overlay("abc1234", "abc1234"), {API: "1234567", ENGINE: "12e4567"})
    assert '\n  newTag: "1234567"\n' in text
    assert tags_of(text) == {API: "1234567", ENGINE: "12e4567"}


def test_the_list_that_render_makes_takes_tags_once() -> None:
    stack = parse(config_file(CONFIGS / "valid/delivery-of-our-own.yaml"))
    once = with_refused(refused(stack), BAD)
    assert with_refused(once, BAD) == once
    assert once == refused(stack, ("latest", BAD))
