"""A journal of what the groups in flight have sampled, so that a killed run does not lose an hour of a long group.

A method is a function of what its requests return: seeds, routing and prompts follow from the job. So it is enough to
keep every completion. A group that is decoded again gets the same completions until it reaches the request at which it
was stopped. The method knows nothing of this.

A group's journal is an append-only file with one line per completion: a checksum and a JSON object. A line that was cut
short by a kill or a full disk, or that was damaged, is sampled again.
"""

import errno
import hashlib
import json
import logging
import os
import pathlib
import zlib
from array import array
from collections import defaultdict, deque
from dataclasses import asdict
from typing import Any, BinaryIO

from leap_lab.engines.base import Completion, Engine, EngineWrapper, Request

Known = defaultdict[str, deque[Completion]]
log = logging.getLogger(__name__)


class Journaled(EngineWrapper):
    """An engine that records what it returns for one group, and first returns what was recorded before.

    If the journal cannot be written, the group continues without it, with a warning. `stop` or `discard` ends it.
    """

    def __init__(self, engine: Engine, file: pathlib.Path) -> None:
        super().__init__(engine)
        self._file, self._known = file, defaultdict[str, deque[Completion]](deque)
        self._out: BinaryIO | None = None
        try:
            self._known = read(file)
            file.parent.mkdir(exist_ok=True)
            self._out = file.open("ab", buffering=0)
            self._out.write(b"\n")  # ends a line that was cut short
        except OSError as error:
            self._give_up(error)

    async def generate(self, request: Request) -> Completion:
        key = key_of(request)
        if self._known[key]:
            return self._known[key].popleft()
        completion = await super().generate(request)
        self._keep(key, request, completion)
        return completion

    def stop(self) -> None:
        """Stop writing; the file stays."""
        if self._out is not None:
            self._out.close()
        self._out = None

    def discard(self) -> None:
        """Remove the journal of a group that is complete."""
        self.stop()
        self._file.unlink(missing_ok=True)

    def _keep(self, key: str, request: Request, completion: Completion) -> None:
        if self._out is None:
            return
        purpose = {"purpose": asdict(request.purpose)} if request.purpose else {}
        line = _line({"key": key, **purpose, **vars(completion)})  # asdict would copy every log-probability
        try:
            if self._out.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        log.warning("%s: cannot be written (%s); a killed run would start this group over", self._file, error.strerror)
        self.stop()


def key_of(request: Request) -> str:
    """The name of a request: its purpose, and everything that affects its completion."""
    settings: tuple[Any, ...] = (
        request.max_tokens,
        request.seed,
        request.sampling,
        request.stop,
        request.stop_ids,
        request.ignore_eos,
        request.purpose,
        *([request.top_logprobs] if request.top_logprobs else []),
    )
    return hashlib.blake2b(array("q", request.prompt).tobytes() + repr(settings).encode(), digest_size=16).hexdigest()


def read(file: pathlib.Path) -> Known:
    """The completions of a journal by request, in order, without damaged lines; empty where there is no file."""
    known: Known = defaultdict(deque)
    for line in file.read_bytes().splitlines() if file.exists() else ():
        entry = _entry(line)
        if entry is not None:
            entry.pop("purpose", None)  # for people, and part of the key
            known[entry.pop("key")].append(Completion(**entry))
    return known


def _line(entry: dict[str, Any]) -> bytes:
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(line: bytes) -> dict[str, Any] | None:
    """The entry of a line; None if the line is damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    entry: dict[str, Any] = json.loads(text)
    return entry
