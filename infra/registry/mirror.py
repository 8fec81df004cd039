"""Copies of third-party images in our registry, for clusters that may not fetch them themselves."""

from dataclasses import dataclass

import pulumi_docker as docker
from pulumi import ComponentResource, Output, ResourceOptions

from infra.registry.access import Registry


@dataclass(frozen=True, kw_only=True)
class MirrorArgs:
    """What a :class:`Mirror` needs from its caller."""

    registry: Registry
    """Where the copies go."""
    images: tuple[str, ...]
    """References of the originals."""


class Mirror(ComponentResource):
    """Pulls, tags and pushes each image, through the Docker engine of the machine that runs the program.

    What that engine has already is not pulled: images may come on a disk (`docker load`) where no other way leads.
    """

    references: Output[dict[str, str]]
    """Original -> reference of its copy."""

    def __init__(self, name: str, args: MirrorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:Mirror", name, {}, opts)
        child = ResourceOptions(parent=self)
        registry = args.registry
        copies: dict[str, Output[str]] = {}
        for image in args.images:
            slug = slug_of(image)
            original = docker.RemoteImage(f"{name}-{slug}-pull", name=image, keep_locally=True, opts=child)
            tag = docker.Tag(
                f"{name}-{slug}-tag",
                source_image=original.image_id,
                target_image=mirrored(registry.host, image),
                opts=child,
            )
            auth: docker.RegistryImageAuthConfigArgsDict | None = (
                {"address": registry.host, "username": registry.username, "password": registry.password}
                if registry.username and registry.password is not None
                else None
            )
            copy = docker.RegistryImage(
                f"{name}-{slug}-push",
                name=tag.target_image,
                auth_config=auth,
                keep_remotely=True,
                triggers={"image": original.image_id},
                opts=ResourceOptions(parent=self, depends_on=registry.server),
            )
            copies[image] = copy.name
        self.references = Output.all(**copies)
        self.register_outputs({"references": self.references})


def mirrored(host: str, image: str) -> str:
    """Return the reference of an image's copy: ``HOST/mirror/<path>:<tag>``; a digest alone becomes a tag."""
    path, _, digest = image.partition("@sha256:")
    first, _, rest = path.partition("/")
    path = rest if rest and ("." in first or ":" in first or first == "localhost") else path
    has_tag = ":" in path.rpartition("/")[2]
    return f"{host}/mirror/{path}" + ("" if has_tag else f":sha256-{digest[:12]}")


def slug_of(image: str) -> str:
    """Return an image reference as part of a resource name."""
    return "".join(character if character.isalnum() else "-" for character in image)
