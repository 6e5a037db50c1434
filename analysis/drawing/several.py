"""What a table of several seeds, data sets or models has beside its rows: notes, ranks, models side by side."""

from collections.abc import Sequence

from ..labels import names_of
from ..measures.compare import Row
from ..measures.standings import Standing
from ..stats.intervals import ENOUGH
from ..stats.ranks import Rank
from .numerals import percent, points
from .tables import AGAINST, Cells

RANKS = "Ranks in Pass@1"
RANKS_NOTE = (
    "1 is the best of the rows of one data set, over the questions that all of them have; equal rows share a rank. "
    "[low, high]: questions resampled, 95% for all rows of a data set together (Bonferroni). An interval that is one "
    "rank wide is no proof: resampling is too sure where rows are nearly equal, and knows no rare questions. "
    f"n/a: fewer than {ENOUGH} questions, or none on which rows differ."
)
MODELS = "Models side by side"
MODELS_NOTE = f"Pass@1 in percent; {AGAINST}: of the same model, as in the table above. Empty: there is no such run."


def seeds_told(rows: Sequence[Row]) -> list[str]:
    """How many seeds are pooled, and in which row; nothing where every row is of one."""
    pooled = [row for row in rows if len(row.seeds) > 1 and not row.data_sets]
    if not pooled:
        return []
    told = (
        "Runs that differ in their seed alone are one row: groups of all seeds are repeats of a question, and "
        "questions are the units."
    )
    alike = {tuple(map(str, row.seeds)) for row in rows if not row.data_sets}
    if len(alike) == 1:
        return [f"{told} Every row has {_seeds(rows[0])}."]
    apart = [f"{row.name}: {_seeds(row)}." for row in rows if not row.data_sets]
    return [f"{told} Differences are over the seeds that both rows have.", *apart]


def _seeds(row: Row) -> str:
    words = ", ".join(map(str, row.seeds))
    return f"{len(row.seeds)} seeds ({words})" if len(row.seeds) > 1 else f"1 seed ({words})"


def means_told(rows: Sequence[Row]) -> list[str]:
    """Of which data sets rows are means, and what these are; nothing where none is one."""
    means = [row for row in rows if row.data_sets]
    if not means:
        return []
    told = (
        "A mean over data sets gives each the same weight, whatever its size; its interval is put together from theirs "
        "(MOVER), as if no question were in two of them. It has no bounds, and so no verdict. Its questions are those "
        "of all data sets."
    )
    of = dict.fromkeys(f"mean of {len(row.data_sets)} data sets: {', '.join(row.data_sets)}." for row in means)
    return [told, *of]


def ranks(found: Sequence[Standing]) -> Cells:
    """A row for each row of every data set, by rank; a mere head where there is none."""
    lines = [
        [row.name, str(each.questions), f"{rank.place} of {len(each.rows)}", _interval(rank)]
        for each in found
        for row, rank in sorted(zip(each.rows, each.ranks, strict=True), key=lambda pair: pair[1].place)
    ]
    return [["run", "questions", "rank", "[low, high]"], *lines]


def _interval(rank: Rank) -> str:
    return "n/a" if rank.low is None or rank.high is None else f"[{rank.low}, {rank.high}]"


def side_by_side(rows: Sequence[Row]) -> Cells:
    """Pass@1 and its difference, a row a setting and two columns a model; a mere head with a single model.

    Settings of two models are the same where they are called the same among the rows of their model: what differs
    from model to model, such as its own T, is not told.
    """
    models = dict.fromkeys(str(row.settings.get("model.path")) for row in rows)
    if len(models) < 2:
        return [["run"]]
    cells_of: dict[str, dict[str, list[str]]] = {}
    titles = []
    for path in models:
        own = [row for row in rows if str(row.settings.get("model.path")) == path]
        titles.append(_title(own[0], rows))
        for name, row in zip(names_of([r.settings for r in own], [r.run_id for r in own]), own, strict=True):
            told = "" if row.independent or row.against is None else points(row.against)
            cells_of.setdefault(name, {})[path] = [percent(row["pass@1"]), told]
    head = ["run", *(words for title in titles for words in (f"{title} %", AGAINST))]
    return [
        head,
        *([name, *(cell for path in models for cell in own.get(path, ["", ""]))] for name, own in cells_of.items()),
    ]


def _title(row: Row, rows: Sequence[Row]) -> str:
    """A model's name, or its path where another one has that name."""
    name, path = str(row.labels["model"]), str(row.settings.get("model.path"))
    others = {str(each.settings.get("model.path")) for each in rows if str(each.labels["model"]) == name}
    return name if len(others) == 1 else path
