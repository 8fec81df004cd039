"""Copies of a vendor's images in our registry, from registry to registry, by digest."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi_docker_build as docker_build
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.registry.access import Registry
from infra.registry.mirror import slug_of


@dataclass(frozen=True, kw_only=True)
class SourceLogin:
    """Login to the registry that originals come from."""

    host: str
    """Its address as in image references."""
    username: str
    """Account."""
    password: Input[str]
    """Its password; pass a secret Output."""


@dataclass(frozen=True, kw_only=True)
class CopiesArgs:
    """What a :class:`Copies` needs from its caller."""

    registry: Registry
    """Where the copies go."""
    copies: Mapping[str, str]
    """Reference of the original -> reference of its copy."""
    login: SourceLogin | None = None
    """Where the originals need one; absent: the machine's own (`docker login`), or none."""


class Copies(ComponentResource):
    """Copies each image from registry to registry, with all its platforms; nothing is kept on this machine.

    What a reference names by digest is compared with it on the way; a digest that the source does not have ends the
    copy before anything is pushed. Copies stay when this component goes: pods may run them.
    """

    references: Output[dict[str, str]]
    """Original -> reference of its copy, with the copy's digest."""

    def __init__(self, name: str, args: CopiesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:Copies", name, {}, opts)
        child = ResourceOptions(parent=self, retain_on_delete=True, depends_on=args.registry.server)
        registry, login = args.registry, args.login
        if login:
            source: docker_build.RegistryArgsDict = {
                "address": login.host,
                "username": login.username,
                "password": login.password,
            }
            copier = docker_build.Provider(f"{name}-copier", registries=[source], opts=ResourceOptions(parent=self))
            child = ResourceOptions.merge(child, ResourceOptions(provider=copier))
        target: docker_build.RegistryArgsDict | None = (
            {"address": registry.host, "username": registry.username, "password": registry.password}
            if registry.username and registry.password is not None
            else None
        )
        copies = {
            image: docker_build.Index(
                f"{name}-{slug_of(copy.partition('/')[2])}",
                sources=[image],
                tag=copy,
                push=True,
                registry=target,
                opts=child,
            )
            for image, copy in args.copies.items()
        }
        self.references = Output.all(**{image: copy.ref for image, copy in copies.items()})
        self.register_outputs({"references": self.references})
