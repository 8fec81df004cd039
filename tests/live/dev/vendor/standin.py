"""A stand-in for the vendor's five services, as picky about what it needs as they are; which one, its settings say.

It ends with an error where database, cache, queue or a secret is missing, as Spring Boot does; as the backend it makes
the tables under Liquibase's lock. Standard library and psql only.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from infra.aipp.steps.wait_for_rabbitmq import log_in

VERSION = os.environ.get("VERSION", "none")
DONE = "(done)"
"""Row that ends an answer."""
LOCK = """CREATE TABLE IF NOT EXISTS databasechangeloglock (
    id int PRIMARY KEY, locked bool NOT NULL, lockgranted timestamp, lockedby varchar(255));
INSERT INTO databasechangeloglock VALUES (1, FALSE) ON CONFLICT DO NOTHING"""
TAKE = """UPDATE databasechangeloglock SET locked = TRUE, lockgranted = now(), lockedby = '{}'
WHERE id = 1 AND NOT locked RETURNING id"""
TABLES = """CREATE TABLE IF NOT EXISTS texts (id serial PRIMARY KEY, words text, embedding vector);
INSERT INTO texts (words, embedding) SELECT 'a painted lighthouse', '[1,2,3]' WHERE NOT EXISTS (SELECT FROM texts);
SELECT pg_sleep({})"""
FREE = "UPDATE databasechangeloglock SET locked = FALSE, lockgranted = NULL, lockedby = NULL"
NEAREST = "SELECT words FROM texts ORDER BY embedding <-> '[1,2,4]' LIMIT 1"
PAGE = """<!doctype html><html lang="en"><title>AIPP {version}</title><h1>AIPP</h1>
<p id="server">The server says: {status}</p><p id="browser">...</p>
<script>fetch("/api/status").then(answer => answer.json()).then(status => {{
  document.getElementById("browser").textContent = "The browser says: " + status.nearest }})</script></html>
"""
hoarded: list[bytearray] = []


def say(line: str) -> None:
    """Print a line of the log."""
    print(line, flush=True)


@dataclass
class Session:
    """One connection to the database, by one psql; whose it is, ``PGAPPNAME`` says."""

    variables: dict[str, str]
    process: "subprocess.Popen[str]" = field(init=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        command = ["psql", "--no-psqlrc", "-qtAX", "-v", "ON_ERROR_STOP=1"]
        variables = {"PGCONNECT_TIMEOUT": "5", **os.environ, **self.variables}
        self.process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, sql: str) -> str:
        """Return the rows of the answer.

        Raises:
            OSError: the connection is over, and psql has said why.
        """
        to, back = self.process.stdin, self.process.stdout
        assert to and back
        with self.lock:
            rows: list[str] = []
            try:
                to.write(f"{sql};\nSELECT '{DONE}';\n")
                for line in back:
                    if line.strip() == DONE:
                        return "\n".join(rows)
                    rows.append(line.strip())
            except BrokenPipeError:
                pass
            self.process.wait()
            raise OSError("the database has ended the connection")


def secret(file: str) -> str:
    """Return a secret of the service's own Secret."""
    return Path(file).read_text()


def database(settings: dict[str, str]) -> Session | None:
    """Log in to the database that the settings name; None: they name none."""
    if url := settings.get("SPRING_DATASOURCE_URL"):
        parts = re.fullmatch(r"jdbc:postgresql://([^:/]+):(\d+)/(\w+)\?ApplicationName=([\w-]+)&.*", url)
        if not parts:
            raise OSError(f"not a JDBC address: {url}")
        host, port, name, application = parts.groups()
        folder = settings["SPRING_CONFIG_IMPORT"].removeprefix("configtree:")
        login = {"PGHOST": host, "PGPORT": port, "PGDATABASE": name, "PGAPPNAME": application}
        login |= {"PGUSER": settings["SPRING_DATASOURCE_USERNAME"]}
        return Session({**login, "PGPASSWORD": secret(f"{folder}spring.datasource.password")})
    if "PGHOST" in settings:
        return Session({"PGPASSWORD": secret(settings["DATABASE_PASSWORD_FILE"])})
    return None


def ping_redis(settings: dict[str, str]) -> None:
    """Log in to Redis.

    Raises:
        OSError: it does not let us in.
    """
    folder = settings["SPRING_CONFIG_IMPORT"].removeprefix("configtree:")
    word = secret(f"{folder}spring.data.redis.password")
    address = (settings["SPRING_DATA_REDIS_HOST"], int(settings["SPRING_DATA_REDIS_PORT"]))
    with socket.create_connection(address, timeout=5) as connection, connection.makefile("rwb") as stream:
        for words in (("AUTH", word), ("PING",)):
            parts = "".join(f"${len(each)}\r\n{each}\r\n" for each in words)
            stream.write(f"*{len(words)}\r\n{parts}".encode())
            stream.flush()
            if not (answer := stream.readline()).startswith(b"+"):
                raise OSError(f"Redis: {answer!r}")


