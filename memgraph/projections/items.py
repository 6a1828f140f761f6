"""A store's items in memory: what a search by a question needs of all under one prefix."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from memgraph.ledger.indexes import unpack
from memgraph.ledger.items import Indexed
from memgraph.projections.blas import one_thread
from memgraph.projections.postings import ArrayPostings, packed_hashes

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_SLOT: Final = 24
"""Bytes of an item beside its vectors and postings."""


class ItemArrays:
    """Items as arrays, in the order in which they came.

    Args:
        dims: Of the vectors, None to hold none.

    Attributes:
        changed: The number of the last change that the arrays show.
        items: Numbers.
        updated_at: Microseconds UTC of each.
        indexed: Which are indexed at all.
    """

    def __init__(self, dims: int | None) -> None:
        self.changed = 0
        self.items: Ints = np.zeros(0, np.int64)
        self.updated_at: Ints = np.zeros(0, np.int64)
        self.indexed: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._dims = dims or 0
        self._postings = ArrayPostings()
        self._vectors: Floats = np.zeros((0, self._dims), np.float32)  # with room at the end
        self._of: Ints = np.zeros(0, np.int64)  # whose, by the item's place

    def __len__(self) -> int:
        return len(self.items)

    @property
    def nbytes(self) -> int:
        """Bytes held, near enough."""
        return _SLOT * len(self.items) + self._postings.nbytes + self._vectors.nbytes + self._of.nbytes

    def put(self, items: Sequence[Indexed], vectors: Sequence[tuple[int, bytes]]) -> None:
        """Add items, or take them anew.

        Args:
            items: Of different numbers.
            vectors: (item, vector) of all texts of these items.
        """
        if not items:
            return
        numbers = np.array([one.item for one in items], np.int64)
        if np.isin(numbers, self.items).any():
            self._select(~np.isin(self.items, numbers))
        first = len(self.items)
        self.items = np.concatenate([self.items, numbers])
        self.updated_at = np.concatenate([self.updated_at, np.array([one.updated_at for one in items], np.int64)])
        self.indexed = np.concatenate([self.indexed, np.array([one.terms is not None for one in items], np.bool_)])
        self._postings.append([[] if one.terms is None else [one.terms] for one in items])
        place = {int(number): first + at for at, number in enumerate(numbers)}
        mine = [(place[item], vector) for item, vector in vectors if item in place]
        self._append(np.array([at for at, _ in mine], np.int64), unpack([vector for _, vector in mine], self._dims))

    def keep(self, items: Collection[int]) -> None:
        """Drop all items but these."""
        self._select(np.isin(self.items, np.array([*items], np.int64)))

    def similarities(self, question: Floats) -> Floats:
        """Return how near each item's best text is to a unit vector; 0 where an item has no vector."""
        best = np.full(len(self.items), -np.inf, np.float32)
        with one_thread():
            np.maximum.at(best, self._of, self._vectors[: len(self._of)] @ question)
        best[np.isinf(best)] = 0
        return best

    def likenesses(self, words: bytes) -> Floats:
        """Return each item's BM25 score for a text's packed terms, as a share of what that text itself would get."""
        found = self._postings.scores(packed_hashes(words))
        shares: Floats = np.minimum(found / np.float32(self._postings.score_of(words)), 1)
        return shares

    def _append(self, of: Ints, vectors: Floats) -> None:
        held = len(self._of)
        if held + len(of) > len(self._vectors):
            # Doubled, so that an append copies nothing most of the time.
            rows = np.zeros((max(held + len(of), 2 * held), self._dims), np.float32)
            rows[:held] = self._vectors[:held]
            self._vectors = rows
        self._vectors[held : held + len(of)] = vectors
        self._of = np.concatenate([self._of, of])

    def _select(self, kept: NDArray[np.bool_]) -> None:
        """Drop what is not among these, by place."""
        if kept.all():
            return
        place = np.cumsum(kept) - 1
        rows = kept[self._of]
        count = int(rows.sum())
        # The last rows fill the holes: a replaced item costs its own rows, not a copy of the matrix.
        holes, movers = np.flatnonzero(~rows[:count]), count + np.flatnonzero(rows[count:])
        self._vectors[holes], self._of[holes] = self._vectors[movers], self._of[movers]
        self._of = place[self._of[:count]]
        if 4 * count < len(self._vectors):
            self._vectors = self._vectors[:count].copy()
        self.items, self.updated_at, self.indexed = self.items[kept], self.updated_at[kept], self.indexed[kept]
        self._postings.keep(kept)
