"""One kind of error that a person reads: what is wrong, where, and what to do."""


class OpsError(Exception):
    """A command cannot go on.

    Args:
        problem: what is wrong, naming the thing and the place.
        fix: what to do about it, as an instruction.
    """

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  -> {fix}")
        self.problem, self.fix = problem, fix
