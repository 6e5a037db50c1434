"""Runs side by side as plain data: the cells and notes of the table that a sweep ends with, and their intervals."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..drawing import tables
from ..measures.compare import Row, compare, corrected

INTERVALS = ("pass@1", "cons")  # metrics that are drawn with their intervals


def sweep(folders: Sequence[Path]) -> dict[str, Any]:
    """The table of these runs, each of which has groups: `head`, `notes`, and by run its name, cells and intervals.

    Every number is that of `python -m analysis report`. `UserError` for a folder that is no run.
    """
    if not folders:
        return {"head": [], "notes": [], "rows": {}}
    rows = corrected(compare(folders))
    head, *lines = tables.cells(rows)
    shown = {row.run_id: _row(row, line) for row, line in zip(rows, lines, strict=True)}
    return {"head": head, "notes": tables.notes(rows), "rows": shown}


def _row(row: Row, line: list[str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "cells": line,
        "intervals": {name: row[name].as_dict() for name in INTERVALS},
        "against": row.against and row.against.difference.as_dict(),
    }
