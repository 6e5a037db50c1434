"""What a comparison says, and who decides about values."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from fractions import Fraction
from typing import Any, Protocol

from leap_lab.grading.formula import exact
from leap_lab.grading.formula.tree import Node

Verdict = bool | None


class Oracle(Protocol):
    """Decides about expressions."""

    def equal(self, left: Node, right: Node) -> Verdict:
        """Whether two expressions have the same value."""

    def real(self, node: Node) -> Any:
        """The real value of a constant, fit for comparison; None where it has none or it is unknown."""


class Exact:
    """Decides by exact fractions alone."""

    def equal(self, left: Node, right: Node) -> Verdict:
        return exact.equal(left, right)

    def real(self, node: Node) -> Fraction | None:
        return exact.constant(node)


def both(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether all hold."""
    unknown = False
    for verdict in verdicts:
        if verdict is False:
            return False
        unknown |= verdict is None
    return None if unknown else True


def either(verdicts: Iterable[Verdict]) -> Verdict:
    """Whether one holds."""
    unknown = False
    for verdict in verdicts:
        if verdict:
            return True
        unknown |= verdict is None
    return None if unknown else False


class NotMine:
    """What a comparison says of two trees that do not concern it."""


NOT_MINE: Any = NotMine()


class Parts(ABC):
    """What the parts of the comparison ask of the whole."""

    oracle: Oracle

    @abstractmethod
    def same(self, answer: Node, gold: Node) -> Verdict:
        """Whether an answer is the gold."""

    @abstractmethod
    def same_value(self, a: Node, b: Node) -> Verdict:
        """The same of two trees of which neither is a definition."""

    @abstractmethod
    def expressions(self, a: Node, b: Node) -> Verdict:
        """The same of two expressions."""
