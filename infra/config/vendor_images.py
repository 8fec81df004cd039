"""Images of a vendor's registry, and where their copies go."""

import re
from typing import Annotated

from pydantic import AfterValidator, model_validator

from infra.config.types import Image, RegistryHost, Section

_SOURCE = re.compile(
    r"(?P<path>[a-z0-9]+([._/-]+[a-z0-9]+)*):(?P<tag>\w[\w.-]{0,127})(@(?P<digest>sha256:[0-9a-f]{64}))?"
)


def _source(value: str) -> str:
    if not _SOURCE.fullmatch(value):
        raise ValueError("must be PATH:TAG or PATH:TAG@sha256:DIGEST below vendor.host, e.g. enai/prod/backend:latest")
    return value


class CopiedImage(Section):
    """One image and its copy."""

    source: Annotated[str, AfterValidator(_source)]
    """Path, tag and digest below ``vendor.host``. The tag may be one that moves, such as ``latest``: the digest says
    which image is meant, and `make images` prints what the tag means today."""
    target: Image
    """Path and version of the copy below ``registry.host``, e.g. ``aipp/backend:v1.0.0``."""

    @property
    def path(self) -> str:
        """The repository at the vendor's."""
        return self._part("path")

    @property
    def tag(self) -> str:
        """The tag at the vendor's."""
        return self._part("tag")

    @property
    def digest(self) -> str | None:
        """The image that is meant; None: not stated yet."""
        return self._part("digest") or None

    def _part(self, name: str) -> str:
        found = _SOURCE.fullmatch(self.source)
        return (found[name] or "") if found else ""

    @model_validator(mode="after")
    def _target_has_a_tag(self) -> "CopiedImage":
        path, _, tag = self.target.partition(":")
        if "@" in self.target or not tag or "/" not in path:
            raise ValueError("target must be PROJECT/NAME:VERSION below registry.host: a copy is found by its version")
        return self


class VendorImagesConfig(Section):
    """A vendor's registry."""

    host: RegistryHost
    """Its address as in image references."""
    username: str | None = None
    """Account there, with `aihub:vendorRegistryPassword`; absent: none is needed."""
    mirror: bool = False
    """Whether the images are copied; then each source names its digest. False: they are only looked at by `make
    images`, and pods run what stands at ``registry.host`` already, or pull by ``aipp.pullSecret`` from the vendor's."""
    images: tuple[CopiedImage, ...]
    """What is copied."""

    @model_validator(mode="after")
    def _copies_are_known_by_digest(self) -> "VendorImagesConfig":
        unknown = [image.source for image in self.images if not image.digest]
        if self.mirror and unknown:
            raise ValueError(
                f"mirror copies by digest, and {', '.join(unknown)} names none: write the one behind the tag that "
                "`make images` prints, or set mirror: false"
            )
        targets = [image.target for image in self.images]
        if twice := sorted({target for target in targets if targets.count(target) > 1}):
            raise ValueError(f"{', '.join(twice)} is the copy of two sources: give each its own")
        return self
