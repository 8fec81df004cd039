"""Waiting: until an object is ready, or until it is gone, with a word on what is missing."""

import time
from collections.abc import Callable

from plugins.kubernetes.cluster import Cluster, Manifest, UnreachableError
from plugins.kubernetes.diagnosis import last_log_lines, problems
from plugins.kubernetes.objects import annotation, title
from plugins.kubernetes.readiness import Readiness, check_for
from plugins.protocol.provider import Operation, ProviderError

DEFAULT_TIMEOUT_SECONDS = 600
"""The vendor's plugin waits ten minutes for each kind."""
POLL_SECONDS = 1.0
DIAGNOSE_SECONDS = 3.0
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
WAIT_FOR = "pulumi.com/waitFor"


class UnreadyError(ProviderError):
    """An object exists but is not ready."""

    def __init__(self, live: Manifest, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.live = live
        self.reasons = reasons


def timeout_seconds(manifest: Manifest, operation: Operation) -> float:
    """Return how long to wait: the program's customTimeouts, else the object's annotation, else ten minutes."""
    if operation.timeout_seconds:
        return operation.timeout_seconds
    text = annotation(manifest, TIMEOUT)
    return float(text) if text else DEFAULT_TIMEOUT_SECONDS


def until_ready(live: Manifest, cluster: Cluster, operation: Operation) -> Manifest:
    """Return the object once it is ready.

    Raises:
        UnreadyError: it failed, vanished, or was not ready in time; with what its pods and events say.
    """
    check = check_for(live)
    if annotation(live, WAIT_FOR):
        operation.warn(f"{WAIT_FOR} is not part of this stand-in: {title(live)} is waited for in the usual way")
    if check is None or annotation(live, SKIP_AWAIT) == "true":
        return live
    limit = timeout_seconds(live, operation)
    started = time.monotonic()
    diagnosed, cause = started, ""
    state = check(live, cluster)
    while state.waits_for:
        if state.failed:
            raise UnreadyError(live, _reasons(live, cluster, state.failed))
        now = time.monotonic()
        if now - diagnosed >= DIAGNOSE_SECONDS:
            diagnosed, cause = now, next(iter(problems(live, cluster)), "")
        operation.say(f"Waiting for {state.waits_for}" + (f"; {cause}" if cause else ""))
        if now - started > limit:
            late = f"{title(live)} was not ready within {limit:g} s: it waits for {state.waits_for}"
            raise UnreadyError(live, _reasons(live, cluster, late))
        if operation.cancelled.wait(POLL_SECONDS):
            raise UnreadyError(live, [f"the wait for {title(live)} was cancelled"])
        live, state = _look_again(live, cluster, check)
    operation.say("Ready")
    return live


def _look_again(
    live: Manifest, cluster: Cluster, check: Callable[[Manifest, Cluster], Readiness]
) -> tuple[Manifest, Readiness]:
    try:
        found = cluster.get(live)
        if found is None:
            return live, Readiness(waits_for="it", failed=f"{title(live)} was deleted by someone else")
        return found, check(found, cluster)
    except UnreachableError:
        return live, Readiness(waits_for="the API server to answer again")


def _reasons(live: Manifest, cluster: Cluster, first: str) -> list[str]:
    return [first, *problems(live, cluster), *last_log_lines(live, cluster)]


def until_gone(named: Manifest, live: Manifest, cluster: Cluster, operation: Operation) -> None:
    """Return once the object no longer exists; another one of the same name does not count.

    Raises:
        ProviderError: it is still there after the time allowed; the message names what holds it.
    """
    limit = timeout_seconds(live, operation)
    started = time.monotonic()
    while True:
        found = cluster.get(named)
        if found is None or found["metadata"]["uid"] != live["metadata"]["uid"]:
            return
        holders = _holders(found)
        operation.say("Waiting for its deletion" + (f" ({holders})" if holders else ""))
        if time.monotonic() - started > limit:
            raise ProviderError(
                f"{title(live)} was still there {limit:g} s after its deletion was asked for"
                + (f"; {holders}" if holders else "")
            )
        if operation.cancelled.wait(POLL_SECONDS):
            raise ProviderError(f"the wait for the deletion of {title(live)} was cancelled; it goes on in the cluster")


def _holders(live: Manifest) -> str:
    conditions = live.get("status", {}).get("conditions") or []
    texts = (
        [f"finalizers {', '.join(live['metadata'].get('finalizers', []))}"]
        if live["metadata"].get("finalizers")
        else []
    )
    # A namespace says here what is left in it.
    if live["kind"] == "Namespace":
        texts += [each["message"] for each in conditions if each["status"] == "True"]
    return "; ".join(texts)
