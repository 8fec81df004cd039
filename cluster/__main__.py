"""``python -m cluster up|down|status|reset|images|wsl``: one Kubernetes node on this machine."""

import argparse
import importlib.util
import ipaddress
import os
import sys
from pathlib import Path

if importlib.util.find_spec("yaml") is None:
    sys.exit(f"{sys.executable} has no PyYAML -> sudo apt-get install python3-yaml")

from cluster import NodeError, no_proxy, node, settings
from cluster.wsl import command as wsl
from cluster.wsl.computer import Computer
from toolchain import ToolchainError

COMMANDS = {
    "up": "bring the node up; nothing is done when it is up",
    "down": "end it; data are kept",
    "status": "how each part is; exit status 1 when one is not well",
    "reset": "down, and remove everything but system packages and the cache",
    "images": "install packages and make the base image only",
    "wsl": "prepare a Linux within Windows and the Windows around it: memory, systemd, the card, ports",
}


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _exposed(text: str) -> str:
    """Return a CIDR as given, or ``none``."""
    if text != "none":
        ipaddress.ip_network(text, strict=False)
    return text


def _certificate(text: str) -> str:
    """Return what a file holds."""
    try:
        content = Path(text).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be read: {error}") from None
    if "-----BEGIN CERTIFICATE-----" not in content or "PRIVATE KEY" in content:
        raise argparse.ArgumentTypeError(f"{text} must hold a certificate in PEM, and no key")
    return content


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        if name in ("up", "wsl"):
            command.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        if name == "wsl":
            command.add_argument("--windows-user", metavar="NAME", help="folder below C:\\Users, if there are several")
        if name in ("up", "wsl"):
            command.add_argument(
                "--registry-ca",
                type=_certificate if name == "wsl" else lambda text: text if text == "none" else _certificate(text),
                metavar="FILE",
                help="our registry speaks TLS, and this authority signed its certificate; it is remembered"
                + ("; `none` takes it back" if name == "up" else ""),
            )
        if name == "up":
            command.add_argument(
                "--expose",
                type=_exposed,
                metavar="CIDR",
                help="let NodePorts answer on the machine's addresses within CIDR too; `none` takes it back",
            )
    return parser


def _print_status() -> int:
    states = node.status()
    for state in states:
        print(f"{'ok ' if state.ok else 'BAD'} {state.name:<24} {state.says}")
    return 0 if all(state.ok for state in states) else 1


def _print_plan() -> int:
    print("\n".join(node.plan()) or "nothing to do: the node is up")
    return 0


def main() -> int:
    """Run one command; 0 done, 1 not well or failed."""
    arguments = _parser().parse_args()
    os.environ["PATH"] = settings.complete(os.environ.get("PATH", ""))
    no_proxy.pass_by()
    try:
        if arguments.command == "status":
            return _print_status()
        if arguments.command == "up" and arguments.dry_run:
            return _print_plan()
        match arguments.command:
            case "up":
                node.up(_say, arguments.expose, arguments.registry_ca)
            case "down":
                node.down(_say)
            case "reset":
                node.reset(_say)
            case "images":
                node.prepare(_say)
            case "wsl":
                computer = Computer(windows_user=arguments.windows_user, processors=os.cpu_count() or 0)
                wsl.run(computer, _say, dry_run=arguments.dry_run, registry_ca=arguments.registry_ca)
    except (NodeError, ToolchainError) as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
