"""From the stack's plan to its network policies."""

from infra.network.policies import Policies, PoliciesArgs
from infra.site import Site


def declare(site: Site) -> None:
    """Declare that nothing may talk but what the plan's flows allow."""
    Policies("network", PoliciesArgs(namespaces=site.namespaces, plan=site.plan), opts=site.options)
