"""The commands behind ``make``: each file is one command, or one thing that several of them need.

A folder is a subject that has several files: what ``verify`` checks, who is asked, how things differ, what is looked at
before ``up``, what is backed up.
"""

import toolchain  # noqa: F401 - first of all: it refuses a Python that is too old
