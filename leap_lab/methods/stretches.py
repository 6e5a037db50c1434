"""Thinking in stretches, between which a method decides who goes on."""

import time
from collections.abc import Iterable
from dataclasses import replace

from leap_lab.engines.base import Tokens
from leap_lab.methods.writer import Writer
from leap_lab.path import Kind, Path, Segment


async def stretch(writer: Writer, path: Path, number: int, limit: int) -> bool:
    """Think for at most `limit` more tokens. True when the thinking or the message ended.

    `number` counts the stretches of a path, so that each has a seed of its own. A stretch may end in the middle of the
    mark that closes thinking, where the mark is several tokens; what the next one wrote behind it is cut back.
    """
    ended = await writer.think(path, number, limit)
    if not path.closed:
        _close_across(path, writer.tokens)
    return ended or path.closed


def may_go_on(writer: Writer, path: Path) -> bool:
    """Whether budget and context allow another stretch."""
    return writer.budget(path) > 0 and writer.room(path) > 0


async def answer(writer: Writer, path: Path, ended: bool) -> None:
    """End a path after its stretches: with its answer where it `ended` by itself, else with a forced one."""
    join(path, writer.tokens)
    await writer.finish(path, 0, ended)


def stop(paths: Iterable[Path], tokens: Tokens) -> None:
    """End paths where they are: without an answer, and without a say in the group's decision."""
    for path in paths:
        join(path, tokens)
        path.finish, path.weight, path.finished_s = "stopped", 0.0, time.time()


def join(path: Path, tokens: Tokens) -> None:
    """The stretches that the path ends with become one segment, as if they had been sampled at once."""
    parts = _last(path)
    if len(parts) > 1:
        ids = tuple(token for part in parts for token in part.tokens)
        path.segments[-len(parts) :] = [replace(parts[0], tokens=ids, text=tokens.decode(ids))]


def _last(path: Path) -> list[Segment]:
    """The stretches that the path ends with."""
    first = len(path.segments)
    while first and path.segments[first - 1].kind is Kind.THINK:
        first -= 1
    return path.segments[first:]


def _close_across(path: Path, tokens: Tokens) -> None:
    """Close a path whose mark began in an earlier stretch and ended in the last one; cut what follows the mark."""
    mark, parts = tokens.form.close, _last(path)
    if not mark or tokens.close_id is not None or len(parts) < 2:
        return
    last, earlier = parts[-1], "".join(part.text for part in parts[-len(mark) : -1])
    begun = earlier[max(0, len(earlier) - len(mark) + 1) :]  # too short to hold the whole mark
    start = (begun + last.text).find(mark)
    if not 0 <= start < len(begun):
        return
    length = start + len(mark) - len(begun)
    kept = next(count for count in range(len(last.tokens) + 1) if len(tokens.decode(last.tokens[:count])) >= length)
    path.cut_back(len(last.tokens) - kept)
    path.segments[-1] = replace(last, tokens=last.tokens[:kept], text=tokens.decode(last.tokens[:kept]))
    path.closed = True
