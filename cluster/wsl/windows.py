"""The script for Windows: what only its administrator may do, and what must be done again after each start of WSL."""

import re
from collections.abc import Sequence

SCRIPT = "aihub/aihub-windows.ps1"
"""Below the person's folder."""
NODE_PORTS = (31302, 31084)
_HOST = re.compile(r"(?<![@.\w-])(?:[a-z0-9-]+\.)+local\b(?!:)")
"""A name below ``.local``; not the end of a mail address, and not one with a port."""


def hosts_of(stack_file: str) -> list[str]:
    """Return the names below ``.local`` that a stack's file gives to people, without the registry's (it has a port)."""
    lines = (line.partition("#")[0] for line in stack_file.splitlines())
    return sorted({name for line in lines if "registry" not in line for name in _HOST.findall(line)})


def as_windows_path(path: str) -> str:
    """Return a path below ``/mnt/c`` as Windows writes it."""
    return "C:" + path.removeprefix("/mnt/c").replace("/", "\\")


def script(hosts: Sequence[str], ports: Sequence[int] = NODE_PORTS) -> str:
    """Return the script, with Windows' line ends."""
    text = f"""\
# Written by `python -m cluster wsl`; run it as administrator, and again after each start of WSL:
# the address of WSL's virtual machine changes, and with it where the ports must lead.
#Requires -RunAsAdministrator
param(
    # 127.0.0.1: this PC only. 0.0.0.0: everyone in the network; then the firewall is opened, too.
    [string]$Listen = "127.0.0.1",
    # Certificate of the stack's own authority (a .crt file), to be trusted by Windows' browsers.
    [string]$Ca = ""
)
$ErrorActionPreference = "Stop"

$ports = {", ".join(str(port) for port in ports)}
$names = {", ".join(f'"{host}"' for host in hosts) or "@()"}
$address = ((wsl.exe hostname -I) -join " ").Trim().Split(" ")[0]
if ($address -notmatch "^\\d+\\.\\d+\\.\\d+\\.\\d+$") {{
    throw "WSL does not answer with an address: start it first (wsl)"
}}

foreach ($port in $ports) {{
    foreach ($old in "127.0.0.1", "0.0.0.0") {{
        netsh interface portproxy delete v4tov4 listenaddress=$old listenport=$port 2>$null | Out-Null
    }}
    netsh interface portproxy add v4tov4 listenaddress=$Listen listenport=$port `
        connectaddress=$address connectport=$port | Out-Null
    Write-Host "${{Listen}}:$port -> ${{address}}:$port"
}}

Get-NetFirewallRule -DisplayName "aihub" -ErrorAction SilentlyContinue | Remove-NetFirewallRule
if ($Listen -ne "127.0.0.1") {{
    New-NetFirewallRule -DisplayName "aihub" -Direction Inbound -Protocol TCP -LocalPort $ports `
        -Profile Private -Action Allow | Out-Null
    Write-Host "firewall: open for private networks"
}}

$hostsFile = "$env:SystemRoot\\System32\\drivers\\etc\\hosts"
$mark = "# aihub"
$kept = @(Get-Content $hostsFile | Where-Object {{ -not $_.EndsWith($mark) }})
$ours = @($names | ForEach-Object {{ "127.0.0.1 $_ $mark" }})
Set-Content -Path $hostsFile -Value ($kept + $ours) -Encoding ascii
Write-Host "names: $($names -join ', ')"

if ($Ca) {{
    Import-Certificate -FilePath $Ca -CertStoreLocation Cert:\\LocalMachine\\Root | Out-Null
    Write-Host "trusted: $Ca"
}}
"""
    return text.replace("\n", "\r\n")
