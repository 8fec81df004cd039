"""One real Kubernetes node for a machine that has none: upstream binaries, Debian's containerd and etcd."""

import toolchain  # noqa: F401 - first of all: it refuses a Python that is too old


class NodeError(Exception):
    """The node cannot be brought to the wanted state.

    Args:
        problem: what is wrong, naming the thing and the place.
        fix: what to do about it, as an instruction.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  -> {fix}")
