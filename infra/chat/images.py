"""The chat's images: api and engine are targets of one Dockerfile, the page has its own."""

from dataclasses import dataclass
from typing import Literal

from pulumi import ComponentResource, Output, ResourceOptions

from infra.chat.names import PAGE
from infra.registry.access import Registry
from infra.registry.build import build_secrets
from infra.registry.image import BuiltImage, BuiltImageArgs
from infra.versions import SERVICE

PAGE_CONTEXT = "service/web"


@dataclass(frozen=True, kw_only=True)
class ChatImagesArgs:
    """What :class:`ChatImages` needs from its caller."""

    registry: Registry
    """Where they are pushed."""
    accelerator: Literal["cpu", "cuda"]
    """`cpu` leaves the libraries out of the engine's image that only a GPU needs."""


class ChatImages(ComponentResource):
    """Images ``api`` and ``engine``."""

    api: Output[str]
    """Reference with digest."""
    engine: Output[str]
    """Reference with digest."""

    def __init__(self, name: str, args: ChatImagesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:chat:ChatImages", name, {}, opts)
        secrets = build_secrets()
        images = {
            target: BuiltImage(
                target,
                BuiltImageArgs(
                    registry=args.registry,
                    context="service",
                    target=target,
                    tag=SERVICE,
                    build_args={"ACCELERATOR": args.accelerator} if target == "engine" else {},
                    secrets=secrets,
                ),
                opts=ResourceOptions(parent=self),
            )
            for target in ("api", "engine")
        }
        self.api, self.engine = images["api"].reference, images["engine"].reference
        self.register_outputs({"api": self.api, "engine": self.engine})


def page_image(registry: Registry, opts: ResourceOptions) -> BuiltImage:
    """Declare the page's image."""
    args = BuiltImageArgs(registry=registry, context=PAGE_CONTEXT, tag=SERVICE, secrets=build_secrets())
    return BuiltImage(PAGE, args, opts=opts)
