"""Facts and operations as they are listed and fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import pytest

from memgraph import Fact, Memory, Page, Scope, Turn
from memgraph.errors import InvalidFilter, InvalidInput, InvalidScope, NotFound
from support.facts import HOMES, only, opened, tell
from support.memories import ADA, BOB, NOW, query

TOLD = [*HOMES, "I am allergic to hazelnuts.", "My sister Solveig lives in Bergen."]
UNKNOWN = "0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11"


@pytest.fixture
def memory() -> Generator[Memory]:
    with opened() as memory:
        tell(memory, *TOLD)
        yield memory


def objects(memory: Memory, scope: Scope = ADA, **options: Any) -> list[str]:
    return [fact.object for fact in memory.list(scope, kind="fact", **options).items]


def day(number: int, **more: float) -> datetime:
    return NOW + timedelta(days=number, **more)


# Listing facts


def test_what_holds_now_is_listed(memory: Memory) -> None:
    assert {"Lisbon", "hazelnuts"} <= set(objects(memory))
    assert "Oslo" not in objects(memory)
    assert [turn.text for turn in memory.list(ADA).items] == TOLD
    assert memory.list(ADA, kind="turn") == memory.list(ADA)


def test_what_was_true_and_what_was_believed_then(memory: Memory) -> None:
    assert objects(memory, filter={"attribute": "residence", "subject": "Ada"}, as_of=day(1, hours=1)) == ["Oslo"]
    early = only(memory, known_at=day(1, hours=1))
    assert (early.object, early.valid_to, early.superseded_at) == ("Oslo", None, day(2))
    assert objects(memory, known_at=NOW) == []


def test_pages_of_facts(memory: Memory) -> None:
    everything = memory.list(ADA, kind="fact").items
    assert len(everything) >= 3
    found: list[Fact] = []
    cursor: str | None = None
    while True:
        page = memory.list(ADA, kind="fact", limit=1, cursor=cursor)
        assert len(page.items) == 1
        found += page.items
        if (cursor := page.cursor) is None:
            break
    assert tuple(found) == everything


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"attribute": "allergy"}, ["hazelnuts"]),
        ({"object": "Lisbon"}, ["Lisbon"]),
        ({"subject": "Ada", "attribute": "residence", "kind": "state"}, ["Lisbon"]),
        ({"subject": "Ada", "began_after": NOW + timedelta(days=3)}, ["hazelnuts", "sister Solveig"]),
        ({"subject": "Ada", "attribute": "residence", "began_before": NOW + timedelta(days=2)}, []),
        ({"origin": "tool"}, []),
        ({"agent_id": "a"}, []),
        ({"object": {"$in": ["Lisbon", "Oslo"]}}, ["Lisbon"]),
        ({"kind": "state", "subject": {"$eq": "Ada"}, "attribute": {"$eq": "residence"}}, ["Lisbon"]),
        ({"confidence": {"$gt": 1}}, []),
        ({"confidence": {"$lte": 1}, "importance": {"$gte": 0}}, None),
        ({"valid_to": None}, None),
        ({"valid_to": {"$ne": None}}, []),
        ({"valid_to": {"$exists": False}}, None),
        ({"valid_to": {"$exists": True}}, []),
        ({"valid_to": {"$gt": NOW}}, []),
        ({"kind": None}, []),
        ({"origin": {"$ne": None}}, None),
        ({"agent_id": {"$ne": "a"}}, None),
        ({"$or": [{"attribute": "allergy"}, {"attribute": {"$in": ["diet"]}}]}, ["hazelnuts"]),
        ({"confidence": {"$lt": 10**400}}, None),
        ({"confidence": 10**400}, []),
        ({"importance": {"$in": [10**400, -1]}}, []),
        (
            {"$and": [{"subject": "Ada"}, {"$not": {"valid_from": {"$lt": NOW + timedelta(days=3)}}}]},
            ["hazelnuts", "sister Solveig"],
        ),
        ({}, None),
    ],
)
def test_a_filter_on_facts(memory: Memory, conditions: dict[str, Any], expected: list[str] | None) -> None:
    assert objects(memory, filter=conditions) == (objects(memory) if expected is None else expected)


@pytest.mark.parametrize(
    "conditions",
    [{"speaker": "Ada"}, {"metadata.n": 1}, {7: "x"}, {"kind": "mood"}, {"origin": 1}, {"attribute": "shoe size"},
     {"subject": 7}, {"began_after": "2026"}, {"began_before": datetime(2026, 1, 1)}, ["subject"],
     {"attribute": {"$in": ["allergy", "shoe size"]}}, {"$not": {"attribute": {"$ne": "shoe size"}}},
     {"attribute": {"$or": [{"$eq": "allergy"}, {"$nin": ["shoe size"]}]}}, {"confidence": {"$gt": None}},
     {"valid_to": {"$gt": None}}, {"confidence": float("nan")},
     {"confidence": "high"}, {"confidence": {"$gt": True}}, {"valid_to": "open"}, {"kind": {"$in": ["mood"]}}],
)  # fmt: skip
def test_a_malformed_filter_on_facts(memory: Memory, conditions: Any) -> None:
    with pytest.raises(InvalidFilter):
        memory.list(ADA, kind="fact", filter=conditions)


def test_a_key_of_facts_is_none_of_turns(memory: Memory) -> None:
    with pytest.raises(InvalidFilter, match="subject"):
        memory.list(ADA, filter={"subject": "Ada"})


def test_what_may_be_listed(memory: Memory) -> None:
    with pytest.raises(InvalidInput, match="kind"):
        memory.list(ADA, kind="entity")  # type: ignore[call-overload]  # what people write
    cursor = memory.list(ADA, limit=1).cursor
    assert cursor is not None
    with pytest.raises(InvalidInput, match="a list of facts gave out"):
        memory.list(ADA, kind="fact", cursor=cursor)
    with pytest.raises(InvalidInput, match="a list of operations gave out"):
        memory.operations(ADA, cursor=cursor)


def test_what_is_forgotten_or_erased_is_not_listed(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    memory.forget(home.id, ADA)
    assert "Lisbon" not in objects(memory)
    nuts = only(memory, filter={"object": "hazelnuts"})
    memory.erase(nuts.evidence, ADA)
    memory.settle(30)
    assert "hazelnuts" not in objects(memory)
    assert "hazelnuts" not in objects(memory, known_at=day(3, hours=1))


# Fetching one


def test_an_id_is_a_turns_or_a_facts(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    assert memory.get(home.id, ADA) == home
    assert memory.get(home.id, ADA, kind="fact").object == "Lisbon"
    [said] = home.evidence
    assert memory.get(said, ADA, kind="turn").speaker == "Ada"
    assert isinstance(memory.get(said, ADA), Turn)
    for identity, kind in ((home.id, "turn"), (said, "fact")):
        with pytest.raises(NotFound, match=f"no such {kind} in this scope"):
            memory.get(identity, ADA, kind=kind)  # type: ignore[call-overload]  # not narrowed by the loop
    with pytest.raises(InvalidInput, match="kind"):
        memory.get(said, ADA, kind="entity")  # type: ignore[call-overload]  # what people write
    with pytest.raises(InvalidInput, match="an id is text"):
        memory.get(7, ADA)  # type: ignore[call-overload]  # what people write


def test_a_fact_that_ended_is_fetched_as_it_was_last(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    memory.forget(home.id, ADA)
    gone = memory.get(home.id, ADA, kind="fact")
    assert (gone.object, gone.evidence) == ("Lisbon", home.evidence)
    assert gone.superseded_at is not None


def test_an_erased_fact_is_not_there(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    with pytest.raises(InvalidInput, match="evidence"):
        memory.erase(home.id, ADA)
    assert memory.get(home.id, ADA) == home
    memory.erase(home.evidence, ADA)
    memory.settle(30)
    for call in (
        lambda: memory.get(home.id, ADA),
        lambda: memory.why(home.id, ADA),
        lambda: memory.update(home.id, ADA, text="x"),
        lambda: memory.operations(ADA, fact=home.id),
    ):
        with pytest.raises(NotFound):
            call()


def test_anothers_facts_are_not_there(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    assert memory.erase(home.id, BOB).turns == 0
    for scope in (BOB, Scope("ada", "acme"), Scope.shared()):
        with pytest.raises(NotFound, match="no such turn or fact in this scope"):
            memory.get(home.id, scope)
        with pytest.raises(NotFound, match="no such fact in this scope"):
            memory.why(home.id, scope)
        with pytest.raises(NotFound, match="no such fact in this scope"):
            memory.operations(scope, fact=home.id)
        assert memory.list(scope, kind="fact").items == ()
        assert memory.operations(scope).items == ()
        assert memory.graph(scope).entities == ()


def test_what_a_type_checker_knows(memory: Memory) -> None:
    home = only(memory, filter={"object": "Lisbon"})
    assert_type(memory.get(home.id, ADA), Turn | Fact)
    assert_type(memory.get(home.id, ADA, kind="fact"), Fact)
    assert_type(memory.get(home.evidence[0], ADA, kind="turn"), Turn)
    assert_type(memory.list(ADA), Page[Turn])
    assert_type(memory.list(ADA, kind="fact"), Page[Fact])
    assert_type(memory.list(ADA, kind="fact"), Page[Fact])

    async def look() -> None:
        assert_type(await memory.alist(ADA, kind="fact"), Page[Fact])
        assert_type(await memory.aget(home.id, ADA, kind="fact"), Fact)

    asyncio.run(look())


# Operations


def test_operations_are_listed_newest_first(memory: Memory) -> None:
    done = memory.operations(ADA).items
    assert [one.at for one in done] == sorted((one.at for one in done), reverse=True)
    first = done[-1]
    assert (first.operation, first.target, first.gate) == ("ADD", None, "none")
    assert first.reason
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = memory.operations(ADA, limit=2, cursor=cursor)
        found += [one.id for one in page.items]
        if (cursor := page.cursor) is None:
            break
    assert found == [one.id for one in done]


def test_the_operations_on_a_fact(memory: Memory) -> None:
    home = only(memory, as_of=day(1, hours=1), filter={"object": "Oslo", "attribute": "residence"})
    change, add = memory.operations(ADA, fact=home.id).items
    assert [(one.operation, one.mode) for one in (change, add)] == [("UPDATE", "change"), ("ADD", None)]
    assert change.target == home.id
    assert memory.operations(ADA, fact=home.id, limit=1).items == (change,)
    undone = memory.undo(change.id, ADA)
    assert memory.operations(ADA, fact=home.id).items[0] == undone
    assert memory.operations(ADA, fact=home.id).items[1].undone_by == undone.id
    page = memory.operations(ADA, fact=home.id, limit=2)
    assert [one.id for one in memory.operations(ADA, fact=home.id, cursor=page.cursor).items] == [add.id]


def test_operations_of_what_is_no_fact(memory: Memory) -> None:
    with pytest.raises(NotFound, match="no such fact"):
        memory.operations(ADA, fact=UNKNOWN)
    with pytest.raises(InvalidInput, match="id of a turn"):
        memory.operations(ADA, fact=memory.list(ADA).items[0].id)
    for limit in (0, 1_001, True):
        with pytest.raises(InvalidInput, match="limit"):
            memory.operations(ADA, limit=limit)


# Agents


A, B = Scope("ada", agent_id="a"), Scope("ada", agent_id="b")


@pytest.fixture
def agents() -> Generator[Memory]:
    with opened() as memory:
        tell(memory, "I live in Oslo.", scope=A)
        tell(memory, "I work as a nurse.", scope=B)
        tell(memory, "I am allergic to hazelnuts.")
        yield memory


def test_an_agent_sees_its_own_facts_and_nobodys(agents: Memory) -> None:
    own, others, nobodys = agents.list(ADA, kind="fact").items
    assert [fact.agent_id for fact in (own, others, nobodys)] == ["a", "b", None]
    assert agents.list(A, kind="fact").items == (own, nobodys)
    assert agents.list(ADA, kind="fact", filter={"agent_id": "b"}).items == (others,)
    for fact in (own, nobodys):
        assert agents.why(fact.id, A).fact == agents.get(fact.id, A) == fact
        assert agents.operations(A, fact=fact.id).items
    for call in (
        lambda: agents.get(others.id, A),
        lambda: agents.why(others.id, A),
        lambda: agents.update(others.id, A, text="x"),
        lambda: agents.operations(A, fact=others.id),
        lambda: agents.forget(others.id, A),
    ):
        with pytest.raises(NotFound):
            call()
    assert agents.erase(others.id, A).turns == 0


def test_an_agent_sees_the_operations_on_what_it_sees(agents: Memory) -> None:
    tell(agents, "I live in Oslo.", scope=A)
    mine, theirs = agents.list(ADA, kind="fact").items[:2]
    undone = agents.undo(agents.operations(ADA, fact=theirs.id).items[0].id, B)
    everything = agents.operations(ADA).items
    seen = agents.operations(A).items
    hidden = {one.id for one in agents.operations(ADA).items} - {one.id for one in seen}
    assert undone.id in hidden
    assert all(theirs.id not in (one.fact, one.target) for one in seen)
    assert {mine.id} <= {one.target for one in seen} | {one.fact for one in seen}
    assert len(seen) < len(everything)
    pages: list[str] = []
    cursor: str | None = None
    while True:
        page = agents.operations(A, limit=1, cursor=cursor)
        pages += [one.id for one in page.items]
        if (cursor := page.cursor) is None:
            break
    assert pages == [one.id for one in seen]


def test_two_faces(memory: Memory) -> None:
    async def look() -> None:
        home = only(memory, filter={"object": "Lisbon"})
        assert (await memory.alist(ADA, kind="fact")).items == memory.list(ADA, kind="fact").items
        assert await memory.aget(home.id, ADA) == home
        assert (await memory.awhy(home.id, ADA)).fact == home
        assert (await memory.aoperations(ADA)) == memory.operations(ADA)
        assert (await memory.agraph(ADA)) == memory.graph(ADA)
        done = await memory.aupdate(home.id, ADA, importance=1.0)
        assert (await memory.aundo(done.id, ADA)).undoes == done.id
        assert await memory.aretry_failed() == 0

    asyncio.run(look())


@pytest.mark.parametrize("scope", [None, "ada", {"user_id": "ada"}])
def test_what_is_no_scope_is_refused(memory: Memory, scope: Any) -> None:
    for call in (
        lambda: memory.list(scope, kind="fact"),
        lambda: memory.why(UNKNOWN, scope),
        lambda: memory.update(UNKNOWN, scope, text="x"),
        lambda: memory.undo(UNKNOWN, scope),
        lambda: memory.operations(scope),
        lambda: memory.graph(scope),
    ):
        with pytest.raises(InvalidScope):
            call()


# Searching for one kind, and the graph


def test_a_search_for_one_kind(memory: Memory) -> None:
    asked = "where does Ada live now"
    assert {hit.kind for hit in memory.search(asked, ADA, kind="fact")} == {"fact"}
    assert {hit.kind for hit in memory.search(asked, ADA, kind="turn")} == {"turn"}
    for hit in memory.search(asked, ADA):
        assert memory.get(hit.id, ADA).id == hit.id
    with pytest.raises(InvalidInput, match="kind"):
        memory.search(asked, ADA, kind="entity")  # type: ignore[arg-type]  # what people write


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"hops": 0}, "hops must be 1 to 4"), ({"hops": 5}, "hops"), ({"hops": True}, "hops"), ({"limit": 0}, "limit"),
     ({"name": " "}, "name is empty"), ({"name": 7}, "name must be text"), ({"name": "x" * 301}, "name has 301"),
     ({"as_of": datetime(2026, 1, 1)}, "time zone"), ({"known_at": "now"}, "known_at")],
)  # fmt: skip
def test_what_a_graph_takes(memory: Memory, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        memory.graph(ADA, **arguments)


def test_failed_jobs_are_opened_again_and_run(memory: Memory) -> None:
    assert memory.retry_failed() == 0
    sql = (
        "insert into outbox(owner, seq, kind, state, rows, attempt, available_at, created_at, error_class)"
        " select 1, 1, 'index', 'failed', touched, 5, 0, 0, 'EmbedderUnavailable' from commits where seq = 1"
    )
    memory.core.ledger.submit(lambda connection: connection.execute(sql).fetchall()).result()
    assert [job["state"] for job in memory.doctor()["jobs"]] == ["failed"]
    assert memory.retry_failed() == 1
    memory.settle(30)
    assert memory.doctor()["jobs"] == []
    assert query(memory, "select count(*) from outbox") == [(0,)]


def test_a_graph_around_a_name(memory: Memory) -> None:
    found = memory.graph(ADA, "solveig", hops=1)
    names = {entity.id: entity.name for entity in found.entities}
    said = {(names[one.source], one.type, names[one.target]) for one in found.relations}
    assert ("Solveig", "lives_in", "Bergen") in said
    assert ("Ada", "sibling_of", "Solveig") in said
    for relation in found.relations:
        assert memory.get(relation.fact, ADA, kind="fact").evidence == relation.evidence
    assert len(memory.graph(ADA, limit=1).entities) == 1
    assert memory.graph(ADA, "Nobody").entities == ()
    assert memory.graph(ADA, as_of=day(0)).relations == memory.graph(ADA, known_at=day(0)).relations == ()


def test_a_plan_is_one_from_when_it_was_said(memory: Memory) -> None:
    bob = {"role": "user", "content": "I'm flying to Rome on 3 March 2025.", "name": "Bob"}
    memory.add(bob, BOB, said_at=datetime(2025, 2, 1, tzinfo=UTC))
    between, before = datetime(2025, 2, 15, tzinfo=UTC), datetime(2025, 1, 15, tzinfo=UTC)
    for at, there in ((between, 1), (before, 0)):
        assert len(memory.list(BOB, kind="fact", as_of=at).items) == there
        assert len(memory.search("Rome", BOB, kind="fact", as_of=at)) == there
