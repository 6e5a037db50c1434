"""What vLLM says of a request that it has finished, in process or over HTTP, as a `Completion`."""

from collections.abc import Collection, Sequence

from leap_lab.engines.base import Completion, Stopped


def completion(
    tokens: Sequence[int],
    finish_reason: str | None,
    stop_reason: str | int | None,
    stop_ids: Collection[int],
    prefilled: int | None,
) -> Completion:
    """`stop_reason` is a matched stop string, or the id of a further end token; for the model's own end token it is
    None. An end token is the last of `tokens`, and not of the completion."""
    if finish_reason not in ("stop", "length"):
        raise RuntimeError(f"vLLM ended a request with finish_reason={finish_reason}")
    tokens = list(tokens)
    stop = stop_reason if isinstance(stop_reason, str) or stop_reason in stop_ids else None
    stopped: Stopped = "length" if finish_reason == "length" else "eos" if stop is None else "stop"
    if stopped == "eos":
        tokens.pop()
    return Completion(tokens, stopped, prefilled, stop)
