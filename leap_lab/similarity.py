"""How alike texts are: by edit distance (Eq. 4), or by meaning."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from leap_lab import checks, embedding

Similarity = NDArray[np.float64]
METRICS = ("levenshtein", "indel")


def similarity_matrix(summaries: Sequence[str], metric: str = "levenshtein") -> Similarity:
    """Pairwise similarity, shape (n, n), in [0, 1]; two empty summaries have similarity 1.

    `levenshtein` is the paper's Eq. 4, 1 - Levenshtein(s_i, s_j) / max(|s_i|, |s_j|), in characters. `indel` is what
    its released code computes: 1 - Indel(s_i, s_j) / (|s_i| + |s_j|).
    """
    checks.one_of("router.similarity", metric, METRICS)
    return _matrix(tuple(summaries), metric)


@lru_cache(maxsize=1)  # a block is routed, then its ties are counted
def _matrix(summaries: tuple[str, ...], metric: str) -> Similarity:
    found = _edits(summaries, summaries, metric)
    found.flags.writeable = False
    return found


def _edits(texts: Sequence[str], others: Sequence[str], metric: str) -> Similarity:
    from rapidfuzz.distance import Indel, Levenshtein
    from rapidfuzz.process import cdist

    scorer = Levenshtein if metric == "levenshtein" else Indel
    found: Similarity = cdist(texts, others, scorer=scorer.normalized_similarity, dtype=np.float64)
    return found


class Closeness(Protocol):
    """How alike texts are: at most 1."""

    def matrix(self, texts: Sequence[str]) -> Similarity:
        """Of every pair, shape (n, n)."""
        ...

    def to(self, text: str, others: Sequence[str]) -> Similarity:
        """Of one text to each of the others, shape (n,)."""
        ...


@dataclass(frozen=True)
class EditCloseness:
    """By edit distance, as `similarity_matrix`."""

    metric: str = "levenshtein"

    def matrix(self, texts: Sequence[str]) -> Similarity:
        return similarity_matrix(texts, self.metric)

    def to(self, text: str, others: Sequence[str]) -> Similarity:
        return _edits([text], others, self.metric).reshape(-1)


@dataclass(frozen=True)
class MeaningCloseness:
    """By the cosine of embeddings (`embedding`), 0 where a text has no word that their model knows.

    `folder` holds the model.
    """

    folder: str

    def matrix(self, texts: Sequence[str]) -> Similarity:
        vectors = embedding.vectors(texts, self.folder)
        return np.asarray(vectors @ vectors.T, dtype=np.float64)

    def to(self, text: str, others: Sequence[str]) -> Similarity:
        vectors = embedding.vectors([text, *others], self.folder)
        return np.asarray(vectors[1:] @ vectors[0], dtype=np.float64)
