"""What all tests of faults say: what verify finds, a change that is pushed, a pod that ends, all ready again."""

from typing import Any

from ops import verify
from ops.machine import Finding
from tests.live.common.kube import kubectl, node, until
from tests.live.dev import services, tree
from tests.live.dev.operators import NAMESPACE
from tests.live.dev.platform import Platform


def found(gpus: int = 1) -> dict[str, Finding]:
    """Return what `make verify STACK=dev` finds of the services, by name."""
    outputs = {"namespaces": {}, "aippNamespace": NAMESPACE, "gpus": gpus}
    return {each.name: each for each in verify.checks(node(), outputs, None)}


def bad(findings: dict[str, Finding]) -> dict[str, str]:
    """Return what is not well."""
    return {name: each.says for name, each in findings.items() if not each.ok}


def commit(platform: Platform, message: str, **changes: Any) -> str:
    """Render with changes of section `aipp`, commit and push."""
    tree.write(platform.manifests.folder, changes)
    return platform.manifests.commit_and_push(message)


def end(service: str, *how: str) -> None:
    """Delete a service's pod."""
    kubectl("delete", "pod", services.name_of(service), "--namespace", NAMESPACE, "--wait=false", *how)


def another(service: str, before: str) -> bool:
    """Say whether a service has a new pod."""
    now = services.pods(service)
    return bool(now) and now[-1]["metadata"]["name"] != before


def all_ready(what: str, seconds: float = 300) -> None:
    """Wait until every service that is deployed is ready."""
    try:
        until(what, lambda: not services.not_ready(), seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{services.why()}") from None
