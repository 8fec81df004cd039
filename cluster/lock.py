"""One command at a time changes the node."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import NodeError

LOCK = Path("/run/lock/aihub-node")


@contextmanager
def locked(path: Path = LOCK) -> Iterator[None]:
    """Hold the node's lock; the kernel lets go of it when this process ends, however it ends.

    Raises:
        NodeError: another process holds it; the message names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise NodeError(
                f"the node is being changed by process {holder}", "wait for it to end, then run this again"
            ) from None
        # Never inherited: a process that we start must not hold it on.
        os.set_inheritable(lock.fileno(), False)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)
