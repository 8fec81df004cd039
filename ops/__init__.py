"""The commands behind ``make``: each file is one command, or one thing that several of them need."""
