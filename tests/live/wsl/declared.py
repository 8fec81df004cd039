"""Pulumi's part of the chain: what `make up` would declare, from this folder's configuration."""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from infra.config import StackConfig
from ops import access, providers
from ops.credentials import Credentials, completed, keep, wanted_by, write_private
from ops.engine import Engine
from ops.kubectl import Kubectl
from ops.paths import PRIVATE, StackPaths
from ops.preflight import owner
from ops.progress import Progress
from ops.up import engine_binaries
from tests.live.common.configuration import merged, parsed
from toolchain.golang import forget_build_files

STACK_FILE = Path(__file__).with_name("stack.yaml")


class LivePaths(StackPaths):
    """The files of stack ``wsl`` as it is run here: its name, with the configuration of this folder."""

    @property
    def directory(self) -> Path:
        """A folder of its own, so that a real stack ``wsl`` of this checkout is left alone."""
        directory = PRIVATE / "live"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return directory

    @property
    def declared_config(self) -> Path:
        """What Pulumi declares here."""
        return self.directory / "declared.yaml"


@dataclass
class Declared:
    """The stack, which may be declared again with another way of rolling out."""

    git_password: str = field(repr=False)
    paths: LivePaths = field(default_factory=lambda: LivePaths("wsl"))
    credentials: Credentials | None = field(default=None, repr=False)

    stack: StackConfig = field(init=False)
    """What was declared last."""

    def up(self, rollout: str = "canary", *options: str) -> None:
        """Declare it; ``options`` are further ones of ``pulumi up``."""
        self.stack = stack = self._write(rollout)
        if self.credentials is None:
            values = completed({"deliveryPassword": self.git_password}, wanted_by(stack))
            keep(self.paths, values)
            self.credentials = Credentials(values=values, wanted=wanted_by(stack))
        binaries = engine_binaries(Progress("make live"))
        forget_build_files()
        reach = access.of_stack(self.paths)
        engine = Engine(
            paths=self.paths,
            binaries=binaries,
            providers=providers.for_up(binaries[0], own_node=reach.own_node),
            kubeconfig=reach.kubeconfig,
            variables=reach.builder_variables(self.paths.directory),
        )
        engine.prepare(self.credentials)
        engine.run("up", "--yes", "--skip-preview", "--suppress-outputs", "--refresh", *options)
        owner.mark(Kubectl.of(self.paths), self.paths.stack, owner.namespaces(stack))

    @property
    def api_key(self) -> str:
        """Opens the chat."""
        assert self.credentials is not None, "nothing is declared yet"
        return self.credentials.api_key

    def _write(self, rollout: str) -> StackConfig:
        """Write the stack file and return what it says."""
        change = {"config": {"aihub:chat": {"api": {"rollout": rollout}}}}
        config = merged(yaml.safe_load(STACK_FILE.read_text()), change)
        write_private(self.paths.declared_config, yaml.safe_dump(config, sort_keys=False))
        return parsed(config["config"])
