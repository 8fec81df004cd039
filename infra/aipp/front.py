"""enai-front: the page that people open, React served by PM2."""

from dataclasses import dataclass

from pulumi import ComponentResource, Output, ResourceOptions

from infra.aipp import steps
from infra.aipp.place import Place
from infra.aipp.workload import Workload, WorkloadArgs
from infra.config.aipp_services import FrontConfig


@dataclass(frozen=True, kw_only=True)
class FrontArgs:
    """What a :class:`Front` needs from its caller."""

    place: Place
    """Where it runs, and whom it finds there."""
    config: FrontConfig
    """Its section of the configuration."""


class Front(ComponentResource):
    """Pods on different nodes where there are several; a new version comes up beside the old one."""

    url: Output[str]
    """Base URL inside the cluster."""

    def __init__(self, name: str, args: FrontArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:aipp:Front", name, {}, opts)
        if args.place.backend_url is None:
            raise ValueError("the front end needs the backend's URL")
        workload = Workload(
            name,
            WorkloadArgs(
                place=args.place,
                config=args.config,
                steps=tuple(steps.waits(name, args.place)),
                environment={
                    "PORT": str(args.config.port),
                    "HOSTNAME": "0.0.0.0",  # noqa: S104 - the pod's network
                    "NODE_ENV": "production",
                    # PM2 keeps its sockets and process list there; its default is below a home that is read-only.
                    "PM2_HOME": "/tmp/.pm2",  # noqa: S108 - the pod's own emptyDir
                    "BACKEND_URL": args.place.backend_url,
                },
                replicas=args.config.replicas,
                replacement="RollingUpdate",
            ),
            opts=ResourceOptions(parent=self),
        )
        self.url = workload.url
        self.register_outputs({"url": self.url})
