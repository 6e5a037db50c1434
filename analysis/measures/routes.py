"""What routers chose: how often the order of paths decided between equals, and how much was what the path had said."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..load import load

NOTE = (
    "tied: routes that left out a peer as similar as one that was heard, so that the order of the paths decided. "
    "echoes: of what paths heard, summaries that equal the path's own (similarity 1)."
)


@dataclass(frozen=True)
class Routes:
    """The routes of one run, counted."""

    ranked: int  # routes of which it is known whether they are tied
    tied: int
    heard: int  # summaries that paths heard
    echoes: int  # of these, equal to what the path that heard them had written at the same block

    def told(self, name: str) -> str:
        """One line for the reader of a table."""
        ties = f"{self.tied} of {self.ranked} routes tied ({_share(self.tied, self.ranked)})" if self.ranked else ""
        echoes = f"{self.echoes} of {self.heard} summaries heard were echoes ({_share(self.echoes, self.heard)})"
        return f"{name}: {'; '.join(filter(None, (ties, echoes)))}."


def routes_of(folder: str | Path, questions: Sequence[str] | None = None, groups: int | None = None) -> Routes:
    """The routes of a run, of these questions and first groups; `UserError` for a folder that is no run."""
    paths = load([folder], ("routes", "route_ties"), questions, groups)
    known = [tied for ties in paths["route_ties"] if ties is not None for tied in ties if tied is not None]
    alike = [float(each) for routes in paths["routes"] for route in routes for each in route["similarity"]]
    return Routes(len(known), sum(map(bool, known)), len(alike), sum(each == 1 for each in alike))


def told(
    names: Sequence[str],
    folders: Sequence[str | Path],
    questions: Sequence[Sequence[str] | None] | None = None,
    groups: int | None = None,
) -> list[str]:
    """A line for every run in which something was heard, and before them what they say; empty without one."""
    asked = questions or [None] * len(folders)
    found = [routes_of(folder, some, groups) for folder, some in zip(folders, asked, strict=True)]
    lines = [each.told(name) for name, each in zip(names, found, strict=True) if each.heard]
    return [NOTE, *lines] if lines else []


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%"
