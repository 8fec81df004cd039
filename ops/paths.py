"""Where things lie: the checkout, what the commands make in it, the node's folder."""

from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PRIVATE = CHECKOUT / ".aihub"
"""Everything the commands make that belongs to this checkout: secrets, state, keys. Mode 0700, ignored by Git."""
VENV = CHECKOUT / ".venv"
SERVICE = CHECKOUT / "service"
SERVICE_VENV = SERVICE / ".venv"


@dataclass(frozen=True)
class StackPaths:
    """The files of one stack below ``.aihub/<stack>``."""

    stack: str

    @property
    def directory(self) -> Path:
        """Folder of the stack; made on first use, for its owner alone."""
        directory = PRIVATE / self.stack
        PRIVATE.mkdir(mode=0o700, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        return directory

    @property
    def declared_config(self) -> Path:
        """The committed configuration."""
        return CHECKOUT / f"Pulumi.{self.stack}.yaml"

    @property
    def config(self) -> Path:
        """The committed configuration plus the encrypted secrets; what the engine reads."""
        return self.directory / f"Pulumi.{self.stack}.yaml"

    @property
    def state(self) -> Path:
        """Pulumi's own state (a local backend)."""
        return self.directory / "state"

    @property
    def passphrase(self) -> Path:
        """Passphrase of the stack's encryption."""
        return self.directory / "passphrase"

    @property
    def api_key(self) -> Path:
        """The chat's API key; the cluster only gets its hash."""
        return self.directory / "api-key"

    @property
    def signing_key(self) -> Path:
        """The public half of the key that signs images, for whoever checks them."""
        return self.directory / "cosign.pub"

    @property
    def url(self) -> Path:
        """Where `make chat` listens."""
        return self.directory / "url"

    @property
    def secrets(self) -> Path:
        """The generated secrets, one JSON object."""
        return self.directory / "secrets.json"

    @property
    def environment(self) -> Path:
        """Shell lines that make ``pulumi`` typed by hand act on this stack."""
        return self.directory / "env"

    @property
    def lock(self) -> Path:
        """Held while a command changes the stack."""
        return self.directory / "lock"


def stacks() -> list[str]:
    """Return the names of the declared stacks, sorted."""
    return sorted(path.name.split(".")[1] for path in CHECKOUT.glob("Pulumi.*.yaml"))
