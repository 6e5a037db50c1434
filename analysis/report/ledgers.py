"""The ledgers of runs side by side: what they sampled, received, prefilled, found in the cache and computed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leap_lab.files import read_json
from leap_lab.runs.ledger import COLUMNS, flops_per, ledger

from ..drawing.numerals import short
from ..drawing.tables import Cells
from ..load import load

TITLE = "What these runs cost"
NOTE = (
    "Sums over all paths, helpers and earlier layers included. sampled: thinking, summaries and answers, of which "
    "forced; cut back: part of thinking. received: comments, of which heard: words of peers, the rest being the "
    "runtime's around them. prefilled, cached: prompt tokens of all requests, computed or found in the prefix cache. "
    "least, most: the same with a perfect prefix cache and with none. critical path: the longest row of tokens of a "
    "group that were sampled one after another, mean and longest of its groups. probes: what they sampled and took, in "
    "no other column. wall-clock: seconds from the first group of a run to its last, of all sessions that decoded it; "
    "runs of one sweep share the engine, so their times overlap and do not add up. tokens/s: what was sampled in these "
    "seconds, of a run that one session decoded; n/a where it was resumed or extended. n/a elsewhere: the engine does "
    "not report it, the run did not record it, or the operations of the model are not known."
)
HEAD = (
    *("run", "paths", "requests", "sampled", "thinking", "summaries", "answers", "forced", "cut back", "received"),
    *(
        "heard",
        "prefilled",
        "least",
        "most",
        "cached",
        "FLOPs",
        "least FLOPs",
        "most FLOPs",
        "critical path",
        "longest",
    ),
    *("probes", "probe FLOPs", "wall-clock s", "tokens/s"),
)


def of_runs(
    folders: Sequence[Path], questions: Sequence[Sequence[str] | None] | None = None, groups: int | None = None
) -> list[dict[str, Any]]:
    """The ledger of each run, as run.json has it, of these questions (by run) and first `groups` groups.

    Without them, of all that `load` gives. `wall_s` and `tokens_per_second` are of all that a run holds, since sessions
    do not tell groups apart. `UserError` for a folder that is no run.
    """
    asked = questions or [None] * len(folders)
    return [
        ledger(load([folder], COLUMNS, some, groups), flops_per(folder)) | _time(folder)
        for folder, some in zip(folders, asked, strict=True)
    ]


def cells(names: Sequence[str], ledgers: Sequence[dict[str, Any]]) -> Cells:
    """The ledgers as a table, a row a run; large numbers rounded."""
    return [[*HEAD], *([name, *_line(each)] for name, each in zip(names, ledgers, strict=True))]


def _line(each: dict[str, Any]) -> list[str]:
    sums = ("requests", "sampled", "thinking", "summaries", "answers", "forced_answers", "cut", "received", "heard")
    probes = each["probes"]
    return [
        str(each["paths"]),
        *(short(each[name]) for name in (*sums, "prefilled", "prefilled_least", "prefilled_most", "cached")),
        *(short(each[name]) for name in ("flops", "flops_least", "flops_most")),
        f"{each['critical_path_mean']:.0f}",
        f"{each['critical_path_max']}",
        short(probes["sampled"]),
        short(probes["flops"]),
        *(_plain(each[name]) for name in ("wall_s", "tokens_per_second")),
    ]


def _plain(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.0f}"


def _time(folder: Path) -> dict[str, float | None]:
    """Seconds of decoding, and tokens sampled in one; None where they are not known.

    The rate is known where one session decoded all groups: what an earlier one sampled and lost is not recorded.
    """
    run = read_json(folder / "run.json")
    held = run.get("ledger") or {}
    [session, *others] = run.get("sessions") or [{}]
    whole = not others and session.get("groups") and session.get("groups") == held.get("groups")
    return {"wall_s": held.get("wall_s"), "tokens_per_second": session.get("tokens_per_second") if whole else None}
