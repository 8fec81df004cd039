"""`/api/documents`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Response, UploadFile

from chatbot.api.dependencies import BrowsingDep
from chatbot.api.limits import MAX_DOCUMENT_BYTES, MEBIBYTE
from chatbot.errors import ApiError

router = APIRouter(prefix="/api/documents")


@router.get("")
async def list_documents(browsing: BrowsingDep) -> dict[str, Any]:
    """All, by name."""
    return {"data": [asdict(document) for document in await browsing.library.catalog()]}


@router.post("", status_code=201)
async def add_document(
    browsing: BrowsingDep,
    response: Response,
    file: Annotated[UploadFile, File()],
    name: Annotated[str | None, Form()] = None,
) -> dict[str, Any]:
    """Take in one document; 200 instead of 201 when its content is there already."""
    content = await file.read(MAX_DOCUMENT_BYTES + 1)
    shown = name or file.filename or ""
    if len(content) > MAX_DOCUMENT_BYTES:
        raise ApiError(
            413,
            f"{shown}: the document is larger than {MAX_DOCUMENT_BYTES // MEBIBYTE} MiB.",
            code="document_too_large",
            param="file",
        )
    document, is_new = await browsing.library.add(shown, content)
    response.status_code = 201 if is_new else 200
    return asdict(document)


@router.delete("/{identifier}", status_code=204)
async def delete_document(
    identifier: Annotated[str, Path(pattern=r"^doc_[0-9a-f]{24}$")], browsing: BrowsingDep
) -> None:
    """Forget it."""
    await browsing.library.delete(identifier)
