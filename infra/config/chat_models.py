"""Versions of the chat model: where each comes from, and what proves that it arrived whole."""

import hashlib
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from infra.config.types import Gib, ModelId, Revision, Section, Url

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
CODE = (".py", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
"""Ends of files that run when they are loaded; no model of ours has any."""


def _sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise ValueError("must be a SHA-256: 64 lower-case hexadecimal digits, as `sha256sum` prints")
    return value


def _model_file(value: str) -> str:
    if not _FILE.fullmatch(value) or value.endswith(CODE):
        raise ValueError("must be a path below the address, without '..'; weights only as *.safetensors")
    return value


Sha256 = Annotated[str, AfterValidator(_sha256)]
"""Hash of a file's content."""
FilePath = Annotated[str, AfterValidator(_model_file)]
"""Path of a model's file."""


class ModelSource(Section):
    """Where the files of a version are: a commit on a model hub, or an address that serves files with known hashes."""

    repository: ModelId | None = None
    """Repository on the hub."""
    revision: Revision | None = None
    """Commit of the repository; the hashes that the hub publishes for it verify the files."""
    hub: Url = "https://huggingface.co"
    """The hub, or a mirror of it that speaks its API."""
    address: Url | None = None
    """What comes before each file's path; any web server will do, one inside the building too."""
    files: dict[FilePath, Sha256] = Field(default_factory=dict, max_length=200)
    """Path below ``address`` -> SHA-256 of the file."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "ModelSource":
        of_hub = self.repository is not None and self.revision is not None
        if (self.repository is None) != (self.revision is None):
            raise ValueError("repository and revision belong together: set both, or address and files")
        if of_hub == (self.address is not None) or of_hub == bool(self.files):
            raise ValueError("set repository and revision, or address and files with the SHA-256 of each")
        has_weights = any(path.endswith(".safetensors") for path in self.files)
        if self.files and not (has_weights and "config.json" in self.files):
            raise ValueError("files must hold config.json and *.safetensors: list every file of the model")
        return self

    @property
    def content_id(self) -> str:
        """Twelve hexadecimal digits that stand for the content: the same ones, the same files."""
        if self.revision:
            return self.revision[:12]
        lines = (f"{self.files[path]} {path}\n" for path in sorted(self.files))
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:12]


class ModelConfig(Section):
    """One version of a chat model."""

    source: ModelSource
    quantization: Literal["none"] = "none"
    """How the weights are packed. The download refuses weights that say otherwise, before any engine is replaced:
    each kind of packing needs a library that the engine's image does not have."""
    context_tokens: Annotated[int, Field(ge=256, le=1048576, strict=True)] | None = None
    """Longest conversation, answer included; absent: what the model declares. Memory grows with it."""


class ModelStoreConfig(Section):
    """The volume with the models; used when ``models`` lists any."""

    storage_gib: Gib = 40
    """Size: all versions that are kept, side by side, and a tenth."""
