"""Can a pod get the card? Asked in the order in which the pieces build on each other, up to the first that lacks."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from ops.checks.cards import RESOURCE, askers, of_others, offered, told
from ops.machine import Finding
from ops.preflight.declared import Declared
from ops.preflight.reader import Machine, Ran

SMI = ("nvidia-smi", "/usr/lib/wsl/lib/nvidia-smi")
"""NVIDIA's own tool: on PATH, and where Windows' driver shows it under WSL2 (there on PATH for login shells only)."""
CONTAINERD_FILES = (
    "/var/lib/aihub/config/containerd.toml",
    "/etc/containerd/config.toml",
    "/etc/containerd/conf.d/99-nvidia.toml",
    "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
    "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
)
"""Configuration files of containerd: of our own node, of a package, of NVIDIA's toolkit (1.18 on), of RKE2 and k3s."""
SPARE = 0.95
"""A card of 16 GB shows 16303 MiB: less than 16 GiB."""


def is_wsl(machine: Machine) -> bool:
    """Say whether this is a Linux within Windows."""
    return "microsoft" in (machine.read("/proc/version") or "").lower()


def cards(machine: Machine) -> Ran:
    """Ask for the cards: ``NVIDIA GeForce RTX 5080, 16303 MiB``, one line each."""
    ran = Ran(127, "")
    for tool in SMI:
        ran = machine.run(tool, "--query-gpu=name,memory.total", "--format=csv,noheader")
        if ran.status != 127:
            return ran
    return ran


def driver(machine: Machine, count: int, memory_gib: int | None) -> Finding:
    """Does the driver show as many cards as the stack counts on, with as much memory?"""
    name, ran = "GPU driver", cards(machine)
    where = "in Windows (never within WSL2), then wsl --shutdown" if is_wsl(machine) else "on this machine, then reboot"
    install = f"install NVIDIA's driver {where}"
    if ran.status == 127:
        return Finding(name=name, ok=False, says="nvidia-smi is not there: no driver", fix=install)
    if not ran.ok:
        said = (ran.output + ran.errors).strip().splitlines()
        return Finding(name=name, ok=False, says=f"nvidia-smi: {said[0] if said else ran.status}", fix=install)
    shown = [line.strip() for line in ran.output.splitlines() if line.strip()]
    if len(shown) < count:
        fix = f"set gpu.count to {len(shown)}, or find out why nvidia-smi lacks a card"
        return Finding(name=name, ok=False, says=f"{len(shown)} of {count} cards: {'; '.join(shown)}", fix=fix)
    smallest = min(float(line.rpartition(",")[2].split()[0]) for line in shown)
    if memory_gib and smallest < memory_gib * 1024 * SPARE:
        fix = f"set gpu.memoryGib to {int(smallest / 1024)} and let the shares of its users fit"
        return Finding(name=name, ok=False, says=f"a card has {smallest:.0f} MiB, not {memory_gib} GiB", fix=fix)
    return Finding(name=name, ok=True, says="; ".join(shown))


def toolkit(machine: Machine) -> Finding:
    """Is NVIDIA's container toolkit installed, with the runtime that containerd is to call?"""
    ran = machine.run("nvidia-container-runtime", "--version")
    # It passes --version on to runc, which a node of containerd alone may not have on PATH.
    there = ran.status != 127
    said = next((line for line in ran.output.splitlines() if "nvidia" in line.lower()), "installed").strip()
    return Finding(
        name="container toolkit",
        ok=there,
        says=said if there else "nvidia-container-runtime is not installed",
        fix="sudo python3 -m cluster wsl, or NVIDIA's guide: apt-get install nvidia-container-toolkit",
    )


