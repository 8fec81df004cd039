"""Whose are the namespaces that a stack would take over? The engine would take them without a word.

`make up` writes the stack's name on each of its namespaces. That is no part of the program: a name there would make
namespaces that `destroy` left, or an older version made, look like somebody else's. One that stands in Git has the name
there: Argo CD makes it when no command is at work.
"""

from collections.abc import Iterable, Mapping

from infra.cluster import STACK
from infra.config import StackConfig
from ops.kubectl import Kubectl
from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

PROJECT = ("app.kubernetes.io/part-of", "aihub")
"""Label of every namespace that the program declares."""


def trouble(stack: str, labels: Mapping[str, str]) -> str | None:
    """Return why a stack may not take over a namespace with these labels; None where it may."""
    owner = labels.get(STACK)
    if owner and owner != stack:
        return f"belongs to stack {owner} of this project, and stack {stack} would take it over"
    if not owner and labels.get(PROJECT[0]) != PROJECT[1]:
        return "is there already, and was not made by this project"
    return None


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return what is to be said about the namespaces that are there already; nothing where no cluster answers."""
    found = machine.kubectl("namespaces")
    if found is None:
        return []
    there = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in found["items"]}
    ours = sorted(declared.own_namespaces & there.keys())
    bad = {name: says for name in ours if (says := trouble(declared.name, there[name]))}
    if not bad:
        return [Finding(name="namespaces", ok=True, says="none of them is anybody else's")]
    return [
        Finding(
            name=f"namespace {name}",
            ok=False,
            says=says,
            fix=f"give it a namespace of its own (field `namespace` of the room in Pulumi.{declared.name}.yaml), "
            f"or, if it is this stack's: kubectl label --overwrite namespace {name} {STACK}={declared.name}",
        )
        for name, says in bad.items()
    ]


def namespaces(stack: StackConfig) -> frozenset[str]:
    """Return the namespaces that a stack makes."""
    from infra.program import plan  # noqa: PLC0415 - the whole program: what only looks at namespaces needs none of it

    return frozenset(space.namespace for space in plan(stack).spaces.values() if space.ours)


def mark(kubectl: Kubectl, stack: str, namespaces: Iterable[str]) -> None:
    """Write the stack's name on its namespaces, as far as they are there."""
    # Those that a failed `up` did not reach are an error of kubectl's and none of ours.
    kubectl.run("label", "--overwrite", "namespace", *sorted(namespaces), f"{STACK}={stack}")


def own(kubectl: Kubectl, stack: str) -> frozenset[str]:
    """Return the namespaces of the cluster that belong to a stack."""
    return _marked(kubectl, f"{STACK}={stack}")


def others(kubectl: Kubectl, stack: str) -> frozenset[str]:
    """Return the namespaces of the cluster that belong to other stacks."""
    return _marked(kubectl, f"{STACK},{STACK}!={stack}")


def _marked(kubectl: Kubectl, selector: str) -> frozenset[str]:
    names = kubectl.ask("get", "namespaces", "--selector", selector, "--output", "name")
    return frozenset(name.partition("/")[2] for name in names.split())
