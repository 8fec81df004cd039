"""How routes get at the collaborators that `build_app` was given."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request

from chatbot.auth import Identity, KeyRing
from chatbot.engine.protocol import Engine
from chatbot.history.pending import PendingHistory
from chatbot.sessions.service import Sessions
from chatbot.telemetry import Metrics

if TYPE_CHECKING:  # the engine's image has no readers of documents, and no OpenID Connect
    from chatbot.oidc.login import OidcLogin
    from chatbot.retrieval.library import Library
    from chatbot.retrieval.search import Search


@dataclass(frozen=True)
class Browsing:
    """What the roles `api` and `all` have beyond an engine."""

    history: PendingHistory
    library: "Library"
    search: "Search"
    sessions: Sessions
    oidc: "OidcLogin | None" = None
    """None: people sign in with the API key only."""


@dataclass(frozen=True)
class Collaborators:
    """Everything that the application works with."""

    engine: Engine
    keys: KeyRing
    metrics: Metrics
    browsing: Browsing | None
    """None for the role `engine`."""


def collaborators(request: Request) -> Collaborators:
    """The collaborators of the application that handles `request`."""
    return cast(Collaborators, request.app.state.collaborators)


def _browsing(request: Request) -> Browsing:
    browsing = collaborators(request).browsing
    if browsing is None:
        raise TypeError("a route of the api is mounted in the engine")
    return browsing


def _identity(request: Request) -> Identity:
    """Who asks; the guard lets nobody unknown through to a route that wants to know."""
    return cast(Identity, request.state.identity)


def _owner(request: Request) -> str:
    return _identity(request).owner


BrowsingDep = Annotated[Browsing, Depends(_browsing)]
CollaboratorsDep = Annotated[Collaborators, Depends(collaborators)]
IdentityDep = Annotated[Identity, Depends(_identity)]
OwnerDep = Annotated[str, Depends(_owner)]
