"""cert-manager: makes certificates, and renews them."""

from dataclasses import dataclass
from typing import Any

from pulumi import ComponentResource, Input, Output, ResourceOptions

from infra.chart import release
from infra.versions import CERT_MANAGER
from infra.workload import resources


@dataclass(frozen=True, kw_only=True)
class CertManagerArgs:
    """What a :class:`CertManager` needs from its caller."""

    namespace: Input[str]
    """Namespace of its pods, and of the keys of its ClusterIssuers."""
    resolver: str | None = None
    """DNS over HTTPS, for looking at records of ours from outside; absent: no record is ever looked at."""


class CertManager(ComponentResource):
    """The chart with its CRDs; its pods meet Pod Security `restricted` as they come."""

    namespace: Output[str]
    """Its namespace, known once it is ready: issuers that name it wait for it."""

    def __init__(self, name: str, args: CertManagerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("aihub:network:CertManager", name, {}, opts)
        small = resources(cpu_millicores=500, memory_mib=96)
        # By HTTPS, so that the policies need no hole for DNS to everywhere; and to resolvers only, for the same reason.
        self_check: dict[str, Any] = (
            {"dns01RecursiveNameservers": args.resolver, "dns01RecursiveNameserversOnly": True} if args.resolver else {}
        )
        chart = release(
            name,
            CERT_MANAGER,
            namespace=args.namespace,
            values={
                # CRDs stay when the release goes: with them would go every certificate of the cluster.
                "crds": {"enabled": True, "keep": True},
                # Else it takes its turn by an object in kube-system.
                "global": {"leaderElection": {"namespace": args.namespace}},
                "resources": resources(cpu_millicores=500, memory_mib=128),
                "webhook": {"resources": small},
                "cainjector": {"resources": resources(cpu_millicores=500, memory_mib=160)},
                "startupapicheck": {"resources": small},
                **self_check,
            },
            parent=self,
        )
        self.namespace = chart.namespace.apply(str)
        self.register_outputs({"namespace": self.namespace})
