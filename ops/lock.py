"""One command at a time changes a stack."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ops.errors import OpsError
from ops.paths import StackPaths


@contextmanager
def locked(paths: StackPaths, command: str) -> Iterator[None]:
    """Hold the stack's lock; the kernel lets go of it when this process ends, however it ends.

    Raises:
        OpsError: another command holds it; the message names its process.
    """
    with paths.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another command"
            raise OpsError(
                f"stack {paths.stack}: {holder} is at work on it", "wait for it to end, then run this again"
            ) from None
        lock.truncate(0)
        lock.write(f"make {command} (process {os.getpid()})")
        lock.flush()
        yield
        lock.truncate(0)
