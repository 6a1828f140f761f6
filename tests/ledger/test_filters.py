"""Filters on turns and on facts say the same as the grammar on their columns, whoever judges: engine or predicate."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph import Fact, Memory, Scope, Turn
from memgraph.errors import InvalidFilter
from memgraph.grammar import predicate
from memgraph.ledger.filters import of_facts, of_turns
from memgraph.records import to_us
from support.facts import opened, tell
from support.fixtures import OpenMemory
from support.memories import ADA, NOW, statements, texts

DAY = datetime(2026, 1, 1, tzinfo=UTC)
TOLD = [
    "I live in Oslo.",
    "I moved to Lisbon.",
    "I am allergic to hazelnuts.",
    "My sister Solveig lives in Bergen.",
    "I am flying to Rome next week.",
]
LARGE: list[Any] = [2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, -(2**63) - 1, 10**400, float(2**63), 1e300]
KEPT: list[Any] = [None, True, False, 0, 1, 1.5, 0.1, 10, "1", "10", "a", "a\0b", "", "it's", "\U0001f33f", *LARGE]
ASKED: list[Any] = [*KEPT, math.inf, math.nan, "\ud800", "\ue000", [1], {"n": 1}]
SHORT = {
    "said_after": ("said_at", "$gte"),
    "said_before": ("said_at", "$lt"),
    "began_after": ("valid_from", "$gte"),
    "began_before": ("valid_from", "$lt"),
}


def pair(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def negated(conditions: dict[str, Any]) -> dict[str, Any]:
    return {"$not": conditions}


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {**one, **other}


def grown(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.builds(negated, inner),
        st.builds(pair, st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=1, max_size=3)),
        st.builds(joined, inner, inner),
    )


def operands(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return what a column may be compared with: a value or None, operators, and what joins them."""
    equal = st.none() | values
    compared = st.one_of(
        st.builds(pair, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), values),
        st.builds(pair, st.sampled_from(["$eq", "$ne"]), equal),
        st.builds(pair, st.sampled_from(["$in", "$nin"]), st.lists(equal, min_size=1, max_size=3)),
        st.builds(pair, st.just("$exists"), st.booleans()),
    )
    return equal | st.recursive(compared, grown, max_leaves=3)


