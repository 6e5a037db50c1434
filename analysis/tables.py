"""A table of runs side by side, for the console, Markdown and LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.load import LABELS, labels, load
from analysis.metrics import overall, per_group, per_question
from analysis.stats import Estimate, paired, permutation_p

SHOWN_ALWAYS = ("method", "router", "top_k")


@dataclass(frozen=True)
class Row:
    """One run: its labels, its metrics, and how it stands against the independent baseline over the same questions."""

    run_id: str
    labels: dict[str, Any]
    paths: int  # of a group
    groups: int  # per question
    estimates: dict[str, Estimate]
    difference: Estimate | None  # Pass@1 minus the baseline's, None for the baseline itself or without one
    p: float | None

    @property
    def verdict(self) -> str:
        """`better` or `worse` only where the interval of the paired difference says so."""
        if self.difference is None or not self.difference.excludes_zero:
            return ""
        return "better" if self.difference.value > 0 else "worse"

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def find(self, prefix: str) -> Estimate:
        """The metric whose name starts like this, such as `cons@`, whatever N is."""
        return next(value for name, value in self.estimates.items() if name.startswith(prefix))


def rows(
    folders: Sequence[str | Path], questions: Sequence[str] | None = None, groups: int | None = None
) -> list[Row]:
    """A row per run: independent baselines first, then in the order of the folders."""
    order = sorted(map(Path, folders), key=lambda folder: labels(folder)["method"] != "independent")
    tables = {folder: per_group(load([folder], questions=questions, groups=groups)) for folder in order}
    return [_row(folder, tables) for folder in order]


def names(rows: Sequence[Row]) -> list[str]:
    """What tells the runs apart, in words: method, router and k, and any other setting that differs between them."""
    differing = [key for key in LABELS if key not in SHOWN_ALWAYS and len({row.labels[key] for row in rows} - {None}) > 1]
    found = []
    for row in rows:
        router = row.labels["router"]
        words = [str(row.labels["method"]) if router is None else str(router)]
        words += [f"k={row.labels['top_k']}"] if router is not None and row.labels["top_k"] is not None else []
        words += [f"{key}={row.labels[key]}" for key in differing if row.labels[key] is not None]
        found.append(" ".join(words))
    return found


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The table as text, a row per run; percent with 95% intervals, tokens per path."""
    made = []
    for name, row in zip(names(rows), rows, strict=True):
        made.append(
            {
                "run": name,
                "questions x groups x paths": f"{row['pass@1'].n} x {row.groups} x {row.paths}",
                "Pass@1 %": percent(row["pass@1"]),
                "minus independent": signed(row.difference),
                "": row.verdict,
                f"Cons@{row.paths} %": percent(row.find("cons@")),
                "shortest majority %": percent(row.find("shortest_majority@")),
                "own tokens": f"{row['tokens_own'].value:.0f}",
                "received": f"{row['tokens_received'].value:.0f}",
                "blocks": f"{row['blocks'].value:.1f}",
            }
        )
    return pd.DataFrame(made).fillna("")


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table that is also readable on a console: columns padded to one width."""
    cells = [[escape(str(cell)) for cell in row] for row in [list(table.columns), *table.to_numpy().tolist()]]
    widths = [max(3, *(len(row[column]) for row in cells)) for column in range(len(cells[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def latex(table: pd.DataFrame) -> str:
    """A booktabs table."""
    head, *body = [[tex(str(cell)) for cell in row] for row in [list(table.columns), *table.to_numpy().tolist()]]
    lines = [rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}", r"\toprule", " & ".join(head) + r" \\", r"\midrule"]
    lines += [" & ".join(row) + r" \\" for row in body]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def percent(value: Estimate) -> str:
    """A share in percent with its interval."""
    return f"{100 * value.value:.1f} {_interval(value, '.1f')}"


def signed(value: Estimate | None) -> str:
    """A difference in percentage points with its interval; empty without one."""
    return "" if value is None else f"{100 * value.value:+.1f} {_interval(value, '+.1f')}"


def escape(text: str) -> str:
    """Markdown cell text."""
    return " ".join(text.replace("|", "\\|").split())


def tex(text: str) -> str:
    """LaTeX cell text."""
    marks = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    marks |= {mark: "\\" + mark for mark in "&%$#_{}"}
    return "".join(marks.get(character, character) for character in text)


def _row(folder: Path, tables: dict[Path, pd.DataFrame]) -> Row:
    table, own = tables[folder], labels(folder)
    estimates = {name: overall(table, name) for name in table.columns if name not in ("question_id", "group")}
    baseline = next((other for other in tables if other != folder and _is_baseline(labels(other), own)), None)
    difference = p = None
    if baseline is not None:
        mine, theirs = per_question(table, "pass@1"), per_question(tables[baseline], "pass@1")
        shared = mine.index.intersection(theirs.index)
        difference, p = paired(mine[shared], theirs[shared]), permutation_p(mine[shared], theirs[shared])
    size = int(next(name for name in table.columns if name.startswith("cons@")).removeprefix("cons@"))
    return Row(folder.name, own, size, int(table["group"].nunique()), estimates, difference, p)


def _is_baseline(other: dict[str, Any], own: dict[str, Any]) -> bool:
    """Independent sampling of the same model on the same questions with the same budget and sampling."""
    same = ("model", "dataset", "peers", "max_tokens", "temperature", "seed")
    return (
        own["method"] != "independent"
        and other["method"] == "independent"
        and all(other[key] == own[key] for key in same)
    )


def _interval(value: Estimate, form: str) -> str:
    if value.low is None or value.high is None:
        return "[n/a]"
    return f"[{100 * value.low:{form}}, {100 * value.high:{form}}]"
