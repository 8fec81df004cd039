"""Stand-ins for two operators of the company's cluster: External Secrets with its Vault, and the ingress controller.

What they share with the real ones: the Secret that an ExternalSecret describes, and its condition, which Argo CD waits
for; the address in an Ingress' status, and the way from host and path to a Service.
"""

import json
import re
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.live.common.kube import Manifest, apply, get, kubectl, listed

NAMESPACE = "aipp"
EXTERNAL_SECRETS = "externalsecrets.external-secrets.io"
PORT = 18085
LOOK_SECONDS = 1.5
DEFAULTS = {
    "conversionStrategy": "Default",
    "decodingStrategy": "None",
    "metadataPolicy": "None",
    "nullBytePolicy": "Ignore",
}
"""What External Secrets 2.3 has the API server fill in."""
SEALED = "could not get secret data from provider: Code: 503. Errors: * Vault is sealed"


def definition() -> Manifest:
    """Return what makes ExternalSecrets known to the API server; the chart's own definition says more.

    Like those of most releases it has the API server fill in what nobody declared: no difference to Argo CD.
    """
    open_to_all = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    filled_in = {name: {"type": "string", "default": value} for name, value in DEFAULTS.items()}
    datum = {**open_to_all, "properties": {"remoteRef": {**open_to_all, "properties": filled_in}}}
    data = {"type": "array", "items": datum}
    schema = {**open_to_all, "properties": {"spec": {**open_to_all, "properties": {"data": data}}}}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"kind": "ExternalSecret", "plural": "externalsecrets", "singular": "externalsecret"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": EXTERNAL_SECRETS},
        "spec": {"group": "external-secrets.io", "scope": "Namespaced", "names": names, "versions": [version]},
    }


@dataclass
class Operators:
    """Both, looking all the while."""

    sealed: bool = False
    """Whether Vault gives nothing out."""
    values: dict[str, str] = field(default_factory=dict, repr=False)
    troubles: list[str] = field(default_factory=list)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Do their work until the end."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(LOOK_SECONDS):
                try:
                    self.look()
                except (AssertionError, ValueError) as error:  # the API server is busy: the next look is soon
                    self.troubles.append(str(error))

        server = ThreadingHTTPServer(("127.0.0.1", PORT), _Proxy)
        threads = [threading.Thread(target=work, daemon=True) for work in (loop, server.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            server.shutdown()
            server.server_close()
            for thread in threads:
                thread.join(timeout=60)

    def look(self) -> None:
        """Look once."""
        for each in listed(EXTERNAL_SECRETS, NAMESPACE):
            name, generation = each["metadata"]["name"], each["metadata"]["generation"]
            status = each.get("status", {})
            known = (status.get("generation"), status.get("sealed")) == (generation, self.sealed)
            if known and (self.sealed or get("secret", name, NAMESPACE)):
                continue
            if not self.sealed:
                apply([self._secret(each)])
            ready = {
                "type": "Ready",
                "status": "False" if self.sealed else "True",
                "reason": "SecretSyncedError" if self.sealed else "SecretSynced",
                "message": SEALED if self.sealed else "secret synced",
                "lastTransitionTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            patch = {"status": {"conditions": [ready], "generation": generation, "sealed": self.sealed}}
            _patch_status(EXTERNAL_SECRETS, name, patch)
        for each in listed("ingresses", NAMESPACE):
            if not each.get("status", {}).get("loadBalancer", {}).get("ingress"):
                patch = {"status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.1"}]}}}
                _patch_status("ingress", each["metadata"]["name"], patch)

    def _secret(self, external: Manifest) -> Manifest:
        """Return the Secret that an ExternalSecret describes; a value that Vault lacks is made up once."""
        target = external["spec"]["target"]
        for each in external["spec"]["data"]:
            self.values.setdefault(each["remoteRef"]["property"], secrets.token_urlsafe(24))
        known = {each["secretKey"]: self.values[each["remoteRef"]["property"]] for each in external["spec"]["data"]}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": target["name"], "namespace": NAMESPACE},
            "type": target["template"]["type"],
            "stringData": {
                file: re.sub(r"\{\{ \.(\w+) \}\}", lambda found: known[found[1]], text)
                for file, text in target["template"]["data"].items()
            },
        }


def _patch_status(kind: str, name: str, patch: Manifest) -> None:
    what = ["patch", kind, name, "--namespace", NAMESPACE, "--subresource=status", "--type=merge"]
    kubectl(*what, "--patch", json.dumps(patch))


class _Proxy(BaseHTTPRequestHandler):
    """From host and path to a Service, by the longest path that fits."""

    def do_GET(self) -> None:
        host = self.headers["Host"].partition(":")[0]
        found = [
            (path["path"], path["backend"]["service"])
            for each in listed("ingresses", NAMESPACE)
            for rule in each["spec"]["rules"]
            if rule["host"] == host
            for path in rule["http"]["paths"]
            if self.path == path["path"] or self.path.startswith(path["path"].rstrip("/") + "/")
        ]
        if not found:
            return self._send(404, b"", "text/plain")
        _, service = max(found, key=lambda each: len(each[0]))
        declared = get("service", service["name"], NAMESPACE)
        assert declared is not None
        address = f"http://{declared['spec']['clusterIP']}:{service['port']['number']}{self.path}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return self._send(200, answer.read(), answer.headers["Content-Type"])
        except urllib.error.HTTPError as error:
            return self._send(error.code, error.read(), "text/plain")
        except OSError as error:
            return self._send(502, str(error).encode(), "text/plain")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
