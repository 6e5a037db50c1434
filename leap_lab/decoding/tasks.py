"""Calls in threads that are waited for, and what a task group wraps."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(call: Callable[..., T], *arguments: Any) -> T:
    """Call in a thread and wait for its end, even where the caller is cancelled: a closed run has no stragglers."""
    task = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.exception()  # the caller is told of its cancellation alone
        raise


def first(error: BaseException) -> BaseException:
    """What went wrong first: a task group wraps what its tasks raised."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
