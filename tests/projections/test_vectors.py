"""One row a turn: the mean of its two pairs, or the best of its passages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from memgraph.projections.vectors import MatrixVectors

Floats = NDArray[np.float32]


def axis(n: int, dims: int = 4) -> Floats:
    vector = np.zeros(dims, np.float32)
    vector[n] = 1
    return vector


def scores(vectors: MatrixVectors, query: Floats) -> list[float]:
    found: list[float] = vectors.scores(query).tolist()
    return found


def test_a_turn_without_a_vector_is_nan() -> None:
    vectors = MatrixVectors(4, 2)
    vectors.put({1: axis(0)}, {})
    assert math.isnan(scores(vectors, axis(0))[0])
    assert scores(vectors, axis(0))[1] == 1
    assert vectors.known().tolist() == [False, True]


def test_a_row_is_the_mean_of_the_pair_before_and_the_pair_after() -> None:
    vectors = MatrixVectors(4, 2)
    vectors.put({0: axis(0), 1: axis(1)}, {0: axis(1)})
    assert scores(vectors, axis(0)) == [0.5, 0]
    assert scores(vectors, axis(1)) == [0.5, 1]


def test_a_long_turn_scores_by_its_best_passage() -> None:
    vectors = MatrixVectors(4, 2)
    vectors.put({0: axis(0), 1: axis(3)}, {}, passages={0: np.stack([axis(1), axis(2)])})
    assert [scores(vectors, axis(n))[0] for n in range(4)] == [1, 1, 1, 0]
    assert scores(vectors, axis(3))[1] == 1


def test_new_passages_take_the_place_of_the_old_ones() -> None:
    vectors = MatrixVectors(4, 2)
    vectors.put({0: axis(0), 1: axis(0)}, {}, passages={0: np.stack([axis(1)]), 1: np.stack([axis(2)])})
    vectors.put({0: axis(0)}, {}, passages={0: np.stack([axis(3)])})
    assert [scores(vectors, axis(n))[0] for n in range(4)] == [1, 0, 0, 1]
    assert scores(vectors, axis(2))[1] == 1  # the other turn keeps its own
    vectors.put({1: axis(0)}, {})
    assert scores(vectors, axis(2))[1] == 0


def test_what_is_gone_is_nan_again() -> None:
    vectors = MatrixVectors(4, 2)
    vectors.put({0: axis(0), 1: axis(1)}, {}, passages={0: np.stack([axis(2)])})
    vectors.put({}, {}, gone=[0])
    assert math.isnan(scores(vectors, axis(2))[0])
    assert scores(vectors, axis(1))[1] == 1


def test_growing_keeps_what_is_there() -> None:
    vectors = MatrixVectors(4)
    for n in range(200):
        vectors.grow(n + 1)
        vectors.put({n: axis(n % 4)}, {})
    assert [n for n, score in enumerate(scores(vectors, axis(2))) if score] == list(range(2, 200, 4))
    assert vectors.nbytes >= 200 * 4 * 4


def test_a_load_sets_all_rows_at_once() -> None:
    vectors = MatrixVectors(4)
    vectors.fill(np.stack([axis(0), axis(1)]), np.array([True, False]))
    assert scores(vectors, axis(0))[0] == 1
    assert math.isnan(scores(vectors, axis(1))[1])
    vectors.grow(3)
    vectors.put({2: axis(2)}, {})
    assert scores(vectors, axis(2))[2] == 1


def test_scores_are_exact() -> None:
    rng = np.random.default_rng(7)
    matrix = rng.normal(size=(50, 16)).astype(np.float32)
    vectors = MatrixVectors(16)
    vectors.fill(matrix, np.ones(50, np.bool_))
    query = rng.normal(size=16).astype(np.float32)
    assert scores(vectors, query) == pytest.approx([float(np.dot(row, query)) for row in matrix], rel=1e-4, abs=1e-4)
