"""Facts as arrays: appended to, never changed under a search that holds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from memgraph.ledger.fact_index import ALIAS, ENTITY, EVIDENCE, LINK, MENTION, VERSION
from memgraph.projections.facts import FactIndex
from memgraph.records import OPEN

TURNS = np.array([1, 2, 3], np.int64)
SAID = np.array([10, 20, 30], np.int64)
REST: tuple[Any, ...] = (0, 0, 0, 0, None, None, None, None)


def version(row: int, number: int = 1, end: int = OPEN, *, since: int = 0, until: int = OPEN, kind: int = 0) -> Any:
    return (VERSION, row, number, number, end, since, until, kind, 0.8, None, bytes([row]), b"", None)


def entity(row: int, name: str, merged: int | None = None) -> Any:
    return (ENTITY, row, merged, 0, OPEN, 0, 0, 0, 0, name, bytes([row]), None, None)


def index(*news: Any, on: FactIndex | None = None) -> FactIndex:
    return (on or FactIndex(1, None)).updated(list(news), TURNS, SAID)


def test_an_older_view_stays_as_it_was() -> None:
    before = index(version(5), (EVIDENCE, 5, 2, 1, OPEN, *REST))
    after = index(version(5, 1, 7), version(5, 2), (EVIDENCE, 5, 3, 1, OPEN, *REST), on=before)
    assert (len(before), before.superseded_at.tolist(), before.cited_at.tolist()) == (1, [OPEN], [1])
    assert (len(after), after.superseded_at.tolist(), after.cited_at.tolist()) == (2, [7, OPEN], [2])
    assert after.fact.tolist() == [0, 0]
    assert after.believed(3).tolist() == [True, True]
    assert after.believed(None).tolist() == [False, True]


def test_evidence_that_is_no_turn_here_is_passed_over() -> None:
    assert index(version(5), (EVIDENCE, 5, 99, 1, OPEN, *REST)).cited_at.tolist() == []


def test_truth_by_kind() -> None:
    facts = index(
        version(5, since=10, until=20),
        version(6, since=10, until=20, kind=1),
        version(7, since=90, kind=2),
        version(8, since=90),
        *((EVIDENCE, row, 1, 1, OPEN, *REST) for row in (5, 6, 7, 8)),
    )
    assert facts.true(15, named=True).tolist() == [True, True, True, False]
    assert facts.true(30, named=True).tolist() == [False, True, True, False]
    assert facts.true(30, named=False).tolist() == [False, True, True, True]
    assert facts.true(5, named=True).tolist() == [False, False, False, False]


def test_of_two_that_contradict_the_older_is_marked() -> None:
    facts = index(version(5, since=9), version(6, since=3), (LINK, 5, 6, 1, OPEN, *REST))
    assert facts.older.tolist() == [False, True]
    assert (facts.opposed(5, None), facts.opposed(6, None)) == ([6], [5])
    undone = index((LINK, 5, 6, 1, 8, *REST), on=facts)
    assert undone.older.tolist() == [False, False]
    assert undone.opposed(5, None) == []
    assert undone.opposed(5, 7) == [6]  # it was linked then
    assert undone.outdated(7).tolist() == [False, True]


def test_names_in_a_question() -> None:
    facts = index(
        entity(20, "New York"),
        entity(21, "York"),
        entity(22, "Will"),
        entity(23, "Wilhelm", merged=22),
        (ALIAS, 20, None, 0, OPEN, 0, 0, 0, 0, "Big Apple", None, None, None),
    )
    assert facts.named("Is New York far from York?") == [20, 21]
    assert facts.named("the Big Apple, or york?") == [20]
    assert facts.named("what about york") == [21]
    assert facts.named("Where will Wilhelm go?") == [22]
    assert FactIndex(1, None).named("York") == []


def test_a_walk_goes_through_what_is_believed_and_divides_at_hubs() -> None:
    facts = index(
        version(5),
        version(6),
        version(7),
        *(entity(row, name) for row, name in ((20, "Ada"), (21, "Kelp"), (22, "Bo"))),
        *((MENTION, *pair, 0, 0, *REST) for pair in ((5, 20), (5, 21), (6, 21), (7, 22))),
    )
    met = facts.walk([20], np.ones(3, np.bool_), hops=2, fan_out=9, limit=99)
    assert {number: path for number, (_, path) in met.items()} == {0: (20, 5), 1: (20, 5, 21, 6)}
    assert [near for near, _ in met.values()] == pytest.approx([1.0, 2**-0.5])
    assert facts.path_ids((20, 5, 21, 6)) == [bytes([n]) for n in (20, 5, 21, 6)]
    assert facts.walk([20], np.array([False, True, True]), hops=2, fan_out=9, limit=99) == {}
    joined = index(entity(22, "Bo", merged=20), on=facts)
    assert set(joined.walk([20], np.ones(3, np.bool_), hops=1, fan_out=9, limit=99)) == {0, 2}
