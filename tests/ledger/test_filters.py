"""Filters on turns say the same as the grammar on their columns, whoever judges them: the engine or the predicate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph import Memory, Scope
from memgraph.grammar import predicate
from memgraph.records import Turn, to_us

ADA = Scope("ada")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
SCALARS: list[Any] = [None, True, False, 0, 1, 1.5, 10, "1", "10", "a", "", "it's"]

metadata = st.dictionaries(st.sampled_from(["n", "m"]), st.sampled_from(SCALARS) | st.just({"n": 1}), max_size=2)
said = st.tuples(st.sampled_from(["Ada", "Bob"]), st.integers(0, 3), st.sampled_from([None, "t"]), metadata)

texts = st.sampled_from(["Ada", "Bob", "t", "", None])
times = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
ORDERED = ["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"]


def pair(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def said_at(value: Any) -> dict[str, Any]:
    return {"said_at": value}


def negated(conditions: dict[str, Any]) -> dict[str, Any]:
    return {"$not": conditions}


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {**one, **other}


def operands(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    compared = st.one_of(
        st.builds(pair, st.sampled_from(ORDERED), values),
        st.builds(pair, st.sampled_from(["$in", "$nin"]), st.lists(values, max_size=2)),
        st.builds(pair, st.just("$exists"), st.booleans()),
    )
    return values | compared | st.builds(negated, compared)


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(negated, inner),
        st.builds(pair, st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=2)),
        st.builds(joined, inner, inner),
    )


condition = st.one_of(
    st.builds(pair, st.sampled_from(["speaker", "thread_id"]), operands(texts)),
    st.builds(said_at, operands(times)),
    st.builds(
        pair,
        st.sampled_from(["metadata.n", "metadata.m", "metadata.n.n"]),
        operands(st.sampled_from(SCALARS)),
    ),
)
filters = st.recursive(condition, grown, max_leaves=4)


def columns(turn: Turn) -> dict[str, Any]:
    found = {
        "speaker": turn.speaker,
        "thread_id": turn.thread_id,
        "said_at": to_us("said_at", turn.said_at),
        "metadata": turn.metadata,
    }
    return {name: value for name, value in found.items() if value is not None}


def plain(conditions: Any) -> Any:
    """Return conditions with times as they are stored."""
    if isinstance(conditions, dict):
        return {key: plain(value) for key, value in conditions.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(conditions, list):
        return [plain(one) for one in conditions]  # pyright: ignore[reportUnknownVariableType]
    return to_us("said_at", conditions) if isinstance(conditions, datetime) else conditions


@given(st.lists(said, min_size=1, max_size=4), st.lists(filters, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_filter_means_what_the_grammar_says(talk: list[Any], conditions: list[dict[str, Any]]) -> None:
    with Memory.open(":memory:", embedder=None, facts=False) as memory:
        for name, day, thread, more in talk:
            message = {"role": "user", "content": "fig", "name": name, "metadata": more}
            memory.add(message, ADA, said_at=DAY + timedelta(days=day), thread_id=thread, background=True)
        everything = memory.list(ADA).items
        for one in conditions:
            wanted = [turn for turn in everything if predicate(plain(one))(columns(turn))]
            assert list(memory.list(ADA, filter=one).items) == wanted
