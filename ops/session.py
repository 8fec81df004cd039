"""A stack that is already up: its engine, its outputs, its chat."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import no_proxy
from infra.config import StackConfig
from ops import access, providers
from ops.clients import ingress
from ops.clients.chat import ChatClient
from ops.credentials import load_or_make, stack_config
from ops.engine import Engine
from ops.errors import OpsError
from ops.kubectl import Kubectl
from ops.paths import StackPaths
from toolchain.ensure import ready
from toolchain.tools import PULUMI, PULUMI_PYTHON


@dataclass(frozen=True, kw_only=True)
class Session:
    """What ``verify``, ``documents`` and ``destroy`` act on."""

    stack: StackConfig
    engine: Engine
    kubectl: Kubectl
    outputs: dict[str, Any]
    api_key: str

    @property
    def chat(self) -> ChatClient:
        """The deployed chat.

        Raises:
            OpsError: this stack deploys none through Pulumi, or the cluster does not answer.
        """
        url = self.outputs.get("chatUrl")
        if not url:
            raise OpsError("this stack has no chat of its own to talk to", "its URL comes with `make up`")
        return ChatClient(url=url, api_key=self.api_key, opener=ingress.opener(self.kubectl, self.stack))


def binaries() -> list[Path]:
    """Return the folders of the CLI that ``make up`` used.

    Raises:
        OpsError: there is none yet.
    """
    found = [place for place in (ready(PULUMI), ready(PULUMI_PYTHON)) if place]
    if not found:
        raise OpsError("Pulumi is not here yet", "make up prepares it")
    return found


def resume(paths: StackPaths) -> Session:
    """Return the session of a stack that ``make up`` has made.

    Raises:
        OpsError: the stack was never brought up from this checkout, or it is not clear which cluster is its.
    """
    if not paths.secrets.exists() or not paths.state.exists():
        raise OpsError(f"stack {paths.stack} is not up from this checkout", f"make up STACK={paths.stack}")
    kubectl = Kubectl.of(paths)  # before the engine, which would take the current cluster where none is named
    reach, places = access.of_stack(paths), binaries()
    no_proxy.pass_by(*reach.hosts)
    engine = Engine(
        paths=paths,
        binaries=places,
        providers=providers.in_use(paths.environment, places[0], own_node=reach.own_node),
        kubeconfig=reach.kubeconfig,
        variables=reach.builder_variables(paths.directory),
    )
    stack = stack_config(paths.stack)
    credentials = load_or_make(paths, stack)
    engine.prepare(credentials)
    return Session(stack=stack, engine=engine, kubectl=kubectl, outputs=engine.outputs(), api_key=credentials.api_key)
