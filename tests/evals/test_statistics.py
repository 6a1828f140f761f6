from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.evals.statistics import Interval, bootstrap, bootstrap_clusters, differences

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(SHARES, st.integers(0, 5))
def test_an_interval_repeats_and_lies_within_the_values(values: list[float], seed: int) -> None:
    interval = bootstrap(values, seed=seed, resamples=300)
    assert interval == bootstrap(values, seed=seed, resamples=300)
    slack = 1e-12
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack
    assert interval.mean == pytest.approx(sum(values) / len(values))


def test_the_interval_of_a_fair_coin_is_the_known_one() -> None:
    interval = bootstrap([0.0, 1.0] * 200, seed=1)
    assert interval.mean == 0.5
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.005)  # the standard error is 0.5 / sqrt(400)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.005)


def test_another_seed_gives_another_interval() -> None:
    values = [n / 97 for n in range(97)]
    assert bootstrap(values, seed=1) != bootstrap(values, seed=2)


def test_equal_values_leave_no_doubt() -> None:
    assert bootstrap([0.25] * 9, seed=0) == Interval(0.25, 0.25, 0.25)


def test_an_odd_number_of_resamples_is_drawn_in_full() -> None:
    assert bootstrap([0.0, 1.0], seed=0, resamples=1).low in (0.0, 0.5, 1.0)


def test_whole_conversations_are_drawn() -> None:
    values, talks = [0.0] * 50 + [1.0] * 50, ["a"] * 50 + ["b"] * 50
    over_talks = bootstrap_clusters(values, talks, seed=0)
    assert over_talks == Interval(0.5, 0.0, 1.0)  # two talks that differ: either may come up twice
    assert bootstrap(values, seed=0).low > 0.35


def test_a_large_conversation_weighs_by_its_questions() -> None:
    interval = bootstrap_clusters([1.0] * 9 + [0.0], ["a"] * 9 + ["b"], seed=0)
    assert interval is not None
    assert (interval.mean, interval.low, interval.high) == (0.9, 0.0, 1.0)


def test_one_conversation_says_nothing_of_how_they_differ() -> None:
    assert bootstrap_clusters([0.0, 1.0], ["a", "a"], seed=0) is None


def test_differences_are_paired() -> None:
    ours, theirs = [0.2, 0.9] * 30, [0.1, 0.8] * 30
    interval = bootstrap(differences(ours, theirs), seed=0)
    assert interval.low == pytest.approx(0.1) and interval.high == pytest.approx(0.1)
    with pytest.raises(ValueError, match="shorter"):
        differences([1.0, 2.0], [1.0])


def test_the_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="no values"):
        bootstrap([], seed=0)
    with pytest.raises(ValueError, match="2 values, but 1 clusters"):
        bootstrap_clusters([1.0, 0.0], ["a"], seed=0)
