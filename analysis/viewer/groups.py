"""One group file as plain data for a browser: every path with its segments, whom it heard, and its probes."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leap_lab.runs import groupfile
from leap_lab.runs.groupfile import SCHEMA

PART = ("kind", "turn", "text", "count")  # of a segment; `count` is its number of tokens
OWN = ("path", "answer", "correct", "finish", "extraction", "cluster", "seed", "started_s", "finished_s", "blocks")
SHARED = ("run_id", "question_id", "group", "gold")


def group(file: Path) -> dict[str, Any]:
    """The group in a file; `NotAGroup` where it is damaged.

    Of segments the ids of tokens are left out and their number is kept. `counts` has the columns that are counts of
    tokens and requests, by name; columns that the file lacks are null.
    """
    rows = _counted(groupfile.read(file, None)).to_pylist()
    return {**{name: rows[0][name] for name in SHARED}, "paths": [_path(row) for row in rows]}


def _counted(table: pa.Table) -> pa.Table:
    """The table with the number of tokens of every segment in the place of their ids."""
    segments = table["segments"].combine_chunks()
    flat = segments.flatten()
    parts = [flat.field(name) for name in PART[:-1]] + [pc.list_value_length(flat.field("tokens"))]
    listed = pa.ListArray.from_arrays(segments.offsets, pa.StructArray.from_arrays(parts, list(PART)))
    return table.set_column(table.schema.get_field_index("segments"), "segments", listed)


def _path(row: dict[str, Any]) -> dict[str, Any]:
    lists = ("segments", "routes", "probes", "route_ties", "probe_clusters")
    counts = [name for name in SCHEMA.names if name not in (*SHARED, *OWN, *lists)]
    ties, clusters = row["route_ties"] or [], row["probe_clusters"] or []
    return {
        **{name: row[name] for name in OWN},
        "segments": [[part[name] for name in PART] for part in row["segments"]],
        "routes": [{**route, "tied": _at(ties, index)} for index, route in enumerate(row["routes"] or [])],
        "probes": [{**probe, "cluster": _at(clusters, index)} for index, probe in enumerate(row["probes"] or [])],
        "counts": {name: row[name] for name in counts},
    }


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else None
