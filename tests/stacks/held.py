"""What holds data in a stack, as the last release declared it: ``python -m tests.stacks.held`` writes it down anew.

That is done with a release, and whenever something that holds data is given up on purpose: the difference of the files
shows a reviewer whose data are left behind.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

import infra.recorder
from infra.gitops import render
from infra.program import deploy
from infra.recorder import Recorded, record
from infra.stackfile import configuration, placeholder_secrets, stack_names

FOLDER = Path(__file__).with_name("held")
KINDS = frozenset({"PersistentVolumeClaim", "StatefulSet", "Namespace"})
"""Kinds whose loss or exchange costs data, or an outage: a namespace takes its claims with it."""
PULUMI, GIT = "pulumi", "git"
Held = dict[str, dict[str, str]]
"""Owner -> ``Kind namespace/name`` -> URN; empty where Git owns it, which knows no URNs."""


class AliasMonitor(infra.recorder._Monitor):
    """Also works out every URN that a resource may have had, as the engine does: by its aliases and its parents'."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.earlier: dict[str, set[str]] = {}

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        earlier = {alias.urn for alias in request.aliases if alias.urn}
        for type_, name, parent in [(request.type, request.name, request.parent), *_specs(request)]:
            for place in {parent, *self.earlier.get(parent, ())}:
                earlier.add(self.make_urn(place, type_, _renamed(name, parent, place)))
        self.earlier[response.urn] = earlier - {response.urn}
        return response


def _specs(request: Any) -> Iterator[tuple[str, str, str]]:
    """Yield type, name and parent of each alias that is no URN; what it leaves out is as it is today."""
    for alias in request.aliases:
        if not alias.urn:
            spec = alias.spec
            parent = "" if spec.noParent else spec.parentUrn or request.parent
            yield spec.type or request.type, spec.name or request.name, parent


def _renamed(name: str, parent: str, place: str) -> str:
    """Return a child's earlier name: one that began with its parent's went along with it."""
    today, earlier = (urn.rpartition("::")[2] for urn in (parent, place))
    return earlier + name.removeprefix(today) if parent and name.startswith(today) else name


def recorded(
    program: Callable[[], object], stack: str, **settings: Any
) -> tuple[list[Recorded], Mapping[str, set[str]]]:
    """Return what a program declares that holds data, and each URN's earlier ones."""
    made: list[AliasMonitor] = []

    def monitor() -> AliasMonitor:
        made.append(AliasMonitor())
        return made[-1]

    with patch.object(infra.recorder, "_Monitor", monitor):
        recording = record(program, stack=stack, **settings)
    holding = [each for each in recording.objects() if each.kind in KINDS or each.retained]
    return holding, made[0].earlier


def of_stack(stack: str) -> tuple[Held, Mapping[str, set[str]]]:
    """Return what a stack of this checkout holds, and each URN's earlier ones."""
    resources, earlier = recorded(deploy, stack, config=configuration(stack), secrets=placeholder_secrets())
    delivered: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        render(stack, Path(folder))
        for path in sorted(Path(folder).glob("**/base/*.yaml")):
            manifests = [each for each in yaml.safe_load_all(path.read_text()) if each["kind"] in KINDS]
            delivered |= dict.fromkeys((_named(each["kind"], each["metadata"]) for each in manifests), "")
    declared = {_named(each.kind, each.properties["metadata"]): each.urn for each in resources}
    return {PULUMI: dict(sorted(declared.items())), GIT: dict(sorted(delivered.items()))}, earlier


def _named(kind: str, metadata: Mapping[str, Any]) -> str:
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{kind} {place}{metadata['name']}"


def lost(released: Held, today: Held, earlier: Mapping[str, set[str]]) -> list[str]:
    """Return what an upgrade from the last release would give up, and how to keep each."""
    problems = []
    anywhere = today[PULUMI] | today[GIT]
    known = [(owner, what, urn) for owner, whole in released.items() for what, urn in whole.items()]
    for owner, what, urn in known:
        if what not in anywhere:
            # Its name decides whose data it finds; it stays behind, and a new one begins empty.
            problems.append(f"{what} is declared no longer: keep its name, or move its data and write the release anew")
        elif owner == PULUMI and what in today[PULUMI]:
            now = today[PULUMI][what]
            if urn not in {now, *earlier.get(now, ())}:
                problems.append(f"{what} was {urn}: give what was renamed or moved an alias of what it was")
    return problems


def main() -> None:
    """Write what every stack holds, and the day: a release at which nothing changed hands has its commit, too."""
    FOLDER.mkdir(exist_ok=True)
    for stack in stack_names():
        held, _ = of_stack(stack)
        text = yaml.safe_dump(held, width=200, sort_keys=False)
        (FOLDER / f"{stack}.yaml").write_text(f"# Released on {datetime.now(UTC).date()}.\n{text}")


if __name__ == "__main__":
    main()
