"""The little of Chroma's HTTP API that a backup needs: the official image has no program that speaks it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from ops.errors import OpsError

HOME = "/tenants/default_tenant/databases/default_database"
PAGE = 500
TIMEOUT_SECONDS = 120
Json = dict[str, Any]


class Server:
    """The HTTP API of one server."""

    def __init__(self, name: str, port: int) -> None:
        self._name, self._url = name, f"http://127.0.0.1:{port}/api/v2"

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send one request; return the JSON of the answer.

        Raises:
            OpsError: nobody answered, or with an error.
        """
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers, method=method)  # noqa: S310 - our own URL
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the same
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise OpsError(f"{self._name}: {method} {path}: {error.code} {said}", "make verify") from None
        except OSError as error:
            raise OpsError(f"{self._name} does not answer: {error}", "make verify") from None

    def collections(self) -> list[Json]:
        """Return all collections, by name."""
        found: list[Json] = self.call("GET", f"{HOME}/collections?limit=10000")
        return sorted(found, key=lambda each: str(each["name"]))

    def pages(self, collection: Json, include: list[str]) -> Iterator[Json]:
        """Yield a collection's records, page by page."""
        for start in range(0, int(self.call("GET", f"{HOME}/collections/{collection['id']}/count")), PAGE):
            body = {"limit": PAGE, "offset": start, "include": include}
            yield self.call("POST", f"{HOME}/collections/{collection['id']}/get", body)
