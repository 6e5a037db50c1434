"""Which settings determine what a run found, and which of them it shares with its independent baseline."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from leap_lab import prompts

from ..labels import HOW_MUCH

INDEPENDENT = "independent"  # the method that everything is compared with
# What a baseline shares with the run it is the baseline of: everything but how paths hear of each other.
SHARED = ("model.name", "model.path", "peers", "seed")
SHARED_GROUPS = ("dataset", "sampling", "difficulty", "prefix")
# Of a prompt set it shares how the question is asked; what explains the exchange is for paths that have one.
ASKED = tuple(f"prompts.{key}" for key in prompts.ASKED)
SHARES = ("max_tokens", "answer_tokens")  # of the method, where a run does not record `comparison.shares`
ELSEWHERE = (
    "tracking",
    "hydra",
    "reference",
    "engine",
    "comparison",
    "confidence",
)  # groups that did not determine what was found


def determining(settings: Mapping[str, Any], but: Collection[str] = ()) -> dict[str, Any]:
    """What determined the result of a run, without the groups of keys `but`."""
    return {
        key: value
        for key, value in settings.items()
        if key.partition(".")[0] not in (*ELSEWHERE, *but) and _determines(key)
    }


def shared_settings(
    settings: Mapping[str, Any], but: Collection[str] = (), shares: Collection[str] = SHARES
) -> dict[str, Any]:
    """What a run has in common with its baseline, without the keys `but`; `shares` are the keys of its method."""
    keys = {*SHARED, *ASKED, *(f"method.{key}" for key in shares)}
    return {
        key: prompts.unexplained(value) if key in ASKED and isinstance(value, str) else value
        for key, value in settings.items()
        if (key in keys or key.partition(".")[0] in SHARED_GROUPS) and key not in but and _determines(key)
    }


def shares_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings of a run's method that its baseline takes over (`Method.shares`)."""
    recorded = settings.get("comparison.shares")
    return SHARES if recorded is None else tuple(recorded)


def is_baseline(method: Any, explain: Any) -> bool:
    """Whether runs of this method are what others are compared with: its paths are asked plainly, and hear nobody."""
    return bool(method == INDEPENDENT and not explain)


def is_control(router: Any) -> bool:
    """Whether paths with this router hear nobody: what they gain is not due to peers."""
    return bool(router == "none")


def hears(router: Any) -> bool:
    """Whether paths with this router (None: without one) hear peers, as in LeaP."""
    return router is not None and not is_control(router)


def budget_of(settings: Mapping[str, Any]) -> Literal["path", "rounds"]:
    """What `method.max_tokens` bounds (`Method.budget`): a path's own tokens, or an agent's over all its rounds.

    Runs that do not record it are of the methods there were then, of which the mixture of agents alone has rounds.
    """
    return settings.get("comparison.budget") or ("rounds" if settings.get("method.name") == "moa" else "path")


def _determines(key: str) -> bool:
    return key not in HOW_MUCH and not key.endswith("_target_")
