"""``make secret``: which secrets a stack has; with ``NAME=`` set or renew one, and roll what uses it."""

import getpass
import sys

from infra.config import StackConfig, pem
from infra.config.registry import TLS_KEY
from infra.config.secret_keys import Origin
from ops import machine
from ops.credentials import LOCAL, PASSPHRASE, Credentials, completed, keep, kept, load_or_make, stack_config, wanted_by
from ops.errors import OpsError
from ops.lock import locked
from ops.paths import StackPaths
from ops.preflight import gitlab
from ops.progress import Progress
from ops.restart import Cluster, changed, readers
from ops.session import resume


def listing(paths: StackPaths, stack: StackConfig) -> str:
    """Return a table of the stack's secrets, without a value."""
    known, wanted = kept(paths), wanted_by(stack)
    rows = [(name, Origin.RANDOM, purpose) for name, purpose in LOCAL.items()]
    # What a hash is made of is a password that people type: it never reaches the cluster.
    sources = {each.derivation.source: each.purpose for each in wanted if each.derivation}
    own = {each.name for each in wanted} | set(LOCAL)
    rows += [
        (name, Origin.RANDOM, f"{purpose} (people use it)") for name, purpose in sources.items() if name not in own
    ]
    rows += [(each.name, each.origin, each.purpose) for each in wanted]
    lines = [f"  {'name':<28} {'origin':<8} {'state':<8} purpose"]
    for name, origin, purpose in rows:
        lines.append(f"  {name:<28} {origin.value:<8} {'there' if name in known else 'missing':<8} {purpose}")
    return "\n".join([*lines, f"The values lie in {paths.secrets}, for its owner alone."])


def renewable(stack: StackConfig) -> dict[str, Origin]:
    """Return the names that may be set or renewed: no derived ones, which follow their source."""
    wanted = wanted_by(stack)
    sources = {each.derivation.source: Origin.RANDOM for each in wanted if each.derivation}
    own = {each.name: each.origin for each in wanted if each.origin is not Origin.DERIVED}
    return {**sources, **own}


def given(name: str) -> str:
    """Read a value from the person, or from standard input."""
    value = getpass.getpass(f"{name} (not shown): ") if sys.stdin.isatty() else sys.stdin.read().rstrip("\n")
    if not value.strip():
        raise OpsError(f"{name}: the value is empty", f"type it, or: make secret NAME={name} < file")
    return value


def renew(paths: StackPaths, stack: StackConfig, name: str) -> None:
    """Write a new value down: a random one, or one that a person gives; what is derived from it follows.

    Raises:
        OpsError: there is no such secret, it is derived from another, something is encrypted with it, GitLab refuses
            the token that is given, or a key is not the registry's certificate's.
    """
    choices = renewable(stack)
    if name == PASSPHRASE:
        raise OpsError(
            "the passphrase encrypts the state and cannot simply be replaced",
            f"source .aihub/{paths.stack}/env && pulumi stack change-secrets-provider passphrase, "
            f"then put it into {paths.secrets} and {paths.passphrase}",
        )
    if name not in choices:
        raise OpsError(f"stack {paths.stack} has no secret {name!r} to renew", f"choose one of: {', '.join(choices)}")
    encrypted = {each.name: each.encrypts for each in wanted_by(stack) if each.encrypts}
    if name in encrypted:
        raise OpsError(
            f"with another {name} nobody can read what is encrypted with this one: {encrypted[name]}",
            f"leave it. If it is known to others: take its line out of {paths.secrets}, "
            f"run make up STACK={paths.stack}, and set these anew",
        )
    before = {key: value for key, value in kept(paths).items() if key != name}
    if choices[name] is Origin.GIVEN:
        before[name] = given(name)
        if name == gitlab.TOKEN_KEY:
            # Before it takes the place of one that works, and before `pulumi up` stops at it half way.
            machine.demand(gitlab.looks(paths.stack, stack, before[name]))
        tls = stack.registry.server.tls if stack.registry.server else None
        if name == TLS_KEY and tls and not pem.fits(pem.certificates(tls.certificate)[0], before[name]):
            raise OpsError(f"what was given {pem.OTHER_KEY[0]}", pem.OTHER_KEY[1])
    keep(paths, completed(before, wanted_by(stack), stack.registry.username or ""))


def run(paths: StackPaths, name: str) -> int:
    """List the secrets, or renew one and roll what uses it.

    Raises:
        OpsError: see :func:`renew`; or the roll-out failed: `make up` goes on with it.
    """
    stack = stack_config(paths.stack)
    if not name:
        print(listing(paths, stack))
        return 0
    progress = Progress(f"make secret STACK={paths.stack} NAME={name}")
    with locked(paths, "secret"):
        was_up = paths.state.exists()
        renew(paths, stack, name)
        print(f"{name}: a new value lies in {paths.secrets}" + (f" and {paths.api_key}" if name in LOCAL else ""))
        if was_up:
            _roll(paths, load_or_make(paths, stack), progress)
    return 0


def _roll(paths: StackPaths, credentials: Credentials, progress: Progress) -> None:
    """Give the cluster the new value, and replace the pods that still have the old one."""
    session = resume(paths)
    cluster = Cluster(session.kubectl)
    secrets, templates = cluster.secrets(), cluster.templates()
    with progress.step("pulumi up", "the new value reaches the cluster"):
        session.engine.prepare(credentials)
        session.engine.run("up", "--yes", "--skip-preview", "--suppress-outputs")
    with progress.step("Restarts", "what reads the Secret and was not rolled by that"):
        stale = changed(secrets, cluster.secrets())
        for kind, namespace, name in readers(cluster.workloads(), stale, templates):
            progress.say(f"{kind} {namespace}/{name}")
            cluster.restart(kind, namespace, name)