def ping_queue(settings: dict[str, str]) -> None:
    """Log in to RabbitMQ, as the linker or as a Spring service."""
    if "SPRING_RABBITMQ_HOST" in settings:
        prefix = "SPRING_RABBITMQ"
        file = settings["SPRING_CONFIG_IMPORT"].removeprefix("configtree:") + "spring.rabbitmq.password"
        user = settings[f"{prefix}_USERNAME"]
    else:
        prefix, file, user = "RABBITMQ", settings["RABBITMQ_PASSWORD_FILE"], settings["RABBITMQ_USER"]
    log_in(settings[f"{prefix}_HOST"], int(settings[f"{prefix}_PORT"]), user.encode(), secret(file).encode())


def migrate(settings: dict[str, str]) -> None:
    """Make the tables as Liquibase does: the lock is a row, taken and given back in transactions of their own."""
    session, name = database(settings), socket.gethostname()
    assert session
    session.ask(LOCK)
    deadline = time.monotonic() + float(settings.get("LOCK_WAIT_SECONDS", "300"))
    while not session.ask(TAKE.format(name)):
        say("waiting for the lock of the migrations")
        if time.monotonic() > deadline:
            raise OSError("could not acquire the lock of the migrations")
        time.sleep(1)
    say("migrating")
    session.ask(TABLES.format(float(settings.get("MIGRATION_SECONDS", "0"))))
    session.ask(FREE)
    session.process.terminate()


class Handler(BaseHTTPRequestHandler):
    """The health pages, the page, and what the tests ask for."""

    settings: dict[str, str]
    session: Session | None = None
    backend: str | None

    def do_GET(self) -> None:
        """Answer."""
        path = urlsplit(self.path).path
        if path == "/actuator/health/liveness":
            return self._send(200, '{"status": "UP"}')
        if self.backend is not None:
            return self._send(200, page(self.backend) if path == "/" else "", "text/html")
        try:
            if path == "/api/status":
                return self._send(200, json.dumps({"version": VERSION, "nearest": self._ask(NEAREST)}))
            self._ask("SELECT 1")
            return self._send(200, '{"status": "UP"}')
        except OSError as error:
            return self._send(503, json.dumps({"status": "DOWN", "error": str(error)}))

    def do_POST(self) -> None:
        """Take memory and keep it: what a text that is too long does to the linker."""
        hoarded.append(bytearray(os.urandom(1024)) * (int(parse_qs(urlsplit(self.path).query)["mib"][0]) * 1024))
        self._send(200, "")

    def _ask(self, sql: str) -> str:
        """Ask the database; a connection that is over is made anew for the next who asks."""
        session = Handler.session or database(self.settings)
        assert session
        Handler.session = session
        try:
            return session.ask(sql)
        except OSError:
            Handler.session = None
            raise

    def _send(self, status: int, text: str, kind: str = "application/json") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Version", VERSION)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Keep the log for what matters."""


def page(backend: str) -> str:
    """Return the page, with what the backend says now."""
    with urllib.request.urlopen(f"{backend}/api/status", timeout=5) as answer:
        return PAGE.format(version=VERSION, status=json.loads(answer.read())["nearest"])


def main() -> None:
    """Check what is needed, then serve."""
    settings = Handler.settings = dict(os.environ)
    # The first process of a container is not ended by a signal that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    backend = settings.get("BACKEND_URL")
    try:
        if backend:
            page(backend)
        else:
            ping_queue(settings)
        if "SPRING_DATASOURCE_URL" in settings:
            ping_redis(settings)
        if settings.get("SPRING_LIQUIBASE_ENABLED") == "true":
            migrate(settings)
        if session := database(settings):
            say(f"{session.ask('SELECT count(*) FROM texts')} texts")
            Handler.session = session
        if "LINKER_CONFIG" in settings:
            say(secret(settings["LINKER_CONFIG"]))
    except (OSError, KeyError) as error:
        sys.exit(f"cannot start: {type(error).__name__}: {error}")
    Handler.backend = backend
    server = ThreadingHTTPServer(("0.0.0.0", int(settings.get("SERVER_PORT") or settings["PORT"])), Handler)
    say(f"{VERSION} serves")
    server.serve_forever()


if __name__ == "__main__":
    main()
