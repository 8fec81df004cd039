"""The one Redis connection pool of the process, and how its failures look to the rest."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from chatbot.errors import StoreUnavailableError
from chatbot.settings import read_secret_file

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0
RETRIES = 2
PASSING = (OutOfMemoryError, ReadOnlyError, ClusterDownError)
"""Error answers that tell of the server's state, not of a mistake of ours (MASTERDOWN is of the third type)."""
PASSING_CODES = ("MISCONF", "NOREPLICAS")
"""More of them: redis-py has no type for these, and leaves the code in the message only then."""


def connect(url: str, password_file: Path | None) -> Redis:
    """A client for `url`; it connects at the first command, so Redis may come later than the service.

    Raises:
        ConfigurationError: the password file cannot be read.
    """
    password = read_secret_file(password_file, "REDIS_PASSWORD_FILE") if password_file else None
    return Redis.from_url(
        url,
        password=password,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.4, base=0.05), RETRIES),
        health_check_interval=15,
        decode_responses=True,
    )


@contextmanager
def available() -> Iterator[None]:
    """Turns "Redis cannot be used now" into `StoreUnavailableError`; faults of ours stay what they are."""
    try:
        yield
    except AuthenticationError as error:
        raise StoreUnavailableError("history", "Redis refuses the password (CHATBOT_REDIS_PASSWORD_FILE)") from error
    except ResponseError as error:
        if not isinstance(error, PASSING) and not str(error).startswith(PASSING_CODES):
            raise
        raise StoreUnavailableError("history", "Redis cannot take commands now") from error
    except (RedisError, OSError) as error:
        raise StoreUnavailableError("history", "Redis does not answer") from error


async def run_script(client: Redis, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> int:
    """Run a Lua script by its hash; sent whole only to a server that does not know it yet."""
    values = [*keys, *arguments]
    with available():
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        try:
            return int(await client.evalsha(digest, len(keys), *values))
        except NoScriptError:
            return int(await client.eval(script, len(keys), *values))
