from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from memgraph.ranking.fusion import Pool, Ranking, rank
from memgraph.ranking.query import Query
from memgraph.ranking.times import DAY_US, Window
from memgraph.ranking.weights import WEIGHTS
from memgraph.writing.features import Flag

PLAIN = Query(text="x", content="x", terms=("x",))


def arm(values: Sequence[float]) -> NDArray[np.float32]:
    return np.array(values, dtype=np.float32)


def pool(
    n: int,
    *,
    words: Sequence[int] | int = 10,
    flags: Sequence[int] | int = 0,
    days: Sequence[float] | None = None,
    session: Sequence[int] | int = 0,
    speaker: Sequence[int] | int = 0,
) -> Pool:
    return Pool(
        words=np.broadcast_to(np.array(words, dtype=np.int32), n),
        flags=np.broadcast_to(np.array(flags, dtype=np.int32), n),
        said_at=(np.array(days if days is not None else range(n)) * DAY_US).astype(np.int64),
        session=np.broadcast_to(np.array(session, dtype=np.int32), n),
        speaker=np.broadcast_to(np.array(speaker, dtype=np.int32), n),
        speakers=["Ada", "Bob", "Cyd"],
    )


def order(pool: Pool, dense: Sequence[float] | None = None, query: Query = PLAIN, **options: object) -> list[int]:
    scores = None if dense is None else arm(dense)
    return rank(pool, query, scores, None, limit=len(pool), **options).rows  # type: ignore[arg-type]


def test_nothing_to_rank() -> None:
    empty = Ranking([], [], [], [])
    assert rank(pool(0), PLAIN, arm([]), arm([]), limit=5) == empty
    assert rank(pool(3), PLAIN, arm([1, 2, 3]), None, limit=0) == empty
    assert rank(pool(3), PLAIN, arm([1, 2, 3]), None, limit=5, visible=np.zeros(3, dtype=np.bool_)) == empty
    assert len(empty) == 0


def test_better_scores_come_first_and_equals_in_the_order_said() -> None:
    assert order(pool(4), [0.1, 0.9, 0.1, 0.5]) == [1, 3, 0, 2]
    assert order(pool(3), [0.5, 0.5, 0.5]) == [0, 1, 2]
    assert order(pool(3)) == [0, 1, 2]


def test_both_arms_count() -> None:
    ranking = rank(pool(4), PLAIN, arm([0.9, 0.8, 0.1, 0.1]), arm([0, 5, 0, 1]), limit=2)
    assert ranking.rows == [1, 0]
    assert [{name: place for name, (place, _) in found.items()} for found in ranking.arms] == [
        {"dense": 2, "lexical": 1},
        {"dense": 1},
    ]
    assert [found["dense"][1] for found in ranking.arms] == pytest.approx([0.8, 0.9])
    assert ranking.arms[0]["lexical"][1] == 5.0
    assert ranking.scores[0] > ranking.scores[1]


def test_a_turn_without_a_vector_is_neither_better_nor_worse_for_it() -> None:
    nan = float("nan")
    ranking = rank(pool(4), PLAIN, arm([0.9, nan, 0.1, 0.3]), None, limit=4)
    assert ranking.rows == [0, 1, 3, 2]
    assert ranking.arms[1] == {}
    found = rank(pool(3), PLAIN, arm([0.9, nan, 0.1]), arm([0, 9, 0]), limit=3)
    assert found.arms[found.rows.index(1)] == {"lexical": (1, 9.0)}
    assert order(pool(2), [nan, nan]) == [0, 1]
    assert order(pool(3), [nan, float("inf"), 0.5]) == [0, 1, 2]


def test_ranks_share_a_place_and_count_only_what_is_visible() -> None:
    visible = np.array([True, False, True, True])
    ranking = rank(pool(4), PLAIN, arm([0.5, 0.9, 0.5, 0.1]), None, limit=4, visible=visible)
    assert ranking.rows == [0, 2, 3]
    assert [found["dense"][0] for found in ranking.arms] == [1, 1, 3]


