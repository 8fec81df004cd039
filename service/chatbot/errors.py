"""Errors in the shape that OpenAI's clients understand, and their way out of the application."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = structlog.get_logger()

TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
CODES = {404: "not_found", 405: "method_not_allowed", 413: "request_too_large", 415: "unsupported_media_type"}


class ApiError(Exception):
    """An error with an HTTP status; it can also be written into a stream that has begun."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, Any]:
        """`{"error": {"message", "type", "param", "code"}}`, as in OpenAI's specification."""
        kind = TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The whole HTTP response, with `Retry-After` (seconds) where waiting helps."""
        headers = {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse(self.body(), self.status, headers)


class StoreUnavailableError(ApiError):
    """A store (history or documents) cannot be reached; what was asked may work later."""

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(
            503, f"The {store} store is unavailable: {reason}", code=f"{store}_unavailable", retry_after_seconds=5
        )
        self.store = store


def not_found(what: str, identifier: str) -> ApiError:
    """404 for a thing that the client named."""
    return ApiError(404, f"There is no {what} with the id {identifier}.", code="not_found", param="id")


def install(app: FastAPI) -> None:
    """Give every error of `app` the one shape."""

    @app.exception_handler(ApiError)
    async def _ours(_: Request, error: ApiError) -> JSONResponse:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return from_validation(error).response()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        return ApiError(error.status_code, str(error.detail), code=CODES.get(error.status_code)).response()


def from_validation(error: RequestValidationError) -> ApiError:
    """400 that names every wrong field; values are not repeated."""
    items = [(_path(item["loc"]), item["msg"].removeprefix("Value error, ")) for item in error.errors()]
    message = "; ".join(f"{path}: {text}" if path else text for path, text in items)
    return ApiError(400, message, code="invalid_request", param=items[0][0] or None)


def unexpected(error: Exception) -> ApiError:
    """500 for a fault of ours: the log has the details, the client does not."""
    log.error("unexpected_error", exc_info=error)
    return ApiError(500, "The service failed to handle this request; its log says why.", code="internal_error")


def _path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path"))
