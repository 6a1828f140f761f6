"""Search with a question: what is indexed, by which embedder, and how it is scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import PutOp, SearchItem

from memgraph import LedgerStore, Memory, MemoryStore
from memgraph.errors import EmbedderUnavailable, InvalidInput
from support.fakes import FaultyEmbeddings, HashEmbeddings, RaisingEmbeddings, WrongDimension, hash_vector
from support.fixtures import OpenMemory, Say
from support.stores import FACES, OURS, REFERENCE, Faced, Stores, clock, index


@pytest.fixture(params=[(kind, face) for kind in [*OURS, REFERENCE] for face in FACES], ids="-".join)
def store(request: pytest.FixtureRequest, stores: Stores) -> Faced:
    """Each kind of store by each face, with an index."""
    kind, face = request.param
    return Faced(stores.open(kind, index=index()), face, kind)


def order(found: list[SearchItem]) -> list[str]:
    return [item.key for item in found]


ANIMALS = {"cat": "the cat drinks milk", "dog": "a dog barks at night", "fish": "fish swim in the sea"}


def fill(store: Any, **options: Any) -> None:
    for key, text in ANIMALS.items():
        store.put(("animals",), key, {"text": text}, **options)


def test_the_best_answer_comes_first_with_a_score(store: Faced) -> None:
    fill(store)
    for key, text in ANIMALS.items():
        found = store.search(("animals",), query=text)
        assert found[0].key == key
        assert found[0].score > found[1].score >= found[2].score
        assert all(isinstance(item.score, float) and -1 <= item.score <= 1.001 for item in found)


def test_pages_of_an_answer(store: Faced) -> None:
    fill(store)
    whole = order(store.search((), query="milk at night"))
    assert order(store.search((), query="milk at night", limit=2)) == whole[:2]
    assert order(store.search((), query="milk at night", limit=2, offset=1)) == whole[1:]
    assert store.search((), query="milk", offset=9) == []


def test_an_answer_is_filtered_and_stays_under_its_prefix(store: Faced) -> None:
    fill(store)
    store.put(("animalsx",), "twin", {"text": ANIMALS["cat"]})
    assert order(store.search(("animals",), query="cat milk", filter={"text": {"$ne": ANIMALS["cat"]}}))[-1] != "cat"
    assert len(store.search(("animals",), query="cat milk")) == 3
    assert store.search(("nobody",), query="cat milk") == []


def test_an_update_is_found_by_what_it_says_now(store: Faced) -> None:
    store.put(("a",), "k", {"text": "zebras graze"})
    store.put(("a",), "other", {"text": "a quiet evening"})
    before = {item.key: item.score for item in store.search(("a",), query="zebras graze")}
    store.put(("a",), "k", {"text": "trains depart"})
    after = {item.key: item.score for item in store.search(("a",), query="zebras graze")}
    assert after["k"] < before["k"]
    assert order(store.search(("a",), query="trains depart"))[0] == "k"


def test_what_is_put_without_index_is_found_last_and_unscored(store: Faced) -> None:
    fill(store)
    store.put(("animals",), "plain", {"text": ANIMALS["cat"]}, index=False)
    found = store.search(("animals",), query=ANIMALS["cat"])
    assert (found[0].key, found[-1].key, found[-1].score) == ("cat", "plain", None)
    assert store.get(("animals",), "plain").value == {"text": ANIMALS["cat"]}
    store.put(("animals",), "cat", {"text": ANIMALS["cat"]}, index=False)
    if store.is_ours:  # LangGraph's keeps the vector of the value before
        assert {item.key for item in store.search(("animals",), query="cat") if item.score is None} == {"cat", "plain"}


def test_a_put_may_name_other_fields(store: Faced) -> None:
    store.put(("a",), "k", {"title": "whales", "text": "spoons"}, index=["title"])
    store.put(("a",), "l", {"title": "forks", "text": "whales"}, index=["title"])
    assert order(store.search(("a",), query="whales")) == ["k", "l"]


@pytest.mark.parametrize("name", ["fields", "text_fields"])
def test_the_fields_of_an_index(name: str, stores: Stores) -> None:
    store: Any = stores.open("alone", index=index(**{name: ["text", "deep.er"]}))
    store.put(("a",), "text", {"text": "whales", "title": "spoons"})
    store.put(("a",), "deep", {"deep": {"er": "forks"}})
    store.put(("a",), "neither", {"title": "whales and forks"})
    assert order(store.search((), query="whales"))[0] == "text"
    assert order(store.search((), query="forks"))[0] == "deep"
    found = store.search((), query="spoons")
    assert {item.key: item.score is None for item in found} == {"text": False, "deep": False, "neither": True}


@pytest.mark.parametrize(
    "path", ["notes[*].text", "tags[*]", "by.*", "notes[-1].text", "tags[1]", "{tags, by}", "$", "", "by.b"]
)
def test_paths_with_wildcards_take_the_best_of_their_texts(path: str, stores: Stores) -> None:
    store: Any = stores.open("alone", index=index(fields=[path]))
    several = ["spoons and forks", "whales"]
    value = {"notes": [{"text": text} for text in several], "tags": several, "by": {"a": several[0], "b": several[1]}}
    store.put(("a",), "mixed", value)
    store.put(("a",), "other", {"notes": [{"text": "rain"}], "tags": ["rain", "rain"], "by": {"a": "x", "b": "rain"}})
    assert order(store.search(("a",), query="whales")) == ["mixed", "other"]


def test_a_field_that_says_nothing_leaves_the_item_unscored(stores: Stores) -> None:
    embedder = HashEmbeddings()
    store: Any = stores.open("alone", index=index(embed=embedder, fields=["text", "x[*].y"]))
    for key, value in {
        "a": {},
        "b": {"text": ""},
        "c": {"text": None},
        "d": {"x": "no list"},
        "e": {"text": " "},
    }.items():
        store.put(("a",), key, value)
    assert embedder.documents == []
    assert [item.score for item in store.search((), query="anything")] == [None] * 5


def test_words_find_what_meaning_does_not(stores: Stores) -> None:
    def blind(texts: Sequence[str]) -> list[list[float]]:
        return [[1.0, 0.0] for _ in texts]

    store: Any = stores.open("alone", index=index(dims=2, embed=blind, fields=["text"]))
    fill(store)
    store.put(("animals",), "code", {"text": "ticket QX-4417 is open"})
    assert order(store.search((), query="what about QX-4417?"))[0] == "code"


def test_meaning_finds_what_words_do_not(stores: Stores) -> None:
    near = {"feline": [1.0, 0.1], "cat": [1.0, 0.0], "sea": [0.0, 1.0]}

    def meaning(texts: Sequence[str]) -> list[list[float]]:
        return [near[text] for text in texts]

    store: Any = stores.open("alone", index=index(dims=2, embed=meaning, fields=["text"]))
    store.put(("a",), "cat", {"text": "cat"})
    store.put(("a",), "sea", {"text": "sea"})
    assert order(store.search((), query="feline")) == ["cat", "sea"]


def test_a_question_of_stop_words_goes_by_meaning(stores: Stores) -> None:
    store: Any = stores.open("alone", index=index(fields=["text"]))
    fill(store)
    found = store.search((), query="the at in")
    assert len(found) == 3
    assert all(item.score is not None for item in found)


# --- embedders


def plain(texts: Sequence[str]) -> list[list[float]]:
    return [hash_vector(text, 64) for text in texts]


async def waits(texts: Sequence[str]) -> list[list[float]]:
    return plain(texts)


class Called:
    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        return plain(texts)


shorter: Callable[[list[str]], Any] = lambda texts: plain(texts)  # noqa: E731
of_async: Callable[[list[str]], Any] = lambda texts: waits(texts)  # noqa: E731
EMBEDDERS: list[Any] = [HashEmbeddings(), plain, waits, Called(), shorter, of_async]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "embed", EMBEDDERS, ids=["object", "function", "async", "async object", "lambda", "lambda of async"]
)
def test_an_embedder_is_an_object_or_a_function_of_either_kind(embed: Any, face: str, stores: Stores) -> None:
    store = Faced(stores.open("alone", index=index(embed=embed, fields=["text"])), face, "alone")
    fill(store)
    assert order(store.search((), query="barks at night"))[0] == "dog"


@pytest.mark.parametrize("text", ["local", "some:model"])
def test_an_embedder_is_a_text(text: str, monkeypatch: pytest.MonkeyPatch, stores: Stores) -> None:
    from memgraph import embedders
    from memgraph.store import index as item_index

    monkeypatch.setattr(item_index, "resolve", lambda embed: embedders.Resolved(HashEmbeddings(), embed))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    store: Any = stores.open("alone", index={"embed": text, "dims": 64})
    fill(store)
    assert order(store.search((), query="barks at night"))[0] == "dog"


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"dims": 64},
        {"embed": 7},
        {"embed": None},
        {"embed": "no-such-thing"},
        {"embed": plain, "dims": 0},
        {"embed": plain, "dims": "64"},
        {"embed": plain, "fields": "text"},
        {"embed": plain, "fields": [7]},
        {"embed": plain, "feilds": ["text"]},
        {"embed": plain, "distance_type": "l2"},
        [("embed", plain)],
    ],
)
def test_an_index_that_is_malformed_is_refused(config: Any, stores: Stores) -> None:
    with pytest.raises(InvalidInput):
        stores.open("alone", index=config)


def test_an_index_of_a_postgres_store_can_be_taken_along_and_is_shown_as_it_was_given(stores: Stores) -> None:
    given: Any = index(text_fields=["text"], distance_type="cosine")
    store: Any = stores.open("alone", index=given)
    fill(store)
    assert order(store.search((), query="barks at night"))[0] == "dog"
    assert store.index_config is given


@pytest.mark.parametrize("embedder", [RaisingEmbeddings(), WrongDimension()], ids=["raises", "wrong dimension"])
def test_where_the_embedder_fails_nothing_is_written(embedder: FaultyEmbeddings, stores: Stores, say: Say) -> None:
    store: Any = stores.open("alone", index=index(embed=embedder))
    with pytest.raises(EmbedderUnavailable):
        store.batch([PutOp(("a",), "k", {"text": say("something long enough")}), PutOp(("a",), "l", {}, index=False)])
    assert store.search(()) == []
    store.put(("a",), "k", {"text": say("x")}, index=False)
    with pytest.raises(EmbedderUnavailable):
        store.search((), query=say("something"))


def test_a_batch_asks_the_embedder_once_for_all_its_puts(stores: Stores) -> None:
    embedder = HashEmbeddings()
    store: Any = stores.open("alone", index=index(embed=embedder, fields=["a", "b"]))
    store.batch([PutOp(("n",), str(n), {"a": f"text {n % 3}", "b": "same"}) for n in range(6)])
    assert [sorted(batch) for batch in embedder.documents] == [["same", "text 0", "text 1", "text 2"]]


def test_what_an_embedder_can_not_write_reaches_it_mended(stores: Stores) -> None:
    embedder = HashEmbeddings()
    store: Any = stores.open("alone", index=index(embed=embedder, fields=["text"]))
    store.put(("a",), "k", {"text": "cats \ud800 milk"})
    assert embedder.documents == [["cats ? milk"]]
    assert store.get(("a",), "k").value == {"text": "cats \ud800 milk"}
    assert order(store.search((), query="milk \udfff")) == ["k"]


# --- vectors and their items


def rows(store: LedgerStore) -> dict[str, int]:
    ledger = store.home.core.ledger
    tables = ("items", "item_vectors", "namespaces")
    return {
        table: ledger.submit(lambda c, t: c.execute(f"select count(*) from {t}").get, table).result()
        for table in tables
    }


def test_vectors_leave_with_their_item(stores: Stores) -> None:
    store = stores.open("alone", index=index(fields=["tags[*]", "text"]), ttl={"default_ttl": None})
    assert isinstance(store, LedgerStore)
    now = clock(store)
    store.put(("a",), "k", {"tags": ["x", "y"], "text": "z"})
    store.put(("a",), "l", {"tags": ["x"]})
    store.put(("b",), "m", {"tags": ["x"]}, ttl=1)
    assert rows(store) == {"items": 3, "item_vectors": 5, "namespaces": 2}
    store.put(("a",), "k", {"tags": ["x"]})
    assert rows(store) == {"items": 3, "item_vectors": 3, "namespaces": 2}
    store.put(("a",), "k", {"tags": ["x"]}, index=False)
    assert rows(store) == {"items": 3, "item_vectors": 2, "namespaces": 2}
    store.delete(("a",), "l")
    assert rows(store) == {"items": 2, "item_vectors": 1, "namespaces": 2}
    now.tick(minutes=2)
    assert store.sweep_ttl() == 1
    assert rows(store) == {"items": 1, "item_vectors": 0, "namespaces": 1}


def test_vectors_of_another_model_are_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with LedgerStore.from_conn_string(path, index=index(fields=["text"])) as store:
        fill(store)
    other = index(embed=HashEmbeddings(model="another"), fields=["text"])
    with LedgerStore.from_conn_string(path, index=other) as store:
        found = store.search((), query="barks at night")
        assert found[0].key == "dog"  # by its words
        assert [item.score for item in found[1:]] == [0, 0]
        fill(store)
        assert store.search((), query="barks at night")[0].score > found[0].score  # type: ignore[operator]


# --- a memory's store


def test_a_memorys_store_goes_by_the_memorys_embedder(open_memory: OpenMemory) -> None:
    embedder = HashEmbeddings()
    memory = open_memory(embedder=embedder, plant=False)
    fill(memory.store)
    assert order(memory.store.search((), query="barks at night"))[0] == "dog"
    assert "barks at night" in embedder.queries


def test_without_one_it_goes_by_words(open_memory: OpenMemory) -> None:
    store = open_memory(embedder=None).store
    fill(store)
    found = store.search((), query="barks at night")
    assert found[0].key == "dog"
    assert (found[0].score or 0) > 0 == found[1].score


def test_it_can_have_an_index_of_its_own(open_memory: OpenMemory) -> None:
    memory: Memory = open_memory()
    store = MemoryStore(memory, index=index(fields=["title"]), ttl={"default_ttl": 1}, min_prefix=1)
    store.put(("a",), "k", {"title": "whales", "text": "spoons"})
    store.put(("a",), "l", {"title": "spoons", "text": "whales"})
    assert order(store.search(("a",), query="whales")) == ["k", "l"]
    assert memory.store.get(("a",), "k") == store.get(("a",), "k")


def test_items_and_turns_do_not_meet(open_memory: OpenMemory, say: Say) -> None:
    from memgraph import Scope

    memory = open_memory()
    memory.store.put(("ada",), "k", {"text": "whales sing"})
    memory.add(say("I like spoons"), Scope("ada"))
    assert [hit.text for hit in memory.search("whales sing", Scope("ada"), kind="turn")] == [say("I like spoons")]
    assert order(memory.store.search((), query="spoons")) == ["k"]
