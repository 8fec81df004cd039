"""Our packet filter rules go, everybody else's stay; carried out by the real iptables in a namespace of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.rules import own_chains, removal, tables

SAVED = (Path(__file__).parent / "data" / "iptables.txt").read_text()
OTHER_NETWORK = '-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"podman\\" id: \\"c0\\"" -j RETURN\n'


def with_another_network(saved: str) -> str:
    return saved.replace("-A CNI-HOSTPORT-MASQ", OTHER_NETWORK + "-A CNI-HOSTPORT-MASQ", 1)


def test_nothing_of_ours_is_named_twice_or_left():
    text = removal(SAVED)
    assert "-D INPUT -j KUBE-FIREWALL" in text
    assert "-D INPUT -d 10.244.0.1/32 ! -i aihub0" in text
    assert "-X CNI-DN-5ccd0a1de1c1ccd0b5a2f" in text
    assert "DOCKER-USER" not in text
    assert "192.168.7.0" not in text


def test_chains_that_another_network_uses_stay():
    nat = next(table for table in tables(with_another_network(SAVED)) if table.name == "nat")
    chains = own_chains(nat)
    assert "CNI-HOSTPORT-DNAT" not in chains
    assert {"CNI-86572800232fb04096140bc9", "CNI-DN-5ccd0a1de1c1ccd0b5a2f"} <= chains


def test_no_rules_need_no_removal():
    assert removal("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n") == ""


def carried_out(saved: str) -> str:
    """Return what the real iptables has left after the removal, in a network namespace of its own."""
    if os.geteuid() != 0 or not shutil.which("iptables-restore") or not shutil.which("unshare"):
        pytest.skip("needs root, iptables and unshare")
    restore = "iptables-restore -w 10"  # a node of another test may hold the lock
    script = f'printf "%s" "$SAVED" | {restore} && printf "%s" "$REMOVAL" | {restore} --noflush'
    environment = {**os.environ, "SAVED": saved, "REMOVAL": removal(saved)}
    command = ["unshare", "--net", "sh", "-ec", f"{script}; iptables-save"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_real_iptables_is_left_with_the_others_rules():
    left = carried_out(SAVED)
    assert "KUBE" not in left
    assert "CNI" not in left
    assert "aihub" not in left
    for rule in ("-s 192.168.7.0/24", "-A FORWARD -j DOCKER-USER", "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"):
        assert rule in left


def test_the_real_iptables_is_left_with_the_other_networks_rules():
    left = carried_out(with_another_network(SAVED))
    assert 'name: \\"podman\\"' in left
    assert 'name: \\"aihub\\"' not in left
