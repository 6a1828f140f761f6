"""Vectors of one owner: exact search by one matrix product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from memgraph.projections.blas import one_thread

Floats = NDArray[np.float32]


class Vectors(Protocol):
    """What a search needs of a vector projection."""

    def scores(self, query: Floats) -> Floats:
        """Return the similarity of every turn to a unit query vector, NaN for a turn without a vector yet."""
        ...


class MatrixVectors:
    """One float32 row a turn, in the order of the turns, and further rows for the passages of long ones.

    A turn's row is the mean of two vectors: of the text of (turn before, turn) and of (turn, turn after). Scores are
    linear in vectors, so one row and one product do for both contexts, and each pair is embedded once for both its
    turns. A long turn scores by its best passage.
    """

    def __init__(self, dims: int, count: int = 0) -> None:
        self.dims = dims
        self._count = count
        self._rows: Floats = np.zeros((count, dims), np.float32)
        self._known: NDArray[np.bool_] = np.zeros(count, np.bool_)
        self._passages: Floats = np.zeros((0, dims), np.float32)
        self._of: NDArray[np.int64] = np.zeros(0, np.int64)

    def grow(self, count: int) -> None:
        """Make room for `count` turns in all. Doubles, so that an append copies nothing most of the time."""
        if count > len(self._rows):
            rows = np.zeros((max(count, 2 * self._count, 64), self.dims), np.float32)
            rows[: self._count] = self._rows[: self._count]
            known = np.zeros(len(rows), np.bool_)
            known[: self._count] = self._known[: self._count]
            self._rows, self._known = rows, known
        self._count = count

    def put(
        self,
        owns: Mapping[int, Floats],
        nexts: Mapping[int, Floats],
        gone: Iterable[int] = (),
        passages: Mapping[int, Floats] | None = None,
    ) -> None:
        """Set the rows of some turns.

        Args:
            owns: By turn index: the vector of (before, turn), or of the turn alone.
            nexts: By turn index: the vector of (turn, after), where there is one.
            gone: Indices of turns that have no vector (any more).
            passages: By turn index: (p, dims) vectors of the turn's further passages.
        """
        for index, own in owns.items():
            after = nexts.get(index)
            self._rows[index] = own if after is None else 0.5 * own + 0.5 * after
            self._known[index] = True
        lost = list(gone)
        self._known[lost] = False
        changed = set(owns) | set(lost)
        further = {index: rows for index, rows in (passages or {}).items() if len(rows)}
        if len(self._of) or further:
            keep = ~np.isin(self._of, list(changed)) if len(self._of) else np.zeros(0, np.bool_)
            self._passages = np.concatenate([self._passages[keep], *further.values()])
            self._of = np.concatenate([self._of[keep], *(np.full(len(rows), i) for i, rows in further.items())])

    def fill(self, matrix: Floats, known: NDArray[np.bool_]) -> None:
        """Set all rows at once (a load)."""
        self._rows, self._known, self._count = matrix, known, len(matrix)

    def known(self) -> NDArray[np.bool_]:
        """Which turns have a vector."""
        return self._known[: self._count]

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._rows.nbytes + self._known.nbytes + self._passages.nbytes + self._of.nbytes

    def scores(self, query: Floats) -> Floats:
        """Return the similarity of every turn to a unit query vector, NaN for a turn without a vector yet."""
        with one_thread():
            scores: Floats = self._rows[: self._count] @ query
            if len(self._of):
                np.maximum.at(scores, self._of, self._passages @ query)
        known = self._known[: self._count]
        if not known.all():
            scores[~known] = np.nan
        return scores
