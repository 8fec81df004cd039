"""A stand-in for Argo CD Image Updater: finds a new tag in the registry and writes it into the overlay in Git.

What it shares with the real one: it reads the ImageUpdater of the cluster (which tags are versions, which are refused),
looks at the registry and not at who pushed, always wants the newest, and writes ``images[].newTag`` of the overlay.
"""

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from cluster.settings import REGISTRY
from tests.live.common.kube import get
from tests.live.common.repository import Repository

OVERLAY = "gitops-apps/apps/backend-chat/k8s/overlays/wsl/kustomization.yaml"
LOOK_SECONDS = 3
"""The real one looks every two minutes."""


@dataclass
class Updater:
    """One image, and the overlay that names it."""

    repository: Repository
    """A working copy of its own."""
    image: str
    """As the overlay names it, e.g. ``registry.local:5000/aihub/api``."""
    seen: list[str] = field(default_factory=list)
    """Tags in the order in which they came; the real one asks the images for their dates."""
    written: list[str] = field(default_factory=list)
    """Tags that it wrote, in order."""
    troubles: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def settings(self) -> dict[str, Any]:
        """Return what the ImageUpdater in the cluster says for all images."""
        found = get("imageupdaters.argocd-image-updater.argoproj.io", "chat", "argocd")
        return dict(found["spec"]["commonUpdateSettings"]) if found else {"allowTags": "regexp:^$"}

    def tags(self) -> set[str]:
        """Return the registry's tags."""
        path = self.image.removeprefix(f"{REGISTRY}/")
        with urllib.request.urlopen(f"http://{REGISTRY}/v2/{path}/tags/list", timeout=10) as response:
            return set(json.loads(response.read()).get("tags") or [])

    def newest(self) -> str | None:
        """Return the newest version that is not refused."""
        settings = self.settings()
        allowed = re.compile(settings["allowTags"].removeprefix("regexp:"))
        self.seen += sorted(self.tags() - {*self.seen})
        wanted = [tag for tag in self.seen if allowed.search(tag) and tag not in settings.get("ignoreTags", ())]
        return wanted[-1] if wanted else None

    def named(self) -> str:
        """Return the tag that Git names."""
        with self._lock:
            return self._named(self._overlay())

    def look(self) -> None:
        """Look once, and write where Git does not name the newest."""
        with self._lock:
            overlay, newest = self._overlay(), self.newest()
            if newest is None or newest == self._named(overlay):
                return
            for each in overlay["images"]:
                if each["name"] == self.image:
                    each["newTag"] = newest
            (self.repository.folder / OVERLAY).write_text(yaml.safe_dump(overlay, sort_keys=False))
            self.repository.commit_and_push(f"Update {self.image} to {newest}")
            self.written.append(newest)

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look all the while."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(LOOK_SECONDS):
                try:
                    self.look()
                except Exception as error:  # somebody else pushed first, or the registry is busy: the next look is soon
                    self.troubles.append(str(error))

        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=60)

    def _overlay(self) -> dict[str, Any]:
        self.repository.take_over()
        return dict(yaml.safe_load((self.repository.folder / OVERLAY).read_text()))

    def _named(self, overlay: dict[str, Any]) -> str:
        return next(str(each["newTag"]) for each in overlay["images"] if each["name"] == self.image)