def test_the_invisible_influence_nothing() -> None:
    rng = np.random.default_rng(7)
    shown = np.arange(40) % 2 == 0
    session = np.arange(40) // 8
    dense, lexical = arm(rng.random(40).tolist()), arm(rng.random(40).tolist())
    whole = rank(pool(40, session=session.tolist()), PLAIN, dense, lexical, limit=20, visible=shown)
    other = dense.copy()
    other[~shown] = 50.0
    assert rank(pool(40, session=session.tolist()), PLAIN, other, lexical, limit=20, visible=shown) == whole
    alone = rank(pool(20, session=session[shown].tolist()), PLAIN, dense[shown], lexical[shown], limit=20)
    assert [row // 2 for row in whole.rows] == alone.rows
    assert whole.scores == pytest.approx(alone.scores)


def test_all_visible_is_no_mask() -> None:
    dense = arm([0.1, 0.7, 0.3])
    every = np.ones(3, dtype=np.bool_)
    assert rank(pool(3), PLAIN, dense, None, limit=3, visible=every) == rank(pool(3), PLAIN, dense, None, limit=3)


def test_a_named_speaker_comes_first_but_filters_nobody() -> None:
    turns = pool(4, speaker=[0, 1, 2, 0])
    assert order(turns, [0.5, 0.5, 0.5, 0.5], replace(PLAIN, named=(1,))) == [1, 0, 2, 3]
    assert order(turns, [0.5, 0.5, 0.5, 0.5], replace(PLAIN, named=(1, 2))) == [1, 2, 0, 3]
    assert order(turns, [9, 0, 0, 0], replace(PLAIN, named=(1,))) == [0, 1, 2, 3]


def test_a_named_time() -> None:
    turns = pool(6, days=[0, 40, 50, 60, 85, 200])
    query = replace(PLAIN, windows=(Window(50 * DAY_US, 52 * DAY_US),))
    ranking = rank(turns, query, arm([0.5] * 6), None, limit=6)
    assert ranking.rows == [2, 3, 0, 1, 4, 5]
    assert ranking.arms[0]["time"] == (1, WEIGHTS.time + WEIGHTS.time_inside)
    assert ranking.arms[1]["time"] == (2, WEIGHTS.time)
    assert "time" not in ranking.arms[2]
    assert ranking.boosts[0] == {"time": WEIGHTS.time + WEIGHTS.time_inside}


def test_when() -> None:
    turns = pool(2, flags=[0, Flag.TEMPORAL])
    assert order(turns, [0.5, 0.5], replace(PLAIN, wants_when=True)) == [1, 0]
    assert order(turns, [0.5, 0.5]) == [0, 1]


def test_a_question_is_worth_less_where_no_assistant_takes_part() -> None:
    flags = [Flag.QUESTION_ONLY, 0, Flag.QUESTION_ONLY, Flag.ASSISTANT]
    turns = pool(4, words=20, flags=flags, session=[0, 0, 1, 1])
    ranking = rank(turns, PLAIN, arm([0.5] * 4), None, limit=4)
    assert ranking.rows == [1, 2, 0, 3]
    assert ranking.boosts == [{}, {}, {"question": WEIGHTS.question}, {"reply": WEIGHTS.reply}]


def test_a_short_question_to_an_assistant_is_worth_less_too() -> None:
    flags = [Flag.QUESTION_ONLY, Flag.ASSISTANT, Flag.QUESTION_ONLY, 0]
    ranking = rank(pool(4, words=[6, 6, 20, 6], flags=flags), PLAIN, arm([0.5] * 4), None, limit=4)
    assert ranking.rows == [2, 3, 0, 1]


def test_interleaved_sittings_are_told_apart() -> None:
    flags = [Flag.QUESTION_ONLY, Flag.QUESTION_ONLY, 0, Flag.ASSISTANT]
    ranking = rank(pool(4, words=20, flags=flags, session=[1, 0, 1, 0]), PLAIN, arm([0.5] * 4), None, limit=4)
    assert ranking.rows == [1, 2, 0, 3]


def test_replies_stand_back_unless_they_are_asked_for() -> None:
    turns = pool(3, flags=[Flag.ASSISTANT, 0, Flag.TOOL])
    assert order(turns, [0.5, 0.5, 0.5]) == [1, 0, 2]
    assert order(turns, [0.5, 0.5, 0.5], replace(PLAIN, wants_assistant=True)) == [0, 1, 2]


def test_long_turns_stand_back() -> None:
    ranking = rank(pool(4, words=[40, 80, 5, 160]), PLAIN, arm([0.5] * 4), None, limit=4)
    assert ranking.rows == [0, 2, 1, 3]
    assert ranking.boosts == [{}, {}, {"length": pytest.approx(-0.4)}, {"length": pytest.approx(-0.8)}]


def test_instructions_and_preferences_only_when_something_is_to_be_done() -> None:
    turns = pool(3, flags=[0, Flag.PREFERENCE, Flag.INSTRUCTION])
    assert order(turns, [0.5, 0.5, 0.5], replace(PLAIN, wants_action=True)) == [2, 1, 0]
    assert order(turns, [0.5, 0.5, 0.5]) == [0, 1, 2]


def test_a_sitting_about_the_matter_speaks_for_its_turns() -> None:
    dense = [0.5, 0.9, 0.9, 0.9, 0.5, 0.1, 0.1, 0.1]
    assert order(pool(8, session=[0, 0, 0, 0, 1, 1, 1, 1]), dense)[:5] == [1, 2, 3, 0, 4]
    interleaved = pool(8, session=[1, 1, 1, 1, 0, 0, 0, 0])
    assert order(interleaved, dense)[:5] == [1, 2, 3, 0, 4]
    ranking = rank(pool(8, session=[0, 0, 0, 0, 1, 1, 1, 1]), PLAIN, arm(dense), None, limit=1)
    assert ranking.boosts[0]["session"] > 0


def test_a_missing_turn_of_a_sitting_counts_as_average() -> None:
    """One lucky turn alone in its sitting is not worth as much as three good ones."""
    dense = arm([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    weights = replace(WEIGHTS, session=1.0)
    ranking = rank(pool(6, session=[0, 1, 1, 1, 2, 2]), PLAIN, dense, None, limit=6, weights=weights)
    assert ranking.rows[:4] == [1, 2, 3, 0]
    assert ranking.boosts[3]["session"] == pytest.approx(ranking.boosts[0]["session"] / 3, abs=1e-3)


def test_a_rare_word_of_one_long_turn_is_found_at_any_limit() -> None:
    n = 60
    dense = arm([1.0 + i / 100 for i in range(n)])
    turns = pool(n, words=[200_000 if i == 7 else 10 for i in range(n)])
    lexical = arm([0.001 * (i == 7) for i in range(n)])
    assert rank(turns, PLAIN, dense, lexical, limit=10).rows[-1] == 7
    assert rank(turns, PLAIN, dense, arm([0.0] * n), limit=10).rows == rank(turns, PLAIN, dense, None, limit=10).rows


def test_the_best_of_each_arm_survives_a_long_list() -> None:
    n = 60
    dense = arm([1.0 + i / 100 for i in range(n)])
    lexical = arm([3.0 + i / 1000 + (i == 7) for i in range(n)])
    turns = pool(n, words=[5000 if i == 7 else 10 for i in range(n)])
    long = rank(turns, PLAIN, dense, lexical, limit=20)
    assert long.rows[-1] == 7
    assert long.rows[:19] == rank(turns, PLAIN, dense, lexical, limit=19).rows
    assert len(set(long.rows)) == 20
    assert 7 not in rank(turns, PLAIN, dense, lexical, limit=10).rows
    visible = np.arange(n) != 7
    assert 7 not in rank(turns, PLAIN, dense, lexical, limit=20, visible=visible).rows


def test_statics_are_computed_once() -> None:
    turns = pool(5)
    assert turns.priors(WEIGHTS) is turns.priors(WEIGHTS)
    assert turns.sittings is turns.sittings
    assert turns.flagged(Flag.TEMPORAL) is turns.flagged(Flag.TEMPORAL)
    assert turns.priors(replace(WEIGHTS, length=0)) is not turns.priors(WEIGHTS)


def test_the_best_of_very_many_are_the_best() -> None:
    rng = np.random.default_rng(3)
    n = 5_003
    dense = rng.integers(0, 300, n).astype(np.float32)
    expected = np.lexsort((np.arange(n), -dense))
    for limit in (1, 10, 50, 300, n, n + 5):
        ranking = rank(pool(n), PLAIN, dense, None, limit=limit)
        assert ranking.rows == expected[:limit].tolist()
        assert len(ranking) == min(limit, n)


GRID = st.integers(0, 40)  # what is apart is well apart, so rounding can't swap it
QUERIES = st.builds(
    Query,
    text=st.just("x"),
    content=st.just("x"),
    terms=st.just(("x",)),
    named=st.sampled_from([(), (0,), (1, 2)]),
    windows=st.sampled_from([(), (Window(2 * DAY_US, 3 * DAY_US),)]),
    wants_when=st.booleans(),
    wants_assistant=st.booleans(),
    wants_action=st.booleans(),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Pool, Query, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_] | None]:
    n = draw(st.integers(1, 60))

    def column(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=n, max_size=n))

    turns = pool(
        n,
        words=column(st.sampled_from([1, 10, 40, 41, 80, 600])),
        flags=column(st.integers(0, 63)),
        days=[0.5 * i for i in range(n)],
        session=column(st.integers(0, 4)),
        speaker=column(st.integers(0, 2)),
    )
    masks = st.lists(st.booleans(), min_size=n, max_size=n).map(lambda mask: np.array(mask, dtype=np.bool_))
    visible = draw(st.none() | masks)
    return turns, draw(QUERIES), arm(column(GRID)), arm(column(st.sampled_from([0, 0, 0, 1, 3, 8]))), visible


@given(cases(), st.integers(1, 70))
def test_what_holds_for_every_ranking(
    case: tuple[Pool, Query, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_] | None], limit: int
) -> None:
    turns, query, dense, lexical, visible = case
    ranking = rank(turns, query, dense, lexical, limit=limit, visible=visible)
    shown = np.ones(len(turns), dtype=np.bool_) if visible is None else visible
    assert len(ranking) == min(limit, int(shown.sum()))
    assert all(shown[row] for row in ranking.rows)
    assert len(set(ranking.rows)) == len(ranking.rows)
    assert len(ranking.scores) == len(ranking.arms) == len(ranking.boosts) == len(ranking)
    assert all(np.isfinite(ranking.scores))
    keys = [(-score, row) for score, row in zip(ranking.scores, ranking.rows, strict=True)]
    kept = len(keys) if limit < WEIGHTS.survivors_from else max(0, len(keys) - 2)
    assert keys[:kept] == sorted(keys[:kept])
    if limit >= WEIGHTS.survivors_from and ranking.rows:
        for values in (dense, lexical):
            best = values[shown].max()
            assert values[shown].min() == best or any(values[row] == best for row in ranking.rows)
    for found in ranking.arms:
        assert all(place >= 1 for place, _ in found.values())


