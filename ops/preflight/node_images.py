"""Do the images that only our own node has belong to a stack on our own node?"""

from ops import access
from ops.machine import Finding
from ops.preflight.declared import Declared

MADE_HERE = "localhost/aihub/"
"""Prefix of the images that ``cluster/`` makes and puts onto its node."""


def looks(declared: Declared) -> list[Finding]:
    """Return a finding for the images that another cluster cannot have; nothing where there is none."""
    cluster, registry = declared.stack.cluster, declared.stack.registry
    if cluster.context == access.NODE_CONTEXT:
        return []
    named = {"registry.baseImage": registry.base_image}
    if registry.server:
        named["registry.server.image"] = registry.server.image
    lacks = [f"{path}: {image}" for path, image in named.items() if image.startswith(MADE_HERE)]
    if not lacks:
        return []
    return [
        Finding(
            name="node images",
            ok=False,
            says=f"{', '.join(lacks)}: made by `make up` for the node of context {access.NODE_CONTEXT} only, and "
            f"cluster.context is {cluster.context or 'not set'}",
            fix='name images that your cluster reaches: docs/local.md, "Your own cluster"',
        )
    ]
