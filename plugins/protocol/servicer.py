"""The engine's provider protocol, answered by a ``Provider``.

The SDK has a servicer of its own (``pulumi.provider.experimental``); it hands a provider no old inputs, knows no object
that was made but is not ready, and puts a stack trace of Python into every error.
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from typing_extensions import override

from plugins.protocol.difference import Kind, property_path
from plugins.protocol.engine import EngineLog
from plugins.protocol.provider import (
    Difference,
    NotReadyError,
    Operation,
    Progress,
    Provider,
    ProviderError,
    Resource,
    Resources,
)
from plugins.protocol.values import decode, encode, has_unknown, redact, reveal, secret_texts

_KINDS = {
    (Kind.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Kind.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Kind.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Kind.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Kind.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Kind.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


@dataclass(frozen=True)
class _Status(grpc.Status):
    """A status with details, in the form that ``abort_with_status`` takes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine. Each method is one remote call of ``provider.proto``; several run at once."""

    def __init__(self, provider: Provider, engine: EngineLog) -> None:
        """Serve the provider, with messages to the given engine."""
        self._provider = provider
        self._engine = engine
        self._cancelled = Event()

    @override
    def Handshake(self, request: provider_pb2.ProviderHandshakeRequest, context: Any) -> Any:
        """Say which kinds of values this provider takes."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    @override
    def GetPluginInfo(self, request: empty_pb2.Empty, context: Any) -> Any:
        """Return the version that this provider stands in for, so that the engine finds the one it looks for."""
        return plugin_pb2.PluginInfo(version=self._provider.version)

    @override
    def GetSchema(self, request: provider_pb2.GetSchemaRequest, context: Any) -> Any:
        """Return an empty schema: programs bring their own types with their SDK."""
        return provider_pb2.GetSchemaResponse(schema="{}")

    @override
    def CheckConfig(self, request: provider_pb2.CheckRequest, context: Any) -> Any:
        """Accept the provider's inputs as they are."""
        return provider_pb2.CheckResponse(inputs=request.news)

    @override
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: Any) -> Any:
        """Changed provider inputs are an update: which cluster they mean is not knowable from them."""
        changed = request.olds != request.news
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        )

    @override
    def Configure(self, request: provider_pb2.ConfigureRequest, context: Any) -> Any:
        """Take the provider's inputs."""
        with self._answering(context, request.args):
            inputs = decode(request.args)
            self._provider.configure({key: reveal(item) for key, item in inputs.items() if not has_unknown(item)})
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @override
    def Check(self, request: provider_pb2.CheckRequest, context: Any) -> Any:
        """Complete and check a resource's inputs."""
        with self._answering(context, request.news):
            checked = self._resources(request).check(
                _resource(request),
                decode(request.olds),
                decode(request.news),
                bytes(request.randomSeed),
            )
        return provider_pb2.CheckResponse(
            inputs=encode(checked.inputs),
            failures=[
                provider_pb2.CheckFailure(property=name, reason=reason) for name, reason in checked.failures.items()
            ],
        )

    @override
    def Diff(self, request: provider_pb2.DiffRequest, context: Any) -> Any:
        """Name what differs."""
        with self._answering(context, request.olds, request.news):
            difference = self._resources(request).diff(
                _resource(request), decode(request.old_inputs), decode(request.olds), decode(request.news)
            )
        return _diff_response(difference)

    @override
    def Create(self, request: provider_pb2.CreateRequest, context: Any) -> Any:
        """Make an object."""
        with self._answering(context, request.properties):
            identity, outputs = self._resources(request).create(
                _resource(request), decode(request.properties), self._operation(request, request.properties)
            )
        return provider_pb2.CreateResponse(id=identity, properties=encode(outputs))

    @override
    def Update(self, request: provider_pb2.UpdateRequest, context: Any) -> Any:
        """Change an object."""
        with self._answering(context, request.olds, request.news):
            outputs = self._resources(request).update(
                _resource(request),
                decode(request.old_inputs),
                decode(request.olds),
                decode(request.news),
                self._operation(request, request.olds, request.news),
            )
        return provider_pb2.UpdateResponse(properties=encode(outputs))

    @override
    def Delete(self, request: provider_pb2.DeleteRequest, context: Any) -> Any:
        """Remove an object."""
        with self._answering(context, request.properties):
            operation = self._operation(request, request.properties)
            self._resources(request).delete(_resource(request), decode(request.properties), operation)
        return empty_pb2.Empty()

    @override
    def Read(self, request: provider_pb2.ReadRequest, context: Any) -> Any:
        """Return an object as it is outside; no id when it is gone."""
        with self._answering(context, request.inputs, request.properties):
            found = self._resources(request).read(
                _resource(request),
                decode(request.inputs),
                decode(request.properties),
                self._operation(request, request.inputs, request.properties),
            )
        if found is None:
            return provider_pb2.ReadResponse()
        inputs, outputs = found
        return provider_pb2.ReadResponse(id=request.id, inputs=encode(inputs), properties=encode(outputs))

    @override
    def Invoke(self, request: provider_pb2.InvokeRequest, context: Any) -> Any:
        """Refuse: no function of the vendor's plugins is needed here."""
        with self._answering(context):
            raise ProviderError(f"the function {request.tok} needs the vendor's plugin; this stand-in has none")

    @override
    def Construct(self, request: provider_pb2.ConstructRequest, context: Any) -> Any:
        """Refuse: no component of the vendor's plugins is needed here."""
        with self._answering(context):
            raise ProviderError(f"the component {request.type} needs the vendor's plugin; this stand-in has none")

    @override
    def Cancel(self, request: empty_pb2.Empty, context: Any) -> Any:
        """Stop waiting, everywhere."""
        self._cancelled.set()
        return empty_pb2.Empty()

    def _resources(self, request: Any) -> Resources:
        return self._provider.resources(_resource(request).type)

    def _operation(self, request: Any, *properties: struct_pb2.Struct) -> Operation:
        texts = frozenset[str]().union(*(secret_texts(decode(each)) for each in properties))
        urn: str = request.urn
        return Operation(
            say=Progress(lambda message: self._engine.status(urn, redact(message, texts))),
            warn=lambda message: self._engine.warning(urn, redact(message, texts)),
            preview=getattr(request, "preview", False),
            timeout_seconds=getattr(request, "timeout", 0),
            cancelled=self._cancelled,
        )

    @contextmanager
    def _answering(self, context: Any, *properties: struct_pb2.Struct) -> Iterator[None]:
        """Turn errors into the protocol's, with no secret in them."""
        try:
            yield
        except NotReadyError as error:
            texts = frozenset[str]().union(*(secret_texts(decode(each)) for each in properties))
            _abort_not_ready(context, error, texts)
        except ProviderError as error:
            texts = frozenset[str]().union(*(secret_texts(decode(each)) for each in properties))
            # Not UNKNOWN: that would make the engine believe that something may have been changed.
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, redact(str(error), texts))
        except Exception as error:
            # Only where it happened goes to the log: values in a message of unknown origin could be secret.
            sys.stderr.write("".join(traceback.format_tb(error.__traceback__)))
            context.abort(
                grpc.StatusCode.UNKNOWN,
                f"a fault of this stand-in for Pulumi's plugin, not of the program: {type(error).__name__} at "
                f"{_place(error)}",
            )


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def _resource(request: Any) -> Resource:
    # Older engines send the URN alone.
    parts = request.urn.split("::")
    return Resource(
        urn=request.urn,
        type=request.type or parts[2].split("$")[-1],
        name=request.name or parts[-1],
        identity=getattr(request, "id", ""),
    )


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    detailed = {}
    replaces: list[str] = []
    top_level: list[str] = []
    for path, kind in difference.changes:
        name = property_path(path)
        replaced = path in difference.replaces
        detailed[name] = provider_pb2.PropertyDiff(kind=_KINDS[kind, replaced], inputDiff=True)
        if replaced:
            replaces.append(name)
        if str(path[0]) not in top_level:
            top_level.append(str(path[0]))
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=top_level,
        replaces=replaces,
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=difference.delete_before_replace,
    )


def _abort_not_ready(context: Any, error: NotReadyError, texts: frozenset[str]) -> NoReturn:
    reasons = [redact(reason, texts) for reason in error.reasons]
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="; ".join(reasons))
    detail = status.details.add()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=error.identity, properties=encode(error.outputs), inputs=encode(error.inputs), reasons=reasons
        )
    )
    context.abort_with_status(
        _Status(
            code=grpc.StatusCode.UNKNOWN,
            details=status.message,
            trailing_metadata=(("grpc-status-details-bin", status.SerializeToString()),),
        )
    )
    raise AssertionError("abort_with_status raises")
