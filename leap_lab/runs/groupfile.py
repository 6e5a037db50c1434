"""The file of one group: one row per path, and a stamp that says which run, question and group it holds."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from leap_lab.errors import brief
from leap_lab.files import escaped, storable, write_whole

SCHEMA_VERSION = 4
READABLE = (2, 3, 4)  # versions that the analysis reads; docs/run_folder.md tells them apart
BROKEN = (OSError, pa.ArrowException, UnicodeDecodeError)  # what reading a damaged Parquet file can raise
# Columns that not every file has, each with the first version whose files all have it: null where it is missing.
ADDED = {"own_blocks": 4} | dict.fromkeys(
    (
        *("extraction", "cluster", "probe_clusters", "tokens_heard", "route_ties"),
        *("tokens_prefilled_least", "tokens_prefilled_most", "tokens_attended_least", "tokens_attended_most"),
        *("confidence_mean", "confidence_tail", "confidence_lowest", "confidence_bottom", "confidences"),
    ),
    5,
)
STAMP = b"leap_lab"  # the key of the stamp in the Parquet metadata


def _list_of(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct(list(fields.items())))


SCHEMA = pa.schema(
    {
        "run_id": pa.string(),
        "question_id": pa.string(),
        "group": pa.int32(),
        "path": pa.int32(),
        "gold": pa.string(),
        "answer": pa.string(),
        "correct": pa.bool_(),
        "finish": pa.string(),
        # Tokens and requests are those of the path and its helpers (`Path.billed_paths`), all else of the path alone.
        "tokens_think": pa.int64(),  # thinking and final answer, including what was cut
        "tokens_summary": pa.int64(),
        "tokens_comment": pa.int64(),
        "tokens_prompt": pa.int64(),
        "tokens_probe": pa.int64(),
        "tokens_prefilled": pa.int64(),
        "blocks": pa.int32(),
        "aha": pa.int32(),
        "segments": _list_of(kind=pa.string(), turn=pa.int32(), text=pa.string(), tokens=pa.list_(pa.int32())),
        "routes": _list_of(turn=pa.int32(), peers=pa.list_(pa.int32()), similarity=pa.list_(pa.float64())),
        "probes": _list_of(turn=pa.int32(), phase=pa.string(), answer=pa.string(), correct=pa.bool_()),
        "seed": pa.int64(),
        "started_s": pa.float64(),
        "finished_s": pa.float64(),
        "tokens_trigger": pa.int64(),  # written by the runtime: openings and closings
        "tokens_cut": pa.int64(),  # sampled, then cut; part of tokens_think
        "tokens_prefix": pa.int64(),  # the beginning of an earlier response
        "tokens_answer": pa.int64(),  # sampled after the thinking; part of tokens_think
        "tokens_forced": pa.int64(),  # sampled after a forced opening; part of tokens_answer
        # What the engine computed (`usage.Usage`), and the same for probes:
        "requests": pa.int64(),
        "tokens_cached": pa.int64(),
        "tokens_decoded": pa.int64(),
        "tokens_attended": pa.int64(),
        "requests_probe": pa.int64(),
        "tokens_probe_prefilled": pa.int64(),
        "tokens_probe_cached": pa.int64(),
        "tokens_probe_decoded": pa.int64(),
        "tokens_probe_attended": pa.int64(),
        "critical_path": pa.int64(),  # `Path.critical_path`, the longest of the path and its helpers
        "extraction": pa.string(),  # where the answer stood: `grade.Note`
        "own_blocks": pa.int64(),  # blocks that the path opened of its own accord, which were cut; from schema 4 on
        # Equal answers of a group have one number, by themselves and not by the right answer (`grading.voting`):
        "cluster": pa.int32(),  # of `answer`; null without one
        "probe_clusters": pa.list_(pa.int32()),  # of the answers of `probes`, in their order
        "tokens_heard": pa.int64(),  # part of tokens_comment: what peers wrote; null where it was not counted
        "route_ties": pa.list_(pa.bool_()),  # `Route.tied` of `routes`, in their order
        # `usage.Bounds`: the same as tokens_prefilled and tokens_attended with a perfect and with no prefix cache.
        "tokens_prefilled_least": pa.int64(),
        "tokens_prefilled_most": pa.int64(),
        "tokens_attended_least": pa.int64(),
        "tokens_attended_most": pa.int64(),
        # `confidence.Confidence` of the tokens that the path sampled; null where no log-probabilities were kept.
        "confidence_mean": pa.float64(),
        "confidence_tail": pa.float64(),
        "confidence_lowest": pa.float64(),
        "confidence_bottom": pa.float64(),
        "confidences": pa.list_(pa.float32()),  # `Path.confidences`; null unless they were asked for
    }
)


class NotAGroup(Exception):
    """A file that holds no whole group of the run; the message says why, as a predicate."""


@dataclass(frozen=True, order=True)
class Stamp:
    """What a file says it holds; `content` is of the question as it was asked (`reference.Selection.content`)."""

    question_id: str
    group: int
    run_id: str
    schema: int = SCHEMA_VERSION
    content: str = ""  # empty up to schema 3
    columns: int = 0  # that the file has; 0 where it does not say so

    @property
    def file_name(self) -> str:
        """A name that is different for every question and group."""
        return f"{escaped(self.question_id)}-{self.group}.parquet"


def write(folder: pathlib.Path, rows: Sequence[Mapping[str, Any]], content: str = "") -> pathlib.Path:
    """Write the rows of one group, whole or not at all, and return the file; `ValueError` if they are not one group."""
    stamps = {Stamp(row["question_id"], row["group"], row["run_id"], content=content) for row in rows}
    if len(stamps) != 1:
        raise ValueError(f"one group at a time: these rows are of {len(stamps)}")
    stamp = stamps.pop()
    schema = SCHEMA.with_metadata({STAMP: json.dumps(asdict(replace(stamp, columns=len(SCHEMA)))).encode()})
    columns = [{**row, "question_id": storable(stamp.question_id)} for row in rows]
    sink = pa.BufferOutputStream()
    # No dictionaries: their pages have no checksum, so a flipped bit there would go unnoticed.
    layout: dict[str, Any] = {"compression": "zstd", "write_page_checksum": True, "use_dictionary": False}
    pq.write_table(pa.Table.from_pylist(columns, schema), sink, **layout)
    write_whole(folder / stamp.file_name, sink.getvalue())
    return folder / stamp.file_name


def read_stamp(file: pathlib.Path, run_id: str | None) -> Stamp:
    """The stamp of a file, read from its end; `NotAGroup` unless it is a group of this run (None: of any run)."""
    try:
        footer = pq.read_metadata(file)
        schema = footer.schema.to_arrow_schema()
        types = dict(zip(schema.names, schema.types, strict=True))
    except BROKEN as error:
        raise NotAGroup("is not a whole Parquet file") from error
    stamp = _stamp(footer.metadata or {})
    if stamp.schema not in READABLE:
        raise NotAGroup(f"has version {stamp.schema} of the schema, not {SCHEMA_VERSION}")
    if run_id not in (None, stamp.run_id):
        raise NotAGroup(f"belongs to run {stamp.run_id}")
    if file.name != stamp.file_name:
        raise NotAGroup(f"has a name other than that of group {stamp.group} of question {brief(stamp.question_id)}")
    if wrong := [name for name in SCHEMA.names if _is_wrong(name, types, stamp.schema)]:
        raise NotAGroup(f"lacks the column {wrong[0]} of type {brief(SCHEMA.field(wrong[0]).type)}")
    if stamp.columns not in (0, len(types.keys() & {*SCHEMA.names})):
        raise NotAGroup(f"lacks one of its {brief(stamp.columns)} columns")
    if not footer.num_rows:
        raise NotAGroup("holds no paths")
    return stamp


def _is_wrong(name: str, types: Mapping[str, pa.DataType], schema: int) -> bool:
    """Whether a column has another type, or is missing from a file that should have it."""
    if name not in types and schema < ADDED.get(name, 0):
        return False
    return bool(types.get(name) != SCHEMA.field(name).type)


def _stamp(metadata: Mapping[bytes, bytes]) -> Stamp:
    try:
        stamp = Stamp(**json.loads(metadata[STAMP]))
        known = isinstance(stamp.question_id, str) and isinstance(stamp.content, str)
    except (KeyError, TypeError, ValueError, RecursionError):
        known = False
    if not known:
        raise NotAGroup("was not written by leap_lab")
    return stamp


def check(file: pathlib.Path, run_id: str) -> Stamp:
    """Read all of a file, compare its checksums, return its stamp; `NotAGroup` unless it is a group of this run."""
    stamp = read_stamp(file, run_id)
    read(file, None)
    return stamp


def read(file: pathlib.Path, columns: Sequence[str] | None) -> pa.Table:
    """These columns of a file (None: all), without the stamp; `NotAGroup` where they are damaged."""
    try:
        with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
            table = parquet.read(columns=columns).replace_schema_metadata()
    except BROKEN as error:
        raise NotAGroup("is damaged") from error
    for name in columns or SCHEMA.names:
        if name in ADDED and name not in table.column_names:
            table = table.append_column(SCHEMA.field(name), pa.nulls(len(table), SCHEMA.field(name).type))
    return table if columns is None else table.select(columns)
