"""The Git server: accounts from a Secret, nobody registers, webhooks go to Jenkins only, set-up can be repeated."""

import configparser
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from infra.ci.gitea import accounts_script
from infra.ci.gitea_config import configuration
from infra.ci.set_up_gitea import main
from tests.infra.ci.support import files_of_secrets, recorded
from tests.infra.support import of_kind


def ini() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    text = configuration(address="http://gitea.git.svc:3000", webhook_hosts=["jenkins.ci.svc"], is_https=True)
    parser.read_string(f"[DEFAULT]\n{text}")
    return parser


def test_nothing_is_set_up_by_hand_and_nobody_registers() -> None:
    parser = ini()
    assert parser["security"]["INSTALL_LOCK"] == "true"
    assert parser["service"]["DISABLE_REGISTRATION"] == "true"
    # Gitea has moved it: up to 1.26 it reads the first only, from 28 on the second only.
    assert parser["webhook"]["ALLOWED_HOST_LIST"] == parser["security"]["ALLOWED_HOST_LIST"] == "jenkins.ci.svc"
    assert parser["server"]["ROOT_URL"] == "http://gitea.git.svc:3000/"
    assert parser["session"]["COOKIE_SECURE"] == "true"


def test_keys_come_from_files_that_the_secret_has() -> None:
    parser = ini()
    uris = [parser["security"][key] for key in ("SECRET_KEY_URI", "INTERNAL_TOKEN_URI")]
    named = {uri.rpartition("/")[2] for uri in (*uris, parser["oauth2"]["JWT_SECRET_URI"])}
    assert named <= files_of_secrets("gitea")["gitea-secrets"]
    assert "delivery-password" in files_of_secrets("gitea")["gitea-secrets"]


def test_server_makes_its_accounts_first() -> None:
    (server,) = (each for each in of_kind(recorded("gitea"), "StatefulSet") if each.object_name == "gitea")
    spec = server.properties["spec"]["template"]["spec"]
    (first,), (second,) = spec["initContainers"], spec["containers"]
    script = first["command"][2]
    assert "ensure aihub-admin admin-password '--admin'" in script
    assert "ensure gitops delivery-password ''" in script
    assert second["command"] == ["gitea", "web", "--config", "/etc/gitea/app.ini"]
    assert {mount["name"] for mount in second["volumeMounts"]} == {"data", "config", "secrets", "tmp"}


def test_an_account_is_made_once_and_then_given_its_password(tmp_path: Path) -> None:
    fake = tmp_path / "gitea"
    fake.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n'
        'case "$*" in "admin user list"*) printf "ID Username\\n1 aihub-admin\\n";; esac\n'
    )
    fake.chmod(0o755)
    script = accounts_script({"aihub-admin": "a --admin", "gitops": "b"}).replace("/etc/gitea-secrets", str(tmp_path))
    (tmp_path / "a").write_text("one")
    (tmp_path / "b").write_text("two")
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["sh", "-c", script], env=variables, check=True, timeout=20)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call for call in calls if "change-password" in call and "--username aihub-admin --password=one" in call]
    assert [call for call in calls if "user create" in call and "--username gitops --password=two" in call]
    assert not [call for call in calls if "user create" in call and "aihub-admin --password" in call]


# --- the set-up, against a server of ten lines
WEBHOOKS = [
    {
        "repository": "aihub",
        "url": "http://jenkins.ci.svc:8080/generic-webhook-trigger/invoke?token=aihub",
        "events": ["push", "pull_request", "pull_request_sync"],
        "secret_file": "webhook-secret",
    },
    {
        "repository": "gitops",
        "url": "http://argocd-server.argocd.svc/api/webhook",
        "events": ["push"],
        "secret_file": "argocd-webhook-secret",
    },
]


class Gitea(BaseHTTPRequestHandler):
    made: ClassVar[dict[str, Any]] = {}
    hooks: ClassVar[dict[str, list[dict[str, Any]]]] = {}
    calls: ClassVar[list[str]] = []
    refuse: ClassVar[int] = 0

    def answer(self, status: int, body: Any = None) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def handle_call(self) -> None:
        path = self.path.removeprefix("/api/v1").partition("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body: dict[str, Any] = json.loads(self.rfile.read(length)) if length else {}
        Gitea.calls.append(f"{self.command} {path}")
        if self.path == "/api/healthz":
            return self.answer(200)
        if Gitea.refuse:
            return self.answer(Gitea.refuse)
        match (self.command, path):
            case ("GET", _) if path.endswith("/hooks"):
                return self.answer(200, Gitea.hooks.get(path, []))
            case ("POST", _) if path.endswith("/hooks"):
                Gitea.hooks.setdefault(path, []).append({"id": len(Gitea.calls), **body})
                return self.answer(201)
            case ("PATCH", _):  # as the real one: the secret stays
                return self.answer(200)
            case ("DELETE", _):
                whose, _, number = path.rpartition("/")
                Gitea.hooks[whose] = [hook for hook in Gitea.hooks[whose] if hook["id"] != int(number)]
                return self.answer(204)
            case ("GET", _):
                return self.answer(200 if path in Gitea.made else 404)
            case ("POST", "/orgs"):
                Gitea.made[f"/orgs/{body['username']}"] = body
                return self.answer(201)
            case ("POST", _):
                Gitea.made[f"/repos/{path.split('/')[2]}/{body['name']}"] = body
                return self.answer(201)
        return self.answer(204)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_call

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    Gitea.made, Gitea.hooks, Gitea.calls, Gitea.refuse = {}, {}, [], 0
    server = HTTPServer(("127.0.0.1", 0), Gitea)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "admin-password").write_text("admin")
    for name in ("webhook-secret", "argocd-webhook-secret"):
        (tmp_path / name).write_text("first")
    yield {
        "GITEA_URL": f"http://127.0.0.1:{server.server_port}",
        "ORGANISATION": "aihub",
        "REPOSITORIES": "aihub gitops",
        "WRITERS": "gitops",
        "ADMIN": "aihub-admin",
        "FOLDER": str(tmp_path),
        "WEBHOOKS": json.dumps(WEBHOOKS),
    }
    server.shutdown()


def test_set_up_twice_makes_everything_once(environment: dict[str, str]) -> None:
    main(environment)
    Path(environment["FOLDER"], "argocd-webhook-secret").write_text("second")
    first = list(Gitea.calls)
    Gitea.calls.clear()
    main(environment)
    assert {"/orgs/aihub", "/repos/aihub/aihub", "/repos/aihub/gitops"} <= set(Gitea.made)
    assert {path: [hook["config"]["secret"] for hook in hooks] for path, hooks in Gitea.hooks.items()} == {
        "/repos/aihub/aihub/hooks": ["first"],
        "/repos/aihub/gitops/hooks": ["second"],
    }
    assert Gitea.hooks["/repos/aihub/gitops/hooks"][0]["events"] == ["push"]
    assert "PUT /repos/aihub/gitops/collaborators/gitops" in first
    made = [call for call in Gitea.calls if call.startswith("POST")]
    assert made == ["POST /repos/aihub/aihub/hooks", "POST /repos/aihub/gitops/hooks"]  # the secret is today's
    deleted = next(number for number, call in enumerate(Gitea.calls) if call.startswith("DELETE"))
    assert deleted > Gitea.calls.index(made[0]), "a push between the two would be told to nobody"


def test_set_up_with_a_wrong_password_names_the_fix(environment: dict[str, str]) -> None:
    Gitea.refuse = 401
    with pytest.raises(SystemExit, match="refused the administrator"):
        main(environment)
