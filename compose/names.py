"""What a service of the vendor's is called here, in each place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """What a service is called in each place."""

    service: str
    """Name of its objects, e.g. ``enai-text-miner``."""

    @property
    def words(self) -> list[str]:
        """Its name's words, without the vendor's."""
        return self.service.removeprefix("enai-").split("-")

    @property
    def module(self) -> str:
        """Module, and field in Python: ``text_miner``."""
        return "_".join(self.words)

    @property
    def constant(self) -> str:
        """Constant of `infra/aipp/names.py`: ``TEXT_MINER``."""
        return self.module.upper()

    @property
    def cls(self) -> str:
        """Component: ``TextMiner``."""
        return "".join(map(str.capitalize, self.words))

    @property
    def field(self) -> str:
        """Field in YAML: ``textMiner``."""
        return self.words[0] + "".join(map(str.capitalize, self.words[1:]))


def named(shipped: str, names: Mapping[str, str | None]) -> Names:
    """Return what one of the vendor's services is called here, or will be if it is new."""
    words = re.split(r"[^a-z0-9]+", shipped.lower().removeprefix("enai-"))
    return Names(names.get(shipped) or "-".join(("enai", *filter(None, words))))
