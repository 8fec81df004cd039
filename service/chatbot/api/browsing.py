"""The routes that only the roles `api` and `all` have."""

from fastapi import FastAPI

from chatbot.api import conversations, documents, logins, oidc_logins
from chatbot.api.chat.api import assistant_router
from chatbot.api.page import mount_page
from chatbot.settings import Settings


def mount_browsing(app: FastAPI, settings: Settings) -> None:
    """Add chats with documents and history, logins and the page."""
    if settings.oidc_issuer:
        # Before the one-time logins, whose path would take in these.
        app.include_router(oidc_logins.router)
    for router in (assistant_router, conversations.router, documents.router, logins.router):
        app.include_router(router)
    mount_page(app, settings.web_dir)
