"""What ``make verify`` asks the vendor's services: health pages, the database's extension, the page people open."""

import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from ops.kubectl import Kubectl
from ops.machine import Finding

TIMEOUT_SECONDS = 10
EXTENSION = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
ASK = f'exec psql -qtAX -h /var/run/postgresql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{EXTENSION}"'


def checks(kubectl: Kubectl, namespace: str, url: str | None) -> list[Finding]:
    """Make the checks of the services.

    Args:
        kubectl: their cluster.
        namespace: where they are in it.
        url: address of the page; None: it has none.

    Raises:
        OpsError: the cluster does not answer.
    """
    deployments = kubectl.get("-n", namespace, "deployments")
    found = [health(kubectl, namespace, name, port, path) for name, port, path in health_pages(deployments)]
    found.append(extension(kubectl, namespace))
    return [*found, page(url)] if url else found


def health_pages(deployments: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Yield name, port and path of what each service declares as its readiness over HTTP."""
    for item in deployments["items"]:
        for container in item["spec"]["template"]["spec"]["containers"]:
            probe = container.get("readinessProbe", {}).get("httpGet")
            ports = {each.get("name"): each["containerPort"] for each in container.get("ports", ())}
            if probe:
                yield item["metadata"]["name"], int(ports.get(probe["port"], probe["port"])), str(probe["path"])


def health(kubectl: Kubectl, namespace: str, service: str, port: int, path: str) -> Finding:
    """Does a service say that it is well?"""
    with kubectl.port(namespace, f"deployment/{service}", port) as local:
        says, ok = (f"{path}: no pod of it runs", False) if local is None else _get(f"http://127.0.0.1:{local}{path}")
    fix = f"kubectl -n {namespace} logs deployment/{service} --all-containers"
    return Finding(name=f"health of {service}", ok=ok, says=says.replace(f"http://127.0.0.1:{local}", ""), fix=fix)


def extension(kubectl: Kubectl, namespace: str) -> Finding:
    """Does the database have the extension `vector`?"""
    try:
        command = ("exec", "pgvector-0", "--", "sh", "-c", ASK)
        done = kubectl.run("-n", namespace, *command, seconds=TIMEOUT_SECONDS * 3)
        version, said = done.stdout.strip(), done.stderr.strip()[-200:]
    except subprocess.TimeoutExpired:
        version, said = "", "the database does not answer"
    return Finding(
        name="extension vector",
        ok=bool(version),
        says=f"version {version}" if version else f"not there: {said or 'the database has none'}",
        fix=f"kubectl -n {namespace} logs pgvector-0; docs/aipp.md",
    )


class _Parts(HTMLParser):
    """Collects what a page loads before it shows anything."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a script's or a style sheet's address."""
        given = dict(attrs)
        address = given.get("src") if tag == "script" else given.get("href") if tag == "link" else None
        if address and (tag == "script" or given.get("rel") == "stylesheet"):
            self.found.append(address)


def page(url: str) -> Finding:
    """Does the page open as in a browser: itself, and every script and style sheet that it names?"""
    fix = "kubectl get ingress,certificates --all-namespaces; the host name must lead to the ingress controller"
    says, ok, text = _read(url)
    if ok and "<" not in text:
        says, ok = f"{url} answers with something that is no page", False
    if ok:
        parts = _Parts()
        parts.feed(text)
        missing = [said for said, there in (_get(urljoin(url, each)) for each in parts.found) if not there]
        says, ok = "; ".join(missing) or f"{url} opens, with {len(parts.found)} scripts and styles", not missing
    return Finding(name="front end", ok=ok, says=says, fix=fix)


def _get(address: str) -> tuple[str, bool]:
    says, ok, _ = _read(address)
    return says, ok


def _read(address: str) -> tuple[str, bool, str]:
    """Return what can be said of an address, whether it is well, and its text."""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the stack's own
            return f"{address} answers {answer.status}", True, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return f"{address} answers {error.code}", False, ""
    except OSError as error:
        return f"{address}: {error}", False, ""
