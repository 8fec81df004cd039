"""`ci/gitlab.yml`: a merge request's pipeline has no secret and links its report; drift is looked for on a schedule."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from infra.stackfile import CHECKOUT

PIPELINE: dict[str, Any] = yaml.safe_load((CHECKOUT / "ci/gitlab.yml").read_text())
JOBS = {name: job for name, job in PIPELINE.items() if isinstance(job, dict) and "script" in job}


def starts_on(job: dict[str, Any]) -> list[str]:
    return [re.findall(r"== \"(\w+)\"", rule["if"])[0] for rule in job["rules"]]


def test_each_job_starts_on_one_thing_and_a_pipeline_on_nothing_else() -> None:
    assert {name: starts_on(job) for name, job in JOBS.items()} == {
        "review": ["merge_request_event"],
        "drift": ["schedule"],
    }
    assert sorted(starts_on(PIPELINE["workflow"])) == ["merge_request_event", "schedule"]


def test_a_merge_requests_job_asks_for_what_gitlab_says_of_it_and_no_more() -> None:
    used = set(re.findall(r"\$\{?(\w+)", yaml.safe_dump(JOBS["review"])))
    assert {name for name in used if not name.startswith("CI_")} == set()
    assert not {"secrets", "id_tokens", "environment"} & set(JOBS["review"])


def test_reports_lie_where_the_scripts_write_them() -> None:
    review = JOBS["review"]
    assert review["artifacts"]["expose_as"]
    assert all(path.endswith("/") for path in review["artifacts"]["paths"]), "else GitLab shows no link to a folder"
    assert '"$CI_PROJECT_DIR/report"' in " ".join(review["script"])
    (path,) = JOBS["drift"]["artifacts"]["paths"]
    assert path in (CHECKOUT / "ci/drift.sh").read_text()


def test_the_base_of_a_merge_request_is_checked_out_beside_it(tmp_path: Path) -> None:
    """The job's own lines, with a stand-in for the report's script."""
    project, base = tmp_path / "project", tmp_path / "base"
    (project / "ci").mkdir(parents=True)
    git = ["git", "-C", str(project), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    script = 'mkdir -p "$3" && cat "$1/file" "$2/file" > "$3/review.md" && touch "$3/failed"\n'
    (project / "ci/review.sh").write_text(script)
    commits = []
    for text in ("before\n", "after\n"):
        (project / "file").write_text(text)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-q", "-m", text], check=True)
        told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        commits.append(told.stdout.strip())
    lines = "\n".join(["set -e", *JOBS["review"]["script"]]).replace("/tmp/base", str(base))
    variables = {"CI_PROJECT_DIR": str(project), "CI_MERGE_REQUEST_DIFF_BASE_SHA": commits[0], "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", lines], cwd=project, env=variables, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("before\nafter\n"), done.stderr
    assert done.returncode == 1, "what failed in the report makes the job red"
