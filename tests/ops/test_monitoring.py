"""`make verify` asks Prometheus itself whether what is to be measured reaches it."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.gitops import declare_workload
from infra.stackfile import record_stack
from ops.checks import monitoring
from ops.kubectl import Kubectl

NAMESPACES = ["aipp", "aihub-chat", "aihub-data"]


class Prometheus(BaseHTTPRequestHandler):
    """Answers as Prometheus does: https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries."""

    up: ClassVar[dict[tuple[str, str], str]] = {}

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        known = (asked.path, parse_qs(asked.query)) == ("/api/v1/query", {"query": [monitoring.QUESTION]})
        series = [
            {"metric": {"namespace": namespace, "job": job}, "value": [1764000000.0, value]}
            for (namespace, job), value in self.up.items()
        ]
        self.send_response(200 if known else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}}).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def monitors() -> list[dict[str, Any]]:
    """The PodMonitors of stack ``dev``, as they are declared."""
    declared = record_stack(declare_workload, "dev")
    return [each.properties for each in declared.objects() if each.kind == "PodMonitor"]


def cluster(folder: Path, monitors: list[dict[str, Any]], forward: str) -> Kubectl:
    (folder / "monitors").write_text(json.dumps({"items": monitors}))
    program = folder / "kubectl"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in\n"get podmonitors"*) cat {folder}/monitors ;;\n'
        f'"-n monitoring port-forward"*"service/prometheus-operated :9090") {forward} ;;\nesac\n'
    )
    program.chmod(0o755)
    return Kubectl(program=program, environment={"PATH": os.environ["PATH"]})


def wanted(monitors: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {target for each in monitors for target in monitoring._targets(each["spec"])}


def test_all_is_well_when_everything_declared_is_asked_and_answers(
    tmp_path: Path, port: int, monitors: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = wanted(monitors)
    assert ("aipp", "enai-backend") in targets
    monkeypatch.setattr(Prometheus, "up", {**dict.fromkeys(targets, "1"), ("shop", "else"): "0"})
    there = cluster(tmp_path, monitors, f"echo 127.0.0.1:{port}; exec sleep 60")
    metrics, lines = monitoring.checks(there, NAMESPACES)
    assert (metrics.ok, metrics.says) == (True, f"{len(targets)} parts are asked and answer")
    assert "not asked here" in lines.says


def test_what_is_silent_or_unknown_is_named(
    tmp_path: Path, port: int, monitors: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    up = dict.fromkeys(wanted(monitors), "1")
    up[("aipp", "enai-backend")] = "0"
    del up[("aihub-chat", "api")]
    monkeypatch.setattr(Prometheus, "up", up)
    there = cluster(tmp_path, monitors, f"echo 127.0.0.1:{port}; exec sleep 60")
    metrics, _ = monitoring.checks(there, NAMESPACES)
    assert not metrics.ok
    assert metrics.says == "aipp/enai-backend gives none; aihub-chat/api is not asked"


def test_no_prometheus_is_no_answer_and_nothing_to_measure_no_question(
    tmp_path: Path, monitors: list[dict[str, Any]]
) -> None:
    metrics, _ = monitoring.checks(cluster(tmp_path, monitors, "exit 1"), NAMESPACES)
    assert "no service/prometheus-operated answers in namespace monitoring" in metrics.says
    assert not monitoring.checks(cluster(tmp_path, monitors, "echo 127.0.0.1:1"), NAMESPACES)[0].ok
    assert monitoring.checks(cluster(tmp_path, monitors, "exit 1"), ["another-stacks"]) == []
    assert monitoring.checks(cluster(tmp_path, [], "exit 1"), NAMESPACES) == []
