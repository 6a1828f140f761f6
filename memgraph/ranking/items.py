"""How well a store's items answer a question: their meaning and their words, as one number."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LEXICAL: Final = 0.3
"""The words' share of a score. The store promises scores that can be compared between searches, so arms are added, not
fused by rank: a similarity is at most 1, and so is a BM25 divided by what the question itself would get as an item."""


def scores(meant: Floats | None, said: Floats | None, indexed: NDArray[np.bool_]) -> Floats:
    """Return the score of every item, at most 1; NaN for one that is not indexed.

    Args:
        meant: Similarities, None to go by words alone.
        said: Shares of BM25, None for a question of stop words alone.
        indexed: Which items are.
    """
    if meant is None:
        found = np.zeros(len(indexed), np.float32) if said is None else said
    else:
        found = meant if said is None else (1 - LEXICAL) * meant + LEXICAL * said
    return np.where(indexed, found, np.float32(np.nan)).astype(np.float32)


def best(rated: Floats, updated_at: Ints, items: Ints, count: int) -> Ints:
    """Return the places of the best items, best first: by score, what has none last, then the last written first."""
    # Rounded: the last bits of a product depend on where a row stands, and equals are to stay in their order.
    rated = np.round(np.nan_to_num(rated, nan=-np.inf), 6).astype(np.float32)
    pool = np.arange(len(rated))
    if count < len(pool):
        # Only what can be among them is put in order: a sort of 100,000 takes 30 times as long as this.
        least = np.partition(rated, len(rated) - count)[len(rated) - count] if count else np.inf
        pool = np.flatnonzero(rated >= least)
    order = np.lexsort((-items[pool], -updated_at[pool], -rated[pool]))[:count]
    places: Ints = pool[order]
    return places
