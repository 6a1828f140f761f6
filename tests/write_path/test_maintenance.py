"""Forgetting, erasing, reindexing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory, Scope
from memgraph.errors import EmbedderMismatch, EmbedderUnavailable, InvalidInput, NotFound, StoreBusy, StoreError
from memgraph.ledger import commits, erasure
from memgraph.write_path.applying import LEXICAL_RECIPE
from support.fakes import HashEmbeddings, RaisingEmbeddings
from support.fixtures import OpenMemory
from support.memories import ADA, BOB, Clock, found, matching, query, texts


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:")


def recipes(memory: Memory) -> list[tuple[Any, ...]]:
    return query(memory, "select e.name, count(*) from vectors v join embedders e using (recipe) group by 1 order by 1")


# Reindexing


class Stop(Exception):
    """Ends a reindexing."""


def fill(memory: Memory) -> None:
    memory.add([f"Ada's number {n}." for n in range(100)], ADA)
    memory.add([f"Bob's number {n}." for n in range(30)], BOB)


def test_another_embedder_is_an_error_that_names_both_and_says_how_to_rebuild(open_memory: OpenMemory) -> None:
    open_memory().close()
    with pytest.raises(EmbedderMismatch, match=r"`hash \(64 dimensions\)`.*`other`.*embedder=None.*memory\.reindex"):
        open_memory(embedder=HashEmbeddings(model="other"))


def test_reindexing_changes_the_embedder(open_memory: OpenMemory) -> None:
    open_memory().close()
    memory = open_memory(embedder=None, plant=False)
    fill(memory)
    other = HashEmbeddings(32, "other")
    seen: list[tuple[int, int]] = []
    assert memory.reindex(other, progress=lambda done, total: seen.append((done, total))) == 131
    assert seen[-1] == (131, 131)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert recipes(memory) == [("other", 131)]  # the others are dropped
    hits = memory.search("Ada's number 7", ADA)
    assert hits.degraded == {}
    assert "dense" in hits[0].arms
    memory.close()
    open_memory(embedder=HashEmbeddings(32, "other"), plant=False).close()
    with pytest.raises(EmbedderMismatch, match=r"`other \(32 dimensions\)`.*`hash`"):
        open_memory(plant=False)


def test_reindexing_can_be_stopped_and_resumed(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    fill(memory)
    other = HashEmbeddings(32, "other")

    def stop(done: int, total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        memory.reindex(other, progress=stop)
    half = found(memory, "Ada's number 7")  # words are found meanwhile
    assert half[0] == "Ada's number 7."
    assert memory.search("number", ADA).degraded == {"dense": "pending 36"}
    before = [*other.documents]
    seen: list[tuple[int, int]] = []
    assert memory.reindex(progress=lambda done, total: seen.append((done, total))) == 66
    assert seen[-1] == (66, 66)
    again = {text for batch in other.documents[len(before) :] for text in batch}
    assert again.isdisjoint(text for batch in before for text in batch if "number" in text)  # what was done is kept
    assert recipes(memory) == [("other", 130)]
    assert memory.search("number", ADA).degraded == {}
    assert memory.search("number", BOB).degraded == {}


def test_reindexing_twice_finds_nothing_to_do(memory: Memory) -> None:
    fill(memory)
    memory.add({"role": "user", "content": [{"type": "image", "url": "https://example.org/a.png"}]}, ADA)
    assert memory.reindex() == 0
    assert memory.doctor()["without_vectors"] == 0


def test_the_same_embedder_by_name_makes_nothing_anew(memory: Memory) -> None:
    fill(memory)
    assert memory.reindex(HashEmbeddings()) == 0
    assert recipes(memory) == [("hash", 131)]


def test_a_failing_embedder_keeps_what_was_done(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    fill(memory)
    broken = RaisingEmbeddings(32, "broken")
    with pytest.raises(EmbedderUnavailable, match="ConnectionError"):
        memory.reindex(broken)
    assert recipes(memory) == [("hash", 130)]  # it was not even put in force
    broken.armed = False

    def stop(done: int, total: int) -> None:
        broken.armed = True

    with pytest.raises(EmbedderUnavailable):
        memory.reindex(broken, progress=stop)
    assert ("broken", 64) in recipes(memory)
    broken.armed = False
    assert memory.reindex() == 66


@pytest.mark.parametrize("embedder", [7, "no colon", object()])
def test_reindexing_with_what_is_no_embedder(memory: Memory, embedder: Any) -> None:
    with pytest.raises(InvalidInput):
        memory.reindex(embedder)


def test_postings_of_an_older_recipe_are_made_anew(memory: Memory) -> None:
    fill(memory)
    memory.core.ledger.submit(lambda c: c.execute("update postings set recipe = 1, terms = x'', words = 0")).result()
    memory.core.cache.held.clear()
    assert matching(memory, "number 7") == []
    assert memory.reindex() == 131
    assert query(memory, "select distinct recipe from postings") == [(LEXICAL_RECIPE,)]
    assert "Ada's number 7." in matching(memory, "number 7")
    assert "Bob's number 7." in matching(memory, "number 7", BOB)


def test_postings_of_facts_are_made_anew_too(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None, plant=False)
    memory.add("I live in Lisbon.", ADA)
    memory.core.ledger.submit(lambda c: c.execute("update postings set recipe = 1, terms = x'', words = 0")).result()
    memory.core.cache.held.clear()
    assert memory.search("who lives there", ADA, kind="fact") == []
    assert memory.reindex() == 2
    assert [hit.text for hit in memory.search("who lives there", ADA, kind="fact")] == ["The user lives in Lisbon."]


def test_without_an_embedder_only_postings_are_made_anew(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None, plant=False)
    memory.add("One.", ADA)
    assert memory.reindex() == 0


# Erasing


def test_a_receipt_counts_by_table(memory: Memory) -> None:
    clock = Clock()
    memory.core.clock = clock
    memory.add(["The word is zygomorphic.", "Yes, twice!"], Scope("ada", session_id="s"), thread_id="t")
    memory.add("And a third.", ADA, thread_id="t")
    memory.search("word", ADA)
    memory.settle()
    receipt = memory.erase({"session_id": "s"}, ADA)
    assert (receipt.turns, receipt.verified, receipt.at) == (2, "queries", clock.at)
    assert (receipt.rows["turns"], receipt.rows["postings"], receipt.rows["vectors"]) == (2, 2, 2)
    assert receipt.rows["places"] == 1
    assert receipt.rebuilt == 0
    tombstones = query(
        memory, "select row from tombstones join owners o using (owner) where o.key = ?", memory.core.owner_key(ADA)
    )
    assert tombstones == [(1,), (2,)]


def test_the_neighbour_is_rebuilt_and_counted(memory: Memory) -> None:
    [first] = memory.add("The word is zygomorphic.", ADA, thread_id="t").ids
    memory.add("Yes, twice!", ADA, thread_id="t")
    receipt = memory.erase(first, ADA)
    assert receipt.rebuilt == 1
    memory.settle()
    assert matching(memory, "zygomorphic") == []
    assert memory.search("twice", ADA).degraded == {}
    assert query(memory, "select count(*) from vectors where before is not null") == [(0,)]


def test_the_chain_of_context_closes_over_the_gap(memory: Memory) -> None:
    ids = memory.add(["One alpha.", "Two beta.", "Three gamma."], ADA, thread_id="t").ids
    memory.erase(ids[1], ADA)
    memory.settle()
    assert set(matching(memory, "alpha")) == {"One alpha.", "Three gamma."}
    assert set(matching(memory, "beta")) == set()


def test_reasons_and_causes_of_what_is_gone_are_cleared(memory: Memory) -> None:
    ids = memory.add(["One.", "Two."], ADA).ids
    memory.forget(ids[0], ADA, reason="it said One.")
    memory.forget(ids[1], ADA, reason="kept")
    memory.erase(ids[0], ADA)
    assert query(memory, "select reason from commits where reason is not null") == [("kept",)]


def test_an_edit_of_what_is_gone_stands_alone(memory: Memory) -> None:
    [old] = memory.add(HumanMessage("Oslo.", id="m"), ADA, thread_id="t").ids
    [new] = memory.add(HumanMessage("Lisbon.", id="m"), ADA, thread_id="t").ids
    memory.erase(old, ADA)
    assert memory.get(new, ADA, kind="turn").replaces is None


def test_waiting_jobs_forget_what_is_gone(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None, plant=False)
    memory.close()
    embedder = RaisingEmbeddings()
    memory = open_memory(":memory:", embedder=embedder, plant=False)
    memory.core.clock = Clock()
    one = memory.add(["One.", "Two."], ADA).ids
    two = memory.add("Three.", ADA).ids
    receipt = memory.erase([one[0], *two], ADA)
    assert receipt.rows["outbox"] == 1  # the second job is left without turns
    rows = [set(commits.unpack(packed)) for (packed,) in query(memory, "select rows from outbox")]
    assert rows == [{2}, {2}]  # what is left of the first, and the turn that lost its context


def test_erasing_by_dates(memory: Memory) -> None:
    clock = Clock()
    memory.core.clock = clock
    memory.add("Old.", ADA, said_at=clock.at - timedelta(days=100))
    memory.add("New.", ADA)
    assert memory.erase({"said_before": clock.at - timedelta(days=30)}, ADA).turns == 1
    assert texts(memory) == ["New."]


def test_a_check_that_finds_something_left_is_an_error(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    [id] = memory.add("One.", ADA).ids
    real = erasure.compact

    def compact(connection: Any, path: str) -> None:
        real(connection, path)
        connection.execute("insert or ignore into vectors select owner, 1, 0, 1, 1, null, x'00' from owners")

    monkeypatch.setattr(erasure, "compact", compact)
    with pytest.raises(StoreError, match=r"could not be verified, rows are left: \{'vectors': 1\}"):
        memory.erase(id, ADA)


def test_a_reader_with_an_old_snapshot_is_told_of(open_memory: OpenMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    import apsw

    memory = open_memory()
    memory.core.ledger.submit(lambda c: c.set_busy_timeout(1), alone=True).result()
    [id] = memory.add("One.", ADA).ids
    reader = apsw.Connection(memory.core.ledger.path)
    reader.execute("begin")
    reader.execute("select count(*) from turns").fetchall()
    again = "erased from every query.*call erase again with the same argument"
    with monkeypatch.context() as patch, pytest.raises(StoreBusy, match=again):
        patch.setattr("memgraph.write_path.maintenance._PATIENCE_S", 0.01)
        memory.erase(id, ADA)
    assert texts(memory) == []
    reader.execute("rollback")
    reader.close()
    assert memory.erase(id, ADA).turns == 0


# Forgetting


def test_forgetting_detaches_the_neighbour(memory: Memory) -> None:
    [first] = memory.add("The word is zygomorphic.", ADA, thread_id="t").ids
    memory.add("Yes, twice!", ADA, thread_id="t")
    memory.forget(first, ADA)
    memory.settle()
    assert matching(memory, "zygomorphic") == []
    assert found(memory, "twice") == ["Yes, twice!"]
    assert memory.search("twice", ADA).degraded == {}


def test_an_agent_forgets_only_what_it_sees(memory: Memory) -> None:
    [planners] = memory.add("The planner's.", Scope("ada", agent_id="planner")).ids
    [everybodys] = memory.add("Everybody's.", ADA).ids
    critic = Scope("ada", agent_id="critic")
    assert memory.erase([planners], critic).turns == 0
    memory.forget(everybodys, critic)
    assert texts(memory) == ["The planner's."]


def test_erasing_an_edited_message_takes_its_earlier_versions(open_memory: OpenMemory) -> None:
    memory = open_memory(plant=False)
    message = "0123456789abcdef"
    [first] = memory.add({"role": "user", "content": "red", "id": message}, ADA, thread_id="t").ids
    [second] = memory.add({"role": "user", "content": "blue", "id": message}, ADA, thread_id="t").ids
    assert memory.erase(second, ADA).turns == 2
    for one in (first, second):
        with pytest.raises(NotFound):
            memory.get(one, ADA)
