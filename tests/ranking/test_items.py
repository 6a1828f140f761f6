"""Scores of a store's items, and which of them come first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memgraph.ranking.items import LEXICAL, best, scores

EVERY = np.ones(2, np.bool_)


def _floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_meaning_and_words_are_added() -> None:
    found = scores(_floats(1, 0), _floats(0, 1), EVERY)
    np.testing.assert_allclose(found, [1 - LEXICAL, LEXICAL], rtol=1e-6)


def test_one_of_the_two_counts_alone() -> None:
    assert scores(_floats(0.5, 0), None, EVERY).tolist() == [0.5, 0]
    assert scores(None, _floats(0.5, 0), EVERY).tolist() == [0.5, 0]
    assert scores(None, None, EVERY).tolist() == [0, 0]


def test_what_is_not_indexed_has_no_score() -> None:
    assert np.isnan(scores(_floats(1, 1), None, np.array([True, False]))).tolist() == [False, True]


@given(
    st.lists(st.tuples(st.sampled_from([0.5, 0.25, 0.0, float("nan")]), st.integers(0, 2)), max_size=12),
    st.integers(0, 14),
)
def test_the_best_are_those_of_a_plain_sort(items: list[tuple[float, int]], count: int) -> None:
    rated = np.array([score for score, _ in items], np.float32)
    written = np.array([at for _, at in items], np.int64)
    numbers = np.arange(len(items))[::-1].copy()
    plain = sorted(
        range(len(items)),
        key=lambda i: (-(-1.0 if np.isnan(rated[i]) else rated[i]), -written[i], -numbers[i]),
    )
    assert best(rated, written, numbers, count).tolist() == plain[:count]
