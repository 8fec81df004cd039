"""What WSL2 must be told: in `wsl.conf` for this Linux, in `.wslconfig` for the virtual machine around it."""

import re

from cluster.wsl import ini

WSL_CONF = "/etc/wsl.conf"
MEMORY_GIB = 24
"""Of the PC's 32: what the whole stack is budgeted against (bench/results/budget.md)."""
FOR_WINDOWS = 2
"""Processors that stay Windows' own where nobody has said how many."""
KERNEL_WORDS = ("cgroup_no_v1=all",)
"""One tree of control groups (version 2): else systemd and the kubelet find half of them in the old form."""
_SIZE = re.compile(r"([0-9]+)\s*(KB|MB|GB|TB)", re.IGNORECASE)
_GIB = {"KB": 2**-20, "MB": 2**-10, "GB": 1, "TB": 2**10}


def wsl_conf(text: str) -> str:
    """Return ``/etc/wsl.conf`` with what a node needs.

    The hosts file is kept as it is: WSL would write it anew at each start, without the registry's name.
    """
    for section, keys in {"boot": {"systemd": "true"}, "network": {"generateHosts": "false"}}.items():
        wanted = {key: value for key, value in keys.items() if ini.value_of(text, section, key) != value}
        text = ini.with_keys(text, section, wanted) if wanted else text
    return text


def wslconfig(text: str, processors: int) -> str:
    """Return ``.wslconfig`` with enough memory, processors, and the kernel's words.

    What a person set stays where it is enough: more memory, another number of processors, other words for the kernel.

    Args:
        text: the file as it is; empty: there is none.
        processors: how many the Linux sees now, which is all of the PC's where nobody has set a number.
    """
    wanted = {}
    if gib(ini.value_of(text, "wsl2", "memory")) < MEMORY_GIB:
        wanted["memory"] = f"{MEMORY_GIB}GB"
    if ini.value_of(text, "wsl2", "processors") is None and processors > 2 * FOR_WINDOWS:
        wanted["processors"] = str(processors - FOR_WINDOWS)
    words = (ini.value_of(text, "wsl2", "kernelCommandLine") or "").split()
    if missing := [word for word in KERNEL_WORDS if word not in words]:
        wanted["kernelCommandLine"] = " ".join([*words, *missing])
    text = ini.with_keys(text, "wsl2", wanted) if wanted else text
    # Else the Linux ends 15 seconds after its last window is closed, and the virtual machine a minute later.
    for section, key in (("general", "instanceIdleTimeout"), ("wsl2", "vmIdleTimeout")):
        if ini.value_of(text, section, key) is None:
            text = ini.with_keys(text, section, {key: "-1"})
    return text


def gib(size: str | None) -> float:
    """Return a size as `.wslconfig` writes it (``24GB``) in GiB; 0 where it says nothing that is understood."""
    found = _SIZE.fullmatch((size or "").strip())
    return int(found[1]) * _GIB[found[2].upper()] if found else 0
