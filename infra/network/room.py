"""From the configuration of the network to its components."""

from infra.network.flows import components, flows
from infra.network.policies import Policies, PoliciesArgs
from infra.site import Site


def declare(site: Site) -> None:
    """Declare that nothing may talk but what the table of flows allows."""
    Policies(
        "network",
        PoliciesArgs(
            namespaces=site.namespaces,
            components=components(site.stack),
            flows=flows(site.stack),
            ingress_namespace=site.stack.network.ingress_namespace,
        ),
        opts=site.options,
    )