def on(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(pair, st.sampled_from(names), operands(values))


times = st.integers(0, 3).map(lambda days: DAY + timedelta(days=days))
asked = st.sampled_from(ASKED)
of_a_turn = st.one_of(
    on(["speaker", "thread_id", "session_id", "agent_id", "message_id", "role"], st.sampled_from(["a", "b", "user"])),
    on(["origin"], st.sampled_from(["user", "assistant", "tool"])),
    on(["said_at"], times),
    st.builds(pair, st.sampled_from(["said_after", "said_before"]), times),
    on(["metadata.n", "metadata.m", "metadata.n.n"], asked),
    st.builds(pair, st.just("metadata"), on(["n", "m", "n.n"], asked)),
    st.builds(pair, st.just("metadata"), st.builds(pair, st.sampled_from(["$eq", "$ne"]), st.just({"n": 1}) | asked)),
)
metadata = st.dictionaries(st.sampled_from(["n", "m"]), st.sampled_from(KEPT) | st.just({"n": 1}), max_size=2)
label = st.sampled_from([None, "a", "b"])
said = st.tuples(st.sampled_from(["user", "assistant"]), st.integers(0, 3), label, label, label, label, label, metadata)

moments = st.integers(-1, 9).map(lambda days: NOW + timedelta(days=days))
of_a_fact = st.one_of(
    on(["subject"], st.sampled_from(["Ada", "Solveig", "x"])),
    on(["object"], st.sampled_from(["Oslo", "Lisbon", "hazelnuts"])),
    on(["attribute"], st.sampled_from(["residence", "allergy", "name"])),
    on(["agent_id"], st.sampled_from(["a", "b"])),
    on(["kind"], st.sampled_from(["state", "event", "plan"])),
    on(["origin"], st.sampled_from(["user", "assistant"])),
    on(["confidence", "importance"], st.sampled_from([0, 0.5, 0.7, 0.8, 0.9, 1, 2**63, 10**400, -math.inf])),
    on(["valid_from", "valid_to"], moments),
    st.builds(pair, st.sampled_from(["began_after", "began_before"]), moments),
)


def there(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as the grammar takes them: without what is missing, times as they are stored."""
    return {name: plain(value) for name, value in row.items() if value is not None}


def columns(record: Turn | Fact) -> dict[str, Any]:
    names = (
        "speaker thread_id session_id agent_id message_id role origin said_at metadata"
        if isinstance(record, Turn)
        else "subject attribute object agent_id kind origin confidence importance valid_from valid_to"
    )
    return there({name: getattr(record, name) for name in names.split()})


def plain(given: Any) -> Any:
    """Return conditions with times as they are stored, and without short names."""
    if isinstance(given, datetime):
        return to_us("a time", given)
    if isinstance(given, list):
        return [plain(one) for one in given]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(given, dict):
        return given
    rest = {key: plain(value) for key, value in given.items() if key not in SHORT}  # pyright: ignore[reportUnknownVariableType]
    short = [{SHORT[key][0]: {SHORT[key][1]: plain(value)}} for key, value in given.items() if key in SHORT]  # pyright: ignore[reportUnknownVariableType]
    return {"$and": [rest, *short]} if short else rest  # pyright: ignore[reportUnknownVariableType]


@given(
    st.lists(said, min_size=1, max_size=4),
    st.lists(st.recursive(of_a_turn, grown, max_leaves=4), min_size=4, max_size=8),
)
@settings(max_examples=100, deadline=None)
def test_a_filter_means_what_the_grammar_says(talk: list[Any], conditions: list[dict[str, Any]]) -> None:
    with Memory.open(":memory:", embedder=None, facts=False) as memory:
        for role, day, name, thread, session, agent, id, more in talk:
            message = {"role": role, "content": "fig", "name": name or "x", "metadata": more}
            scope = Scope("ada", session_id=session, agent_id=agent)
            when = DAY + timedelta(days=day)
            memory.add(message | ({"id": id} if id else {}), scope, said_at=when, thread_id=thread, background=True)
        everything = memory.list(ADA).items
        for one in conditions:
            wanted = [turn for turn in everything if predicate(plain(one))(columns(turn))]
            assert list(memory.list(ADA, filter=one).items) == wanted


@pytest.fixture(scope="module")
def told() -> Generator[Memory]:
    with opened() as memory:
        tell(memory, *TOLD)
        memory.add("I own a boat.", Scope("ada", agent_id="a"), said_at=NOW)
        memory.settle()
        yield memory


@given(st.recursive(of_a_fact, grown, max_leaves=4))
@settings(max_examples=300, deadline=None)
def test_a_filter_on_facts_means_what_the_grammar_says(told: Memory, conditions: dict[str, Any]) -> None:
    everything = told.list(ADA, kind="fact").items
    wanted = [fact for fact in everything if predicate(plain(conditions))(columns(fact))]
    assert list(told.list(ADA, kind="fact", filter=conditions).items) == wanted


def test_the_facts_differ_in_what_filters_look_at(told: Memory) -> None:
    seen = [columns(fact) for fact in told.list(ADA, kind="fact").items]
    for name in ("subject", "attribute", "object", "agent_id", "kind", "valid_from", "valid_to"):
        assert len({row.get(name) for row in seen}) > 1, name


# Who judges


@pytest.mark.parametrize(
    "conditions",
    [
        {"said_after": DAY},
        {"said_before": DAY, "speaker": "Ada"},
        {"said_at": {"$gte": DAY, "$lt": DAY}},
        {"thread_id": None},
        {"session_id": {"$ne": "s"}},
        {"message_id": {"$nin": ["m", None]}},
        {"agent_id": {"$exists": False}},
        {"origin": {"$in": ["user", "tool"]}},
        {"$and": [{"role": "user"}, {"$or": [{"role": {"$gt": "a"}}, {"$not": {"speaker": {"$lte": "b"}}}]}]},
        {"metadata.n": {"$gt": 1, "$nin": [2, "x", None, True]}},
        {"metadata.n": {"$not": {"$exists": True}}},
    ],
    ids=str,
)
def test_the_engine_judges_columns_by_itself(conditions: dict[str, Any]) -> None:
    assert "matches" not in of_turns(conditions).text


@pytest.mark.parametrize(
    ("conditions", "called"),
    [
        ({"metadata": {"n": 1}, "speaker": "Ada"}, "matches(?, ifnull(t.metadata, '{}'))"),
        ({"metadata.a.b": 1}, "matches(?, ifnull(t.metadata, '{}'))"),
        ({"metadata.n": 2**63}, "matches(?, ifnull(t.metadata, '{}'))"),
        ({"$or": [{"metadata.n": [1]}, {"role": "user"}]}, "matches(?, t.role, ifnull(t.metadata, '{}'))"),
    ],
    ids=str,
)
def test_the_predicate_gets_the_columns_that_are_named(conditions: dict[str, Any], called: str) -> None:
    assert of_turns(conditions).sql[-1] == called
    assert sum("matches" in sql for sql in of_turns(conditions).sql) == 1


def test_a_filter_of_any_length_is_taken(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None)
    memory.add("fig", ADA)
    names = [f"n{number}" for number in range(40_000)]
    assert texts(memory, filter={"speaker": {"$nin": names}, "role": {"$in": [*names, "user"]}}) == ["fig"]
    either: list[dict[str, Any]] = [{"speaker": name} for name in names[:2_000]]
    assert texts(memory, filter={"$or": either}) == []
    assert texts(memory, filter={"$and": [{"$not": one} for one in either]}) == ["fig"]
    for name in ("message_id", "metadata.n"):
        with statements(memory) as seen:
            assert texts(memory, filter={name: {"$in": names}}) == []
        assert seen and not any("matches(" in sql for sql in seen)


# What can't be judged, and what names nothing


def test_metadata_that_is_too_deep_to_read_matches_nothing(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None)
    memory.add(["deep", "flat"], ADA, metadata={"n": 1})
    deep = '{"n":' * 100_000 + "1" + "}" * 100_000
    with pytest.raises(RecursionError):
        json.loads(deep)

    def write(connection: apsw.Connection) -> None:
        connection.execute("update turns set metadata = ? where row = 1", (deep,))

    memory.core.ledger.submit(write).result()
    everything: list[dict[str, Any]] = [{"metadata": {"n": 1}}, {"metadata.n.n": None}, {"$not": {"metadata.n.n": 1}}]
    for conditions in everything:
        assert texts(memory, filter=conditions) == ["flat"]


EMPTY: list[dict[str, Any]] = [
    {"$or": [{}]},
    {"$and": [{}]},
    {"$not": {}},
    {"$not": {"$not": {}}},
    {"$or": [{}, {"role": "user"}]},
    {"$and": [{"role": "user"}, {"$or": [{"$not": {}}]}]},
    {"role": {}},
    {"$not": {"role": {}}},
    {"role": {"$not": {}}},
    {"role": {"$or": [{}]}},
    {"role": {"$nin": []}},
    {"$not": {"role": {"$in": []}}},
    {"metadata": {}},
    {"metadata": {"$nin": []}},
    {"metadata": {"$not": {"$not": {}}}},
    {"metadata": {"n": {"$nin": []}}},
    {"metadata.n": {"$nin": []}},
    {"metadata.a.b": {"$or": [{"$not": {}}]}},
    {"metadata.n": {"c": {"$not": {"$in": []}}}},
]


@pytest.mark.parametrize("conditions", EMPTY, ids=str)
def test_a_branch_that_names_nothing_is_refused(open_memory: OpenMemory, conditions: dict[str, Any]) -> None:
    memory = open_memory(":memory:", embedder=None)
    memory.add("fig", ADA)
    with pytest.raises(InvalidFilter):
        memory.erase(conditions, ADA)
    with pytest.raises(InvalidFilter):
        memory.search("fig", ADA, filter=conditions)
    with pytest.raises(InvalidFilter):
        memory.list(ADA, filter=conditions)
    assert texts(memory) == ["fig"]


@pytest.mark.parametrize("conditions", [one for one in EMPTY if "metadata" not in str(one)], ids=str)
def test_on_facts_too(conditions: dict[str, Any]) -> None:
    on_facts = json.loads(json.dumps(conditions).replace('"role"', '"subject"'))
    with pytest.raises(InvalidFilter):
        of_facts(on_facts, ["name"])


def test_thirty_levels_are_taken() -> None:
    deep: dict[str, Any] = {"role": "user"}
    for _ in range(30):
        deep = {"$not": deep}
    assert of_turns(deep).values == ["user"]
    with pytest.raises(InvalidFilter, match="levels"):
        of_turns({"$or": [{"$not": {"$not": deep}}]})
