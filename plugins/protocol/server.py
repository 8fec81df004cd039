"""The process that the engine starts: a gRPC server on a port of its own choice."""

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from plugins.protocol.engine import EngineLog
from plugins.protocol.provider import Provider
from plugins.protocol.servicer import Servicer

MESSAGE_BYTES = 400 * 1024 * 1024
"""The engine's own limit of one message; CustomResourceDefinitions pass gRPC's default of 4 MB."""
REQUESTS_AT_ONCE = 128
"""Waiting for readiness holds a thread each; the engine sends as many requests at once as ``--parallel`` says."""

ENGINE_LOOK_SECONDS = 2.0


def start(provider: Provider, engine_address: str) -> tuple[grpc.Server, int]:
    """Return the running server and its port on 127.0.0.1."""
    size = [("grpc.max_receive_message_length", MESSAGE_BYTES), ("grpc.max_send_message_length", MESSAGE_BYTES)]
    server = grpc.server(ThreadPoolExecutor(REQUESTS_AT_ONCE), options=size)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(provider, EngineLog(engine_address)), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def serve(provider: Provider, arguments: list[str]) -> None:
    """Serve until the engine ends this process.

    Args:
        provider: what answers.
        arguments: the engine's: its address, among options that start with a dash.
    """
    addresses = [argument for argument in arguments if not argument.startswith("-")]
    if not addresses:
        sys.exit("this is a plugin that Pulumi's engine starts with its own address; it is of no use by hand")
    # An engine that was killed ends nobody; its plugins then have another parent. Asked before the port is told: an
    # engine may be gone right after that.
    engine = os.getppid()
    stop = threading.Event()
    # The engine starts plugins in a process group of their own and ends them with SIGINT; Ctrl-C reaches only itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    server, port = start(provider, addresses[0])
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not stop.wait(ENGINE_LOOK_SECONDS) and os.getppid() == engine:
        pass
    server.stop(grace=1).wait()
