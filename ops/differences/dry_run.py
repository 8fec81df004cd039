"""``make diff LIVE=1``: what the cluster would change, by its own dry run; what it prints is shown object by object."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from infra.config import StackConfig
from infra.recorder import SECRET
from infra.workload import SECRETS_VERSION
from ops.credentials import stack_config
from ops.differences.objects import ARGOCD, PULUMI, Comparison, Declared, compare, markdown, titled
from ops.kubectl import Kubectl

FIELD_MANAGERS = {PULUMI: "pulumi", ARGOCD: "aihub-diff"}
"""Owner -> in whose name the dry run applies. Argo CD marks its objects with labels of its own: in its name the dry run
would take them away."""
KEEP = "#!/bin/sh\ncp -r \"$1\" '{folder}/live' && cp -r \"$2\" '{folder}/merged'\nexit 1\n"
"""What kubectl calls in place of `diff`: keeps both folders for us."""
_SERVER_SET = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


def report(kubectl: Kubectl, stack_name: str, declared: Sequence[Declared]) -> str:
    """Return the comparison with the cluster as Markdown.

    Raises:
        OpsError: the cluster cannot be asked.
    """
    stack = stack_config(stack_name)
    there = _places(kubectl)
    asked = [each for each in declared if _comparable(each.content)]
    absent = [each for each in asked if not _has_place(each.content, *there)]
    asked = [each for each in asked if each not in absent]
    found = compare([], absent)
    parts = [found, *(_dry_run(kubectl, stack, owner, asked) for owner in FIELD_MANAGERS)]
    whole = Comparison(
        added=tuple(each for part in parts for each in part.added),
        removed=(),
        changed=tuple(each for part in parts for each in part.changed),
        same=len(asked) - sum(len(part.added) + len(part.changed) for part in parts[1:]),
    )
    silent = len(declared) - len(asked) - len(absent)
    text = markdown(f"Stack {stack_name}, compared with its cluster", whole)
    return f"{text}\n{silent} not compared: charts, images, and what holds secrets (`pulumi preview --diff` does).\n"


def _places(kubectl: Kubectl) -> tuple[set[str], set[str]]:
    """Return the namespaces and the API versions that are there."""
    namespaces = kubectl.ask("get", "namespaces", "-o", "name").split()
    return {name.removeprefix("namespace/") for name in namespaces}, set(kubectl.ask("api-versions").split())


def _comparable(content: Mapping[str, Any]) -> bool:
    return "apiVersion" in content and content["kind"] != "Secret" and not _holds(content, SECRET)


def _holds(value: Any, text: str) -> bool:
    match value:
        case dict():
            return any(_holds(each, text) for each in value.values())
        case list():
            return any(_holds(each, text) for each in value)
    return bool(value == text)


def _has_place(content: Mapping[str, Any], namespaces: set[str], versions: set[str]) -> bool:
    """Whether the cluster can be asked about it: a dry run in a namespace that is not there fails as a whole."""
    namespace = content["metadata"].get("namespace")
    return content["apiVersion"] in versions and (not namespace or namespace in namespaces)


def _dry_run(kubectl: Kubectl, stack: StackConfig, owner: str, asked: Iterable[Declared]) -> Comparison:
    wanted = [each for each in asked if each.owner == owner]
    if not wanted:
        return compare([], [])
    with tempfile.TemporaryDirectory(prefix="aihub-live-") as folder:
        script = Path(folder) / "keep"
        script.write_text(KEEP.format(folder=folder))
        script.chmod(0o700)
        kubectl.ask(
            *("diff", "--server-side", "--force-conflicts", f"--field-manager={FIELD_MANAGERS[owner]}", "-f", "-"),
            stdin=yaml.safe_dump_all([dict(each.content) for each in wanted]),
            fine=(0, 1),
            KUBECTL_EXTERNAL_DIFF=str(script),
        )
        live, merged = (_read(Path(folder) / side, owner) for side in ("live", "merged"))
    ours = f"{stack.registry.host}/{stack.registry.project}/"
    by_name = {each.what: each.content for each in live}
    settled = [
        Declared(what=each.what, owner=owner, content=_settled(each.content, by_name.get(each.what), ours))
        for each in merged
    ]
    return compare(live, settled)


def _read(folder: Path, owner: str) -> list[Declared]:
    found = [yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*"))]
    return [Declared(what=titled(each), owner=owner, content=_cleaned(each)) for each in found if each]


def _cleaned(content: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in content["metadata"].items() if key not in _SERVER_SET}
    return {key: value for key, value in content.items() if key != "status"} | {"metadata": metadata}


def _settled(merged: Any, live: Any, ours: str) -> Any:
    """Return the dry run's object with what no checkout knows as the cluster has it.

    That is the version of an image of ours, which pipelines and builds give, and the mark that follows a secret.
    """
    match merged:
        case dict():
            before = live if isinstance(live, dict) else {}
            return {
                key: before[key] if _is_given(key, value, before, ours) else _settled(value, before.get(key), ours)
                for key, value in merged.items()
            }
        case list():
            befores = live if isinstance(live, list) and len(live) == len(merged) else [None] * len(merged)
            return [_settled(each, before, ours) for each, before in zip(merged, befores, strict=True)]
    return merged


def _is_given(key: str, value: Any, before: Mapping[str, Any], ours: str) -> bool:
    if key not in before:
        return False
    image = key == "image" and isinstance(value, str) and value.startswith(ours)
    return key == SECRETS_VERSION or (image and _repository(value) == _repository(str(before[key])))


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name
