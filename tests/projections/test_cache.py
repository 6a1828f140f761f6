"""What is appended to an owner's index as commits arrive equals what a fresh load gives, whatever happened."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph import Memory, Scope
from memgraph.projections.cache import IndexCache, OwnerIndex
from memgraph.projections.postings import term_hash
from memgraph.projections.tokenizer import tokenize
from memgraph.records import OPEN
from support.fakes import BlockingEmbeddings, HashEmbeddings, hash_vector
from support.fixtures import OpenMemory
from support.memories import ADA, BOB, found, matching, on_loop, query, statements, texts

COLUMNS = ("rows", "said_at", "recorded_at", "superseded_at", "place", "sitting", "words", "flags")
SAID = [
    "Yes.",
    "Where is the boat moored now?",
    "In Trieste, beside the old lighthouse.",
    "Thanks, and who looks after it?",
    " ".join(f"The captain told story number {n} about the storm." for n in range(40)),  # long: passages
]
QUERIES = ["boat lighthouse Trieste", "captain storm story", "thanks yes", "who", "a lot"]


def fresh(memory: Memory, scope: Scope) -> OwnerIndex:
    """Load an owner's index anew, on the side."""
    core = memory.core

    def load() -> OwnerIndex:
        index = IndexCache(1 << 30).get(core.ledger.reader, core.owner_key(scope), core.vectors)
        assert index is not None
        return index

    return on_loop(memory, load)


def kept(memory: Memory, scope: Scope) -> OwnerIndex:
    """Bring the memory's own cached index up to date, as a search does."""
    core = memory.core

    def get() -> OwnerIndex:
        index = core.cache.get(core.ledger.reader, core.owner_key(scope), core.vectors)
        assert index is not None
        return index

    return on_loop(memory, get)


def assert_same(one: OwnerIndex, other: OwnerIndex, pepper: bytes) -> None:
    for column in COLUMNS:
        assert getattr(one, column).tolist() == getattr(other, column).tolist(), column
    assert [one.speakers[n] for n in one.speaker] == [other.speakers[n] for n in other.speaker]
    assert {n: one.places[n] for n in set(one.place.tolist())} == {
        n: other.places[n] for n in set(other.place.tolist())
    }
    assert (one.seq, one.all_believed, len(one)) == (other.seq, other.all_believed, len(other))
    for text in QUERIES:
        hashes = np.array(sorted({term_hash(pepper, term) for term in tokenize(text)}), np.uint64)
        np.testing.assert_allclose(one.postings.scores(hashes), other.postings.scores(hashes), rtol=1e-5)
        if one.vectors is not None and other.vectors is not None:
            vector = np.array(hash_vector(text, 64), np.float32)
            np.testing.assert_allclose(one.vectors.scores(vector), other.vectors.scores(vector), rtol=1e-5, atol=1e-6)
    assert (one.vectors is None) is (other.vectors is None)


@pytest.fixture(scope="module")
def one_memory() -> Iterator[Memory]:
    with Memory.open(":memory:", embedder=HashEmbeddings()) as memory:
        yield memory


ADDS = st.tuples(
    st.just("add"),
    st.lists(st.tuples(st.sampled_from(SAID), st.sampled_from([None, "1", "2"])), min_size=1, max_size=3),
    st.sampled_from([None, "t", "u"]),
    st.sampled_from([None, 0, 7 * 3600, -3600]),
    st.booleans(),
)
STEPS = st.lists(
    ADDS | ADDS | ADDS | st.tuples(st.sampled_from(["forget", "erase", "search", "settle"]), st.integers(0, 20)),
    max_size=10,
)
_users = count()


