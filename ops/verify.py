"""``make verify``: is the installation whole, from the pods to an answer?

The JSON contract (``--json``): ``{"stack", "ok", "checks": [{"name", "ok", "says", "fix"}]}``; exit status 0 when every
check is ok, 1 when one is not, 2 when the checks could not be made at all: then ``checks`` is empty, and ``error`` says
why.
"""

import json
import urllib.error
from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from cluster import settings
from ops import access, machine
from ops.checks import aipp, judges, monitoring
from ops.clients.chat import ChatClient, ChatError, answer_of
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.machine import Finding
from ops.paths import StackPaths
from ops.session import resume

QUESTION = "How do I start it, and what does `make up` do?"


def endpoint(chat: ChatClient, path: str, namespace: str) -> Finding:
    """Does an open route answer?"""
    url = chat.url
    try:
        with chat.opener.open(url + path, timeout=10) as response:
            says, ok = f"{url}{path} answers {response.status}", response.status == 200
    except OSError as error:
        says, ok = f"{url}{path}: {error}", False
    return Finding(name=f"endpoint {path}", ok=ok, says=says, fix=f"kubectl -n {namespace} get pods,endpoints")


def closed(chat: ChatClient) -> Finding:
    """Is the chat closed to who has no key?"""
    try:
        with chat.opener.open(chat.url + "/v1/models", timeout=10):
            status = 200
    except urllib.error.HTTPError as error:
        status = error.code
    except OSError:
        status = 0
    return Finding(
        name="closed without a key",
        ok=status == 401,
        says=f"a request without key gets {status or 'no answer'}",
        fix="do not expose this installation; report it" if status else "see why its endpoints do not answer",
    )


def services(chat: ChatClient, namespace: str) -> list[Finding]:
    """What does the chat say of the services behind it?"""
    try:
        me = chat.json("GET", "/api/me")
    except (ChatError, OpsError) as error:
        fix = f"kubectl -n {namespace} logs --selector app.kubernetes.io/name=api"  # of a Deployment, or of a Rollout
        return [Finding(name="chat", ok=False, says=str(error), fix=fix)]
    return [
        Finding(name=name, ok=state == "ok", says=str(state), fix="kubectl get pods -A shows what is down")
        for name, state in me["services"].items()
    ]


def answer(chat: ChatClient, question: str, namespace: str) -> Finding:
    """Does a question get a streamed answer?"""
    fix = f"kubectl -n {namespace} logs deployment/engine"
    try:
        text, citations, pieces = answer_of(chat.stream(question))
    except (OSError, ValueError) as error:
        return Finding(name="answer", ok=False, says=str(error), fix=fix)
    return Finding(
        name="answer",
        ok=bool(text),
        says=f"{len(text)} characters in {pieces} pieces, {len(citations)} passages cited",
        fix=fix,
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


def checks(kubectl: Kubectl, outputs: Mapping[str, Any], chat: ChatClient | None) -> list[Finding]:
    """Make every check that the stack's outputs allow.

    Raises:
        OpsError: the cluster cannot be asked at all.
    """
    found = [judges.nodes(kubectl.get("nodes"))]
    namespaces = list(outputs.get("namespaces", {}).values())
    vendors = outputs.get("aippNamespace")
    if vendors and vendors not in namespaces:
        namespaces.append(vendors)  # Argo CD's, so none of Pulumi's
    if wanted := int(outputs.get("gpus", 0)):
        every_pod = kubectl.get("pods", "--all-namespaces")
        found.append(judges.gpus(kubectl.get("nodes"), wanted, every_pod, namespaces))
    for namespace in namespaces:
        workloads = kubectl.get("-n", namespace, "deployments,statefulsets,daemonsets")["items"]
        pods = kubectl.get("-n", namespace, "pods")
        found.append(judges.pods(namespace, pods, len(workloads)))
        if not (jobs := judges.jobs(namespace, kubectl.get("-n", namespace, "jobs"))).ok:
            found.append(jobs)
        if not (memory := judges.memory(namespace, pods)).ok:
            found.append(memory)
        if waiting := judges.waiting(pods):
            found.append(judges.events(namespace, kubectl.get("-n", namespace, "events"), waiting))
        found.append(judges.claims(namespace, kubectl.get("-n", namespace, "pvc")))
    known = {f"{each['spec']['names']['plural']}.{each['spec']['group']}" for each in kubectl.get("crds")["items"]}
    for kind, judge in JUDGED_KINDS.items():
        if kind in known:
            listed = kubectl.get(kind, "--all-namespaces")["items"]
            if ours := [item for item in listed if _concerns(item, namespaces)]:
                found.append(judge({"items": ours}))
    if vendors:
        found += aipp.checks(kubectl, vendors, outputs.get("aippUrl"))
    if monitoring.MONITORS in known:
        found += monitoring.checks(kubectl, namespaces)
    if chat is not None:
        where = outputs["namespaces"]["chat"]
        found += [endpoint(chat, "/livez", where), endpoint(chat, "/readyz", where), closed(chat)]
        found += [*services(chat, where), answer(chat, QUESTION, where)]
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
    found = checks(session.kubectl, session.outputs, chat)
    if access.of_stack(paths).own_node:
        found += machine.certificates(settings.load())
    return report(paths.stack, found, as_json)
