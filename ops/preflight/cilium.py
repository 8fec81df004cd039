"""Cilium, where it enforces the cluster's policies: does an address block of a policy mean nodes, too?"""

from collections.abc import Iterator

from infra.plan import World
from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine

SETTING = "policy-cidr-match-mode"


def reaches_no_node(machine: Machine, declared: Declared) -> Iterator[Finding]:
    """Yield a finding where pods of the stack would not reach the API server, which listens on nodes."""
    callers = sorted({flow.source for flow in declared.plan.flows if flow.target == World.API_SERVER})
    name = "metadata.name=cilium-config"
    listed = machine.kubectl("configmaps", "--namespace", "kube-system", "--field-selector", name) or {"items": []}
    for config in listed["items"]:
        if callers and "nodes" not in (config.get("data") or {}).get(SETTING, ""):
            yield Finding(
                name="Cilium",
                ok=False,
                says=f"its policies' address blocks leave nodes out, so these cannot reach the API server: {callers[0]}"
                + (f" and {len(callers) - 1} more" if callers[1:] else ""),
                fix="have its Helm value policyCIDRMatchMode set to nodes (docs/https.md, Network policies)",
            )
