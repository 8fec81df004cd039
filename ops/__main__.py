"""``python -m ops COMMAND``: what ``make`` calls."""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from cluster import NodeError, no_proxy, settings
from ops import doctor
from ops.bootstrap import enter_environment
from ops.errors import OpsError
from ops.paths import StackPaths, stacks
from toolchain import ToolchainError

COMMANDS = {
    "up": "prepare what is missing, deploy, verify, print the chat's link",
    "chat": "the service alone, without a cluster",
    "preview": "what a stack declares; touches nothing",
    "render": "the Git tree that Argo CD syncs",
    "compose": "what the vendor's package asks for, and what is declared",
    "diff": "what a change does to the objects, for a merge request",
    "drift": "what somebody changed by hand",
    "upgrades": "what is newer than what is pinned",
    "verify": "is the installation whole?",
    "documents": "load a folder of documents into the chat",
    "backup": "copy what nobody can make again into one folder",
    "restore": "put a backup back, and compare",
    "destroy": "take the stack down; keeps the volumes",
    "secret": "list the secrets, or renew one and roll what uses it",
    "vault": "list what must be in Vault and what is missing, or write first values",
    "images": "can the vendor's images be had, and what do their tags mean",
    "doctor": "what this machine has and lacks",
    "test": "everything that can be checked here",
    "live": "the chain from a push (wsl), the waves (dev), an upgrade with data (local), on a node of their own",
}


def _path(text: str) -> Path:
    """Return a path; not every shell opens the ``~`` of ``OUT=~/folder``."""
    return Path(text).expanduser()


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    parser = argparse.ArgumentParser(prog="ops", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help="; ".join(f"{k}: {v}" for k, v in COMMANDS.items()))
    parser.add_argument("--stack", default="local")
    parser.add_argument("--out", type=_path, help="render, backup: the folder to write; compose: what render wrote")
    parser.add_argument("--model", default="", help="chat: a folder of a causal model, or its name on the hub")
    parser.add_argument("--dir", type=_path, help="documents: the folder to load")
    parser.add_argument(
        "--volumes", choices=("keep", "delete"), default="keep", help="destroy: what becomes of the data"
    )
    parser.add_argument("--draft", action="store_true", help="compose: a first component for what is new")
    parser.add_argument("--base", default="", help="diff: the commit, or folder of a checkout, to compare with")
    parser.add_argument("--live", action="store_true", help="diff: compare with the cluster")
    parser.add_argument("--json", action="store_true", help="verify, drift: for machines")
    parser.add_argument("--from", dest="source", type=_path, help="restore: the folder that backup wrote")
    parser.add_argument("--into", default="", help="restore: the namespace of other servers to fill")
    parser.add_argument("--replace", action="store_true", help="restore: also where something is already")
    parser.add_argument("--name", default="", help="restore, secret, vault, upgrades: which one; absent: all")
    parser.add_argument("--fill", action="store_true", help="vault: write first values where there are none")
    parser.add_argument("--only", default="", help="test: the names of the parts to run, with commas between")
    return parser


def dispatch(arguments: argparse.Namespace) -> int:
    """Run one command; the environment is there, and so may be what it brings."""
    from ops import (  # noqa: PLC0415 - not before the environment is there
        backup,
        chat,
        compose,
        destroy,
        diff,
        documents,
        drift,
        images,
        live,
        preview,
        restore,
        secret,
        suite,
        up,
        upgrades,
        vault,
        verify,
    )

    paths = StackPaths(arguments.stack)
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: up.run(paths),
        "chat": lambda: chat.run(model=arguments.model),
        "preview": lambda: preview.preview(arguments.stack),
        "render": lambda: preview.render(arguments.stack, arguments.out),
        "compose": lambda: compose.run(paths, arguments.out, draft=arguments.draft),
        "diff": lambda: diff.run(paths, arguments.base, arguments.live),
        "drift": lambda: drift.run(paths, arguments.json),
        "upgrades": lambda: upgrades.run(arguments.name),
        "verify": lambda: verify.run(paths, arguments.json),
        "documents": lambda: documents.run(paths, arguments.dir),
        "backup": lambda: backup.run(paths, arguments.out),
        "restore": lambda: restore.run(
            paths, arguments.source, into=arguments.into, name=arguments.name, replace=arguments.replace
        ),
        "destroy": lambda: destroy.run(paths, delete_volumes=arguments.volumes == "delete"),
        "secret": lambda: secret.run(paths, arguments.name),
        "vault": lambda: vault.run(paths, fill=arguments.fill, name=arguments.name),
        "images": lambda: images.run(paths),
        "test": lambda: suite.run([name for name in arguments.only.split(",") if name]),
        "live": lambda: live.run(arguments.stack),
    }
    return commands[arguments.command]()


def main() -> int:
    """Run the command; problems are one message, and status 2."""
    arguments = parser().parse_args()
    os.environ["PATH"] = settings.complete(os.environ.get("PATH", ""))
    no_proxy.pass_by()
    try:
        if arguments.stack not in stacks():
            raise OpsError(f"there is no stack {arguments.stack!r}", f"choose one of: {', '.join(stacks())}")
        if arguments.command == "doctor":
            return doctor.run(StackPaths(arguments.stack))
        enter_environment()
        return dispatch(arguments)
    except KeyboardInterrupt:
        print("interrupted; run the same command again: it goes on where it stopped", file=sys.stderr)
        return 130
    except PermissionError as error:
        if os.geteuid() == 0:
            raise
        problem = f"{error.filename or error}: not for user {os.geteuid()}; what `sudo make up` made belongs to root"
        print(f"\n{OpsError(problem, f'sudo make {arguments.command} ...')}", file=sys.stderr)
        return 2
    except (OpsError, ToolchainError, NodeError) as error:
        if arguments.json:
            print(json.dumps({"stack": arguments.stack, "ok": False, "checks": [], "error": str(error)}, indent=1))
        print(f"\n{error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
