"""The protocol: the launched process, asked over gRPC as the engine asks."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc, status_pb2

from plugins.protocol.values import Secret, decode, encode
from tests.apiserver import ApiServer
from tests.plugins.support import PREVIEW_STAND_INS, STAND_INS

CONFIG_MAP = "urn:pulumi:s::p::kubernetes:core/v1:ConfigMap::settings"
CLAIM = "urn:pulumi:s::p::kubernetes:core/v1:PersistentVolumeClaim::data"


class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps what plugins log."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    def Log(self, request: Any, context: Any) -> Any:
        self.messages.append(request)
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[Engine, str]]:
    servicer, server = Engine(), grpc.server(ThreadPoolExecutor(4))
    engine_pb2_grpc.add_EngineServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield servicer, f"127.0.0.1:{port}"
    server.stop(None)


@contextmanager
def launched(program: str, address: str) -> Iterator[Any]:
    """Start a plugin as the engine does and give its client; it must end within seconds of being asked to."""
    with subprocess.Popen([program, address], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest.fixture
def kubernetes(engine: tuple[Engine, str], api_server: ApiServer) -> Iterator[Any]:
    with launched(str(STAND_INS / "pulumi-resource-kubernetes"), engine[1]) as client:
        args = encode({"kubeconfig": str(api_server.kubeconfig)})
        answer = client.Configure(provider_pb2.ConfigureRequest(args=args, acceptSecrets=True))
        assert answer.acceptSecrets
        assert answer.supportsPreview
        yield client


def test_the_engine_is_told_the_version_that_it_looks_for(kubernetes: Any) -> None:
    assert kubernetes.GetPluginInfo(empty_pb2.Empty()).version == "4.34.2"


def test_handshake_and_configure_agree(kubernetes: Any) -> None:
    answer = kubernetes.Handshake(provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert answer.accept_secrets
    assert not answer.accept_outputs


def test_check_and_diff_carry_secrets_and_replacements(kubernetes: Any) -> None:
    news = encode({"metadata": {"name": "x"}, "data": {"a": Secret("hunter22")}})
    checked = kubernetes.Check(provider_pb2.CheckRequest(urn=CONFIG_MAP, news=news, randomSeed=b"seed"))
    inputs = decode(checked.inputs)
    assert inputs["data"]["a"] == Secret("hunter22")
    other = encode({**inputs, "data": {"a": Secret("other")}})
    request = provider_pb2.DiffRequest(urn=CONFIG_MAP, old_inputs=checked.inputs, olds=checked.inputs, news=other)
    difference = kubernetes.Diff(request)
    assert difference.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(difference.replaces) == ["data.a"]
    assert difference.deleteBeforeReplace
    assert difference.detailedDiff["data.a"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_failed_checks_name_the_property(kubernetes: Any) -> None:
    news = encode({"metadata": {"generateName": "x-"}})
    failures = kubernetes.Check(provider_pb2.CheckRequest(urn=CONFIG_MAP, news=news)).failures
    assert [failure.property for failure in failures] == ["metadata.generateName"]


def test_errors_are_one_message_without_stack_and_without_secret(kubernetes: Any) -> None:
    wrong = encode({"metadata": {"name": Secret("Hunter_22"), "namespace": "default"}})
    with pytest.raises(grpc.RpcError) as caught:
        kubernetes.Create(provider_pb2.CreateRequest(urn=CONFIG_MAP, properties=wrong))
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    message = caught.value.details() or ""
    assert "a lowercase RFC 1123 subdomain" in message
    assert "Hunter_22" not in message
    assert "Traceback" not in message


def test_an_object_that_is_not_ready_comes_with_its_state(kubernetes: Any, engine: tuple[Engine, str]) -> None:
    inputs = encode(
        {
            "metadata": {"name": "protocol", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    )
    with pytest.raises(grpc.RpcError) as caught:
        kubernetes.Create(provider_pb2.CreateRequest(urn=CLAIM, properties=inputs, timeout=2))
    details = {entry.key: entry.value for entry in caught.value.trailing_metadata() or ()}["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    failed = provider_pb2.ErrorResourceInitFailed()
    status_pb2.Status.FromString(details).details[0].Unpack(failed)
    assert failed.id == "default/protocol"
    assert decode(failed.properties)["metadata"]["uid"]
    assert "was not ready within 2 s" in failed.reasons[0]
    # One line, however often it was looked at.
    said = [(each.message, each.ephemeral, each.severity) for each in engine[0].messages if each.urn == CLAIM]
    assert said == [("Waiting for a volume", True, engine_pb2.INFO)]


def test_cancelling_ends_the_waiting(kubernetes: Any) -> None:
    inputs = encode(
        {
            "metadata": {"name": "cancelled", "namespace": "default"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        }
    )
    waiting = kubernetes.Create.future(provider_pb2.CreateRequest(urn=CLAIM, properties=inputs, timeout=60))
    with pytest.raises(grpc.FutureTimeoutError):
        waiting.result(timeout=1.5)
    kubernetes.Cancel(empty_pb2.Empty())
    assert "was cancelled" in str(waiting.exception(timeout=5))


@pytest.mark.parametrize("call", ["Invoke", "Construct"])
def test_functions_and_components_are_refused_by_name(kubernetes: Any, call: str) -> None:
    request = {
        "Invoke": provider_pb2.InvokeRequest(tok="kubernetes:yaml:decode"),
        "Construct": provider_pb2.ConstructRequest(type="kubernetes:yaml/v2:ConfigFile"),
    }[call]
    with pytest.raises(grpc.RpcError, match="needs the vendor's plugin"):
        getattr(kubernetes, call)(request)


def test_the_preview_stand_in_refuses_every_act(engine: tuple[Engine, str]) -> None:
    with launched(str(PREVIEW_STAND_INS / "pulumi-resource-harbor"), engine[1]) as client:
        urn = "urn:pulumi:s::p::harbor:index/robotAccount:RobotAccount::robot"
        properties = encode({"secret": Secret("hunter22")})
        previewed = client.Create(provider_pb2.CreateRequest(urn=urn, properties=properties, preview=True))
        assert decode(previewed.properties) == {"secret": Secret("hunter22")}
        requests = {
            "Create": provider_pb2.CreateRequest(urn=urn, properties=properties),
            "Update": provider_pb2.UpdateRequest(urn=urn, id="x", olds=properties, news=properties),
            "Delete": provider_pb2.DeleteRequest(urn=urn, id="x", properties=properties),
            "Read": provider_pb2.ReadRequest(urn=urn, id="x", properties=properties),
        }
        for call, request in requests.items():
            with pytest.raises(grpc.RpcError, match="can only preview"):
                getattr(client, call)(request)


def test_started_by_hand_a_plugin_says_what_it_is() -> None:
    done = subprocess.run([str(STAND_INS / "pulumi-resource-kubernetes")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Pulumi's engine starts" in done.stderr
