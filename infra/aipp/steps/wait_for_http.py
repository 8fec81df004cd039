"""Ends once an address answers 200. The standard library only: it runs in a plain Python image."""

import os
import time
import urllib.request


def main() -> None:
    """Run the step."""
    address = os.environ["ADDRESS"]
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - http, given by the program
                return
        except OSError as error:
            print(f"waiting for {address}: {error}", flush=True)
        time.sleep(float(os.environ.get("PAUSE_SECONDS", "5")))


if __name__ == "__main__":
    main()
