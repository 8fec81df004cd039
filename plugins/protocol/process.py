"""Running other programs, with their progress shown as it comes."""

import io
import os
import subprocess
import threading
from collections import deque
from collections.abc import Mapping, Sequence

from plugins.protocol.provider import Operation, ProviderError

TAIL_LINES = 20


def run(command: Sequence[str], operation: Operation, variables: Mapping[str, str] | None = None) -> None:
    """Run a command to its end.

    Args:
        command: program and arguments.
        operation: each line of output becomes its status line; cancelling it ends the command.
        variables: added to the environment.

    Raises:
        ProviderError: the command failed or was cancelled; its last lines are the message.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(variables or {})},
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_end_when_cancelled, args=(process, operation, ended), daemon=True)
    watcher.start()
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with process.stdout or io.StringIO() as lines:
        for line in lines:
            if line.strip():
                tail.append(line.rstrip())
                operation.say(line.strip())
    status = process.wait()
    ended.set()
    if operation.cancelled.is_set():
        raise ProviderError(f"{command[0]} was cancelled")
    if status:
        raise ProviderError(f"{' '.join(command[:2])} failed with exit status {status}:\n" + "\n".join(tail))


def _end_when_cancelled(process: "subprocess.Popen[str]", operation: Operation, ended: threading.Event) -> None:
    while not ended.wait(0.5):
        if operation.cancelled.is_set():
            process.terminate()
            return
