"""Every version that is pinned here; third-party images are fields of the stack files, since one may mirror them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ChartPin:
    """One released Helm chart."""

    name: str
    """Name in its repository."""
    version: str
    """Exact version."""
    repository: str
    """Address: https://... of an index, or oci://... of the folder that the chart lies in."""


SERVICE = "0.1.0"
"""The chat's images; raised with a release. Workloads run by digest, so a build without a raise rolls out too."""

REDIS = "7.0"
"""Redis of Debian 12 (packages.debian.org/bookworm/redis-server), tag of the image built from ``images/redis``."""

CHROMA = "1.5.9"
"""Chroma, PyPI package `chromadb`: tag of the image built from ``images/chroma``; as the api's client."""
