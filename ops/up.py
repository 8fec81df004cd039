"""``make up``: from a bare machine to a chat that answers."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from cluster import no_proxy
from cluster.wsl.computer import Computer
from ops import access, documents, machine, providers, verify
from ops.clients import ingress
from ops.clients.chat import ChatClient, ChatError
from ops.credentials import load_or_make, stack_config
from ops.engine import Engine
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.lock import locked
from ops.paths import CHECKOUT, StackPaths
from ops.preflight import owner
from ops.preflight import run as preflight
from ops.progress import Progress
from toolchain.ensure import ensure, ready
from toolchain.golang import forget_build_files
from toolchain.tools import NODE, PULUMI, PULUMI_PYTHON


def _preflight(stack: str, own_node: bool) -> None:
    """Refuse, before anything changes, what cannot end well.

    Raises:
        OpsError, NodeError: everything that is missing, each with its fix.
    """
    if own_node:
        first = not all(ready(tool) for tool in NODE)
        disk = machine.disk(machine.UP_GIB if first else machine.AGAIN_GIB)
        machine.demand([machine.architecture(), machine.root(), machine.debian(), disk])
        from cluster import node  # noqa: PLC0415 - only a stack on our own node needs it

        node.check()
    machine.demand(preflight.of_stack(stack, before_up=True))


@contextmanager
def _one_after_the_other() -> Iterator[ThreadPoolExecutor]:
    """Work beside ours; where ours fails, what has not begun never does."""
    builder = ThreadPoolExecutor(max_workers=1)
    try:
        yield builder
    finally:
        builder.shutdown(cancel_futures=True)


def engine_binaries(progress: Progress) -> list[Path]:
    """Return the folders of the Pulumi CLI and its language host, making them if need be."""
    place = ensure(PULUMI, progress.say)
    # The vendor's download brings the host along; a CLI built from its module does not.
    return [place] if (place / "pulumi-language-python").exists() else [place, ensure(PULUMI_PYTHON, progress.say)]


def _node(progress: Progress, builds: Sequence[Future[Path]]) -> None:
    """Prepare packages and images while the tools are built, then start the node."""
    from cluster import node  # noqa: PLC0415 - only a stack on our own node needs it

    with progress.step("System packages and base image", "while Kubernetes is built"):
        node.prepare(progress.say)
    with progress.step("Kubernetes binaries", "building only what is neither here nor to be downloaded"):
        for build in builds:
            build.result()
    with progress.step("Kubernetes node", "until it is ready and its DNS answers"):
        node.up(progress.say)


def _answers(chat: ChatClient) -> bool:
    """Say whether the chat is there."""
    try:
        chat.request("GET", "/livez")
    except (ChatError, OpsError):
        return False
    return True


def _from_windows(url: str) -> str:
    """Return how Windows' browser comes to a loopback address of the Linux within it; empty: it is none.

    Windows hands on the ports that a process listens on. On a NodePort nobody does: the kernel answers.
    """
    address = urlsplit(url)
    if address.hostname != "127.0.0.1":
        return ""
    port = f"listenaddress=127.0.0.1 listenport={address.port} connectport={address.port}"
    return (
        "Windows' browser comes to it after two steps (docs/local.md):\n"
        "  sudo python3 -m cluster up --expose 172.16.0.0/12\n"
        f"  PowerShell as administrator: netsh interface portproxy add v4tov4 {port} "
        "connectaddress=$((wsl hostname -I).Split()[0])\n"
    )


def run(paths: StackPaths) -> int:
    """Do everything; each step does nothing when its work is done.

    Raises:
        OpsError: something is missing or failed; running the command again goes on from there.
    """
    reach = access.of_stack(paths)
    no_proxy.pass_by(*reach.hosts)
    stack = stack_config(paths.stack)
    _preflight(paths.stack, reach.own_node)
    progress = Progress(f"make up STACK={paths.stack}")
    with locked(paths, "up"), _one_after_the_other() as builder:
        credentials = load_or_make(paths, stack)
        # One build after the other, each on all cores; the node waits for its own only.
        node_tools = [builder.submit(ensure, tool, progress.say) for tool in (NODE if reach.own_node else ())]
        cli = builder.submit(engine_binaries, progress)
        if reach.own_node:
            _node(progress, node_tools)
        # Once the node is there: what it lacks for this stack, before anything waits for a pod that cannot start.
        machine.demand(preflight.of_stack(paths.stack, before_up=True))
        kubectl = Kubectl.of(paths)
        with progress.step("Pulumi", "its command line and its providers"):
            binaries = cli.result()
            forget_build_files()
            using = providers.for_up(binaries[0], own_node=reach.own_node)
            progress.say(using.said)
        engine = Engine(
            paths=paths,
            binaries=binaries,
            providers=using,
            kubeconfig=reach.kubeconfig,
            variables=reach.builder_variables(paths.directory),
        )
        engine.prepare(credentials)
        with progress.step("pulumi up", "images are built and pushed, then the chat is rolled out"):
            # --refresh: what somebody deleted, or a node made anew, is put back.
            try:
                engine.run("up", "--yes", "--skip-preview", "--suppress-outputs", "--refresh")
            finally:
                owner.mark(kubectl, paths.stack, owner.namespaces(stack))
        outputs = engine.outputs()
        url = outputs.get("chatUrl")
        opener = ingress.opener(kubectl, stack)
        chat = ChatClient(url=url, api_key=credentials.api_key, opener=opener) if url else None
        if chat is not None and outputs["chatDelivery"] == "argocd" and not _answers(chat):
            print(progress.table())
            print("The platform is up. Argo CD deploys the chat from Git, and it is not there yet: push the tree that")
            print(f'`make render STACK={paths.stack} OUT=folder` writes (docs/delivery.md, "The first time"), then')
            print(f"`make verify STACK={paths.stack}` and `make documents STACK={paths.stack} DIR=docs`.")
            print(f"API key file: {paths.api_key}")
            return 0
        if chat is not None:
            with progress.step("Documents", "README.md and docs/ become the chat's first knowledge"):
                documents.load(chat, documents.own(), progress.say)
        with progress.step("Verify"):
            found = verify.checks(kubectl, outputs, chat)
    status = verify.report(paths.stack, found, as_json=False)
    print(progress.table())
    print(f"By hand: source {paths.environment.relative_to(CHECKOUT)} && pulumi up")
    if chat is not None:
        print(f"Chat: {chat.login_url()}   (signs in once, within 15 minutes; later: {chat.url} and the key)")
        print(f"API key file: {paths.api_key}")
        if reach.own_node and Computer().is_wsl:
            print(_from_windows(chat.url), end="")
    return status