@settings(max_examples=60)
@given(STEPS)
def test_catching_up_equals_loading(one_memory: Memory, steps: list[tuple[Any, ...]]) -> None:
    memory, scope = one_memory, Scope(f"user{next(_users)}")
    ids: list[str] = []
    for step in steps:
        match step:
            case ("add", messages, thread, shift, background):
                at = memory.core.clock() // 1_000_000 + (shift or 0) if shift is not None else None
                handed = [
                    {"role": "user", "content": text, "id": id}
                    | ({} if at is None else {"said_at": f"{np.datetime64(at, 's')}+00:00"})
                    for text, id in messages
                ]
                place = None if thread is None else f"{scope.user_id}-{thread}"
                ids += memory.add(handed, scope, thread_id=place, background=background).ids
            case ("erase", int() as number) if ids:
                memory.erase(ids[number % len(ids)], scope)
            case ("forget", int() as number) if ids:
                believed = memory.list(scope).items
                if believed:
                    memory.forget(believed[number % len(believed)].id, scope)
            case ("settle", _):
                memory.settle()
            case _:
                memory.search("boat", scope)
    if ids:
        memory.settle()
        assert_same(kept(memory, scope), fresh(memory, scope), memory.core.ledger.pepper)


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    return open_memory(":memory:", plant=False)


def test_an_append_reads_what_is_new_and_loads_nothing(memory: Memory) -> None:
    memory.add([f"Turn {n}." for n in range(20)], ADA)
    memory.search("turn", ADA)
    index = kept(memory, ADA)
    memory.add("Turn 20.", ADA)
    with statements(memory) as seen:
        assert len(memory.search("turn", ADA, limit=50)) == 21
    assert not any("from turns t join postings" in sql and "carray" not in sql for sql in seen)
    assert kept(memory, ADA) is index
    assert_same(index, fresh(memory, ADA), memory.core.ledger.pepper)


def test_another_handles_write_is_seen(open_memory: OpenMemory) -> None:
    one, other = open_memory(), open_memory(plant=False)
    one.add("I live in Oslo.", ADA)
    assert found(other, "where do I live") == ["I live in Oslo."]
    one.add("I live in Lisbon.", ADA)
    assert sorted(found(other, "where do I live")) == ["I live in Lisbon.", "I live in Oslo."]
    other.forget(other.list(ADA).items[0].id, ADA)
    assert found(one, "where do I live") == ["I live in Lisbon."]


def test_pairs_are_shared_by_both_turns(memory: Memory) -> None:
    memory.add(["Where is the boat?", "In Trieste.", "Thanks."], ADA, thread_id="t")
    index = kept(memory, ADA)
    assert index.vectors is not None
    pairs = ["Where is the boat?", "Where is the boat?\nIn Trieste.", "In Trieste.\nThanks."]
    own = np.array([hash_vector(text, 64) for text in pairs], np.float32)
    expected = np.stack([(own[0] + own[1]) / 2, (own[1] + own[2]) / 2, own[2]])
    question = np.array(hash_vector("boat trieste", 64), np.float32)
    np.testing.assert_allclose(index.vectors.scores(question), expected @ question, atol=2e-3)


def test_short_turns_are_found_by_the_words_of_the_turn_before(memory: Memory) -> None:
    memory.add(["Did you ever see a zygomorphic flower?", "Yes, twice!"], ADA, thread_id="t")
    assert set(matching(memory, "zygomorphic")) == {"Did you ever see a zygomorphic flower?", "Yes, twice!"}


def test_long_turns_take_no_context(memory: Memory) -> None:
    long = "word " * 120
    memory.add(["A zygomorphic flower.", long], ADA, thread_id="t")
    assert matching(memory, "zygomorphic") == ["A zygomorphic flower."]


def test_another_thread_is_no_context(memory: Memory) -> None:
    memory.add("A zygomorphic flower.", ADA, thread_id="t")
    memory.add("Yes, twice!", ADA, thread_id="u")
    assert matching(memory, "zygomorphic") == ["A zygomorphic flower."]


def test_what_was_forgotten_speaks_no_more_through_the_turn_before(memory: Memory) -> None:
    """The pair (1, 2) belongs to turn 2: when 2 is withdrawn, turn 1 is as if 2 had never been said."""
    memory.add("Where is the boat?", ADA, thread_id="t")
    alone = kept(memory, ADA)
    assert alone.vectors is not None
    question = np.array(hash_vector("Trieste", 64), np.float32)
    before = alone.vectors.scores(question)[0]
    memory.forget(memory.add("In Trieste.", ADA, thread_id="t").ids, ADA)
    memory.settle()
    again = kept(memory, ADA)
    assert again.vectors is not None
    assert again.vectors.scores(question)[0] == pytest.approx(before, abs=1e-6)


