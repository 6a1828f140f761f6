from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import isclose, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.evals.metrics import all_found, hit, ndcg, recall, reciprocal_rank

Metric = Callable[[Sequence[str], Collection[str], int], float]

ALL: tuple[Metric, ...] = (recall, hit, all_found, ndcg, reciprocal_rank)
GROWING: tuple[Metric, ...] = (recall, hit, all_found, reciprocal_rank)
"""Those that can't fall when k grows. nDCG can: a larger k also has a larger ideal."""

NAMES = st.sampled_from("abcdefghij")
RANKINGS = st.lists(NAMES, max_size=15)
GOLD = st.sets(NAMES, min_size=1, max_size=5)
KS = st.integers(1, 20)


@pytest.mark.parametrize(
    ("metric", "ranked", "gold", "k", "value"),
    [
        (recall, "abcd", "ad", 3, 1 / 2),
        (recall, "abcd", "ad", 4, 1.0),
        (recall, "abcd", "xyz", 4, 0.0),
        (recall, "aaa", "ab", 3, 1 / 2),
        (hit, "abcd", "dx", 3, 0.0),
        (hit, "abcd", "dx", 4, 1.0),
        (all_found, "abcd", "ad", 3, 0.0),
        (all_found, "abcd", "ad", 4, 1.0),
        (reciprocal_rank, "abcd", "cd", 10, 1 / 3),
        (reciprocal_rank, "abcd", "cd", 2, 0.0),
        (ndcg, "abcd", "a", 10, 1.0),
        (ndcg, "abcd", "b", 10, 1 / log2(3)),
        (ndcg, "abcd", "bd", 10, (1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3))),
        (ndcg, "ab", "ba", 1, 1.0),  # the ideal holds no more than k
        (ndcg, "aab", "ab", 10, (1 + 1 / log2(4)) / (1 + 1 / log2(3))),  # a repeated id gains once, and takes a place
    ],
)
def test_by_hand(metric: Metric, ranked: str, gold: str, k: int, value: float) -> None:
    assert isclose(metric(list(ranked), set(gold), k), value)


@pytest.mark.parametrize("metric", ALL)
def test_nothing_found_is_0_and_nothing_to_find_is_an_error(metric: Metric) -> None:
    assert metric([], {"a"}, 10) == 0.0
    with pytest.raises(ValueError, match="without gold"):
        metric(["a"], [], 10)
    with pytest.raises(ValueError, match="k is 0"):
        metric(["a"], ["a"], 0)


@given(RANKINGS, GOLD, KS)
def test_between_0_and_1(ranked: list[str], gold: set[str], k: int) -> None:
    for metric in ALL:
        assert 0.0 <= metric(ranked, gold, k) <= 1.0


@given(RANKINGS, GOLD, KS, KS)
def test_a_larger_k_never_lowers(ranked: list[str], gold: set[str], k: int, more: int) -> None:
    for metric in GROWING:
        assert metric(ranked, gold, k) <= metric(ranked, gold, k + more)


@given(RANKINGS, GOLD, KS, st.randoms())
def test_which_wrong_turn_stands_where_is_all_one(ranked: list[str], gold: set[str], k: int, random: object) -> None:
    wrong = [name for name in ranked if name not in gold]
    random.shuffle(wrong)  # type: ignore[attr-defined]
    left = iter(wrong)
    shuffled = [name if name in gold else next(left) for name in ranked]
    for metric in ALL:
        assert metric(ranked, gold, k) == metric(shuffled, gold, k)


@given(st.permutations("abcdefghij"), GOLD, KS)
def test_a_perfect_ranking_scores_1(others: list[str], gold: set[str], k: int) -> None:
    ranked = [*sorted(gold), *(name for name in others if name not in gold)]
    assert ndcg(ranked, gold, k) == 1.0
    assert hit(ranked, gold, k) == reciprocal_rank(ranked, gold, k) == 1.0
    assert recall(ranked, gold, k) == min(k, len(gold)) / len(gold)


@given(st.permutations("abcdefghij"), GOLD, st.integers(0, 8))
def test_moving_gold_up_never_lowers(ranked: list[str], gold: set[str], place: int) -> None:
    if ranked[place + 1] in gold and ranked[place] not in gold:
        better = [*ranked]
        better[place], better[place + 1] = better[place + 1], better[place]
        for metric in ALL:
            assert metric(better, gold, 10) >= metric(ranked, gold, 10)
