"""Jenkinsfiles agree with Jenkins' configuration: labels, containers, jobs, variables."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from runpy import run_path
from typing import ClassVar

import pytest

from infra.ci.build_pod import BUILD_IMAGE
from infra.ci.pipelines import PIPELINES
from infra.stackfile import CHECKOUT
from tests.infra.ci.test_jcasc import parsed, templates

FILES = sorted({pipeline.script for pipeline in PIPELINES})
SCRIPTS = [*FILES, "ci/publish.groovy"]


def text(path: str) -> str:
    return (CHECKOUT / path).read_text()


@pytest.mark.parametrize("path", SCRIPTS)
def test_labels_and_containers_exist(path: str) -> None:
    pods = templates("gitlab")
    labels = re.findall(r"agent \{ label '([^']+)' \}", text(path))
    assert set(labels) <= set(pods)
    allowed = {each["name"] for pod in pods.values() for each in pod["spec"]["containers"]}
    assert set(re.findall(r"container\('([^']+)'\)", text(path))) <= allowed


def test_containers_are_in_the_pod_of_their_stage() -> None:
    pods = templates("gitlab")
    in_builder = set(re.findall(r"container\('([^']+)'\)", text("ci/publish.groovy")))
    assert in_builder == {"builder", "scanner", "signer", "tagger"}
    assert in_builder <= {each["name"] for each in pods["builder"]["spec"]["containers"]}
    for path, label in (("infra/Jenkinsfile", "tests"), ("ci/comment.Jenkinsfile", "comment")):
        used = set(re.findall(r"container\('([^']+)'\)", text(path)))
        assert used <= {each["name"] for each in pods[label]["spec"]["containers"]}


@pytest.mark.parametrize("path", SCRIPTS)
def test_variables_are_set_by_the_configuration(path: str) -> None:
    environment = parsed("gitea", "environment")["jenkins"]["globalNodeProperties"][0]["envVars"]["env"]
    known = {each["key"] for each in environment}
    assert set(re.findall(r"AIHUB_[A-Z_]+", text(path))) <= known


@pytest.mark.parametrize("path", SCRIPTS)
def test_braces_and_quotes_close(path: str) -> None:
    code = re.sub(r"'''.*?'''|//[^\n]*", "", text(path), flags=re.DOTALL)
    for opening, closing in ("{}", "()", "[]"):
        assert code.count(opening) == code.count(closing), opening
    assert text(path).count("'''") % 2 == 0


@pytest.mark.parametrize("path", [path for path in FILES if "publish.image(" in text(path)])
def test_images_are_built_of_the_commit_that_was_tested(path: str) -> None:
    tests, images = text(path).split("stage('image")
    assert tests.index("sh 'sh ci/test-") < tests.index("env.TESTED = sh(script: 'git rev-parse HEAD'")
    when, steps = images.split("steps {")
    assert re.search(r"when \{\s+beforeAgent true\s+expression \{ env.TESTED != null \}\s+\}", when)
    assert re.findall(r"sh '([^']+)'|(load)", steps)[:2] == [('git checkout --detach "$TESTED"', ""), ("", "load")]


def test_jobs_that_are_called_exist_and_files_that_are_run_too() -> None:
    paths = {f"/{pipeline.path}" for pipeline in PIPELINES}
    called = [name for path in FILES for name in re.findall(r"build job: '([^']+)'", text(path))]
    assert called
    assert set(called) <= paths
    for path in FILES:
        for file in re.findall(r"(?:sh ci|python3 ci|load 'ci)/([\w.-]+)", text(path)):
            assert (CHECKOUT / "ci" / file).is_file()


def test_credentials_that_are_asked_for_exist() -> None:
    asked = {name for path in FILES for name in re.findall(r"credentialsId: .*'(\w+)'", text(path))}
    credentials = parsed("gitlab", "credentials")["credentials"]["system"]["domainCredentials"][0]["credentials"]
    assert asked <= {each["id"] for kind in credentials for each in kind.values()}


def test_the_build_is_given_what_its_script_demands() -> None:
    demanded = set(re.findall(r'"\$\{(\w+):\?\}"', BUILD_IMAGE))
    given = set(re.findall(r'"(\w+)=', text("ci/publish.groovy")))
    builder = next(each for each in templates("gitea")["builder"]["spec"]["containers"] if each["name"] == "builder")
    assert demanded <= given | {each["name"] for each in builder["env"]}


# --- the comment
class GitServer(BaseHTTPRequestHandler):
    calls: ClassVar[list[tuple[str, dict[str, str], dict[str, str]]]] = []
    status = 201

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        GitServer.calls.append((self.path, dict(self.headers), body))
        self.send_response(GitServer.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def git_server() -> str:
    GitServer.calls, GitServer.status = [], 201
    server = HTTPServer(("127.0.0.1", 0), GitServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def comment(url: str, folder: Path, kind: str, number: str = "7") -> None:
    (folder / "username").write_text("robot")
    (folder / "password").write_text("hunter2")
    run_path(str(CHECKOUT / "ci" / "comment.py"))["main"](
        {
            "AIHUB_GIT_URL": url,
            "AIHUB_GIT_PROJECT": "platform/aihub",
            "AIHUB_GIT_KIND": kind,
            "REVIEW_NUMBER": number,
            "BODY": "two objects change",
            "GIT_ROBOT": str(folder),
        }
    )


def test_comment_that_nobody_takes_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"does not answer .*run this build again"):
        comment("http://127.0.0.1:9", tmp_path, "gitea")


def test_comment_reaches_the_merge_request(git_server: str, tmp_path: Path) -> None:
    comment(git_server, tmp_path, "gitea")
    comment(git_server, tmp_path, "gitlab")
    (gitea, gitlab) = GitServer.calls
    assert gitea[0] == "/api/v1/repos/platform/aihub/issues/7/comments"
    assert gitea[1]["Authorization"].startswith("Basic ")
    assert gitlab[0] == "/api/v4/projects/platform%2Faihub/merge_requests/7/notes"
    assert gitlab[1]["Private-Token"] == "hunter2"
    assert {call[2]["body"] for call in GitServer.calls} == {"two objects change"}


def test_comment_with_a_wrong_token_names_the_fix(git_server: str, tmp_path: Path) -> None:
    GitServer.status = 401
    with pytest.raises(SystemExit, match=r"answered 401: renew the account"):
        comment(git_server, tmp_path, "gitea")


def test_comment_goes_nowhere_but_to_a_number(git_server: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not the number"):
        comment(git_server, tmp_path, "gitea", number="7/../../admin")
    assert GitServer.calls == []


@pytest.mark.parametrize("path", FILES)
def test_no_pipeline_replaces_its_seeded_trigger(path: str) -> None:
    assert not re.search(r"triggers\s*\{|pipelineTriggers", text(path))


def test_report_says_what_failed_and_what_changes(tmp_path: Path) -> None:
    """The program of a merge request is played by a shell script: policy fails, one object changes."""
    for side in ("base", "review", "bin"):
        (tmp_path / side).mkdir()
    for stack in ("local", "wsl"):
        (tmp_path / "review" / f"Pulumi.{stack}.yaml").write_text("config: {}\n")
    venv = tmp_path / "venv"
    program = (
        "#!/bin/sh\n"
        'case "$*" in\n'
        "*tests/policy*) echo 'a rule is broken'; exit 1 ;;\n"
        '*diff*wsl*) echo "stack wsl cannot be read" >&2; exit 2 ;;\n'
        '*diff*) for last in "$@"; do :; done; echo "changed, from $last to $PWD" ;;\n'
        "esac\n"
    )
    maker = tmp_path / "bin" / "python3"
    maker.write_text(
        f"#!/bin/sh\nmkdir -p {venv}/bin\nprintf '#!/bin/sh\\n' > {venv}/bin/pip\n"
        f"cat > {venv}/bin/python <<'END'\n{program}END\nchmod +x {venv}/bin/*\n"
    )
    maker.chmod(0o755)
    script = text("ci/review.sh").replace("/tmp/review", str(venv))
    arguments = [str(tmp_path / name) for name in ("base", "review", "report")]
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "COMMIT": "0123456789ab"}
    subprocess.run(["sh", "-c", script, "review", *arguments], env=environment, check=True, timeout=60)
    report = (tmp_path / "report" / "review.md").read_text()
    assert "would change (0123456789ab)" in report
    assert "- tests: passed" in report
    assert "- **policy: failed**" in report
    assert "a rule is broken" in report
    assert "- preview of local: passed" in report
    assert f"changed, from {tmp_path}/base to {tmp_path}/review" in report
    assert "#### Stack wsl: not compared\n```\nstack wsl cannot be read\n```" in report
    assert (tmp_path / "report" / "failed").read_text() == "policy\n"
