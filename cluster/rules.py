"""Packet filter rules that kube-proxy, kubelet and CNI leave behind; everybody else's stay."""

import re
import shutil
import subprocess
from dataclasses import dataclass

from cluster.settings import BRIDGE, NAME, NODE_ADDRESS, POD_CIDR

FAMILIES = ("iptables", "ip6tables")
OWN_COMMENT = f'name: \\"{NAME}\\"'
"""CNI's plugins name the network in a comment on each rule of a pod."""
POD_RULE = re.compile(rf"-A CNI-FORWARD -[sd] {re.escape(POD_CIDR.rpartition('.')[0])}\.\d+/32 ")
"""The firewall plugin's rules carry no name, only the pod's address."""
GUARD_RULE = f"-A INPUT -d {NODE_ADDRESS}/32 ! -i {BRIDGE} "
PLUGIN_RULE = re.compile(r"CNI firewall plugin|CNI portfwd|-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 ")
"""What CNI's plugins put into the chains that all networks share, whichever network came first."""


@dataclass(frozen=True)
class Table:
    """One table of ``iptables-save``."""

    name: str
    chains: frozenset[str]
    rules: tuple[str, ...]
    """As saved: ``-A CHAIN ...``."""


def tables(saved: str) -> list[Table]:
    """Return the tables in the output of ``iptables-save``."""
    found = []
    for text in re.findall(r"^\*.+?^COMMIT$", saved, re.DOTALL | re.MULTILINE):
        rows = text.splitlines()
        chains = frozenset(row[1:].split()[0] for row in rows if row.startswith(":"))
        found.append(Table(rows[0][1:], chains, tuple(row for row in rows if row.startswith("-A "))))
    return found


def target(rule: str) -> str:
    """Return where a rule jumps to; empty: nowhere."""
    found = re.search(r" -[jg] (\S+)", rule)
    return found[1] if found else ""


def own_chains(table: Table) -> frozenset[str]:
    """Return the chains that go: Kubernetes', those of our pods, and CNI's shared ones when nobody else uses CNI."""
    cni = frozenset(chain for chain in table.chains if chain.startswith("CNI-"))
    pods = frozenset(target(rule) for rule in table.rules if OWN_COMMENT in rule) & cni
    foreign = [
        rule
        for rule in table.rules
        if rule.split()[1] in cni - pods
        and not (OWN_COMMENT in rule or POD_RULE.match(rule) or PLUGIN_RULE.search(rule))
    ]
    kubernetes = frozenset(chain for chain in table.chains if chain.startswith("KUBE-"))
    return kubernetes | (pods if foreign else cni)


def removal(saved: str) -> str:
    """Return what ``iptables-restore --noflush`` takes to remove our rules; empty: there are none.

    Args:
        saved: output of ``iptables-save``.
    """
    lines: list[str] = []
    for table in tables(saved):
        chains = own_chains(table)
        others = [rule for rule in table.rules if rule.split()[1] not in chains]
        single = [
            rule
            for rule in others
            if target(rule) in chains or OWN_COMMENT in rule or rule.startswith(GUARD_RULE) or POD_RULE.match(rule)
        ]
        if chains or single:
            flushed = [f":{chain} - [0:0]" for chain in sorted(chains)]
            deleted = [f"-D{rule.removeprefix('-A')}" for rule in single]
            lines += [f"*{table.name}", *flushed, *deleted, *(f"-X {chain}" for chain in sorted(chains)), "COMMIT"]
    return "\n".join(lines) + "\n" if lines else ""


def remove() -> None:
    """Remove our rules, for both versions of IP; a tool that is absent has made none."""
    for family in FAMILIES:
        if not shutil.which(f"{family}-save"):
            continue
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True, check=False).stdout
        if text := removal(saved):
            restore = [f"{family}-restore", "--noflush", "--wait"]
            subprocess.run(restore, input=text, capture_output=True, text=True, check=True)
