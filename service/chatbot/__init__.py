"""The chat service: one package, run as the `api`, as the `engine`, or as both in one process."""
