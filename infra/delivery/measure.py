"""Asks a new version how it does: sends it questions, and fails when it answers too badly or too slowly.

It runs in the service's own image as the Job of an analysis; it needs nothing but Python. Settings come from the
environment, the result is one line of JSON; exit status 0: good, 1: bad, 2: could not be asked.
"""

import json
import math
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

QUESTION = "Reply with the single word: ready."
ANSWER_TOKENS = 8
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Limits:
    """What is asked, and what still counts as good."""

    url: str
    """Address of the new pods."""
    key: str
    """API key."""
    requests: int
    """Number of questions."""
    at_once: int
    """How many are asked at the same time."""
    error_percent: float
    """More failed answers than this are too many."""
    first_token_seconds: float
    """95 of 100 answers begin within this time."""
    timeout_seconds: float
    """An answer that says nothing for so long has failed."""
    warm_up_seconds: float
    """So long the first answer may say nothing, which does not count: the engine may be loading its model."""
    start_seconds: float
    """So long the Service may take to lead to the new pods."""


@dataclass(frozen=True)
class Asked:
    """One question."""

    problem: str
    """Why it failed; empty: it did not."""
    first_token_seconds: float
    """Time until the first word."""


def ask(limits: Limits, timeout_seconds: float) -> Asked:
    """Send one question and read the whole answer."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "stream": True, "max_tokens": ANSWER_TOKENS}
    request = urllib.request.Request(  # noqa: S310 - the address is configuration, not input
        f"{limits.url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {limits.key}"},
    )
    began, first, is_whole = time.monotonic(), 0.0, False
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:  # noqa: S310 - as above
            for line in answer:
                data = line.decode().strip().removeprefix("data:").strip()
                if data == "[DONE]":
                    is_whole = True
                elif not line.startswith(b"data:") or not data:
                    continue
                elif "error" in (event := json.loads(data)):
                    return Asked("error inside the answer", first)
                elif not first and any((choice.get("delta") or {}).get("content") for choice in event["choices"]):
                    first = time.monotonic() - began
    except urllib.error.HTTPError as error:
        return Asked(f"status {error.code}", 0.0)
    except (OSError, ValueError, KeyError) as error:
        return Asked(type(getattr(error, "reason", error)).__name__, first)
    if not is_whole:
        return Asked("the answer breaks off", first)
    return Asked("", first) if first else Asked("an empty answer", first)


def wait_for(limits: Limits) -> bool:
    """Wait until the Service leads somewhere: it is turned to the new pods while this starts."""
    deadline = time.monotonic() + limits.start_seconds
    while True:
        try:
            with urllib.request.urlopen(f"{limits.url}/livez", timeout=5):  # noqa: S310 - as above
                return True
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(RETRY_SECONDS)


def measure(limits: Limits) -> dict[str, object]:
    """Ask all questions and return the figures with the verdict.

    One question goes before them and is not counted. The commit that brought these pods may have brought an engine,
    too: the service holds questions back while that loads its model, which says nothing about either version.
    """
    ask(limits, limits.warm_up_seconds)
    with ThreadPoolExecutor(limits.at_once) as pool:
        asked = list(pool.map(lambda _: ask(limits, limits.timeout_seconds), range(limits.requests)))
    problems = sorted(each.problem for each in asked if each.problem)
    times = sorted(each.first_token_seconds for each in asked if not each.problem)
    slowest = times[math.ceil(0.95 * len(times)) - 1] if times else 0.0
    error_percent = 100 * len(problems) / len(asked)
    reasons = []
    if error_percent > limits.error_percent:
        reasons.append(f"{len(problems)} of {len(asked)} answers failed")
    if slowest > limits.first_token_seconds:
        reasons.append(f"answers begin after {slowest:.2f} s")
    return {
        "good": not reasons,
        "reasons": reasons,
        "requests": len(asked),
        "problems": {problem: problems.count(problem) for problem in dict.fromkeys(problems)},
        "first_token_p95_seconds": round(slowest, 3),
    }


def limits_of(environment: Mapping[str, str]) -> Limits:
    """Return the settings.

    Raises:
        KeyError: one is missing.
        OSError: the key cannot be read.
    """
    return Limits(
        url=environment["MEASURE_URL"].rstrip("/"),
        key=Path(environment["MEASURE_KEY_FILE"]).read_text().strip(),
        requests=int(environment["MEASURE_REQUESTS"]),
        at_once=int(environment["MEASURE_AT_ONCE"]),
        error_percent=float(environment["MEASURE_ERROR_PERCENT"]),
        first_token_seconds=float(environment["MEASURE_FIRST_WORD_SECONDS"]),
        timeout_seconds=float(environment["MEASURE_TIMEOUT_SECONDS"]),
        warm_up_seconds=float(environment["MEASURE_WARM_UP_SECONDS"]),
        start_seconds=float(environment["MEASURE_START_SECONDS"]),
    )


def main() -> int:
    """Run the measurement; return its exit status."""
    limits = limits_of(os.environ)
    if not wait_for(limits):
        print(json.dumps({"good": False, "reasons": [f"no pod answers at {limits.url}"]}))
        return 2
    result = measure(limits)
    print(json.dumps(result))
    return 0 if result["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
