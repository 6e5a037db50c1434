"""The table of what judges said of answers that grading rejected."""

from collections.abc import Sequence

from leap_lab.runs.judged import SAID

from ..measures.judged import Judged
from .numerals import percent
from .tables import Cells

TITLE = "What judges say of rejected answers"
NOTE = (
    "A model was asked about every answer that the rules of grading reject. Its words are in no other number here. "
    "rejected: paths with an answer that is not right by the rules. yes, no, unclear: what the judge said of them; the "
    "rest it has not read. with the judge: Pass@1 if all that it accepts were right. A judge errs in both directions: "
    "read some of what it accepts (judged.json) before you believe it."
)


def cells(names: Sequence[str], found: Sequence[Sequence[Judged]]) -> Cells:
    """A row for every run and judge; a mere head where nobody judged."""
    lines = [
        [
            *(name, each.judge, str(each.rejected), *(str(each.said[word]) for word in SAID)),
            *(percent(each.graded), percent(each.with_judge)),
        ]
        for name, own in zip(names, found, strict=True)
        for each in own
    ]
    return [["run", "judge", "rejected", *SAID, "Pass@1 %", "with the judge %"], *lines]
