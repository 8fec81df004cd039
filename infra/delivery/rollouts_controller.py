"""The controller of Argo Rollouts."""

from dataclasses import dataclass

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.versions import ROLLOUTS
from infra.workload import resources

_ROUTERS = (
    "istio",
    "smi",
    "ambassador",
    "awsLoadBalancerController",
    "awsAppMesh",
    "traefik",
    "apisix",
    "contour",
    "glooPlatform",
    "gatewayAPI",
)


@dataclass(frozen=True, kw_only=True)
class RolloutsControllerArgs:
    """What a :class:`RolloutsController` needs from its caller."""

    namespace: Input[str]
    """Namespace of the release."""
    memory_mib: int
    """Memory of its pod."""


class RolloutsController(ComponentResource):
    """The chart with one replica, no dashboard, and no rights at traffic routers: pods are counted here."""

    release: Output[str]
    """Name of the release; known once its pod is ready and its kinds are known to the cluster."""

    def __init__(self, name: str, args: RolloutsControllerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:delivery:RolloutsController", name, {}, opts)
        values = {
            "installCRDs": True,
            "keepCRDs": True,
            "controller": {
                "replicas": 1,
                "resources": dict(resources(cpu_millicores=250, memory_mib=args.memory_mib)),
            },
            "providerRBAC": {"providers": dict.fromkeys(_ROUTERS, False)},
            "dashboard": {"enabled": False},
        }
        chart = release(name, ROLLOUTS, namespace=args.namespace, values=values, parent=self)
        self.release = chart.name.apply(str)
        self.register_outputs({"release": self.release})
