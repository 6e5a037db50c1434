"""The ledger of a run: what all its groups cost, whichever session decoded them.

It is the sum over the rows of the group files, so a resumed run counts everything that it kept. A group that failed or
was interrupted has no rows and is not counted.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leap_lab.engines.base import EngineSettings
from leap_lab.engines.models import Model
from leap_lab.files import read_json
from leap_lab.runs.flops import Flops, NotCounted, flops_of
from leap_lab.runs.folder import RunFolder
from leap_lab.runs.reading import read_groups

if TYPE_CHECKING:
    import pandas as pd


USAGE = ("requests", "tokens_prefilled", "tokens_decoded", "tokens_attended")  # in the order of `Flops.total`
BOUNDS = {  # the same with a perfect and with no prefix cache, by what to call it
    bound: ("requests", f"tokens_prefilled_{bound}", "tokens_decoded", f"tokens_attended_{bound}")
    for bound in ("least", "most")
}
PROBE_USAGE = ("requests_probe", "tokens_probe_prefilled", "tokens_probe_decoded", "tokens_probe_attended")
SUMS = {
    "thinking": "tokens_think",
    "summaries": "tokens_summary",
    "answers": "tokens_answer",
    "forced_answers": "tokens_forced",
    "cut": "tokens_cut",
    "received": "tokens_comment",
    "heard": "tokens_heard",
    "requests": "requests",
    "prefilled": "tokens_prefilled",
    "cached": "tokens_cached",
    "prefilled_least": "tokens_prefilled_least",
    "prefilled_most": "tokens_prefilled_most",
}
PROBE_SUMS = {
    "sampled": "tokens_probe",
    "requests": "requests_probe",
    "prefilled": "tokens_probe_prefilled",
    "cached": "tokens_probe_cached",
}
COLUMNS = sorted(
    {
        "question_id",
        "group",
        "critical_path",
        *USAGE,
        *BOUNDS["least"],
        *BOUNDS["most"],
        *PROBE_USAGE,
        *SUMS.values(),
        *PROBE_SUMS.values(),
    }
)


def enter(folder: RunFolder, engine: EngineSettings, model: Model) -> None:
    """Write the ledger of everything in a run folder into its run.json."""
    run = folder.read_run()
    flops, why = known(engine, model)
    rows = read_groups(folder.path, COLUMNS) if folder.groups() else None
    spent = {} if rows is None else ledger(rows, flops)
    wall_s = round(sum(session.get("wall_s") or 0.0 for session in run.get("sessions", [])), 3)
    per = {"flops_per": asdict(flops)} if flops else {"flops_per": None, "flops_unknown": why}
    folder.write_run({**run, "ledger": {**spent, "wall_s": wall_s, **per}})


def known(engine: EngineSettings, model: Model) -> tuple[Flops | None, str]:
    """The operations of a model on this engine, or None and why they are not known."""
    if not engine.uses_model:
        return None, "a program is in the model's place"
    if engine.identity().get("hf_overrides"):
        return None, "engine.hf_overrides changes the model"
    try:
        return flops_of(model.path, model.revision), ""
    except NotCounted as error:
        return None, str(error)


def ledger(rows: "pd.DataFrame", flops: Flops | None) -> dict[str, Any]:
    """Sums over rows with `COLUMNS`, one row per path.

    `sampled` is thinking (without the answer, with what was `cut`), summaries and answers, including forced ones.
    `prefilled` and `cached` are prompt tokens over all requests; with `flops` they depend on what else the engine
    decoded, so both are also given with a perfect prefix cache (`least`) and with none (`most`). The critical path is
    of a group, the longest chain of tokens sampled one after another; given are the mean and maximum over groups.
    Probes are counted apart. `flops` is None where the operations of the model are not known.
    """
    sums = {name: _sum(rows, column) for name, column in SUMS.items()}
    paths = rows.groupby(["question_id", "group"])["critical_path"].max()
    return {
        "questions": int(rows["question_id"].nunique()),
        "groups": len(paths),
        "paths": len(rows),
        "sampled": int((rows["tokens_think"] + rows["tokens_summary"]).sum()),
        **{**sums, "thinking": int((rows["tokens_think"] - rows["tokens_answer"]).sum())},
        "flops": _flops(rows, flops, USAGE),
        **{f"flops_{bound}": _flops(rows, flops, columns) for bound, columns in BOUNDS.items()},
        "critical_path_mean": float(paths.mean()),
        "critical_path_max": int(paths.max()),
        "probes": {
            **{name: _sum(rows, column) for name, column in PROBE_SUMS.items()},
            "flops": _flops(rows, flops, PROBE_USAGE),
        },
    }


def _sum(rows: "pd.DataFrame", column: str) -> int | None:
    """None where a row has null."""
    return None if rows[column].isna().any() else int(rows[column].sum())


def _flops(rows: "pd.DataFrame", flops: Flops | None, columns: tuple[str, str, str, str]) -> float | None:
    sums = [_sum(rows, column) for column in columns]
    return None if flops is None or None in sums else float(flops.total(*sums))


def flops_per(folder: Path) -> Flops | None:
    """The operations of the model of a run, as its run.json has them; None where they are not known."""
    per_token = (read_json(folder / "run.json").get("ledger") or {}).get("flops_per")
    return Flops(**per_token) if per_token else None


def flops(rows: "pd.DataFrame", per: Flops | None, columns: tuple[str, str, str, str] = USAGE) -> "pd.Series[float]":
    """The operations of each row by these columns, of `USAGE` or `BOUNDS`; NaN where they are not known."""
    import pandas as pd  # takes a second, which commands that decode need not wait for

    operations = float("nan") if per is None else per.total(*(rows[column] for column in columns))
    return pd.Series(operations, rows.index, dtype=float)