def test_the_least_recently_used_are_dropped_beyond_the_limit(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", plant=False)
    users = [Scope(f"u{n}") for n in range(6)]
    for user in users:
        memory.add([f"Turn {n}." for n in range(10)], user)
        memory.search("turn", user)
    cache = memory.core.cache
    size = max(kept(memory, user).nbytes for user in users)
    cache.held.clear()
    cache.held.limit = 3 * size
    for user in users:
        memory.search("turn", user)
    assert cache.held.nbytes <= cache.held.limit

    def loads(user: Scope) -> bool:
        with statements(memory) as seen:
            assert len(memory.search("turn", user)) == 10
        return any("order by t.row" in sql and "carray" not in sql for sql in seen)

    assert not loads(users[5])
    assert not loads(users[4])
    assert loads(users[0])


def test_one_owner_larger_than_the_limit_is_served(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", cache_bytes=0)
    memory.add(["I live in Lisbon.", "The cat sleeps."], ADA)
    memory.add("Bob's own.", BOB)
    assert found(memory, "Lisbon")[0] == "The user lives in Lisbon."
    assert found(memory, "own", BOB) == ["Bob's own."]
    assert len(found(memory, "cat")) == 2


def test_an_erased_session_is_in_no_part_of_its_neighbours(memory: Memory) -> None:
    """Its unique word stood in the part of the next turn, too."""
    memory.add("The code word is zygomorphic.", Scope("ada", session_id="secret"), thread_id="t")
    memory.add({"role": "user", "content": "Keep it to yourself."}, Scope("ada", session_id="secret"), thread_id="t")
    memory.add("Yes, twice!", ADA, thread_id="t")
    memory.erase({"session_id": "secret"}, ADA)
    memory.settle()
    for reopened in (False, True):
        if reopened:
            memory.core.cache.held.clear()
        assert matching(memory, "zygomorphic") == []
        assert texts(memory) == ["Yes, twice!"]


def test_a_neighbours_part_is_rebuilt_when_its_context_is_erased_or_replaced(memory: Memory) -> None:
    memory.add({"role": "user", "content": "It is zygomorphic.", "id": "1"}, ADA, thread_id="t")
    memory.add({"role": "user", "content": "Yes, twice!", "id": "2"}, ADA, thread_id="t")
    assert len(matching(memory, "zygomorphic")) == 2
    memory.add({"role": "user", "content": "It is a daisy.", "id": "1"}, ADA, thread_id="t")
    memory.settle()
    assert matching(memory, "zygomorphic") == []
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)
    index = kept(memory, ADA)
    assert index.vectors is not None
    believed = index.superseded_at == OPEN
    assert index.vectors.known()[believed].all()


def test_the_turn_after_is_found_however_far_away(open_memory: OpenMemory) -> None:
    """Conversations interleave: 300 turns of another thread lie between a turn and the one after it."""
    embedder = BlockingEmbeddings(armed=False)
    memory = open_memory(":memory:", plant=False, embedder=embedder)
    first = memory.add("Where is the boat?", ADA, thread_id="t").ids
    memory.add("In Trieste.", ADA, thread_id="t")
    memory.add([f"Turn {n} of another talk." for n in range(300)], ADA, thread_id="u")
    memory.add("Thanks a lot.", ADA, thread_id="t")
    embedder.armed = True
    memory.erase(first, ADA)
    kept(memory, ADA)
    embedder.release()
    memory.settle()  # "In Trieste." is embedded again, without its context
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)


def test_passages_of_a_long_turn_are_appended_and_replaced(memory: Memory) -> None:
    memory.add("Where is the boat?", ADA, thread_id="t")
    kept(memory, ADA)
    memory.add({"role": "user", "content": SAID[4], "id": "1"}, ADA, thread_id="t")
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)
    assert query(memory, "select max(part) from vectors") > [(0,)]
    memory.add("And then?", ADA, thread_id="t")
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)
    memory.add({"role": "user", "content": "Never mind.", "id": "1"}, ADA, thread_id="t")
    memory.settle()
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)


def test_words_alone_have_no_vectors_to_keep(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:", embedder=None, plant=False)
    memory.add("One.", ADA)
    assert kept(memory, ADA).vectors is None
    memory.add("Two.", ADA)
    assert_same(kept(memory, ADA), fresh(memory, ADA), memory.core.ledger.pepper)
