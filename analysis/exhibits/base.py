"""What an analysis hands over: a table, figures, and what the data say of the paper's claims."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leap_lab.errors import UserError
from leap_lab.files import FULL, write_json, write_whole

from ..drawing import differences, figures, numerals, tables
from ..measures.compare import Row
from ..measures.contrasts import Against, corrected
from ..stats.bounded import ALPHA

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Verdict = Literal["holds", "does not hold", "undecided"]


@dataclass(frozen=True)
class Claim:
    """A statement of the paper about this experiment, and what the data here say of it."""

    text: str
    source: str  # where the paper makes it, such as "Figure 4"
    verdict: Verdict
    because: str  # the numbers that decide it, or why they cannot

    def __str__(self) -> str:
        """The claim, where the paper makes it, and what decides it."""
        return f"{self.text} ({self.source}) {self.because}"

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"text": self.text, "source": self.source, "verdict": self.verdict, "because": self.because}


@dataclass(frozen=True)
class Further:
    """A table beside the main one; `aside`: in the files alone, not on the console."""

    title: str
    table: tables.Cells
    note: str
    aside: bool = False

    def markdown(self) -> str:
        """Title, table and note."""
        return "\n\n".join([f"### {self.title}", tables.markdown(self.table), tables.plain_markdown(self.note)])


@contextmanager
def writing(out: str | Path) -> Iterator[None]:
    """Turn an `OSError` into a `UserError` about --out, unless the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UserError(f"--out={out}: cannot write there: {error.strerror or error}") from error


@dataclass(frozen=True)
class Exhibit:
    """One figure or table of the paper, measured anew."""

    name: str  # of the experiment, and of the files
    title: str
    source: str  # the paper's figures and tables, such as "Figures 1 and 4"
    table: tables.Cells
    notes: Sequence[str] = ()
    figures: Mapping[str, "Figure"] = field(default_factory=dict)  # by file stem; `Drawings` draw when they are written
    claims: Sequence[Claim] = ()
    runs: Sequence[str] = ()  # ids of the runs it was made from
    further: Sequence[Further] = ()

    def console(self) -> str:
        """The tables, the notes and the claims as plain text."""
        told = [f"{claim.verdict}: {claim}" for claim in self.claims]
        beside = [
            f"\n{each.title}\n{tables.console(each.table)}\n{each.note}" for each in self.further if not each.aside
        ]
        return "\n".join([tables.console(self.table), *self.notes, *beside, *told])

    def write(self, out: str | Path) -> list[Path]:
        """Write `name`.md, .tex and .json, and every figure as PNG and PDF; returns the files.

        `UserError` when `out` cannot be written; `OSError` when the disk is full.
        """
        files = self.write_tables(out)
        with writing(out):
            return files + [
                file for stem in self.figures for file in figures.save(self.figures[stem], Path(out) / stem)
            ]

    def write_tables(self, out: str | Path) -> list[Path]:
        """The files of `write` without the figures; none of these is drawn."""
        with writing(out):
            return self._write(Path(out))

    def _write(self, out: Path) -> list[Path]:
        out.mkdir(parents=True, exist_ok=True)
        files = [out / f"{self.name}{suffix}" for suffix in (".md", ".tex", ".json")]
        beside = [tables.latex(each.table, [each.title, each.note]) for each in self.further]
        texts = [self.markdown(), "\n\n".join([tables.latex(self.table, self.notes), *beside])]
        for file, text in zip(files, texts, strict=False):
            write_whole(file, f"{text}\n".encode())
        write_json(files[-1], self.as_dict())
        return files

    def markdown(self) -> str:
        """The tables, the notes and the claims."""
        told = [f"- **{claim.verdict}**: {tables.plain_markdown(str(claim))}" for claim in self.claims]
        notes = map(tables.plain_markdown, self.notes)
        beside = [each.markdown() for each in self.further]
        return "\n\n".join([tables.markdown(self.table), *notes, *(["\n".join(told)] if told else []), *beside])

    def as_dict(self) -> dict[str, Any]:
        """Everything but the drawings, for JSON."""
        head = {"name": self.name, "title": self.title, "source": self.source, "runs": list(self.runs)}
        claims = [claim.as_dict() for claim in self.claims]
        return {
            **head,
            "table": self.table,
            "notes": list(self.notes),
            "claims": claims,
            "figures": list(self.figures),
            "further": {each.title: each.table for each in self.further},
        }


@dataclass(frozen=True)
class Asked:
    """A claim on the sign of a difference, before it is known how many there are beside it."""

    text: str
    source: str
    found: Against
    up: bool  # whether the difference is claimed to be positive
    what: str = "difference"


def decided(asked: Sequence[Asked], family: str) -> list[Claim]:
    """What the data say of claims that are a family of their own, p corrected for them all; `family`: in words."""
    found = corrected([each.found for each in asked], family)
    return [
        directional(each.text, each.source, against or each.found, each.up, each.what)
        for each, against in zip(asked, found, strict=True)
    ]


def directional(text: str, source: str, found: Against, up: bool, what: str = "difference") -> Claim:
    """A claim on the sign of a difference in shares, decided where the comparison has a verdict."""
    told = f"The {what} is {numerals.signed(found.difference)} points over {found.difference.n} questions"
    if found.p is not None:
        told += f", {numerals.p_value(found.p)}"
        told += f" {found.family}" if str(found.family) else ""
    told += f" ({numerals.words(found)})."
    if found.verdict:
        return Claim(text, source, "holds" if (found.verdict == "better") == up else "does not hold", told)
    return Claim(text, source, "undecided", f"{told} {_why_not(found)}")


def _why_not(found: Against) -> str:
    """Why a comparison has no verdict."""
    if found.undecidable or found.p is None or found.bounds is None:
        return f"There is no verdict: {found.difference.why or tables.FEW}."
    if found.difference.low is not None and not found.difference.excludes_zero:
        return "The data cannot tell its sign."
    if found.p >= ALPHA:
        return "Among so many comparisons that may be chance." if str(found.family) else "That may be chance."
    low, high = 100 * found.bounds.low, 100 * found.bounds.high
    several = " at the level of so many comparisons" if low > 0 or high < 0 else ""
    return f"Rare questions that were not asked could undo it{several}: bounds for these are [{low:+.1f}, {high:+.1f}]."


def beside(rows: Sequence[Row]) -> list[Further]:
    """The differences of the runs to independent sampling; those of pass@k in the files alone."""
    told = differences.note(rows)
    return [
        Further(differences.TITLE, differences.cells(rows), told),
        Further(differences.COVERAGE, differences.cells(rows, coverage=True), told, aside=True),
    ]


def of_run(claims: Sequence[Claim], name: str, several: bool) -> list[Claim]:
    """Claims that say which run they are of, where there are several."""
    return [replace(claim, because=f"{name}: {claim.because}") if several else claim for claim in claims]


def stem(name: str, folder: Path, several: bool) -> str:
    """The file stem of a figure of one run: with its id where there are several."""
    return f"{name}_{folder.name}" if several else name
