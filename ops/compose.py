"""``make compose``: what the vendor's package asks for, compared with what is declared.

The package lies in the Git tree that Argo CD follows, beside what `make render` writes there: a new one is put in its
place, compared, and committed with what it changes.
"""

import sys
from pathlib import Path

from ops.credentials import stack_config
from ops.errors import OpsError
from ops.paths import StackPaths
from toolchain.ensure import ensure
from toolchain.tools import COMPOSE

FILE, VARIABLES = "docker-compose.yml", ".env"


def run(paths: StackPaths, tree: Path | None, *, draft: bool) -> int:
    """Print what differs, and with ``draft`` a first component for each service that is new; 1 if something differs.

    Args:
        paths: the stack whose declaration is compared.
        tree: where `make render` writes.
        draft: whether to draft what is new.

    Raises:
        OpsError: there is no package, it is none that Docker would take, or the stack has no `aihub:aipp`.
    """
    from compose import draft as drafts  # noqa: PLC0415 - the program is imported by who compares only
    from compose.compare import compare, ours  # noqa: PLC0415
    from compose.declared import declared  # noqa: PLC0415
    from compose.package import PackageError, read  # noqa: PLC0415
    from infra.aipp.tree import package  # noqa: PLC0415

    stack = stack_config(paths.stack)
    if not stack.aipp:
        raise OpsError(f"stack {paths.stack} has no aihub:aipp", "name one that has, e.g. make compose STACK=dev")
    folder = (tree or Path("out", paths.stack)) / package(stack)
    file, variables = folder / FILE, folder / VARIABLES
    if not file.is_file():
        elsewhere = f"make compose STACK={paths.stack} OUT=path/to/checkout"
        fix = f"put {FILE} and {VARIABLES} there, or name the tree: {elsewhere}"
        raise OpsError(f"the vendor's package is not in {folder}", fix)
    reader = ensure(COMPOSE, lambda line: print(line, file=sys.stderr)) / COMPOSE.binaries[0]
    try:
        shipped = read(file, variables if variables.is_file() else None, reader)
    except PackageError as error:
        raise OpsError(str(error), f"correct {file} as Docker wants it, or ask the vendor") from None
    differences = compare(shipped, declared(paths.stack, stack.aipp))
    for each in differences:
        print(f"{each.service:<20} {each.what:<13} {each.says}")
    if draft:
        names = {service.name: ours(service) for service in shipped}
        for service in shipped:
            if names[service.name] is None:
                print(f"\n{drafts.whole(service, stack, paths.stack, names)}")
    return 1 if differences else 0
