"""The commands behind ``make``: each file is one command, or one thing that several of them need."""

import toolchain  # noqa: F401 - first of all: it refuses a Python that is too old
