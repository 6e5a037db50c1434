"""Errors as clients of OpenAI expect them."""

from typing import Any

from fastapi.responses import JSONResponse


class ApiError(Exception):
    """What a request is answered with instead of a result: an HTTP status, and OpenAI's four fields."""

    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None, wait_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code, self.wait_s = status, param, code, wait_s

    @property
    def body(self) -> dict[str, Any]:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}

    @property
    def response(self) -> JSONResponse:
        headers = {"Retry-After": str(self.wait_s)} if self.wait_s is not None else {}
        headers |= {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        return JSONResponse(self.body, self.status, headers)
