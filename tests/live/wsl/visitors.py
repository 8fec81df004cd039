"""Somebody who uses the chat all the while, and counts what went wrong."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PAUSE_SECONDS = 0.4
LONGEST_SECONDS = 1800
QUESTION = {"model": "default", "messages": [{"role": "user", "content": "What is this project?"}]}


@dataclass
class Visitors:
    """One question after the other to the chat at ``url``."""

    url: str
    api_key: str = field(repr=False)
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    fingerprints: set[str] = field(default_factory=set)
    """What the answers said about the version that gave them."""

    def ask(self) -> dict[str, Any]:
        """Ask once, on a connection of its own."""
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1/chat/completions", json.dumps(QUESTION).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as response:
            return dict(json.loads(response.read()))

    def fingerprint(self) -> str:
        """Ask once and return what the answer says about its version; empty where the chat does not answer."""
        try:
            return str(self.ask().get("system_fingerprint", "none"))
        except (OSError, ValueError):
            return ""

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Ask all the while, for half an hour at most."""
        stop, deadline = threading.Event(), time.monotonic() + LONGEST_SECONDS
        self.answered = 0
        self.failures.clear()
        self.fingerprints.clear()

        def visit() -> None:
            while not stop.wait(PAUSE_SECONDS) and time.monotonic() < deadline:
                try:
                    self.fingerprints.add(str(self.ask().get("system_fingerprint", "none")))
                    self.answered += 1
                except urllib.error.HTTPError as error:
                    self.failures.append(f"{time.strftime('%T')} {error.code}: {error.read()[:200]!r}")
                except Exception as error:
                    self.failures.append(f"{time.strftime('%T')} {type(error).__name__}: {error}")

        thread = threading.Thread(target=visit, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=130)
