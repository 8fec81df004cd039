"""``make verify``: is the installation whole, from the pods to an answer?

The JSON contract (``--json``): ``{"stack", "ok", "checks": [{"name", "ok", "says", "fix"}]}``; exit status 0 when every
check is ok, 1 when one is not, 2 when the checks could not be made at all.
"""

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ops import access, aipp, judges
from ops.chat_client import ChatClient, ChatError, answer_of
from ops.errors import OpsError
from ops.machine import Finding
from ops.paths import StackPaths
from ops.session import resume

QUESTION = "How do I start it, and what does `make up` do?"


def _kubectl(kubectl: Path, environment: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    command = [str(kubectl), *arguments, "-o", "json", "--request-timeout=10s"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OpsError(f"the cluster does not answer: {done.stderr.strip()[-300:]}", "python -m cluster status")
    return dict(json.loads(done.stdout))


def endpoint(url: str, path: str) -> Finding:
    """Does an open route answer?"""
    try:
        with urllib.request.urlopen(url + path, timeout=10) as response:  # noqa: S310 - the stack's own URL
            says, ok = f"{url}{path} answers {response.status}", response.status == 200
    except (OSError, urllib.error.URLError) as error:
        says, ok = f"{url}{path}: {error}", False
    return Finding(name=f"endpoint {path}", ok=ok, says=says, fix="kubectl -n chat get pods,endpoints")


def closed(url: str) -> Finding:
    """Is the chat closed to who has no key?"""
    try:
        with urllib.request.urlopen(url + "/v1/models", timeout=10):  # noqa: S310
            status = 200
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    return Finding(
        name="closed without a key",
        ok=status == 401,
        says=f"a request without key gets {status or 'no answer'}",
        fix="do not expose this installation; report it",
    )


def services(chat: ChatClient) -> list[Finding]:
    """What does the chat say of the services behind it?"""
    try:
        me = chat.json("GET", "/api/me")
    except (ChatError, OpsError) as error:
        return [Finding(name="chat", ok=False, says=str(error), fix="kubectl -n chat logs deployment/api")]
    return [
        Finding(name=name, ok=state == "ok", says=str(state), fix="kubectl get pods -A shows what is down")
        for name, state in me["services"].items()
    ]


def answer(chat: ChatClient, question: str) -> Finding:
    """Does a question get a streamed answer?"""
    try:
        text, citations, pieces = answer_of(chat.stream(question))
    except (OSError, ValueError) as error:
        return Finding(name="answer", ok=False, says=str(error), fix="kubectl -n chat logs deployment/engine")
    return Finding(
        name="answer",
        ok=bool(text),
        says=f"{len(text)} characters in {pieces} pieces, {len(citations)} passages cited",
        fix="kubectl -n chat logs deployment/engine",
    )


JUDGED_KINDS = {
    "certificates.cert-manager.io": judges.certificates,
    "applications.argoproj.io": judges.applications,
    "rollouts.argoproj.io": judges.rollouts,
    "externalsecrets.external-secrets.io": judges.external_secrets,
}
"""Kind that a stack may have, looked at in all of its namespaces -> who judges it."""


def _concerns(item: Mapping[str, Any], namespaces: Collection[str]) -> bool:
    """Say whether an object is in one of the namespaces, or an Application that fills one of them."""
    fills = item.get("spec", {}).get("destination", {}).get("namespace")
    return item["metadata"]["namespace"] in namespaces or fills in namespaces


def checks(
    kubectl: Path, environment: Mapping[str, str], outputs: Mapping[str, Any], chat: ChatClient | None
) -> list[Finding]:
    """Make every check that the stack's outputs allow.

    Raises:
        OpsError: the cluster cannot be asked at all.
    """

    def ask(*arguments: str) -> dict[str, Any]:
        return _kubectl(kubectl, environment, *arguments)

    found = [judges.nodes(ask("get", "nodes"))]
    namespaces = list(outputs.get("namespaces", {}).values())
    vendors = outputs.get("aippNamespace")
    if vendors and vendors not in namespaces:
        namespaces.append(vendors)  # Argo CD's, so none of Pulumi's
    if wanted := int(outputs.get("gpus", 0)):
        every_pod = ask("get", "pods", "--all-namespaces")
        found.append(judges.gpus(ask("get", "nodes"), wanted, every_pod, namespaces))
    for namespace in namespaces:
        workloads = ask("-n", namespace, "get", "deployments,statefulsets,daemonsets")["items"]
        pods = ask("-n", namespace, "get", "pods")
        found.append(judges.pods(namespace, pods, len(workloads)))
        if not (memory := judges.memory(namespace, pods)).ok:
            found.append(memory)
        if waiting := judges.waiting(pods):
            found.append(judges.events(namespace, ask("-n", namespace, "get", "events"), waiting))
        found.append(judges.claims(namespace, ask("-n", namespace, "get", "pvc")))
    known = {f"{each['spec']['names']['plural']}.{each['spec']['group']}" for each in ask("get", "crds")["items"]}
    for kind, judge in JUDGED_KINDS.items():
        if kind in known:
            listed = ask("get", kind, "--all-namespaces")["items"]
            if ours := [item for item in listed if _concerns(item, namespaces)]:
                found.append(judge({"items": ours}))
    if vendors:
        there = aipp.Cluster(kubectl, environment, vendors)
        found += aipp.checks(there, outputs.get("aippUrl"), ask("-n", vendors, "get", "deployments"))
    if chat is not None:
        found += [endpoint(chat.url, "/livez"), endpoint(chat.url, "/readyz"), closed(chat.url)]
        found += [*services(chat), answer(chat, QUESTION)]
    return found


def report(stack: str, found: list[Finding], as_json: bool) -> int:
    """Print the findings for people or machines; return the exit status."""
    ok = all(finding.ok for finding in found)
    if as_json:
        print(json.dumps({"stack": stack, "ok": ok, "checks": [asdict(finding) for finding in found]}, indent=1))
        return 0 if ok else 1
    for finding in found:
        print(f"  {'ok  ' if finding.ok else 'FAIL'}  {finding.name:<22} {finding.says}")
        if not finding.ok:
            print(f"        {'':<22} -> {finding.fix}")
    return 0 if ok else 1


def run(paths: StackPaths, as_json: bool) -> int:
    """Check the stack that this checkout brought up.

    Raises:
        OpsError: it is not up, or the cluster cannot be asked.
    """
    session = resume(paths)
    chat = session.chat if session.outputs.get("chatUrl") else None
    found = checks(access.kubectl(), session.engine.environment(), session.outputs, chat)
    return report(paths.stack, found, as_json)
