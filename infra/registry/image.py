"""An image of ours: built from this checkout, pushed, and known by its digest."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi_docker_build as docker_build
from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.registry.access import Registry


@dataclass(frozen=True, kw_only=True)
class BuiltImageArgs:
    """What a :class:`BuiltImage` needs from its caller."""

    registry: Registry
    """Where it is pushed."""
    context: str
    """Folder of the build, from the root of the checkout; its Dockerfile is ``Dockerfile``."""
    tag: str
    """Version; deployments use the digest, people and Argo CD's first rollout the tag."""
    target: str | None = None
    """Stage of the Dockerfile; absent: the last."""
    build_args: Mapping[str, str] = field(default_factory=dict)
    """Arguments beside ``BASE_IMAGE``."""
    secrets: Mapping[str, Input[str]] = field(default_factory=dict)
    """Files of the building machine, mounted while it builds."""


class BuiltImage(ComponentResource):
    """Builds and pushes one image; a change in its context gives a new digest, and that rolls its workloads."""

    reference: Output[str]
    """``host/project/name:tag@sha256:...``"""

    def __init__(self, name: str, args: BuiltImageArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:registry:BuiltImage", name, {}, opts)
        registry = args.registry
        login: list[docker_build.RegistryArgsDict] = (
            [{"address": registry.host, "username": registry.username, "password": registry.password}]
            if registry.username and registry.password is not None
            else []
        )
        image = docker_build.Image(
            f"{name}-image",
            # Relative paths, so that the state says the same in every checkout.
            context={"location": args.context},
            dockerfile={"location": f"{args.context}/Dockerfile"},
            target=args.target,
            build_args={"BASE_IMAGE": registry.base_image, **args.build_args},
            secrets=args.secrets,
            tags=[f"{registry.repository(name)}:{args.tag}"],
            push=True,
            registries=login,
            # A preview says what would be built; building takes minutes and needs a builder.
            build_on_preview=False,
            opts=ResourceOptions(parent=self, depends_on=registry.server),
        )
        self.reference = image.ref
        self.register_outputs({"reference": self.reference})
