"""`/api/documents`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Response, UploadFile

from chatbot.api.dependencies import BrowsingDep, IdentityDep
from chatbot.api.limits import MAX_DOCUMENT_BYTES, MEBIBYTE
from chatbot.auth import Identity
from chatbot.errors import ApiError

router = APIRouter(prefix="/api/documents")


@router.get("")
async def list_documents(browsing: BrowsingDep) -> dict[str, Any]:
    """All, by name."""
    return {"data": [asdict(document) for document in await browsing.library.catalog()]}


@router.post("", status_code=201)
async def add_document(
    browsing: BrowsingDep,
    identity: IdentityDep,
    response: Response,
    file: Annotated[UploadFile, File()],
    name: Annotated[str | None, Form()] = None,
) -> dict[str, Any]:
    """Take in one document; 200 instead of 201 when its content is there already."""
    _needs_admin(identity)
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
    identifier: Annotated[str, Path(pattern=r"^doc_[0-9a-f]{24}$")], browsing: BrowsingDep, identity: IdentityDep
) -> None:
    """Forget it."""
    _needs_admin(identity)
    await browsing.library.delete(identifier)


def _needs_admin(identity: Identity) -> None:
    """All rest on the same documents, so only some may change them."""
    if not identity.is_admin:
        raise ApiError(
            403,
            "Only members of the administrators' group may change the documents.",
            code="admin_needed",
        )
