"""``make drift``: what somebody changed by hand, object by object and field by field; changes nothing.

What Pulumi owns is compared by its engine: the last ``up`` against what is there now. What Git owns is Argo CD's to
compare: its Applications say what is out of sync. Fields that nobody declared are nobody's drift. Where the stack's
state is not, as in CI, the API server alone is asked: :mod:`ops.differences.stateless`.

The JSON contract (``--json``) is `make verify`'s: ``{"stack", "ok", "checks": [{"name", "ok", "says", "fix"}]}``, one
failed check an object; exit status 0 when nothing drifted, 1 when something did, 2 when it could not be asked.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops import access, verify
from ops.diff import declared_by
from ops.differences import stateless
from ops.differences.objects import changed_lines, titled
from ops.differences.stateless import OURS
from ops.engine import Engine
from ops.kubectl import Kubectl
from ops.lock import locked
from ops.machine import Finding
from ops.paths import CHECKOUT, StackPaths
from ops.session import resume

APPLICATIONS = "applications.argoproj.io"
Step = Mapping[str, Any]


def steps_of(engine: Engine) -> list[Step]:
    """Return what a refresh would do, one step a resource of the state.

    Raises:
        OpsError: the engine or a provider could not ask.
    """
    told = json.loads(engine.ask("refresh", "--preview-only", "--json"))
    return list(told.get("steps") or ())


def of_pulumi(steps: Sequence[Step], kubectl: Kubectl | None) -> Iterator[Finding]:
    """Yield a finding for each resource that is not as the last ``up`` left it, or one that says that none is."""
    custom = [step for step in steps if (step.get("oldState") or {}).get("custom")]
    changed = [step for step in custom if step["op"] != "refresh"]
    if not changed:
        yield Finding(name="Pulumi", ok=True, says=f"{len(custom)} resources are as the last `make up` left them")
    for step in changed:
        old, new = step["oldState"], step.get("newState") or {}
        what = titled(old.get("inputs") or {}, old["type"], old["urn"].rpartition("::")[2])
        gone = step["op"] == "delete"
        says = "is gone" if gone else "; ".join(_fields(step, old.get("inputs") or {}, new.get("inputs") or {}))
        yield Finding(
            name=what,
            ok=False,
            says=says + ("" if gone else _by(step, kubectl)),
            fix="make up puts it back; to keep the change, declare it",
        )


def _fields(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return ``path: declared -> found``; of secrets, which come masked, the paths alone."""
    lines = [line for line in changed_lines(old, new) if "[secret]" not in line]
    texts: dict[str, dict[str, str]] = {}
    for line in lines:
        path, _, value = line[2:].partition(": ")
        texts.setdefault(path, {})[line[0]] = value
    found = [f"{path}: {sides.get('-', 'none')} -> {sides.get('+', 'none')}" for path, sides in texts.items()]
    return found or sorted(step.get("detailedDiff") or step.get("diffReasons") or ["differs"])


def _by(step: Step, kubectl: Kubectl | None) -> str:
    """Return who owns the changed fields now, beside those who apply what is declared, as the API server noted it."""
    inputs = step["oldState"].get("inputs") or {}
    if kubectl is None or "kind" not in inputs:
        return ""
    metadata, (group, _, version) = inputs["metadata"], str(inputs["apiVersion"]).rpartition("/")
    told = kubectl.ask(
        *("get", f"{inputs['kind']}.{version}.{group}" if group else inputs["kind"], metadata["name"]),
        *(("-n", metadata["namespace"]) if metadata.get("namespace") else ()),
        *("-o", "json", "--show-managed-fields", "--ignore-not-found"),
    )
    noted = json.loads(told)["metadata"].get("managedFields", []) if told.strip() else []
    paths = list(step.get("detailedDiff") or ())
    ranked = [(_depth(each, paths), str(each.get("time", "")), str(each["manager"])) for each in noted]
    others = [each for each in ranked if each[0] and each[2] not in OURS]
    return f" (by {max(others)[2]}, {max(others)[1] or 'no time noted'})" if others else ""


def _depth(noted: Mapping[str, Any], paths: Sequence[str]) -> int:
    """Return how many steps of any of the paths lead through the fields that a manager owns."""

    def walked(path: str) -> int:
        node, depth = noted.get("fieldsV1", {}), 0
        for part in re.split(r"[.\[]", path):
            if (node := node.get(f"f:{part}")) is None:
                break
            depth += 1
        return depth

    return max(map(walked, paths), default=0)


def of_git(steps: Sequence[Step], kubectl: Kubectl) -> Iterator[Finding]:
    """Yield a finding for each object that differs from Git, and one for each Application of the stack's."""
    for name, namespace in _applications(steps):
        told = kubectl.ask("get", APPLICATIONS, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        if told.strip():  # one that is gone is Pulumi's to report
            yield from judged(json.loads(told))


def _applications(steps: Sequence[Step]) -> list[tuple[str, str]]:
    inputs = [(step.get("oldState") or {}).get("inputs") or {} for step in steps]
    found = [each["metadata"] for each in inputs if each.get("kind") == "Application"]
    return [(each["name"], each["namespace"]) for each in found]


def judged(application: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what an Application's status says of its objects."""
    name, status = f"Application {application['metadata']['name']}", application.get("status", {})
    sync = status.get("sync", {}).get("status", "Unknown")
    differing = [each for each in status.get("resources") or () if each.get("status") == "OutOfSync"]
    for each in differing:
        place = f"{each['namespace']}/" if each.get("namespace") else ""
        says = "is no longer in Git" if each.get("requiresPruning") else f"is not as Git has it ({name})"
        fix = f"argocd app diff {application['metadata']['name']}; self-heal puts it back, Git keeps a change"
        yield Finding(name=f"{each['kind']} {place}{each['name']}", ok=False, says=says, fix=fix)
    healed = status.get("operationState", {}).get("operation", {}).get("sync", {}).get("autoHealAttemptsCount", 0)
    undone = f"; what was changed by hand was put back, at attempt {healed}" if healed else ""
    if not differing:
        fix = f"kubectl -n {application['metadata']['namespace']} describe application"
        reasons = [str(each.get("message", ""))[:200] for each in status.get("conditions") or ()]
        says = f"{sync} with Git{undone}" if sync == "Synced" else f"{sync}: {'; '.join(reasons) or 'no reason given'}"
        yield Finding(name=name, ok=sync == "Synced", says=says, fix=fix)


def findings(engine: Engine, kubectl: Kubectl) -> list[Finding]:
    """Return everything that drifted.

    Raises:
        OpsError: somebody could not be asked.
    """
    steps = steps_of(engine)
    return [*of_pulumi(steps, kubectl), *of_git(steps, kubectl)]


def run(paths: StackPaths, as_json: bool) -> int:
    """Report the drift of a stack.

    Raises:
        OpsError: another command is at work on it, or somebody could not be asked.
    """
    if paths.state.exists():
        with locked(paths, "drift"):
            session = resume(paths)
            found = findings(session.engine, session.kubectl)
    else:
        print(f"the state of stack {paths.stack} is not here: the cluster alone is asked", file=sys.stderr)
        cluster = stateless.connection(access.of_stack(paths).context)
        found = stateless.findings(cluster, declared_by(CHECKOUT, paths.stack))
    return verify.report(paths.stack, found, as_json)
