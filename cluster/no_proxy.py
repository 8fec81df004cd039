"""A proxy that the environment names is for what lies outside: the node and what is on it are reached directly."""

import os

from cluster.settings import NODE_ADDRESS, REGISTRY

NAMES = ("no_proxy", "NO_PROXY")
"""Python and gRPC look at the first one first, Go at the second."""
OWN = ("localhost", "127.0.0.1", "::1", NODE_ADDRESS, REGISTRY.partition(":")[0])
"""This machine, the node, and the registry on it."""


def pass_by(*hosts: str) -> None:
    """Have this process, and what it starts, reach ``OWN`` and ``hosts`` directly; what is there already stays."""
    there = [host.strip() for name in NAMES for host in os.environ.get(name, "").split(",")]
    # `*` means every host where it stands alone, and nothing to Python's library where it does not.
    every = dict.fromkeys(host for host in (*there, *OWN, *hosts) if host)
    os.environ.update(dict.fromkeys(NAMES, "*" if "*" in every else ",".join(every)))
