"""After a failed rollout: refuses the bad tag and names the good one in Git again.

It needs Python and git, nothing else, and does one step each time it runs; running it again never does a step twice:

1. A rollout was aborted, or a Deployment got no new pod ready: its tag is added to the list of refused tags, in Git.
2. Argo CD has handed that list to Image Updater: the overlay names the good tag again, in Git.

The order is what keeps it from flapping: were the good tag named first, Image Updater would write the newest tag, the
bad one, right over it. Nobody is in a hurry: an aborted rollout serves everybody from the old pods.

Usage: python3 rollback.py --rollout chat/api [--deployment chat/engine] --repository URL --overlay FILE
                           [--refused FILE --updater argocd/chat]
Exit status 0: nothing to do, or a step was done; 1: something is wrong, which the message says.
"""

import argparse
import base64
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
AUTHOR = ("rollback", "rollback@aihub.invalid")
PUSHES = 5
GIT_SECONDS = 120
API_SECONDS = 30


class RollbackError(Exception):
    """It cannot go on; the message says why, and what to do."""


class AbsentError(RollbackError):
    """The API knows no such object."""


@dataclass(frozen=True)
class Failed:
    """A version that was sent back."""

    bad: str
    """Its tag."""
    good: str
    """Tag of the version that serves; empty: none does, and Git knows what did."""
    reason: str
    """What the controller says."""


# --- the cluster ------------------------------------------------------------------------------------------------------


class Api:
    """Reads objects of the Kubernetes API."""

    def __init__(self, url: str, account: Path = ACCOUNT) -> None:
        """Use the pod's own account; an ``http://`` address (a proxy, a test) needs none."""
        self._url = url.rstrip("/")
        self._account = account

    def get(self, path: str) -> dict[str, Any]:
        """Return the object at ``path``.

        Raises:
            RollbackError: the API does not give it; an AbsentError where it has none.
        """
        request = urllib.request.Request(f"{self._url}{path}")  # noqa: S310 - the address is configuration, not input
        context = None
        try:
            if self._url.startswith("https"):
                context = ssl.create_default_context(cafile=str(self._account / "ca.crt"))
                request.add_header("Authorization", f"Bearer {(self._account / 'token').read_text().strip()}")
            with urllib.request.urlopen(request, timeout=API_SECONDS, context=context) as answer:  # noqa: S310 - as above
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            kind = AbsentError if error.code == 404 else RollbackError
            raise kind(f"the API answers {error.code} to {path}: check the object and the Role") from None
        except (OSError, ValueError) as error:
            raise RollbackError(f"the API cannot be asked for {path}: {error}") from None
        return dict(found)


