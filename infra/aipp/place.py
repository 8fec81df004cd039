"""Where one service runs, and whom it finds there."""

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi import Input

from infra.config.aipp import AippConfig


@dataclass(frozen=True, kw_only=True)
class Place:
    """What every service is told by the room."""

    package: AippConfig
    """The whole package's configuration."""
    namespace: Input[str]
    """Namespace of all services."""
    hosts: Mapping[str, Input[str]]
    """Store -> its DNS name."""
    storage_class: str
    """StorageClass of what a service keeps."""
    python_image: str
    """Plain Python 3.11 or later, for waiting."""
    move_after_seconds: int
    """After a node went silent, its pods are given up."""
    otlp_endpoint: str | None = None
    """Where traces are sent (OTLP over HTTP); absent: nowhere."""
    backend_url: Input[str] | None = None
    """Base URL of the backend; absent: it is the backend's own place."""
    secret: Input[str] | None = None
    """Name of the service's own Secret, with the files of `secret_files.py`; absent: it has no secrets."""
    secret_version: Input[str] | None = None
    """Changes with it, so that the pods are replaced."""
    pull_secret: Input[str] | None = None
    """Name of the Secret to pull the images with; absent: none is needed."""
