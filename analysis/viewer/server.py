"""The pages on this machine alone: a small read-only server on 127.0.0.1."""

import json
import logging
import mimetypes
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from leap_lab.errors import UserError, one_line
from leap_lab.files import strict

from .pages import PAGE, policy, shipped
from .site import Site

log = logging.getLogger(__name__)
HOSTS = ("127.0.0.1", "localhost")  # any other name in the Host header is another site's, which points here
HEADERS = {
    "Content-Security-Policy": policy(live=True),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """Serves one site; `port` 0 takes any that is free. `OSError` where the port is taken."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.files = shipped()
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error."""
        log.debug("a connection broke off", exc_info=True)


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD: the page, the files that belong to it, and documents; nothing else is there."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "leap_lab", ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer with a body."""
        status, kind, body = self._answer()
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def _answer(self) -> tuple[HTTPStatus, str, bytes]:
        if not self._is_asked_by_name():
            return _said(HTTPStatus.FORBIDDEN, "this host is not served here")
        path = urlsplit(self.path).path
        name = PAGE if path == "/" else path.removeprefix("/")
        if (body := self.server.files.get(name)) is not None:
            return HTTPStatus.OK, _kind(name), body
        if name.startswith("data/") and name.endswith(".json"):
            return self._document(name.removeprefix("data/").removesuffix(".json"))
        return _said(HTTPStatus.NOT_FOUND, "no such page")

    def _is_asked_by_name(self) -> bool:
        host = self.headers.get("Host", "")
        name, colon, port = host.partition(":")
        return name.lower() in HOSTS and (not colon or port.isdecimal())

    def _document(self, name: str) -> tuple[HTTPStatus, str, bytes]:
        try:
            document = self.server.site.document(name)
        except UserError as error:
            return _said(HTTPStatus.INTERNAL_SERVER_ERROR, one_line(error))
        if document is None:
            return _said(HTTPStatus.NOT_FOUND, "no such document")
        return HTTPStatus.OK, "application/json", text_of(document).encode()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told on the console."""


def text_of(document: Any) -> str:
    """A document as JSON of ASCII characters alone: it can stand in a script as well."""
    return json.dumps(strict(document), separators=(",", ":"), allow_nan=False)


def _kind(name: str) -> str:
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _said(status: HTTPStatus, words: str) -> tuple[HTTPStatus, str, bytes]:
    return status, "text/plain; charset=utf-8", f"{words}\n".encode()