@given(
    cases(),
    st.sampled_from([0.25, 0.5, 1.0, 2.0, 64.0]),
    st.sampled_from([-512.0, -1.0, 0.0, 3.0, 1000.0]),
)
def test_an_affine_change_of_an_arm_changes_nothing(
    case: tuple[Pool, Query, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_] | None],
    factor: float,
    offset: float,
) -> None:
    turns, query, dense, lexical, visible = case
    plain = rank(turns, query, dense, lexical, limit=30, visible=visible)
    for changed in (
        rank(turns, query, arm((dense * factor + offset).tolist()), lexical, limit=30, visible=visible),
        rank(turns, query, dense, arm((lexical * factor + offset).tolist()), limit=30, visible=visible),
    ):
        assert changed.rows == plain.rows
        assert changed.scores == pytest.approx(plain.scores, abs=1e-9)
        assert changed.boosts == plain.boosts


def test_squeezed_cosines_rank_as_wide_ones() -> None:
    """One encoder gives cosines between 0.7 and 0.9, another between -0.1 and 0.8."""
    rng = np.random.default_rng(5)
    wide = rng.uniform(-0.1, 0.8, 500).astype(np.float32)
    squeezed = (0.7 + 0.2 * (wide + 0.1) / 0.9).astype(np.float32)
    lexical = arm((rng.random(500) * (rng.random(500) < 0.1)).tolist())
    turns = pool(500, session=(np.arange(500) // 20).tolist())
    one = rank(turns, PLAIN, wide, lexical, limit=50)
    other = rank(turns, PLAIN, squeezed, lexical, limit=50)
    assert other.rows == one.rows
    assert other.scores == pytest.approx(one.scores, abs=1e-3)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_matters_only_among_equals(
    case: tuple[Pool, Query, NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_] | None], random: object
) -> None:
    turns, query, dense, lexical, visible = case
    n = len(turns)
    mixed = np.arange(n)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    other = Pool(
        turns.words[mixed],
        turns.flags[mixed],
        turns.said_at[mixed],
        turns.session[mixed],
        turns.speaker[mixed],
        turns.speakers,
    )
    one = rank(turns, query, dense, lexical, limit=10, visible=visible)
    two = rank(
        other, query, dense[mixed], lexical[mixed], limit=10, visible=None if visible is None else visible[mixed]
    )
    assert two.scores == pytest.approx(one.scores, abs=1e-9)
