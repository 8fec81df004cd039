"""A stack that is already up: its engine, its outputs, its chat."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops import access, providers
from ops.chat_client import ChatClient
from ops.credentials import load_or_make, stack_config
from ops.engine import Engine
from ops.errors import OpsError
from ops.paths import StackPaths
from toolchain.ensure import ready
from toolchain.tools import PULUMI, PULUMI_PYTHON


@dataclass(frozen=True, kw_only=True)
class Session:
    """What ``verify``, ``documents`` and ``destroy`` act on."""

    engine: Engine
    outputs: dict[str, Any]
    api_key: str

    @property
    def chat(self) -> ChatClient:
        """The deployed chat.

        Raises:
            OpsError: this stack deploys none through Pulumi.
        """
        url = self.outputs.get("chatUrl")
        if not url:
            raise OpsError("this stack has no chat of its own to talk to", "its URL comes with `make up`")
        return ChatClient(url=url, api_key=self.api_key)


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
        OpsError: the stack was never brought up from this checkout.
    """
    if not paths.secrets.exists() or not paths.state.exists():
        raise OpsError(f"stack {paths.stack} is not up from this checkout", f"make up STACK={paths.stack}")
    reach, places = access.of_stack(paths), binaries()
    engine = Engine(
        paths=paths,
        binaries=places,
        providers=providers.for_up(places[0]),
        kubeconfig=reach.kubeconfig,
        variables=reach.variables,
    )
    credentials = load_or_make(paths, stack_config(paths.stack))
    engine.prepare(credentials)
    return Session(engine=engine, outputs=engine.outputs(), api_key=credentials.api_key)
