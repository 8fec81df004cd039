"""Operations as the servicer gives them, with what was said kept."""

from dataclasses import dataclass, field
from typing import Any

from plugins.protocol.provider import Operation, Resource


@dataclass
class Said:
    """Messages of one operation."""

    status: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def operation(self, *, preview: bool = False, timeout_seconds: float = 20) -> Operation:
        """Return an operation that keeps its messages here."""
        return Operation(
            say=self.status.append, warn=self.warnings.append, preview=preview, timeout_seconds=timeout_seconds
        )


def resource(token: str, name: str = "thing", identity: str = "") -> Resource:
    """Return a resource of the given type."""
    return Resource(urn=f"urn:pulumi:s::p::{token}::{name}", type=token, name=name, identity=identity)


def config_map(namespace: str, name: str = "settings", **data: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
