"""`python -m analysis view RUN_FOLDER...`: serve the pages, or write them to a folder."""

import errno
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

from leap_lab.errors import UserError

from .export import export
from .server import Server
from .site import Site

PORT = 8642  # so that links keep working from one start to the next


def view(folders: Sequence[str | Path], port: int | None = None, out: Path | None = None) -> int:
    """Serve these runs until Ctrl-C, or write their pages to `out`; the exit status.

    `port` None: the usual one or, where that is taken, any. `UserError` for a folder that is no run, a port that is
    taken and an `out` that cannot be made.
    """
    site = Site(folders)
    if out is not None:
        print(f"Look next at {export(site, out)}")
        return 0
    with _server(site, port) as server:
        print(f"{server.address} (Ctrl-C ends it)", flush=True)
        Thread(target=_prepare, args=(site,), daemon=True).start()
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            print()
    return 0


def _prepare(site: Site) -> None:
    """Make the table, which takes longest, before anybody asks; whoever asks is told what is wrong with it."""
    with suppress(UserError):
        site.document("sweep")


def _server(site: Site, port: int | None) -> Server:
    try:
        return Server(site, PORT if port is None else port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        if port is None:
            return Server(site, 0)
        raise UserError(f"--port={port}: {error.strerror}; leave it out to take one that is free") from error
