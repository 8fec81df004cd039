"""A stand-in for a Vault server, where the real one cannot be had: as much of its API as these commands use.

A key-value engine of version 2 at ``secret/`` (data, subkeys, check-and-set, patch, deleted versions), another of
version 1 at ``old/``, policies of exact paths, tokens, sealing. `tests/ops/test_vault_server.py` runs on it and on
Vault itself.
"""

import json
import re
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ROOT = "root"
MOUNTS = {"secret": "2", "old": "1"}
_RULE = re.compile(r'path "([^"]+)" \{\s*capabilities = (\[[^]]*\])\s*\}')
RIGHT_OF = {"GET": "read", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class State:
    """What the server knows."""

    sealed: bool = False
    entries: dict[str, list[dict[str, str] | None]] = field(default_factory=dict)
    """Path -> its versions, oldest first; None: deleted."""
    policies: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    tokens: dict[str, list[str]] = field(default_factory=dict)


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status, self.body = status, {"errors": [message]} if data is None else {"data": data}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    state: State

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or b"{}")
        try:
            status, answer = 200, self._of(self.path.removeprefix("/v1/"), body)
        except Refused as refused:
            status, answer = refused.status, refused.body
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _of(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        state, token = self.state, self.headers.get("X-Vault-Token", "")
        if path == "sys/seal-status":
            return {"initialized": True, "sealed": state.sealed}
        if state.sealed:
            raise Refused(503, "Vault is sealed")
        if token != ROOT and token not in state.tokens:
            raise Refused(403, "permission denied")
        if path == "auth/token/lookup-self":
            return {"data": {"policies": state.tokens.get(token, [ROOT])}}
        if path.startswith("sys/internal/ui/mounts/"):
            return {"data": self._mount(path.removeprefix("sys/internal/ui/mounts/"), token)}
        if path.startswith(("sys/", "auth/")):
            return self._administer(path, body, token)
        mount, _, rest = path.partition("/")
        part, _, entry = rest.partition("/")
        right = RIGHT_OF.get(self.command) or ("update" if state.entries.get(entry) else "create")
        if token != ROOT and not any(right in state.policies[each].get(path, []) for each in state.tokens[token]):
            raise Refused(403, "1 error occurred: permission denied")
        if mount != "secret" or part not in {"data", "subkeys"}:
            raise Refused(404)
        return {"data": self._entry(part, entry, body)}

    def _mount(self, mount: str, token: str) -> dict[str, Any]:
        rules = [path for each in self.state.tokens.get(token, []) for path in self.state.policies[each]]
        if mount not in MOUNTS or (token != ROOT and not any(path.startswith(f"{mount}/") for path in rules)):
            raise Refused(403, "preflight capability check returned 403, please ensure client's policies grant access")
        return {"type": "kv", "options": {"version": MOUNTS[mount]}}

    def _administer(self, path: str, body: dict[str, Any], token: str) -> dict[str, Any]:
        if token != ROOT:
            raise Refused(403, "permission denied")
        if path == "sys/seal":
            self.state.sealed = True
            return {}
        if path == "auth/token/create":
            made = secrets.token_hex(8)
            self.state.tokens[made] = body["policies"]
            return {"auth": {"client_token": made}}
        name = path.removeprefix("sys/policies/acl/")
        self.state.policies[name] = {rule: json.loads(rights) for rule, rights in _RULE.findall(body["policy"])}
        return {}

    def _entry(self, part: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        versions = self.state.entries.setdefault(path, [])
        newest = versions[-1] if versions else None
        if self.command == "DELETE":
            versions[-1] = None
            return {}
        if self.command != "GET":
            return self._write(versions, newest, body)
        if not versions:
            raise Refused(404)
        metadata = {"version": len(versions), "deletion_time": "" if newest else "2026-01-01T00:00:00Z"}
        shown: Any = dict.fromkeys(newest) if newest is not None and part == "subkeys" else newest
        answer = {part: shown, "metadata": metadata}
        if newest is None:
            raise Refused(404, data=answer)
        return answer

    def _write(
        self, versions: list[dict[str, str] | None], newest: dict[str, str] | None, body: dict[str, Any]
    ) -> dict[str, Any]:
        if body.get("options", {}).get("cas", len(versions)) != len(versions):
            raise Refused(400, "check-and-set parameter did not match the current version")
        if self.command == "PATCH" and newest is None:
            raise Refused(404)
        versions.append({**(newest or {} if self.command == "PATCH" else {}), **body["data"]})
        return {"version": len(versions)}


@contextmanager
def stand_in() -> Iterator[tuple[str, str]]:
    """Run a server; yield its address and the token that may do everything."""
    handler = type("Server", (Handler,), {"state": State()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", ROOT
    finally:
        server.shutdown()
        server.server_close()
