"""What vLLM says of a request that it has finished, in process or over HTTP, as a `Completion`."""

from collections.abc import Collection, Iterable, Sequence

from leap_lab.engines.base import Completion, Stopped

LEAST_LOGPROB = -9999.0  # in the place of minus infinity, of a token that cannot be sampled


def completion(
    tokens: Sequence[int],
    finish_reason: str | None,
    stop_reason: str | int | None,
    stop_ids: Collection[int],
    prefilled: int | None,
    logprobs: list[list[float]] | None = None,
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
    return Completion(tokens, stopped, prefilled, stop, None if logprobs is None else logprobs[: len(tokens)])


def largest(places: Iterable[Iterable[float]] | None, count: int) -> list[list[float]] | None:
    """The largest log-probabilities of each place. vLLM adds that of the sampled token where it is none of these.

    They are of the model's own distribution, before temperature and filters (logprobs_mode=raw_logprobs). Five digits
    are more than they are good for, and keep journals small.
    """
    if places is None:
        return None
    return [sorted((round(max(each, LEAST_LOGPROB), 5) for each in place), reverse=True)[:count] for place in places]
