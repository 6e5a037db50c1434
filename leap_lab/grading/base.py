"""What a grader is: how an answer is read out of a text, and when it is right.

`Problem.kind` names the grader of a problem: a file in `leap_lab.grading.kinds`, such as `math`, or the address of
your own, such as `my_module.MyGrader`.
"""

from abc import ABC, abstractmethod
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from leap_lab.errors import UserError, brief
from leap_lab.tasks.problem import Problem

KINDS = "leap_lab.grading.kinds"


class Grader(ABC):
    """Reads answers and compares them. It keeps nothing between calls, and any thread may call it."""

    @abstractmethod
    def extract(self, final: str, thinking: str, problem: Problem) -> str | None:
        """The answer of a text: `final` is what follows the thinking; `thinking` is read where `final` says nothing."""

    @abstractmethod
    def equal(self, answer: str, gold: str, problem: Problem) -> bool:
        """Whether an answer is right. May take seconds."""

    def alike(self, answer: str, other: str, problem: Problem) -> bool:
        """Whether two answers are one in a vote. To be overridden where golds are not written as answers are."""
        return self.equal(answer, other, problem)

    def written(self, gold: str, problem: Problem) -> str:
        """The gold as a model would write it at the end of its response."""
        return rf"\boxed{{{gold}}}"

    def check_gold(self, problem: Problem) -> str | None:
        """Why no answer could equal the problem's gold; None where one can: the gold itself, as a model writes it."""
        answer = self.extract(self.written(problem.answer, problem), "", problem)
        if answer is None:
            return f"no answer can be read from {brief(repr(self.written(problem.answer, problem)))}"
        return None if self.equal(answer, problem.answer, problem) else "an answer that repeats it would not be right"


@cache
def grader_of(kind: str) -> Grader:
    """The grader of a kind; `UserError` where there is none."""
    address, _, name = kind.rpartition(".") if "." in kind else (f"{KINDS}.{kind}", "", "GRADER")
    try:
        found = getattr(import_module(address), name)
    except (ImportError, AttributeError, ValueError) as error:
        known = ", ".join(sorted(module.name for module in iter_modules(import_module(KINDS).__path__)))
        reason = " ".join(str(error).split())
        message = f"kind={brief(repr(kind))}: no such grader ({reason}); allowed: {known}, or my_module.MyGrader"
        raise UserError(message) from error
    grader: Grader = found() if isinstance(found, type) else found
    if not all(callable(getattr(grader, method, None)) for method in ("extract", "equal", "alike", "check_gold")):
        raise UserError(f"kind={brief(repr(kind))}: a grader needs the methods extract, equal, alike and check_gold")
    return grader
