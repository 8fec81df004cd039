"""What RKE2 and k3s must be told: that the registry speaks plain HTTP. They find NVIDIA's runtime themselves."""

import yaml

from cluster import NodeError
from cluster.settings import REGISTRY

FOLDERS = {"rke2-server": "/etc/rancher/rke2", "k3s": "/etc/rancher/k3s"}
"""Service of each -> the folder that is there once it is installed; they read their file when they start."""
MIRRORS = f"""\
mirrors:
  "{REGISTRY}":
    endpoint:
      - "http://{REGISTRY}"
"""


def file_of(folder: str) -> str:
    """Return the path of the file."""
    return f"{folder}/registries.yaml"


def registries(path: str, text: str) -> str:
    """Return the file at ``path`` with our registry in it; everything in it stays.

    Raises:
        NodeError: the file cannot be read, or has mirrors, among which ours must be written by hand.
    """
    try:
        whole = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise NodeError(f"{path} cannot be read: {error}", f"correct {path}") from error
    mirrors = whole.get("mirrors") if isinstance(whole, dict) else None
    if isinstance(mirrors, dict) and f"http://{REGISTRY}" in (mirrors.get(REGISTRY) or {}).get("endpoint", ()):
        return text
    if mirrors is not None or not isinstance(whole, dict):
        # Written anew it would lose its comments and its order.
        lines = "\n".join(MIRRORS.splitlines()[1:])
        raise NodeError(f"{path} has mirrors of its own, and not {REGISTRY}", f"add below `mirrors:` there:\n{lines}")
    return text + ("" if text.endswith("\n") or not text else "\n") + MIRRORS
