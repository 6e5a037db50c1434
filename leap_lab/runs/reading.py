"""Reading run folders: their settings, and the rows of their groups."""

import logging
import pathlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import yaml

from leap_lab import home
from leap_lab.errors import UserError, brief
from leap_lab.files import read_json
from leap_lab.runs import groupfile
from leap_lab.runs.groupfile import READABLE, SCHEMA, SCHEMA_VERSION, NotAGroup, Stamp
from leap_lab.runs.identity import dotted, run_id_of
from leap_lab.runs.pins import NAME as PINS

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


# What leap_lab keeps beside run folders, so that `runs/*` names it as well: by itself it is no run.
BESIDE = ("reports", "wandb", ".hydra", PINS, f"{PINS}.lock", "benchmarks.json", "evaluation", "leap_t")


def run_folders(named: Sequence[str | pathlib.Path]) -> list[pathlib.Path]:
    """The folders of runs among these, without what leap_lab keeps beside them; `UserError` where none is left.

    Anything else that is no run stays, for the reader of its settings to refuse.
    """
    folders = [home.path(each) for each in named]
    runs = [each for each in folders if each.name not in BESIDE or (each / "config.yaml").exists()]
    if folders and not runs:
        raise UserError(f"{folders[0]}: no run; name the folder of a run, such as runs/<run_id>")
    return runs


def require_groups(
    folder: str | pathlib.Path, questions: Collection[str] | None = None, groups: Collection[int] | None = None
) -> list[pathlib.Path]:
    """The files of these questions and groups (None: all) in a run folder, by question id and group number.

    A file that holds no group of this run is left out with a warning. Raises `UserError` when nothing is left.
    """
    files = stamped(pathlib.Path(folder))
    requested = [
        file
        for stamp, file in files
        if (questions is None or stamp.question_id in questions) and (groups is None or stamp.group in groups)
    ]
    if not requested:
        what = f"none of its {len(files)} groups is requested" if files else "holds no groups of paths"
        raise UserError(f"{folder}: {what}; name the folder of a run, such as runs/<run_id>")
    return requested


def read_groups(
    folder: str | pathlib.Path,
    columns: Sequence[str] | None = None,
    questions: Collection[str] | None = None,
    groups: Collection[int] | None = None,
) -> "pd.DataFrame":
    """One row per path of a run folder, in the order of `require_groups`, with these columns (None: all of `SCHEMA`).

    `questions` are ids and `groups` numbers. `UserError` for an unknown column, and when there is nothing to read.
    """
    for column in columns or ():
        if column not in SCHEMA.names:
            raise UserError(f"columns={column}: no such column; allowed are {', '.join(SCHEMA.names)}")
    tables = [table for file in require_groups(folder, questions, groups) for table in _whole(file, columns)]
    if not tables:
        raise UserError(
            f"{folder}: all requested groups are damaged; rerun the command of the run to decode them again"
        )
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame


def _whole(file: pathlib.Path, columns: Sequence[str] | None) -> list[pa.Table]:
    """The rows of a file; empty, with a warning, where it is damaged."""
    try:
        return [groupfile.read(file, columns)]
    except NotAGroup as error:
        log.warning("%s %s: left out", file, error)
        return []


def stamped(folder: pathlib.Path) -> list[tuple[Stamp, pathlib.Path]]:
    """The groups of the run that made this folder, by question id and group number."""
    run_id = _made_by(folder)
    groups = []
    for file in (folder / "groups").glob("*.parquet"):
        try:
            groups.append((groupfile.read_stamp(file, run_id), file))
        except NotAGroup as error:
            log.warning("%s %s: left out", file, error)
    if len(runs := {stamp.run_id for stamp, _ in groups}) > 1:
        raise UserError(f"{folder}: no identity.json, and groups of several runs ({', '.join(sorted(runs))})")
    return sorted(groups)


def _made_by(folder: pathlib.Path) -> str | None:
    """The id of the run that made this folder, None where it is not recorded; `UserError` for an unknown schema."""
    identity = read_json(folder / "identity.json")
    if (schema := identity.get("schema", SCHEMA_VERSION)) not in READABLE:
        raise UserError(f"{folder}: made with version {brief(schema)} of the schema, not {SCHEMA_VERSION}")
    return run_id_of(identity) if identity else None


def settings(folder: pathlib.Path) -> dict[str, Any]:
    """The configuration of a run by dotted keys, such as `method.interval`; `UserError` when there is none to read."""
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the folder of a run, such as runs/<run_id>")
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(
            f"{folder}: no readable config.yaml; name the folder of a run, such as runs/<run_id>"
        ) from error
    if not isinstance(config, dict):
        raise UserError(f"{folder}/config.yaml: holds no settings; name the folder of a run, such as runs/<run_id>")
    return dotted(config)