def containerd_runtime(machine: Machine, runtime: str) -> Finding:
    """Does containerd know the runtime that the RuntimeClass names?"""
    name, read = "containerd runtime", {}
    for path in CONTAINERD_FILES:
        text = machine.read(path)
        if text is not None:
            read[path] = text
    for path, text in read.items():
        try:
            known = runtime in _runtimes(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            return Finding(name=name, ok=False, says=f"{path} cannot be read: {error}", fix=f"correct {path}")
        if known:
            return Finding(name=name, ok=True, says=f"{runtime} in {path}")
    if not read:
        looked = "no configuration of containerd can be read; only root may"
        return Finding(name=name, ok=False, says=looked, fix="run it as root, on the node")
    return Finding(
        name=name,
        ok=False,
        says=f"no runtime {runtime} in {', '.join(read)}: pods with that RuntimeClass are not started",
        fix=f"sudo python3 -m cluster wsl, or nvidia-ctk runtime configure --runtime=containerd "
        f"--nvidia-runtime-name={runtime}; then restart containerd (our own node: sudo python3 -m cluster up)",
    )


def _runtimes(configuration: Mapping[str, Any]) -> Iterator[str]:
    """Yield the runtimes of a containerd configuration, of version 2 (CRI is one plugin) or 3 (two)."""
    for plugin in configuration.get("plugins", {}).values():
        if isinstance(plugin, Mapping):
            yield from plugin.get("containerd", {}).get("runtimes", {})


def device_plugin(machine: Machine, made_here: bool) -> Finding:
    """Does the device plugin run on a node?"""
    name = "device plugin"
    listed = machine.kubectl("daemonsets", "--all-namespaces", "-l", "app.kubernetes.io/name=nvidia-device-plugin")
    if listed is None:
        return Finding(name=name, ok=True, says="no cluster answers yet, so it cannot be looked for")
    if not listed["items"]:
        fix = "let this stack set the cards up: gpu.count: 1"
        return Finding(name=name, ok=made_here, says="make up installs it" if made_here else "there is none", fix=fix)
    (plugin, *_) = listed["items"]
    where, status = plugin["metadata"]["namespace"], plugin["status"]
    wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    if not wanted:
        fix = "set gpu.nodes: all, or label the node: kubectl label node NODE nvidia.com/gpu.present=true"
        return Finding(name=name, ok=False, says="it runs on no node: none is labelled as having a card", fix=fix)
    return Finding(
        name=name,
        ok=ready == wanted,
        says=f"{ready} of {wanted} ready",
        fix=f"kubectl -n {where} describe pods; kubectl -n {where} logs daemonset/{plugin['metadata']['name']}",
    )


def allocatable(machine: Machine, declared: Declared) -> Finding:
    """Do the nodes offer as many cards as the stack asks for, beside what others ask for?"""
    name, asked = f"allocatable {RESOURCE}", declared.stack.card_requests()
    nodes = machine.kubectl("nodes")
    if nodes is None:
        return Finding(name=name, ok=True, says="no cluster answers yet, so it cannot be looked for")
    offers = offered(nodes)
    pods = machine.kubectl("pods", "--all-namespaces") or {"items": []}
    others = of_others(askers(pods), declared.own_namespaces)
    wanted, left = sum(asked.values()), sum(offers.values()) - sum(others.values())
    says = told(offers) or "no node"
    says += f"; asked for: {told(asked)}" if asked else ""
    says += f"; others hold: {told(others)}" if others else ""
    or_none = f"; or set to 0 what can do without: {', '.join(asked)}" if asked else ""
    if not sum(offers.values()):
        fix = f"the device plugin's log says why (no card seen, or the kubelet was restarted under it){or_none}"
    else:
        fix = f"add a node with a card, or share one (gpu.sharing){or_none}"
    return Finding(name=name, ok=left >= max(wanted, 1), says=says, fix=fix)


def looks(machine: Machine, declared: Declared) -> list[Finding]:
    """Return the pieces that are there, in order, and the first that is not; nothing where nobody asks for a card."""
    asked = declared.stack.card_requests()
    found: list[Finding] = []
    for finding in _pieces(machine, declared) if declared.stack.gpu.is_set_up or asked else ():
        found.append(finding)
        if not finding.ok:
            break
    return found


def _pieces(machine: Machine, declared: Declared) -> Iterator[Finding]:
    gpu = declared.stack.gpu
    if gpu.is_set_up:  # else the nodes are somebody else's, and are not this machine
        yield driver(machine, gpu.count or 0, gpu.memory_gib)
        yield toolkit(machine)
        yield containerd_runtime(machine, gpu.runtime_class)
    elif sum(offered(machine.kubectl("nodes") or {"items": []}).values()):
        yield allocatable(machine, declared)  # whoever's plugin it is, it works
        return
    plugin = device_plugin(machine, gpu.is_set_up)
    yield plugin
    if "ready" in plugin.says:
        yield allocatable(machine, declared)
