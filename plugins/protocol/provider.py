"""What a provider is to the servicer: plain functions over plain Python values."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from plugins.protocol.difference import Kind, Path

Properties = dict[str, Any]
REPEAT_SECONDS = 30.0
"""A line that stands longer than this is shown again: in a log that is how one sees that something still goes on."""


class ProviderError(Exception):
    """The request cannot be done and nothing was changed; the message names the thing, the place and the fix."""


class NotReadyError(ProviderError):
    """The object exists, as ``outputs`` say, but did not become what was waited for; the engine keeps its state."""

    def __init__(self, identity: str, outputs: Properties, inputs: Properties, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.identity = identity
        self.outputs = outputs
        self.inputs = inputs
        self.reasons = list(reasons)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Which resource a request is about."""

    urn: str
    type: str
    """Type token, such as ``kubernetes:apps/v1:Deployment``."""
    name: str
    """Its name in the program."""
    identity: str = ""
    """Its id; empty before it was made."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """How a request is to be carried out."""

    say: Callable[[str], None]
    """Show a passing status line beside the resource."""
    warn: Callable[[str], None]
    """Leave a warning."""
    preview: bool = False
    """Nothing outside may be changed."""
    timeout_seconds: float = 0
    """The program's own limit; 0 when it set none."""
    cancelled: Event = field(default_factory=Event)
    """Set when the person stopped the command."""


class Progress:
    """Status lines without repetition: each when it is new, and the last again from time to time."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Pass lines on to ``say``."""
        self._say = say
        self._last = ""
        self._said = 0.0

    def __call__(self, line: str) -> None:
        """Show a line unless it already stands there."""
        now = time.monotonic()
        if line != self._last or now - self._said > REPEAT_SECONDS:
            self._last, self._said = line, now
            self._say(line)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Inputs with the provider's defaults, or what is wrong with them, by property."""

    inputs: Properties
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What an update would change, and which of it needs a new object."""

    changes: Sequence[tuple[Path, Kind]] = ()
    replaces: frozenset[Path] = frozenset()
    delete_before_replace: bool = False


class Resources(ABC):
    """What can be done with the resources of one or more types."""

    @abstractmethod
    def check(self, resource: Resource, old: Properties, new: Properties, seed: bytes) -> Checked:
        """Return the inputs completed with defaults; ``old`` is empty for a new resource."""

    @abstractmethod
    def diff(self, resource: Resource, old_inputs: Properties, old_outputs: Properties, new: Properties) -> Difference:
        """Return what differs."""

    @abstractmethod
    def create(self, resource: Resource, inputs: Properties, operation: Operation) -> tuple[str, Properties]:
        """Make the object and return its id and outputs; in a preview, only what they would be."""

    @abstractmethod
    def update(
        self,
        resource: Resource,
        old_inputs: Properties,
        old_outputs: Properties,
        new: Properties,
        operation: Operation,
    ) -> Properties:
        """Change the object and return its outputs; in a preview, only what they would be."""

    @abstractmethod
    def delete(self, resource: Resource, outputs: Properties, operation: Operation) -> None:
        """Remove the object; one that is gone already is no error."""

    @abstractmethod
    def read(
        self, resource: Resource, inputs: Properties, outputs: Properties, operation: Operation
    ) -> tuple[Properties, Properties] | None:
        """Return inputs and outputs as they are outside, or None when the object is gone."""


class Provider(ABC):
    """One provider. Values carry ``Secret`` and ``UNKNOWN`` marks in both directions."""

    version: str
    """Version of the vendor's plugin that this one stands in for."""

    @abstractmethod
    def configure(self, inputs: Properties) -> None:
        """Take the provider's own inputs, without marks; those not yet known are left out."""

    @abstractmethod
    def resources(self, token: str) -> Resources:
        """Return what acts on resources of a type.

        Raises:
            ProviderError: a type that this provider does not have.
        """
