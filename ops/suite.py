"""``make test``: everything that can be checked on this machine, and one closing summary.

Three lanes run side by side: the checks that need only Python; what starts servers of its own, the stand-ins of
Pulumi's plugins and the service; and what first needs tools built, a browser or a node. Each waits about as long as it
works, so that two cores carry the three. No two share a port, a folder or the node; what takes tools out of the cache
waits until they are made. What a part prints goes to ``.aihub/test/<part>.log``; the summary names what failed and what
was skipped.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cluster import NodeError, packages
from ops import chat
from ops.paths import CHECKOUT, PRIVATE, SERVICE, SERVICE_VENV, VENV
from ops.progress import Progress, duration
from toolchain import ToolchainError, pypi
from toolchain.cache import folder
from toolchain.ensure import ensure, ready
from toolchain.tools import COMPOSE, ENGINE, HELM, KUBERNETES, VAULT, Tool

LOGS = PRIVATE / "test"
SUMS = "sums.json"
"""File of the last run of the whole suite: how many tests, how long."""
PYTHON = str(VENV / "bin" / "python")
SERVICE_PYTHON = str(SERVICE_VENV / "bin" / "python")
TEST_PACKAGES = {
    "redis-server": "redis-server",
    "etcd": "etcd-server",
    "chromium": "chromium",
    "buildah": "buildah",
    "skopeo": "skopeo",
    "docker-registry": "docker-registry",
    "busybox": "busybox-static",
    "openssl": "openssl",
    "nginx": "nginx-light",
    "psql": "postgresql",
    "rabbitmqctl": "rabbitmq-server",
    "promtool": "prometheus",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
    "containerd": "containerd",
    "iptables": "iptables",
}
"""Executable and the Debian package that brings it: what the tests start beside what they test."""


TYPED = ("ops", "toolchain", "infra", "policy", "plugins", "cluster", "compose", "bench", "__main__.py")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One command of the suite."""

    name: str
    argv: Sequence[str]
    folder: Path = CHECKOUT
    junit: bool = False
    """Whether it writes a JUnit report to the path that ``{junit}`` in ``argv`` stands for."""
    root: bool = False
    """Whether it needs root."""
    tools: bool = False
    """Whether it waits for the tools that HEAVY's lane makes: without them some of its tests would be skipped."""
    builds: tuple[Tool, ...] = ()
    """What takes too long to build for every run: such a part runs only when it is named."""


@dataclass(kw_only=True)
class Result:
    """What came of one part."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    """Each skipped test with its reason."""
    seconds: float = 0.0


def pytest(python: str, *arguments: str) -> list[str]:
    """Return a pytest command that reports to the part's JUnit file."""
    return [python, "-m", "pytest", "-q", "--junitxml={junit}", *arguments]


CHECKS = (
    Part(name="ruff", argv=[PYTHON, "-m", "ruff", "check", "."]),
    Part(name="format", argv=[PYTHON, "-m", "ruff", "format", "--check", "."]),
    Part(
        name="types",
        argv=[PYTHON, "-m", "mypy", *TYPED],
    ),
    Part(name="service-types", argv=[SERVICE_PYTHON, "-m", "mypy", "-p", "chatbot"], folder=SERVICE),
    Part(
        name="program",
        argv=pytest(
            PYTHON,
            *(f"tests/{room}" for room in ("infra", "stacks", "policy", "ops", "toolchain", "compose")),
            "tests/test_docs.py",
            "-m",
            "not live and not vault",
        ),
        junit=True,
        tools=True,
    ),
)
SERVERS = (
    Part(
        name="plugins",
        argv=pytest(PYTHON, "tests/plugins", "tests/cluster", "-m", "not live"),
        junit=True,
        tools=True,
    ),
    Part(name="service", argv=pytest(SERVICE_PYTHON, "tests/service", "--ignore=tests/service/web"), junit=True),
)
"""Real engine, API server, builds, Redis and Chroma, all in folders and on ports of their own."""
HEAVY = (
    Part(
        name="page",
        argv=[
            "node_modules/.bin/vitest",
            "run",
            "--reporter=default",
            "--reporter=junit",
            "--outputFile.junit={junit}",
        ],
        folder=chat.WEB,
        junit=True,
    ),
    Part(name="browser", argv=pytest(PYTHON, "tests/service/web"), junit=True),
    Part(
        name="vault",
        argv=pytest(PYTHON, "tests/ops/test_vault_server.py", "tests/infra/secrets", "-m", "vault"),
        junit=True,
        builds=(VAULT,),
    ),
    Part(name="live", argv=pytest(PYTHON, "tests/live", "-m", "live", "--timeout=3600"), junit=True, root=True),
)


def _count(junit: Path, result: Result) -> None:
    for case in ET.parse(junit).getroot().iter("testcase"):  # noqa: S314 - our own report
        skipped = case.find("skipped")
        if skipped is not None:
            reason = skipped.get("message") or "no reason given"
            result.skipped.append(f"{case.get('classname')}.{case.get('name')}: {reason}")
        elif case.find("failure") is not None or case.find("error") is not None:
            result.failed += 1
        else:
            result.passed += 1


