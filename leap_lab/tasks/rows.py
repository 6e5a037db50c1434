"""Rows of problems from files and hub datasets, as text; every value is checked when it is read.

Rows are numbered from 1, without the header and blank lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from leap_lab import home
from leap_lab.errors import UserError, one_line
from leap_lab.tasks.readers import Layout, json_or_none, read

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One row and its place, such as `questions.csv, row 3`."""

    where: str
    values: Values

    def text(self, column: str) -> str:
        """The value as text; `UserError` when there is none."""
        if column not in self.values:
            known = f"the columns are {', '.join(self.values) or 'none'}"
            raise UserError(f"{self.where}: no column {column!r}; {known}; dataset.columns.{column}= names another")
        text = self._as_text(column, self.values[column])
        return text or self.refuse(column, "empty")

    def texts(self, column: str) -> tuple[str, ...]:
        """The texts of a list, which in CSV is JSON; empty where the row has no list."""
        value = self.values.get(column)
        if value is None or (isinstance(value, str) and not value.strip()):
            return ()
        if isinstance(value, str):
            value = json_or_none(value)
        if not isinstance(value, list):
            self.refuse(column, 'must be a list, such as ["x", "y"]')
        return tuple(self._as_text(column, item) or self.refuse(column, "an item is empty") for item in value)

    def has(self, column: str) -> bool:
        """Whether the row has a value there."""
        return self.values.get(column) not in (None, "")

    def refuse(self, column: str, why: str) -> NoReturn:
        """Raise the `UserError` that names this row and the column."""
        raise UserError(f"{self.where}, column {column!r}: {why}")

    def _as_text(self, column: str, value: Any) -> str:
        if value is None or value != value:  # a missing number is not equal to itself
            return ""
        if isinstance(value, bool | list | dict | bytes):
            self.refuse(column, f"a {type(value).__name__}; must be text or a number")
        text = str(value).strip()
        if not text.isascii() and text.encode(errors="replace").decode() != text:
            self.refuse(column, "not valid Unicode (half of a surrogate pair)")
        return text


def rows_of(place: Path, source: str, layout: Layout = Layout()) -> list[Row]:
    """The rows of a local file or folder; values of CSV and numbers of JSON stay as they are written.

    `source` names it in errors, such as `dataset.path=questions.csv`.
    """
    return [
        Row(f"{source}, row {number}", values) for number, values in enumerate(read(place, source, layout), start=1)
    ]


def read_hub(hub_id: str, config: str | None, split: str, revision: str | None = None) -> list[Row]:
    """The rows of a hub dataset at this commit, or of a local folder or file; `UserError` when it cannot be loaded."""
    path = home.path(hub_id)
    if path.is_file():
        return rows_of(path, f"dataset.hub_id={hub_id}")
    import datasets

    datasets.disable_progress_bars()
    try:
        source = str(path) if path.is_dir() else hub_id
        builder = _builder(source, config, revision)
        builder.download_and_prepare()
        dataset = builder.as_dataset(split=split)
    except Exception as error:  # datasets and its dependencies raise dozens of types
        raise UserError(unavailable(hub_id, one_line(error, 200))) from error
    name = ", ".join(part for part in (f"dataset.hub_id={hub_id}", config, split) if part)
    return [Row(f"{name}, row {number}", values) for number, values in enumerate(dataset, start=1)]


def _builder(source: str, config: str | None, commit: str | None) -> Any:
    """What prepares a dataset at this commit (None: whatever the source is now); `LookupError` without that commit.

    Where the hub does not answer, the datasets library serves what it prepared last, whatever the commit.
    """
    import datasets
    from datasets.packaged_modules.cache.cache import Cache

    if commit:
        datasets.logging.set_verbosity_error()  # it warns that it takes the latest, which is then not used
    builder = datasets.load_dataset_builder(source, config, revision=commit)
    if commit is None or builder.hash == commit:
        return builder
    prepared = list(Path(builder.cache_dir).parents[2].glob(f"{config or '*'}/*/{commit}"))
    if len(prepared) != 1:
        raise LookupError(f"the local cache has commit {builder.hash}, not {commit}")
    name, version = prepared[0].parts[-3:-1]
    return Cache(repo_id=source, dataset_name=source.split("/")[-1], config_name=name, version=version, hash=commit)


def unavailable(hub_id: str, reason: str) -> str:
    """The message for a dataset that cannot be loaded, in one line."""
    if any(word in reason.lower() for word in ("gated", "401", "403", "authenticat")):
        reason = "it is gated: accept its terms on the hub and log in with `hf auth login`"
    return f"dataset.hub_id={hub_id}: cannot be loaded: {reason}; dataset.hub_id may also be the path of a local copy"
