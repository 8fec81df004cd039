"""What RKE2 and k3s must be told: how to reach the registry. They find NVIDIA's runtime themselves."""

import yaml

from cluster import NodeError
from cluster.settings import REGISTRY

FOLDERS = {"rke2-server": "/etc/rancher/rke2", "k3s": "/etc/rancher/k3s"}
"""Service of each -> the folder that is there once it is installed; they read their file when they start."""


def mirrors(authority: str | None) -> str:
    """Return the lines about our registry; ``authority`` is a file, None: plain HTTP."""
    trust = f"""\
configs:
  "{REGISTRY}":
    tls:
      ca_file: "{authority}"
"""
    return f"""\
mirrors:
  "{REGISTRY}":
    endpoint:
      - "{"https" if authority else "http"}://{REGISTRY}"
{trust if authority else ""}"""


def file_of(folder: str) -> str:
    """Return the path of the file."""
    return f"{folder}/registries.yaml"


def registries(path: str, authority: str | None, text: str) -> str:
    """Return the file at ``path`` with our registry in it; everything in it stays but what an earlier run wrote.

    Raises:
        NodeError: the file cannot be read, or has mirrors, among which ours must be written by hand.
    """
    wanted = mirrors(authority)
    if wanted in text:
        return text
    if not authority and f'"https://{REGISTRY}"' in text:
        return text  # a person's own: it speaks TLS, by an authority that the node trusts anyway
    text = text.replace(mirrors(None), "")
    try:
        whole = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise NodeError(f"{path} cannot be read: {error}", f"correct {path}") from error
    theirs = whole.get("mirrors") if isinstance(whole, dict) else None
    scheme = "https" if authority else "http"
    if isinstance(theirs, dict) and f"{scheme}://{REGISTRY}" in (theirs.get(REGISTRY) or {}).get("endpoint", ()):
        return text
    if theirs is not None or not isinstance(whole, dict) or (authority and "configs" in whole):
        # Written anew it would lose its comments and its order.
        raise NodeError(
            f"{path} has mirrors or configs of its own, and not {REGISTRY}", f"add to what stands there:\n{wanted}"
        )
    return text + ("" if text.endswith("\n") or not text else "\n") + wanted
