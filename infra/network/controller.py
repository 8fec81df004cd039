"""An ingress controller of our own."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import ComponentResource, ResourceOptions

from infra.chart import release
from infra.cluster import labels
from infra.network import ingress_nginx, traefik
from infra.network.controller_args import CONTROLLER_CLASS, ControllerArgs
from infra.versions import INGRESS_NGINX, TRAEFIK


class Controller(ComponentResource):
    """One ingress controller on fixed ports of every node, and the IngressClass that leads to it."""

    def __init__(self, name: str, args: ControllerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:Controller", name, {}, opts)
        ingress_class = k8s.networking.v1.IngressClass(
            f"{name}-class",
            metadata={"name": args.ingress_class, "labels": labels("network", name)},
            spec={"controller": CONTROLLER_CLASS},
            opts=ResourceOptions(parent=self),
        )
        is_retired = args.kind == "ingress-nginx"
        if is_retired:
            pulumi.log.warn(ingress_nginx.RETIRED, self)
        release(
            args.kind,
            INGRESS_NGINX if is_retired else TRAEFIK,
            namespace=args.namespace,
            values=(ingress_nginx if is_retired else traefik).values(args),
            parent=self,
            depends_on=[ingress_class],
        )
        self.register_outputs({})
