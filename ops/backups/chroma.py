"""Chroma: its collections through its HTTP API (docs/decisions/1701).

One line of JSON for a collection, then one for each page of its records. Vectors travel as their bytes: no digit is
lost on the way. A collection with `cosine` keeps directions and lengths apart and multiplies them when asked, so its
vectors may come back a hair different: they are compared to a millionth, everything else exactly.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.data.chroma import PORT
from ops.backups.chroma_api import HOME, Json, Server
from ops.backups.kinds import Content, Copy
from ops.backups.reach import Reach
from ops.errors import OpsError

FILE = "jsonl"
TRIES = 3
TOLERANCE = 1e-6
SUFFIX, ASIDE = ".restoring", ".before-restore"
_FIELDS = ("ids", "documents", "metadatas", "uris")


def version(reach: Reach) -> str:
    """Return the version of the server's API."""
    with reach.port(PORT) as port:
        return str(Server(reach.name, port).call("GET", "/version"))


def content(reach: Reach) -> Content:
    """Return the collections, the number of records, and the sum of everything but the vectors."""
    with reach.port(PORT) as port:
        return _content(_lines(Server(reach.name, port), vectors=False))


def dump(reach: Reach, base: Path) -> Copy:
    """Write all collections.

    The API knows no snapshot: pages are asked for one by one. So it is asked again afterwards, and where something was
    written in between, once more from the start.

    Raises:
        OpsError: somebody writes all the time.
    """
    path = base.with_name(f"{base.name}.{FILE}")
    with reach.port(PORT) as port:
        server = Server(reach.name, port)
        for _ in range(TRIES):
            with path.open("w") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(server, vectors=True))
            found = _content(_read(path))
            if found == _content(_lines(server, vectors=False)):
                return Copy(files=(path,), content=found)
    raise OpsError(
        f"{reach.name} was written to each of the {TRIES} times it was copied", "try again when nobody loads documents"
    )


def is_empty(reach: Reach) -> bool:
    """Say whether no collection holds a record: the api makes its own at its start."""
    return not content(reach)["records"]


def load(reach: Reach, base: Path) -> None:
    """Put the collections in the place of all that are there.

    They get another name until they are whole and have been compared with the file; then the old ones go.

    Raises:
        OpsError: the server refused something; what was there is untouched.
    """
    path = base.with_name(f"{base.name}.{FILE}")
    with reach.port(PORT) as port:
        server = Server(reach.name, port)
        every = server.collections()
        old = [each for each in every if not str(each["name"]).endswith(SUFFIX)]
        for left in (each for each in every if each not in old):  # by a restore that was interrupted
            server.call("DELETE", f"{HOME}/collections/{left['name']}")
        made = _fill(server, path)
        _compare_vectors(reach.name, server, path, made)
        # Who has one open keeps using it by its number until it is gone, and then finds the new one by its name.
        for each in old:
            server.call("PUT", f"{HOME}/collections/{each['id']}", {"new_name": f"{each['name']}{ASIDE}"})
        for name, collection in made.items():
            server.call("PUT", f"{HOME}/collections/{collection['id']}", {"new_name": name})
        for each in old:
            server.call("DELETE", f"{HOME}/collections/{each['name']}{ASIDE}")


def keep(_: Reach) -> None:
    """Nothing was put aside."""


def _lines(server: Server, *, vectors: bool) -> Iterator[Json]:
    include = ["documents", "metadatas", "uris", *(["embeddings"] if vectors else [])]
    for collection in server.collections():
        if str(collection["name"]).endswith(SUFFIX):
            continue
        yield {key: collection[key] for key in ("name", "metadata", "configuration_json", "dimension")}
        for page in server.pages(collection, include):
            line = {key: page[key] for key in _FIELDS}
            yield line | ({"vectors": [_packed(each) for each in page["embeddings"]]} if vectors else {})


def _read(path: Path) -> Iterator[Json]:
    with path.open() as file:
        for line in file:
            yield json.loads(line)


def _content(lines: Iterator[Json]) -> Content:
    names, records, rows = [], 0, []
    for line in lines:
        if "name" in line:
            names.append(line["name"])
            rows.append(json.dumps([line[key] for key in ("name", "metadata", "configuration_json")], sort_keys=True))
            continue
        records += len(line["ids"])
        each = zip(*(line[key] for key in _FIELDS), strict=True)
        rows += [
            hashlib.sha256(json.dumps([names[-1], *record], sort_keys=True).encode()).hexdigest() for record in each
        ]
    whole = hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest()
    return {"collections": names, "records": records, "sha256": whole}


def _fill(server: Server, path: Path) -> dict[str, Json]:
    """Make the file's collections under another name; return them by their own."""
    made: dict[str, Json] = {}
    collection: Json = {}
    for line in _read(path):
        if "name" in line:
            body = {
                "name": line["name"] + SUFFIX,
                "metadata": line["metadata"],
                "configuration": line["configuration_json"],
            }
            made[line["name"]] = collection = server.call("POST", f"{HOME}/collections", body)
        elif line["ids"]:
            body = {**{key: line[key] for key in _FIELDS}, "embeddings": line["vectors"]}
            server.call("POST", f"{HOME}/collections/{collection['id']}/add", body)
    return made


def _compare_vectors(name: str, server: Server, path: Path, made: Mapping[str, Json]) -> None:
    collection: Json = {}
    for line in _read(path):
        if "name" in line:
            collection = made[line["name"]]
            continue
        body = {"ids": line["ids"], "include": ["embeddings"]}
        answer = server.call("POST", f"{HOME}/collections/{collection['id']}/get", body)
        found = dict(zip(answer["ids"], answer["embeddings"], strict=True))
        for key, packed in zip(line["ids"], line["vectors"], strict=True):
            wanted, is_there = _unpacked(packed), found.get(key, [])
            length = max(map(abs, wanted), default=0.0)
            near = (abs(a - b) <= TOLERANCE * length for a, b in zip(wanted, is_there, strict=False))
            if len(wanted) != len(is_there) or not all(near):
                raise OpsError(f"{name}: the vector of {key} did not arrive as it was", "make restore again")


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _unpacked(packed: str) -> tuple[float, ...]:
    content = base64.b64decode(packed)
    return struct.unpack(f"<{len(content) // 4}f", content)
