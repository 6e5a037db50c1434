"""Trackers, which show a run while it is decoded: W&B, or none.

A tracker is a mirror. The run folder is the record, so a failure of a tracker must not cost a result.
"""

import logging
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from leap_lab.decoding.wandb_settings import WandbSettings, mode_of, settle
from leap_lab.errors import one_line

Table = list[list[str]]  # the head, then the rows

TABLE_ROWS = 256  # paths in the table; further ones are counted in the summary as `paths_left_out`
TABLE_CHARACTERS = 20_000  # of a transcript; the column `clipped` says when there is more
TABLE_COLUMNS = (
    *("question_id", "group", "path", "gold", "answer", "correct", "finish", "blocks", "aha"),
    *("tokens_think", "tokens_summary", "tokens_comment"),
)

log = logging.getLogger(__name__)


class Tracker(Protocol):
    """Follows one run at a time: `start`, then `log` and `paths` as groups come in, then `finish`."""

    def start(
        self,
        *,
        run_id: str,
        sweep: str | None,
        config: Mapping[str, Any],
        folder: pathlib.Path,
        provenance: Mapping[str, Any],
    ) -> None:
        """A run begins or resumes in this run folder, as one cell of a sweep (None: alone)."""
        ...

    def log(self, metrics: Mapping[str, float]) -> None:
        """The state of the run: Pass@1 so far, tokens per second, groups done."""
        ...

    def paths(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows of a group (`rows.rows`), with transcripts for people to read."""
        ...

    def finish(self, metrics: Mapping[str, Any], figures: Mapping[str, pathlib.Path], status: str) -> None:
        """The run ended; `metrics` may be nested, figures are PNG files by name, `finished` is the only good status."""
        ...

    def report(
        self, sweep: str, home: pathlib.Path, tables: Mapping[str, Table], figures: Mapping[str, pathlib.Path]
    ) -> None:
        """The results of a sweep: tables (head, then rows) and PNG figures by name; its runs are in `home`."""
        ...


class NullTracker:
    """Does nothing."""

    def start(
        self,
        *,
        run_id: str,
        sweep: str | None,
        config: Mapping[str, Any],
        folder: pathlib.Path,
        provenance: Mapping[str, Any],
    ) -> None:
        pass

    def log(self, metrics: Mapping[str, float]) -> None:
        pass

    def paths(self, rows: Sequence[Mapping[str, Any]]) -> None:
        pass

    def finish(self, metrics: Mapping[str, Any], figures: Mapping[str, pathlib.Path], status: str) -> None:
        pass

    def report(
        self, sweep: str, home: pathlib.Path, tables: Mapping[str, Table], figures: Mapping[str, pathlib.Path]
    ) -> None:
        pass


def _import_wandb() -> Any:
    import wandb

    return wandb


class WandbTracker:
    """Weights & Biases: one W&B run per cell, its id the run id, grouped by sweep.

    What is not set here follows W&B's environment variables (`wandb_settings`). Its files go to `dir`/wandb, by default
    beside the run folders. After a failure it gives one warning and stays silent until the next run starts. `UserError`
    for a mode that cannot work (`mode_of`).
    """

    def __init__(
        self,
        project: str | None = None,
        entity: str | None = None,
        mode: str = "auto",
        dir: str | None = None,
        run_name: str | None = None,
        group: str | None = None,
        tags: str | Sequence[str] | None = None,
        connect: Callable[[], Any] = _import_wandb,
    ) -> None:
        self._settings = WandbSettings(project, entity, run_name, group, tags, dir)
        self._mode = mode_of(mode)
        self._connect = connect
        self._wandb: Any = None
        self._run: Any = None
        self._table: list[list[Any]] = []
        self._left_out = 0

    def start(
        self,
        *,
        run_id: str,
        sweep: str | None,
        config: Mapping[str, Any],
        folder: pathlib.Path,
        provenance: Mapping[str, Any],
    ) -> None:
        self._folder, self._table, self._left_out = folder, [], 0
        if self._mode != "disabled":
            self._attempt("start", lambda: self._init(run_id, sweep, {**config, "provenance": dict(provenance)}))

    def log(self, metrics: Mapping[str, float]) -> None:
        if self._run:
            self._attempt("log", lambda: self._run.log(dict(metrics)))

    def paths(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if self._run:
            self._attempt("paths", lambda: self._add_to_table(rows))

    def _add_to_table(self, rows: Sequence[Mapping[str, Any]]) -> None:
        room = TABLE_ROWS - len(self._table)
        self._table += [_table_row(row) for row in rows[:room]]
        self._left_out += len(rows[room:])

    def finish(self, metrics: Mapping[str, Any], figures: Mapping[str, pathlib.Path], status: str) -> None:
        if self._run:
            self._attempt("finish", lambda: self._finish(metrics, figures, status))
        self._run = None

    def report(
        self, sweep: str, home: pathlib.Path, tables: Mapping[str, Table], figures: Mapping[str, pathlib.Path]
    ) -> None:
        self._folder = home / "reports"
        if self._mode != "disabled":
            self._attempt("report", lambda: self._report(sweep, tables, figures))
        self._run = None

    def _report(self, sweep: str, tables: Mapping[str, Table], figures: Mapping[str, pathlib.Path]) -> None:
        """Log a separate W&B run in the group of the sweep."""
        self._init(f"{sweep}-report", sweep, {"tables": list(tables), "figures": list(figures)}, "report")
        wandb = self._wandb
        shown = {name: wandb.Table(columns=table[0], data=table[1:]) for name, table in tables.items()}
        self._run.log({**shown, **{f"figure/{name}": wandb.Image(str(file)) for name, file in figures.items()}})
        self._run.finish(exit_code=0)

    def _attempt(self, what: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:  # whatever W&B raises, the run continues
            log.warning(
                "W&B is off for this run, %s failed: %.200s; the run folder is complete without it",
                what,
                one_line(error),
            )
            self._run = None

    def _init(self, run_id: str, sweep: str | None, config: dict[str, Any], job_type: str = "decode") -> None:
        home = self._settings.place(self._folder.parent)
        settle(home / "wandb")
        self._wandb = self._connect()
        self._run = self._wandb.init(
            **self._settings.arguments(run_id, sweep, job_type),
            resume="allow",
            reinit="create_new",  # several cells of a sweep are in flight at a time
            dir=str(home),
            mode=self._mode,
            config=config,
            settings=self._wandb.Settings(silent=True, console="off", disable_git=True, x_disable_meta=True),
        )

    def _finish(self, metrics: Mapping[str, Any], figures: Mapping[str, pathlib.Path], status: str) -> None:
        run, wandb = self._run, self._wandb
        table = wandb.Table(columns=[*TABLE_COLUMNS, "clipped", "transcript"], data=self._table)
        images = {name: wandb.Image(str(file)) for name, file in figures.items() if file.suffix == ".png"}
        run.log({"paths": table, **images})
        run.summary.update({**_flat(metrics), "status": status, "paths_left_out": self._left_out})
        run.log_artifact(self._artifact(f"run-{run.id}"))
        run.finish(exit_code=0 if status == "finished" else 1)

    def _artifact(self, name: str) -> Any:
        """The run folder, file by file: W&B's way to add a whole folder prints to the console.

        Group files never change, so they are not copied; the others may, when the run is extended.
        """
        artifact = self._wandb.Artifact(name, type="run")
        for file in sorted(self._folder.rglob("*")):
            if file.is_file() and not file.name.startswith("."):  # locks, and unfinished files
                policy = "immutable" if file.suffix == ".parquet" else "mutable"
                artifact.add_file(str(file), name=str(file.relative_to(self._folder)), policy=policy)
        return artifact


def _table_row(row: Mapping[str, Any]) -> list[Any]:
    text = "\n".join(f"[{part['kind']} {part['turn']}]\n{part['text']}" for part in row["segments"])
    return [*(row[column] for column in TABLE_COLUMNS), len(text) > TABLE_CHARACTERS, text[:TABLE_CHARACTERS]]


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= _flat(value, f"{prefix}{key}/") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