def run_part(part: Part, environment: dict[str, str]) -> Result:
    """Run one part; count its tests, or the part itself as one."""
    result, junit, log = Result(name=part.name), LOGS / f"{part.name}.xml", LOGS / f"{part.name}.log"
    if part.root and os.geteuid() != 0:
        result.skipped.append(f"{part.name}: needs root, for a Kubernetes node of its own")
        return result
    begun = time.monotonic()
    junit.unlink(missing_ok=True)
    with log.open("w") as output:
        argv = [argument.replace("{junit}", str(junit)) for argument in part.argv]
        status = subprocess.run(
            argv, cwd=part.folder, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
    result.seconds = time.monotonic() - begun
    if junit.exists():
        _count(junit, result)
    elif status == 0:
        result.passed = 1
    if status and not result.failed:
        result.failed += 1
    return result


def _prepare(progress: Progress) -> dict[str, str]:
    """Make environments, tools and packages that the parts need; return the parts' environment."""
    pypi.virtual_environment(SERVICE_VENV, SERVICE / "requirements-dev.txt")
    missing = [package for program, package in TEST_PACKAGES.items() if shutil.which(program) is None]
    if missing and os.geteuid() == 0:
        progress.say(f"installing {', '.join(missing)}")
        try:
            packages.install(missing)
        except NodeError as error:  # what needs them is skipped, and says so
            progress.say(str(error))
    # Helm is made by HEAVY's lane; where it is on PATH already, this is that folder.
    helm = ready(HELM) or folder(HELM) / "bin"
    path = os.pathsep.join([str(pypi.node()), str(helm), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": f"{CHECKOUT}:{SERVICE}"}


def _lane(parts: Sequence[Part], environment: dict[str, str], results: list[Result], tools: threading.Event) -> None:
    for part in parts:
        if part.tools:
            tools.wait()
        result = run_part(part, environment)
        results.append(result)
        word = "FAILED" if result.failed else "ok"
        print(
            f"  {word:<6} {part.name:<14} {result.passed} passed, {result.failed} failed, "
            f"{len(result.skipped)} skipped, {duration(result.seconds)}",
            file=sys.stderr,
            flush=True,
        )


def _heavy_lane(
    parts: Sequence[Part],
    environment: dict[str, str],
    results: list[Result],
    tools: threading.Event,
    progress: Progress,
) -> None:
    try:
        for tool in (*ENGINE, HELM, KUBERNETES, COMPOSE, *(tool for part in parts for tool in part.builds)):
            ensure(tool, progress.say)
        if any(part.folder == chat.WEB for part in parts):
            chat.build_page(progress)
    except ToolchainError as error:
        results.append(Result(name="tools", failed=1, skipped=[str(error)]))
    finally:
        tools.set()
    _lane(parts, environment, results, tools)


def summary(results: Sequence[Result]) -> str:
    """Return the closing lines: what was skipped and why, which logs to read, and the count."""
    lines = [f"skipped: {reason}" for result in results for reason in result.skipped]
    for result in results:
        if result.failed:
            lines += [f"--- {result.name} failed; the end of {LOGS / result.name}.log:"]
            log = LOGS / f"{result.name}.log"
            lines += log.read_text(errors="replace").splitlines()[-40:] if log.exists() else []
    passed, failed = sum(r.passed for r in results), sum(r.failed for r in results)
    return "\n".join([*lines, f"{passed} passed, {failed} failed, {sum(len(r.skipped) for r in results)} skipped"])


def _write_sums(results: Sequence[Result], seconds: float) -> None:
    """Leave what came of the whole suite, for `python -m bench.suite`."""
    described = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(described, cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout.strip()
    sums = {
        "commit": f"{commit}, {datetime.now(UTC):%Y-%m-%d}",
        "seconds": round(seconds),
        "passed": sum(result.passed for result in results),
        "failed": sum(result.failed for result in results),
        "skipped": sum(len(result.skipped) for result in results),
        "parts": {result.name: round(result.seconds) for result in results},
    }
    (LOGS / SUMS).write_text(json.dumps(sums, indent=1) + "\n")


def parts_of(lane: Sequence[Part], only: Sequence[str]) -> list[Part]:
    """Return the parts of a lane that are named; with no name all but those that must be."""
    return [part for part in lane if (part.name in only if only else not part.builds)]


def run(only: Sequence[str]) -> int:
    """Run the suite, or the parts named; 1 when anything failed."""
    LOGS.mkdir(parents=True, exist_ok=True)
    progress = Progress("make test")
    checks, servers, heavy = (parts_of(lane, only) for lane in (CHECKS, SERVERS, HEAVY))
    with progress.step("Preparing", "environments and packages"):
        environment = _prepare(progress)
    results: list[Result] = []
    tools = threading.Event()
    with ThreadPoolExecutor(max_workers=3) as lanes, progress.step("Checks", f"each part's output: {LOGS}"):
        running = [lanes.submit(_lane, parts, environment, results, tools) for parts in (checks, servers)]
        running.append(lanes.submit(_heavy_lane, heavy, environment, results, tools, progress))
        for lane in running:
            lane.result()
    if not only:
        _write_sums(results, time.monotonic() - progress.started)
    print(progress.table())
    print(summary(results))
    return 1 if any(result.failed for result in results) else 0
