"""``make preview`` and ``make render``: what a stack declares, from a clean clone, touching nothing."""

import shutil
import sys
import tempfile
from pathlib import Path

from ops import access, providers
from ops.credentials import placeholders, stack_config, write_private
from ops.engine import Engine
from ops.errors import OpsError
from ops.paths import StackPaths
from ops.progress import Progress
from ops.up import engine_binaries


class ThrowawayPaths(StackPaths):
    """A stack whose every file lies in a temporary folder: no passphrase, no state of the person's is read."""

    def __init__(self, stack: str, directory: Path) -> None:
        super().__init__(stack)
        object.__setattr__(self, "_directory", directory)

    @property
    def directory(self) -> Path:
        """The temporary folder."""
        found: Path = self.__dict__["_directory"]
        return found


def preview(stack: str) -> int:
    """Run ``pulumi preview`` of the whole stack as if nothing of it existed.

    Raises:
        OpsError: the program or its configuration is wrong; the message names it.
    """
    progress = Progress(f"make preview STACK={stack}")
    with tempfile.TemporaryDirectory(prefix="aihub-preview-") as folder:
        paths = ThrowawayPaths(stack, Path(folder))
        credentials = placeholders(stack_config(stack))
        write_private(paths.passphrase, credentials.passphrase)
        using = providers.for_preview()
        progress.say(f"providers: {using.said}; secrets: placeholders; state: thrown away")
        engine = Engine(
            paths=paths,
            binaries=engine_binaries(progress),
            providers=using,
            kubeconfig=Path(folder) / "no-kubeconfig",
            variables=access.of_stack(paths).builder_variables(paths.directory),
        )
        engine.prepare(credentials)
        engine.run("preview")
    return 0


def render(stack: str, out: Path | None) -> int:
    """Write the Git tree that Argo CD syncs; the same bytes every time."""
    if out is None:
        raise OpsError("no folder was named", f"make render STACK={stack} OUT=path/to/folder")
    from infra import gitops  # noqa: PLC0415 - the program is imported by who renders it only
    from infra.config import ConfigError  # noqa: PLC0415 - the same
    from infra.manifests import RenderError  # noqa: PLC0415 - the same

    try:
        files = gitops.render(stack, out)
    except (ConfigError, RenderError) as error:
        raise OpsError(str(error), f"correct Pulumi.{stack}.yaml") from None
    print(f"{len(files)} files below {out}", file=sys.stderr)
    if not shutil.which("kubectl"):
        print("look at it with: kubectl kustomize " + str(out), file=sys.stderr)
    return 0
