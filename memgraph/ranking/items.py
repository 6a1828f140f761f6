"""How well a store's items answer a question: their meaning and their words, as one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memgraph.projections.blas import one_thread
from memgraph.projections.postings import ArrayPostings

Floats = NDArray[np.float32]

LEXICAL: Final = 0.3
"""The words' share of a score. The store promises scores that can be compared between searches, so arms are added, not
fused by rank: a similarity is at most 1, and so is a BM25 divided by what the question itself would get as an item."""


def scores(
    question: Floats | None,
    vectors: Floats,
    of: NDArray[np.int64],
    words: bytes,
    terms: Sequence[bytes | None],
) -> Floats:
    """Return the score of every item, at most 1; NaN for one that is not indexed.

    Args:
        question: The question's unit vector, None to go by words alone.
        vectors: Unit vectors of the items' texts; the best of an item counts.
        of: Whose, by the item's place among `terms`.
        words: The question's packed terms.
        terms: Each item's packed terms, None for one that is not indexed.
    """
    count = len(terms)
    meant = np.zeros(count, np.float32)
    if question is not None and len(of):
        best = np.full(count, -np.inf, np.float32)
        with one_thread():
            np.maximum.at(best, of, vectors @ question)
        meant = np.where(np.isinf(best), np.float32(0), best)
    said = _lexical(words, terms)
    if question is None:
        result = said
    elif words:
        result = (1 - LEXICAL) * meant + LEXICAL * said
    else:
        result = meant  # a question of stop words alone
    unknown = np.array([one is None for one in terms], np.bool_)
    return np.where(unknown, np.float32(np.nan), result).astype(np.float32)


def _lexical(words: bytes, terms: Sequence[bytes | None]) -> Floats:
    """Return BM25 as a share of the question's own, which stands last among the items for that."""
    if not words:
        return np.zeros(len(terms), np.float32)
    postings = ArrayPostings()
    postings.append([[one] if one else [] for one in (*terms, words)])
    found = postings.scores(np.frombuffer(words, "<u8", count=len(words) // 10))
    shares: Floats = np.minimum(found[:-1] / found[-1], 1)
    return shares
