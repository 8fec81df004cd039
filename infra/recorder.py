"""Runs the program without an engine and writes down what it declares; for `make render`, policies and tests.

It stands on Pulumi's own mocks and is stricter: a name used twice, an unnamed object, a call to a provider and an error
in a callback all fail. Values of secrets are never written down.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import mocks

SECRET = "[secret]"  # noqa: S105 - what stands in a record in place of any secret
_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that marks special values in properties (Pulumi's wire format, sdk/python/lib/pulumi/runtime/rpc.py)."""
_SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of a secret on the wire


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One declared resource."""

    type: str
    """Token, e.g. ``kubernetes:apps/v1:Deployment`` or ``aihub:chat:Engine``."""
    name: str
    """Logical name."""
    urn: str
    """As the engine would make it."""
    parent: str
    """URN of the parent; empty at the top."""
    custom: bool
    """Whether a provider manages it; False for a component."""
    properties: dict[str, Any]
    """Inputs as they go over the wire (camelCase); secrets replaced by :data:`SECRET`."""
    retained: bool
    """Whether ``destroy`` leaves the object."""
    depends_on: tuple[str, ...]
    """URNs of everything it waits for."""

    @property
    def kind(self) -> str:
        """Kubernetes kind; empty for anything else."""
        return str(self.properties.get("kind", "")) if self.custom else ""

    @property
    def namespace(self) -> str:
        """Kubernetes namespace; empty for anything else."""
        return str(self.properties.get("metadata", {}).get("namespace", ""))

    @property
    def object_name(self) -> str:
        """Kubernetes name; empty for anything else."""
        return str(self.properties.get("metadata", {}).get("name", ""))


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Everything that a run declared."""

    resources: list[Recorded]
    """In the order of their URNs, which does not depend on timing."""
    outputs: Mapping[str, dict[str, Any]]
    """URN of each component -> the outputs it registered, secrets replaced."""

    def objects(self) -> list[Recorded]:
        """Return the Kubernetes objects."""
        return [resource for resource in self.resources if resource.kind]

    def outermost(self, resource: Recorded) -> Recorded:
        """Return the component at the top that a resource belongs to; the resource itself if it has no parent."""
        by_urn = {each.urn: each for each in self.resources}
        while resource.parent:
            resource = by_urn[resource.parent]
        return resource

    def room_of(self, resource: Recorded) -> str:
        """Return the room of the outermost component, e.g. ``chat``."""
        return self.outermost(resource).type.split(":")[1]


@dataclass
class _Monitor(mocks.MockMonitor):
    """Takes the place of the engine."""

    recorded: dict[str, Recorded] = field(default_factory=dict)
    registered_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(_Cloud())

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN with the types of all parents, as the engine does."""
        parents = parent.split("::")[2] + "$" if parent and "pulumi:pulumi:Stack" not in parent else ""
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{parents}{type_}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi's mocks have no types
        urn = self.make_urn(request.parent, request.type, request.name)
        if urn in self.recorded:
            raise ValueError(f"{request.type} {request.name!r} is declared twice: give one of the two another name")
        self.recorded[urn] = Recorded(
            type=request.type,
            name=request.name,
            urn=urn,
            parent="" if "pulumi:pulumi:Stack" in request.parent else request.parent,
            custom=request.custom,
            properties=_plain(json_format.MessageToDict(request.object)),
            retained=request.retainOnDelete,
            depends_on=tuple(sorted(set(request.dependencies))),
        )
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # as above

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the protocol's name
        self.registered_outputs[request.urn] = _plain(json_format.MessageToDict(request.outputs))
        return empty_pb2.Empty()


class _Cloud(mocks.Mocks):
    """Answers as the providers would: with the inputs, and with what only they know, made up but always the same."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        outputs = dict(args.inputs)
        named = outputs if args.typ.startswith("kubernetes:helm.sh/") else outputs.get("metadata", {})
        if args.typ.startswith("kubernetes:") and not named.get("name"):
            raise ValueError(f"{args.typ} {args.name!r} has no metadata.name: names must be the same in every run")
        if args.typ == "docker-build:index:Image":
            digest = "sha256:" + hashlib.sha256(args.name.encode()).hexdigest()
            outputs |= {"digest": digest, "ref": f"{outputs['tags'][0]}@{digest}"}
        if args.typ == "docker:index/remoteImage:RemoteImage":
            outputs |= {"imageId": "sha256:" + hashlib.sha256(outputs["name"].encode()).hexdigest()}
        if args.typ == "docker-build:index:Index":
            outputs |= {"ref": f"{outputs['tag']}@sha256:{hashlib.sha256(args.name.encode()).hexdigest()}"}
        if args.typ == "harbor:index/registry:Registry":
            outputs |= {"registryId": 7}
        if args.typ == "harbor:index/robotAccount:RobotAccount":
            outputs |= {"secret": hashlib.sha256(args.name.encode()).hexdigest()}
        if args.typ == "gitlab:index/projectDeployToken:ProjectDeployToken":
            outputs |= {"token": hashlib.sha256(args.name.encode()).hexdigest()}
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        raise ValueError(f"the program called {args.token}: what it declares must not depend on a provider's answer")


def record(
    program: Callable[[], object],
    *,
    stack: str,
    config: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Recording:
    """Run ``program`` and return what it declared.

    Args:
        program: declares resources, e.g. :func:`infra.program.deploy`.
        stack: name of the stack.
        config: configuration key (``aihub:data``) -> plain value.
        secrets: configuration key -> secret value.

    Raises:
        Exception: whatever the program raised, in its body or in a callback.
    """
    plain, secret = config or {}, secrets or {}
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in {**plain, **secret}.items()}
    pulumi.runtime.set_all_config(text, list(secret))
    monitor = _Monitor()
    mocks.set_mocks(_Cloud(), project="aihub", stack=stack, preview=False, monitor=monitor)
    # Without it an Output inside a string becomes a text about Outputs, in the middle of a manifest.
    os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "1"

    def run() -> None:
        program()

    mocks.test(run)()  # type: ignore[no-untyped-call]  # as above
    return Recording(
        resources=[monitor.recorded[urn] for urn in sorted(monitor.recorded)], outputs=monitor.registered_outputs
    )


def _plain(value: Any) -> Any:
    """Return a value off the wire without secrets; whole numbers come as floats and leave as integers."""
    match value:
        case dict():
            if value.get(_SIGNATURE) == _SECRET_SIGNATURE:
                return SECRET
            return {key: _plain(value[key]) for key in sorted(value)}  # the wire keeps no order
        case list():
            return [_plain(each) for each in value]
        case float():
            return int(value) if value.is_integer() else value
        case _:
            return value
