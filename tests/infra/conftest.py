"""Tests of the program."""

import logging

# A program that fails leaves futures behind with the error that the test has seen; asyncio would print each again.
logging.getLogger("asyncio").setLevel(logging.CRITICAL)
