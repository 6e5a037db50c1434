"""Calls in threads that are always waited for, and errors inside task groups."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(call: Callable[..., T], *arguments: Any) -> T:
    """Call in a thread and wait for its end, even where the caller is cancelled: nothing may write to a closed run."""
    task = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.exception()  # the caller gets only its own cancellation
        raise


def first(error: BaseException) -> BaseException:
    """The first error in an exception group, which task groups raise."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
