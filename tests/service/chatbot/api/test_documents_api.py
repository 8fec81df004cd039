"""`/api/documents` over HTTP."""

import httpx
import pytest


def part(name: str, content: bytes) -> dict[str, tuple[str, bytes]]:
    return {"file": (name, content)}


async def test_a_document_comes_stays_and_goes(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/documents", files=part("규정.md", "# 휴가\n15일".encode()))
    assert made.status_code == 201
    assert set(made.json()) == {"id", "name", "bytes", "passages", "created_at"}
    again = await client.post("/api/documents", files=part("규정.md", "# 휴가\n15일".encode()))
    assert (again.status_code, again.json()) == (200, made.json())
    assert (await client.get("/api/documents")).json() == {"data": [made.json()]}
    assert (await client.delete(f"/api/documents/{made.json()['id']}")).status_code == 204
    assert (await client.delete(f"/api/documents/{made.json()['id']}")).status_code == 404
    assert (await client.get("/api/documents")).json() == {"data": []}


async def test_a_given_name_wins_over_the_files(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/documents", files=part("x.txt", b"text"), data={"name": "docs/guide.md"})
    assert made.json()["name"] == "docs/guide.md"


async def test_korean_in_an_old_encoding_is_read(client: httpx.AsyncClient) -> None:
    await client.post("/api/documents", files=part("규정.txt", "연차 휴가는 15일입니다.".encode("cp949")))
    body = {"messages": [{"role": "user", "content": "연차 휴가는 며칠인가요?"}]}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.json()["citations"][0]["passage"] == "연차 휴가는 15일입니다."


@pytest.mark.parametrize(
    "name, content, status, code",
    [
        ("empty.md", b"", 400, "document_empty"),
        ("tool.txt", b"\x7fELF\0\0\0", 400, "document_binary"),
        ("tool.exe", b"MZ", 415, "document_type"),
        ("large.txt", b"x" * (20 * 1024 * 1024 + 1), 413, "document_too_large"),
    ],
)
async def test_what_is_refused_is_named(
    client: httpx.AsyncClient, name: str, content: bytes, status: int, code: str
) -> None:
    response = await client.post("/api/documents", files=part(name, content))
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"]["message"].startswith(f"{name}: ")
    assert (await client.get("/api/documents")).json() == {"data": []}


async def test_a_hundred_megabytes_are_refused_at_the_door(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/documents", files=part("huge.txt", b"x" * (100 * 1024 * 1024)))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "request_too_large")
    assert "20 MiB" in response.json()["error"]["message"]
    assert (await client.get("/livez")).status_code == 200


async def test_a_request_without_a_file_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/documents", data={"name": "x"})
    assert (response.status_code, response.json()["error"]["param"]) == (400, "file")