def failed_version(api: Api, rollout: str) -> Failed | None:
    """Return the version that the rollout ``namespace/name`` sent back; None if it did not.

    Raises:
        RollbackError: it failed, and going back to another image would not help.
    """
    namespace, _, name = rollout.partition("/")
    found = _watched(api, f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts/{name}")
    if found is None:
        return None
    status, stable = found.get("status") or {}, str((found.get("status") or {}).get("stableRS", ""))
    has_seen_spec = str(status.get("observedGeneration")) == str(found["metadata"].get("generation"))
    if not (status.get("abort") and has_seen_spec and stable) or stable == status.get("currentPodHash"):
        return None
    serving = api.get(f"/apis/apps/v1/namespaces/{namespace}/replicasets/{name}-{stable}")
    bad, good = _tag(found), _tag(serving)
    if bad == good:
        raise RollbackError(
            f"rollout {rollout} failed with the tag that also serves, {good}: the image is not the cause; "
            "look at what else changed in the tree"
        )
    return Failed(bad=bad, good=good, reason=str(status.get("message", "")) or "aborted")


def stuck_version(api: Api, deployment: str) -> Failed | None:
    """Return the version of which the Deployment ``namespace/name`` gets no pod ready in its time; None if it does.

    Raises:
        RollbackError: the API does not give it.
    """
    namespace, _, name = deployment.partition("/")
    found = _watched(api, f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    if found is None:
        return None
    status = found.get("status") or {}
    if status.get("observedGeneration") != found["metadata"].get("generation"):
        return None
    reasons = [
        str(each.get("message", ""))
        for each in status.get("conditions") or ()
        if each.get("type") == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded"
    ]
    return Failed(bad=_tag(found), good="", reason=reasons[0]) if reasons else None


def _watched(api: Api, path: str) -> dict[str, Any] | None:
    """Return a workload; None before its first deployment, which is no failure: this looks every minute."""
    try:
        return api.get(path)
    except AbsentError:
        return None


def _tag(workload: Mapping[str, Any]) -> str:
    """Return the tag of a workload's first container."""
    image = str(workload["spec"]["template"]["spec"]["containers"][0]["image"])
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if not tag:
        raise RollbackError(f"image {image} has no tag: the overlay must name images by tag")
    return tag


def knows(api: Api, updater: str, tag: str) -> bool:
    """Say whether Image Updater, as it is in the cluster, refuses ``tag``."""
    namespace, _, name = updater.partition("/")
    group = "argocd-image-updater.argoproj.io/v1alpha1"
    found = api.get(f"/apis/{group}/namespaces/{namespace}/imageupdaters/{name}")
    return tag in ((found.get("spec") or {}).get("commonUpdateSettings") or {}).get("ignoreTags", ())


# --- the files --------------------------------------------------------------------------------------------------------


def with_refused(text: str, tag: str) -> str:
    """Return the list of refused tags with ``tag`` in it.

    Raises:
        RollbackError: the file has no such list.
    """
    lines = text.splitlines(keepends=True)
    end, items = _refused(lines)
    if tag in {item[2] for item in items}:
        return text
    indent = items[-1][1] if items else "    "
    return "".join([*lines[:end], f'{indent}- "{tag}"\n', *lines[end:]])


def _refused(lines: list[str]) -> tuple[int, list[re.Match[str]]]:
    """Return the line after the list, and its items with indent (1) and tag (2)."""
    heads = [number for number, line in enumerate(lines) if line.strip() == "ignoreTags:"]
    if not heads:
        raise RollbackError("the file of refused tags has no line `ignoreTags:`: render it anew")
    end = heads[0] + 1
    items = []
    while end < len(lines) and (item := re.fullmatch(r"(\s*)- [\"']?([^\"'\s]+)[\"']?\s*", lines[end])):
        items.append(item)
        end += 1
    return end, items


def tags_of(text: str) -> dict[str, str]:
    """Return image -> tag of an overlay's kustomization."""
    return {name: tag for name, tag, _ in _images(text) if tag}


def with_tags(text: str, tags: Mapping[str, str]) -> str:
    """Return an overlay's kustomization with other tags; the rest of the file stays as it is."""
    lines = text.splitlines(keepends=True)
    for name, _, number in _images(text):
        if name in tags and number is not None:
            # In quotes: a commit's name may consist of digits, and kustomize wants text.
            lines[number] = re.sub(r"(?<=newTag:).*", f' "{tags[name]}"', lines[number])
    return "".join(lines)


def _images(text: str) -> list[tuple[str, str, int | None]]:
    """Return name, tag and the tag's line of each entry below ``images:``, however its keys are ordered."""
    entries: list[dict[str, tuple[str, int]]] = []
    inside = False
    for number, line in enumerate(text.splitlines()):
        if re.match(r"[^\s#-]", line):
            inside = line.rstrip() == "images:"
        elif inside:
            if re.match(r"\s*- ", line):
                entries.append({})
            if entries and (found := re.match(r"[\s-]*(name|newTag):\s*[\"']?([^\"'\s#]+)", line)):
                entries[-1][found[1]] = (found[2], number)
    named = [entry for entry in entries if "name" in entry]
    return [(entry["name"][0], *entry.get("newTag", ("", None))) for entry in named]


# --- Git --------------------------------------------------------------------------------------------------------------


class Checkout:
    """A clone in a folder of its own, with the account's credentials in no file and no argument."""

    def __init__(self, directory: Path, url: str, branch: str, credentials: Path | None = None) -> None:
        """Clone ``branch`` of ``url``; ``credentials`` is a folder with the files ``username`` and ``password``."""
        self.directory = directory
        self._branch = branch
        self._environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "HOME": str(directory.parent)}
        if credentials:
            pair = ":".join((credentials / name).read_text().strip() for name in ("username", "password"))
            self._environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{url}.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: Basic {base64.b64encode(pair.encode()).decode()}",
            }
        self._git("clone", "--quiet", "--single-branch", "--branch", branch, url, str(directory), inside=False)

    def _git(self, *arguments: str, inside: bool = True) -> str:
        where = ["-C", str(self.directory)] if inside else []
        try:
            done = subprocess.run(
                ["git", *where, *arguments],
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=GIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RollbackError(f"git {arguments[0]}: {error}") from None
        if done.returncode:
            raise RollbackError(f"git {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout

    def refused(self, file: str) -> set[str]:
        """Return the tags that ``file`` refuses; none if it is not there."""
        path = self.directory / file
        lines = path.read_text().splitlines(keepends=True) if path.is_file() else ["ignoreTags:"]
        return {item[2] for item in _refused(lines)[1]}

    def history(self, file: str) -> list[str]:
        """Return the contents that ``file`` had, newest first, today's left out."""
        commits = self._git("log", "--format=%H", "--", file).split()
        return [self._git("show", f"{commit}:{file}") for commit in commits[1:]]

    def change(self, file: str, edit: Callable[[str], str], message: str) -> bool:
        """Edit a file, commit and push; on top of what others pushed meanwhile. Say whether anything changed.

        Raises:
            RollbackError: there is no such file, or Git refuses the push for another reason.
        """
        for attempt in range(PUSHES):
            path = self.directory / file
            if not path.is_file():
                raise RollbackError(f"{file} is not in the repository: push the rendered tree")
            before = path.read_text()
            after = edit(before)
            if after == before:
                return False
            path.write_text(after)
            author = ("-c", f"user.name={AUTHOR[0]}", "-c", f"user.email={AUTHOR[1]}")
            self._git(*author, "commit", "--quiet", "--message", message, "--", file)
            try:
                self._git("push", "--quiet", "origin", f"HEAD:{self._branch}")
            except RollbackError:
                self._git("fetch", "--quiet", "origin", self._branch)
                is_behind = self._git("rev-parse", "HEAD~1") != self._git("rev-parse", "FETCH_HEAD")
                self._git("reset", "--quiet", "--hard", "FETCH_HEAD")
                if attempt == PUSHES - 1 or not is_behind:
                    raise
                continue
            return True
        return False


# --- the two steps ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where things are written."""

    overlay: str
    """Kustomization with the tags, in the repository."""
    refused: str | None
    """List of refused tags, in the repository; None: nobody but people and pipelines writes tags."""
    updater: str | None
    """The ImageUpdater, as namespace/name."""


def step(api: Api, rollout: str, deployment: str | None, place: Place, clone: Callable[[], Checkout]) -> str:
    """Do what is next and return what was done.

    Raises:
        RollbackError: it cannot be done.
    """
    failed = failed_version(api, rollout) or (stuck_version(api, deployment) if deployment else None)
    if not failed:
        return "nothing to do"
    checkout = clone()
    refused = checkout.refused(place.refused) if place.refused else set()
    if place.refused and checkout.change(
        place.refused,
        lambda text: with_refused(text, failed.bad),
        f"Refuse {failed.bad}: its rollout failed\n\n{failed.reason}\n",
    ):
        return f"refused {failed.bad}"
    if place.updater and not knows(api, place.updater, failed.bad):
        return f"{failed.bad} is refused in Git; waiting until Argo CD has told Image Updater"
    changed = checkout.change(
        place.overlay,
        lambda text: with_tags(text, former_tags(text, failed, checkout.history(place.overlay), refused)),
        f"Go back from {failed.bad}\n\n{failed.reason}\n",
    )
    return f"no image is {failed.bad} any more" if changed else f"{failed.bad} is named no more"


def former_tags(text: str, failed: Failed, history: list[str], refused: set[str]) -> dict[str, str]:
    """Return image -> the tag it goes back to, for each image that carries the bad tag now.

    A commit is refused as a whole: an engine of the same tag goes back, too, to what it was before.

    Raises:
        RollbackError: Git does not know what an image was before.
    """
    back = {}
    never = {failed.bad, *refused}
    for image in (name for name, tag in tags_of(text).items() if tag == failed.bad):
        before = [tag for old in history if (tag := tags_of(old).get(image)) and tag not in never]
        good = failed.good if failed.good in before or not before else before[0]
        if not good:
            raise RollbackError(f"{image} never had another tag than {failed.bad}: there is nothing to go back to")
        back[image] = good
    return back


def main(arguments: list[str]) -> int:
    """Run one step; return the exit status."""
    parser = argparse.ArgumentParser(description="Undo in Git what a rollout refused.")
    parser.add_argument("--rollout", required=True, help="namespace/name")
    parser.add_argument("--deployment", help="namespace/name of a Deployment whose tags are in the same overlay")
    parser.add_argument("--repository", required=True, help="address of the Git repository")
    parser.add_argument("--branch", default="main")
    parser.add_argument("--overlay", required=True, help="kustomization.yaml with the tags")
    parser.add_argument("--refused", help="file with the list of refused tags")
    parser.add_argument("--updater", help="namespace/name of the ImageUpdater")
    parser.add_argument("--credentials", type=Path, help="folder with the files username and password")
    parser.add_argument("--api", help="address of the Kubernetes API; absent: the pod's own")
    options = parser.parse_args(arguments)
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST", ""), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    api = Api(options.api or f"https://{host}:{port}")
    place = Place(overlay=options.overlay, refused=options.refused, updater=options.updater)
    with tempfile.TemporaryDirectory() as folder:
        try:
            print(
                step(
                    api,
                    options.rollout,
                    options.deployment,
                    place,
                    lambda: Checkout(Path(folder) / "tree", options.repository, options.branch, options.credentials),
                )
            )
        except RollbackError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
