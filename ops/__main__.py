"""``python -m ops COMMAND``: what ``make`` calls."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from cluster import NodeError
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
    "verify": "is the installation whole?",
    "documents": "load a folder of documents into the chat",
    "destroy": "take the stack down; keeps the volumes",
    "secret": "list the secrets, or renew one and roll what uses it",
    "doctor": "what this machine has and lacks",
    "test": "everything that can be checked here",
    "live": "from a pushed commit to a new answer, on a node of its own",
}


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    parser = argparse.ArgumentParser(prog="ops", description=__doc__)
    parser.add_argument("command", choices=COMMANDS, help="; ".join(f"{k}: {v}" for k, v in COMMANDS.items()))
    parser.add_argument("--stack", default="local")
    parser.add_argument("--out", type=Path, help="render: the folder to write")
    parser.add_argument("--dir", type=Path, help="documents: the folder to load")
    parser.add_argument(
        "--volumes", choices=("keep", "delete"), default="keep", help="destroy: what becomes of the data"
    )
    parser.add_argument("--json", action="store_true", help="verify: for machines")
    parser.add_argument("--name", default="", help="secret: which one; absent: list them")
    parser.add_argument("--only", default="", help="test: the names of the parts to run, with commas between")
    return parser


def dispatch(arguments: argparse.Namespace) -> int:
    """Run one command; the environment is there, and so may be what it brings."""
    from ops import chat, destroy, documents, live, preview, secret, suite, up, verify  # noqa: PLC0415

    paths = StackPaths(arguments.stack)
    commands: dict[str, Callable[[], int]] = {
        "up": lambda: up.run(paths),
        "chat": chat.run,
        "preview": lambda: preview.preview(arguments.stack),
        "render": lambda: preview.render(arguments.stack, arguments.out),
        "verify": lambda: verify.run(paths, arguments.json),
        "documents": lambda: documents.run(paths, arguments.dir),
        "destroy": lambda: destroy.run(paths, delete_volumes=arguments.volumes == "delete"),
        "secret": lambda: secret.run(paths, arguments.name),
        "test": lambda: suite.run([name for name in arguments.only.split(",") if name]),
        "live": lambda: live.run(arguments.stack),
    }
    return commands[arguments.command]()


def main() -> int:
    """Run the command; problems are one message, and status 2."""
    arguments = parser().parse_args()
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
    except (OpsError, ToolchainError, NodeError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
