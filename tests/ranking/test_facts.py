"""What facts lend to turns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memgraph.ranking.facts import Cited, Replaced, Scale, credits
from memgraph.ranking.times import Window
from memgraph.ranking.weights import WEIGHTS
from memgraph.records import OPEN

SCALES = {"dense": Scale(0.0, 1.0), "lexical": Scale(0.0, 1.0)}


def cited(dense: list[float], turns: list[int], **columns: Any) -> Cited:
    """Return facts, the n-th of which is said by the n-th of `turns`."""
    count = len(dense)
    made: dict[str, Any] = {
        "turn": np.array(turns, np.int64),
        "fact": np.arange(count),
        "dense": np.array(dense, np.float32),
        "lexical": np.zeros(count, np.float32),
        "confidence": np.ones(count, np.float32),
        "older": np.zeros(count, np.bool_),
        "since": np.zeros(count, np.int64),
        "until": np.full(count, OPEN),
    }
    return Cited(**(made | columns))


def test_a_fact_lends_a_share_of_what_it_is_better_by() -> None:
    base = np.array([1.2, 0.0, 3.0])
    found = credits(cited([2.0, 2.0], [0, 2]), base, SCALES, (), WEIGHTS)
    assert found.fact.tolist() == pytest.approx([WEIGHTS.fact * (2.4 - 1.2), 0.0, 0.0])
    assert found.best.tolist() == [0, -1, 1]
    assert found.better.tolist() == [True, False, False]


def test_a_turn_below_average_leaves_nothing_to_be_won() -> None:
    found = credits(cited([-1.0], [0]), np.array([-9.0]), SCALES, (), WEIGHTS)
    assert (found.fact.tolist(), found.better.tolist()) == ([0.0], [False])


def test_the_best_of_a_turns_facts_counts_and_a_doubtful_one_less() -> None:
    base = np.zeros(2)
    sure = credits(cited([1.0, 2.0, 2.0], [0, 0, 1]), base, SCALES, (), WEIGHTS)
    assert sure.best.tolist() == [1, 2]
    assert sure.fact[0] == sure.fact[1]
    doubted = credits(cited([2.0], [0], confidence=np.array([0.5], np.float32)), base, SCALES, (), WEIGHTS)
    assert doubted.fact[0] == sure.fact[0] / 2


def test_what_is_contradicted_is_worth_less() -> None:
    found = credits(cited([-1.0], [0], older=np.array([True])), np.zeros(1), SCALES, (), WEIGHTS)
    assert found.fact.tolist() == [WEIGHTS.contradicted]


def test_a_hidden_turn_scores_as_its_fact() -> None:
    found = credits(cited([1.0], [0], alone=np.array([True])), np.array([5.0]), SCALES, (), WEIGHTS)
    assert found.fact[0] + 5.0 == pytest.approx(1.2)
    assert found.better.tolist() == [True]


def test_a_fact_without_a_vector_is_an_average_one() -> None:
    found = credits(cited([np.nan], [0]), np.zeros(1), SCALES, (), WEIGHTS)
    assert found.value.tolist() == [0.0]


def test_what_took_anothers_place_has_its_rank_and_the_other_comes_behind() -> None:
    base = np.array([3.0, 0.5, 0.0])
    moved = cited([2.0, 0.1], [0, 1], replaced=(Replaced(0, 0, 1),))
    moved = replace(moved, turn=moved.turn[1:], fact=moved.fact[1:])  # what is over may not be shown
    found = credits(moved, base, SCALES, (), WEIGHTS)
    assert found.outdated is not None
    score = base + found.fact + found.outdated
    assert score.tolist() == pytest.approx([3.0 + WEIGHTS.outdated, 3.0, 0.0])
    assert found.better.tolist() == [False, True, False]
    of_the_past = credits(moved, base, SCALES, (), WEIGHTS, of_now=False)
    assert (of_the_past.fact.tolist(), of_the_past.outdated) == ([0.0, 0.0, 0.0], None)


def test_a_turn_that_bears_on_the_question_by_what_holds_loses_nothing() -> None:
    both = cited([0.1, 2.0, 0.0], [0, 0, 1], replaced=(Replaced(0, 0, 2),))
    both = replace(both, turn=both.turn[1:], fact=both.fact[1:])
    found = credits(both, np.array([2.4, 0.0]), SCALES, (), WEIGHTS)
    assert found.outdated is not None
    assert found.outdated.tolist() == [0.0, 0.0]


def test_the_graph_shows_the_fact_it_came_to() -> None:
    found = credits(cited([-0.1], [1], near=np.array([0.5])), np.zeros(2), SCALES, (), WEIGHTS)
    assert found.graph is not None
    assert found.graph.tolist() == [0.0, WEIGHTS.graph / 2]
    assert found.better.tolist() == [False, True]
    assert credits(cited([-0.1], [1]), np.zeros(2), SCALES, (), WEIGHTS).graph is None


def test_what_begins_or_ends_within_a_window_is_dated() -> None:
    day = 86_400_000_000
    facts = cited([0.0, 0.0, 0.0], [0, 1, 2], since=np.array([5, 50, 5]) * day, until=np.array([OPEN, OPEN, 10 * day]))
    found = credits(facts, np.zeros(3), SCALES, (Window(9 * day, 11 * day),), WEIGHTS)
    assert found.dated is not None
    assert found.dated.tolist() == [False, False, True]
    assert credits(facts, np.zeros(3), SCALES, (), WEIGHTS).dated is None


def test_an_arm_that_is_absent_tells_nothing() -> None:
    facts = replace(cited([3.0], [0]), dense=None)
    assert credits(facts, np.zeros(1), SCALES, (), WEIGHTS).value.tolist() == [0.0]
    assert credits(cited([3.0], [0]), np.zeros(1), {}, (), WEIGHTS).value.tolist() == [0.0]
