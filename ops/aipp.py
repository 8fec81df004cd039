"""What ``make verify`` asks the vendor's services: health pages, the database's extension, the page people open."""

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from ops.machine import Finding

TIMEOUT_SECONDS = 10
EXTENSION = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
ASK = f'exec psql -qtAX -h /var/run/postgresql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "{EXTENSION}"'


@dataclass(frozen=True)
class Cluster:
    """The cluster, and the services' namespace in it."""

    kubectl: Path
    environment: Mapping[str, str]
    namespace: str

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run kubectl in the namespace."""
        command = [str(self.kubectl), "-n", self.namespace, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS * 3
        )

    @contextmanager
    def port_of(self, service: str, port: int) -> Iterator[int | None]:
        """Yield a port of this machine that leads into a pod of ``service``; None: there is none that runs.

        Through the kubelet: no network policy is in the way, and the image needs no program for it.
        """
        forward = ["port-forward", "--pod-running-timeout=5s", f"deployment/{service}", f":{port}"]
        command = [str(self.kubectl), "-n", self.namespace, *forward]
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            try:
                line = process.stdout.readline() if process.stdout else ""
                found = re.search(r"127\.0\.0\.1:(\d+)", line)
                yield int(found[1]) if found else None
            finally:
                process.terminate()


def checks(cluster: Cluster, url: str | None, deployments: Mapping[str, Any]) -> list[Finding]:
    """Make the checks of the services.

    Args:
        cluster: where they are.
        url: address of the page; None: it has none.
        deployments: the namespace's Deployments, as the API server lists them.
    """
    found = [health(cluster, name, port, path) for name, port, path in health_pages(deployments)]
    found.append(extension(cluster))
    return [*found, page(url)] if url else found


def health_pages(deployments: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    """Yield name, port and path of what each service declares as its readiness over HTTP."""
    for item in deployments["items"]:
        for container in item["spec"]["template"]["spec"]["containers"]:
            probe = container.get("readinessProbe", {}).get("httpGet")
            ports = {each.get("name"): each["containerPort"] for each in container.get("ports", ())}
            if probe:
                yield item["metadata"]["name"], int(ports.get(probe["port"], probe["port"])), str(probe["path"])


def health(cluster: Cluster, service: str, port: int, path: str) -> Finding:
    """Does a service say that it is well?"""
    with cluster.port_of(service, port) as local:
        says, ok = (f"{path}: no pod of it runs", False) if local is None else _get(f"http://127.0.0.1:{local}{path}")
    fix = f"kubectl -n {cluster.namespace} logs deployment/{service} --all-containers"
    return Finding(name=f"health of {service}", ok=ok, says=says.replace(f"http://127.0.0.1:{local}", ""), fix=fix)


def extension(cluster: Cluster) -> Finding:
    """Does the database have the extension `vector`?"""
    try:
        done = cluster.run("exec", "pgvector-0", "--", "sh", "-c", ASK)
        version, said = done.stdout.strip(), done.stderr.strip()[-200:]
    except subprocess.TimeoutExpired:
        version, said = "", "the database does not answer"
    return Finding(
        name="extension vector",
        ok=bool(version),
        says=f"version {version}" if version else f"not there: {said or 'the database has none'}",
        fix=f"kubectl -n {cluster.namespace} logs pgvector-0; docs/aipp.md",
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
