"""A pool of texts without duplicates, which the paths of a group fill together (CPT, arXiv 2605.27030)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from leap_lab.similarity import Closeness, EditCloseness

OTHER = re.compile(r"[^\w=<>+*/^%!.-]+")  # between the words and the signs of formulas


@dataclass(frozen=True)
class Entry:
    """A text of the pool, and the index of the path that wrote it."""

    author: int
    text: str


@dataclass
class Pool:
    """At most `cap` texts. One more puts one out: with `rng` any of the others, without it the oldest.

    A text is a duplicate of an entry when the two are equal but for capitals, punctuation and white space, when one
    holds the other, or when they are at least `same` alike. Of two duplicates the shorter text stays; of several
    entries that are duplicates of a new text the most similar one counts.
    """

    same: float = 0.75
    cap: int = 10_000
    closeness: Closeness = field(default_factory=EditCloseness)
    rng: Random | None = None
    entries: list[Entry] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The texts, in the order in which they came."""
        return [entry.text for entry in self.entries]

    def add(self, author: int, text: str) -> bool:
        """Whether the text is new. A text without words is not."""
        key = normalized(text)
        if not key:
            return False
        if (found := self._duplicate(key)) is not None:
            if len(text) < len(self.entries[found].text):
                self.entries[found] = Entry(author, text)
            return False
        if len(self.entries) >= self.cap:
            del self.entries[self.rng.randrange(len(self.entries)) if self.rng else 0]
        self.entries.append(Entry(author, text))
        return True

    def collect(self, told: Mapping[int, Sequence[str]]) -> int:
        """Add what paths told, by path and in the order in which each said it; returns how many texts were new."""
        return sum(self.add(author, text) for author in sorted(told) for text in told[author])

    def _duplicate(self, key: str) -> int | None:
        """The index of the entry that a text duplicates."""
        keys = [normalized(entry.text) for entry in self.entries]
        for index, other in enumerate(keys):
            if _holds(key, other) or _holds(other, key):
                return index
        likeness = self.closeness.to(key, keys)
        closest = max(range(len(keys)), key=lambda index: likeness[index], default=None)
        return closest if closest is not None and likeness[closest] >= self.same else None


def _holds(text: str, other: str) -> bool:
    """Whether a text has another one in it, as whole words."""
    return f" {other} " in f" {text} "


@lru_cache(maxsize=65536)
def normalized(text: str) -> str:
    """A text in which capitals, punctuation and white space make no difference; the signs of formulas stay."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(filter(None, (word.rstrip(".") for word in OTHER.sub(" ", folded).split())))
