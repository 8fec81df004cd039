"""What a packaged containerd must be told: NVIDIA's runtime, and that the registry speaks plain HTTP.

Our own node's containerd has both already (cluster/components/containerd.py); for RKE2 and k3s see rancher.py.
"""

import tomllib
from typing import Any

from cluster import NodeError
from cluster.components.containerd import CRI, nvidia_runtime
from cluster.settings import REGISTRY

CONFIG = "/etc/containerd/config.toml"
CERTS = "/etc/containerd/certs.d"
HOSTS = f"{CERTS}/{REGISTRY}/hosts.toml"
V3_RUNTIME, V3_IMAGES = "plugins.'io.containerd.cri.v1.runtime'", "plugins.'io.containerd.cri.v1.images'"
"""Tables of CRI in version 3 (containerd 2.x)."""


def configuration(text: str) -> str:
    """Return containerd's file with what is missing added at its end; everything in it stays.

    Raises:
        NodeError: the file cannot be read, is of version 1, or says something else about registries.
    """
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NodeError(f"{CONFIG} cannot be read: {error}", f"correct {CONFIG}") from error
    version = whole.get("version", 1)
    if version not in (2, 3):
        raise NodeError(f"{CONFIG} is of version {version}", f"containerd config default | sudo tee {CONFIG}")
    if "cri" in str(whole.get("disabled_plugins", "")):
        return text  # Docker's: no Kubernetes runs on it
    runtimes, images = (CRI, CRI) if version == 2 else (V3_RUNTIME, V3_IMAGES)
    added = ""
    known = _table(whole, runtimes).get("containerd", {}).get("runtimes", {})
    if not known:
        # The first runtime that a file names takes the place of containerd's own list, which has runc.
        added += f'\n[{runtimes}.containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n'
    if "nvidia" not in known:
        systemd = bool(known.get("runc", {}).get("options", {}).get("SystemdCgroup"))  # as containerd's own default
        added += "\n" + nvidia_runtime(runtimes, systemd=systemd)
    registry = _table(whole, images).get("registry")
    if registry is None:
        added += f'\n[{images}.registry]\nconfig_path = "{CERTS}"\n'
    elif CERTS not in str(registry.get("config_path", "")).split(":"):
        fix = f'in [{images}.registry] set config_path = "{CERTS}", and move what stands there into files below it'
        raise NodeError(f"{CONFIG} has its own settings for registries", fix)
    return text + ("" if text.endswith("\n") or not added else "\n") + added


def _table(whole: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the table of a plugin, e.g. of ``plugins."io.containerd.grpc.v1.cri"``."""
    name = path.partition(".")[2].strip("\"'")
    return dict(whole.get("plugins", {}).get(name, {}))
