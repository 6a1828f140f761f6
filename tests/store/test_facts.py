"""Facts as items of `memory.store`: reached by the owner's whole path alone, and read-only but for forgetting."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.store.base import GetOp, ListNamespacesOp, MatchCondition, PutOp, SearchOp

from memgraph import Memory, Scope
from memgraph.errors import InvalidScope, ReadOnlyNamespace
from memgraph.store.facts import namespace, owner
from support.facts import opened, tell, tick
from support.memories import ADA, BOB, written

TOLD = ("I live in Oslo.", "I'm allergic to hazelnuts.")


def objects(found: list[Any]) -> list[str]:
    return [item.value["object"] for item in found]


def test_they_are_listed_and_searched_at_their_owners_path() -> None:
    with opened() as memory:
        tell(memory, *TOLD)
        tell(memory, "I live in Rome.", scope=BOB)
        path = memory.store.facts_namespace(ADA)
        assert path == ("memgraph-facts", "user", "default", "default", "ada")
        assert objects(memory.store.search(path)) == ["hazelnuts", "Oslo"]  # the last believed first
        assert objects(memory.store.search(path, limit=1, offset=1)) == ["Oslo"]
        assert objects(memory.store.search(path, filter={"attribute": "residence"})) == ["Oslo"]
        assert objects(memory.store.search(path, limit=0)) == []
        assert memory.store.list_namespaces(prefix=path) == [path]
        [best, *_] = memory.store.search(path, query="what is Ada allergic to")
        assert (best.value["object"], best.namespace) == ("hazelnuts", path)
        assert isinstance(best.score, float)
        assert objects(memory.store.search(path, query="allergic", filter={"object": "Oslo"}, limit=1)) in (
            [],
            ["Oslo"],
        )


async def test_one_is_read_as_json() -> None:
    with opened() as memory:
        ids = tell(memory, TOLD[0])
        [fact] = memory.list(ADA, kind="fact").items
        item = await memory.store.aget(memory.store.facts_namespace(ADA), fact.id)
        assert item is not None
        assert (item.key, item.created_at, item.updated_at) == (fact.id, fact.recorded_at, fact.recorded_at)
        assert item.value["text"] == fact.text
        assert item.value["evidence"] == ids
        assert item.value["valid_from"] == fact.valid_from.isoformat()
        assert item.value["valid_to"] is None


def test_no_shorter_prefix_reaches_them() -> None:
    with opened() as memory:
        tell(memory, TOLD[0])
        memory.store.put(("a",), "k", {})
        path = memory.store.facts_namespace(ADA)
        for depth in range(len(path)):
            assert [item.key for item in memory.store.search(path[:depth])] == ([] if depth else ["k"])
            assert memory.store.list_namespaces(prefix=path[:depth]) == ([] if depth else [("a",)])
        for pattern in [("*",) * 5, (*path[:4], "*"), ("*", *path[1:])]:
            assert memory.store.list_namespaces(prefix=pattern) == []
        assert memory.store.list_namespaces(suffix=path) == memory.store.list_namespaces(suffix=path[-1:]) == []
        assert memory.store.search((*path, "x")) == memory.store.list_namespaces(prefix=(*path, "x")) == []
        assert memory.store.search((*path[:4], "Ada")) == []
        conditions = (MatchCondition("prefix", path), MatchCondition("suffix", ("bob",)))
        assert memory.store.batch([ListNamespacesOp(conditions)]) == [[]]
        assert memory.store.list_namespaces(prefix=path, max_depth=2) == [path[:2]]


def test_a_team_has_a_path_of_its_own() -> None:
    with opened() as memory:
        team = Scope.shared("acme", "web")
        tell(memory, "I live in Rome.", scope=team)
        tell(memory, TOLD[0], scope=Scope("ada", "acme", "web"))
        path = memory.store.facts_namespace(team)
        assert path == ("memgraph-facts", "shared", "acme", "web")
        assert objects(memory.store.search(path)) == ["Rome"]
        assert memory.store.search(memory.store.facts_namespace(Scope("web", "shared", "acme"))) == []


def test_nothing_is_put_there() -> None:
    with opened() as memory:
        tell(memory, TOLD[0])
        path = memory.store.facts_namespace(ADA)
        [item] = memory.store.search(path)
        for where in (path, path[:1], path[:3], (*path, "x")):
            with pytest.raises(ReadOnlyNamespace, match=r"memory\.add.*memory\.update"):
                memory.store.batch([PutOp(("a",), "k", {}), PutOp(path, item.key, None), PutOp(where, item.key, {})])
        assert memory.store.search(path) == [item]
        assert memory.store.search(()) == []


def test_a_delete_forgets() -> None:
    with opened() as memory:
        tell(memory, *TOLD)
        path = memory.store.facts_namespace(ADA)
        oslo = next(item for item in memory.store.search(path) if item.value["object"] == "Oslo")
        results: Any = memory.store.batch(
            [PutOp(path, oslo.key, None), GetOp(path, oslo.key), SearchOp(path), PutOp(("a",), "k", {})]
        )
        assert [results[0], results[1].key, len(results[2]), results[3]] == [None, oslo.key, 2, None]
        assert memory.store.get(path, oslo.key) is None
        assert objects(memory.store.search(path)) == ["hazelnuts"]
        assert memory.store.get(("a",), "k") is not None
        why = memory.why(oslo.key, ADA)
        assert why.fact.superseded_at is not None  # its history remains
        memory.store.delete(path, oslo.key)  # again: nothing


def test_deletes_of_a_batch_are_one_transaction() -> None:
    with opened() as memory:
        tell(memory, *TOLD)
        memory.settle()
        path = memory.store.facts_namespace(ADA)
        facts = memory.store.search(path)
        with written(memory) as seen:
            memory.store.batch([PutOp(path, item.key, None) for item in facts])
        assert [sql for sql in seen if sql.split()[0] in ("begin", "commit")] == ["begin immediate", "commit"]
        assert memory.store.search(path) == []
        assert {memory.why(item.key, ADA).operations[-1].reason for item in facts} == {"deleted from the store"}


def test_a_delete_that_names_no_fact_of_the_owner_does_nothing() -> None:
    with opened() as memory:
        [turn] = tell(memory, TOLD[0])
        path = memory.store.facts_namespace(ADA)
        [item] = memory.store.search(path)
        bobs = memory.store.facts_namespace(BOB)
        for where, key in [(path, turn), (path, "no id"), (path, ""), (bobs, item.key), (path[:3], item.key)]:
            memory.store.delete(where, key)
            assert memory.store.get(where, key) is None
        assert memory.store.search(path) == [item]
        assert len(memory.list(ADA, kind="turn").items) == 1


def test_what_has_ended_is_not_shown() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.")
        path = memory.store.facts_namespace(ADA)
        [oslo] = memory.store.search(path)
        tell(memory, "I moved from Oslo to Lisbon.")
        tick(memory, days=1)
        assert objects(memory.store.search(path)) == ["Lisbon"]
        assert memory.store.get(path, oslo.key) is None


def test_all_are_there_beyond_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memgraph.store.facts._PAGE", 1)
    with opened() as memory:
        tell(memory, *TOLD)
        path = memory.store.facts_namespace(ADA)
        assert len(memory.store.search(path)) == 2
        first, second = memory.store.search(path, query="who is allergic to nuts")
        assert first.score is not None and second.score is None  # a search ranks so many; the rest follow
        assert memory.store.search(path, query="who is allergic", offset=1) == [second]
        for one in (first, second):
            found = memory.store.search(path, query="anything", filter={"object": one.value["object"]})
            assert [item.key for item in found] == [one.key]
        assert memory.store.get(path, first.key.upper()) is None  # no item has that key


def test_a_fact_that_somebody_else_forgot_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    forget = Memory.aforget

    async def too_late(self: Memory, ids: Any, scope: Any, **options: Any) -> int:
        monkeypatch.setattr(Memory, "aforget", forget)
        await forget(self, oslo.key, ADA)
        return await forget(self, ids, scope, **options)

    with opened() as memory:
        tell(memory, *TOLD)
        path = memory.store.facts_namespace(ADA)
        nuts, oslo = memory.store.search(path)
        monkeypatch.setattr(Memory, "aforget", too_late)
        memory.store.batch([PutOp(path, item.key, None) for item in (nuts, oslo)])
        assert memory.store.search(path) == []


IDS = st.text(st.sampled_from("ab.%2E5é@ "), min_size=1, max_size=6)


@given(st.lists(IDS, min_size=3, max_size=3), st.lists(IDS, min_size=3, max_size=3))
def test_every_owner_has_one_path_and_no_two_the_same(one: list[str], other: list[str]) -> None:
    try:
        first, second = Scope(*one), Scope(*other)
    except InvalidScope:
        return
    assert owner(namespace(first)) == first
    assert not any("." in label for label in namespace(first))
    assert (namespace(first) == namespace(second)) == (one == other)


@given(st.lists(IDS | st.sampled_from(["user", "shared", "%2e", "a%2E"]), max_size=5))
def test_no_path_is_an_owners_in_two_spellings(labels: list[str]) -> None:
    path = ("memgraph-facts", *labels)
    found = owner(path)
    assert found is None or namespace(found) == path
