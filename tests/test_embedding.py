"""An embedder is somebody else's: called off the loop, within a deadline, its answers checked."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from memgraph import embedding
from memgraph.embedding import Embedder
from memgraph.errors import EmbedderUnavailable
from support.fakes import BlockingEmbeddings, HashEmbeddings, RaisingEmbeddings, hash_vector


class Answering(Embeddings):
    """Answers what it was made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        answer: list[list[float]] = self.answer
        return answer

    def embed_query(self, text: str) -> list[float]:
        answer: list[float] = self.answer
        return answer


async def ask(embedder: Embedder, text: str, timeout: float = 30) -> Any:
    return await embedder.answer(embedder.ask(text), timeout=timeout)


async def test_vectors_are_of_length_one() -> None:
    embedder = Embedder(Answering([[3.0, 4.0], [0.0, 0.0]]), "x", None)
    assert np.array(await embedder.documents(["a", "b"])).tolist() == pytest.approx(np.array([[0.6, 0.8], [0, 0]]))
    assert (await ask(Embedder(Answering([0, 5]), "x", 2), "a")).tolist() == [0, 1]


async def test_each_different_text_is_embedded_once() -> None:
    model = HashEmbeddings()
    embedder = Embedder(model, "x", None)
    vectors = await embedder.documents(["one", "two", "one"])
    assert model.documents == [["one", "two"]]
    assert vectors[0] is vectors[2]
    await embedder.documents(["two", "three"])
    assert model.documents == [["one", "two"], ["three"]]
    assert (await ask(embedder, "one")).tolist() == pytest.approx(hash_vector("one", 64))
    await ask(embedder, "one")
    assert model.queries == ["one"]  # a question is embedded apart from a document of the same words
    assert await embedder.documents([]) == []


async def test_what_is_kept_has_a_limit_and_can_be_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_KEEP", 2)
    model = HashEmbeddings()
    embedder = Embedder(model, "x", None)
    for text in ("one", "two", "one", "three"):  # "two" was used least recently
        await ask(embedder, text)
    await ask(embedder, "one")
    assert model.queries == ["one", "two", "three"]
    await ask(embedder, "two")
    assert model.queries[-1] == "two"
    embedder.forget()
    await ask(embedder, "two")
    assert model.queries[-2:] == ["two", "two"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("words", "no numbers"),
        ([["a"]], "no numbers"),
        ([[1.0], [1.0, 2.0]], "no numbers"),
        (None, "0 vectors for 1 texts"),
        (5.0, "0 vectors for 1 texts"),
        ([1.0, 2.0], "2 vectors for 1 texts"),
        ([], "0 vectors for 1 texts"),
        ([[1.0, 2.0], [1.0, 2.0]], "2 vectors for 1 texts"),
        ([[1.0, 2.0, 3.0]], "dimension 3, expected 2"),
        ([[1.0, float("inf")]], "not finite"),
        ([[float("nan"), 1.0]], "not finite"),
    ],
    ids=repr,
)
async def test_an_answer_that_cannot_be_used(answer: Any, why: str) -> None:
    with pytest.raises(EmbedderUnavailable, match=f"^{why}$"):
        await Embedder(Answering(answer), "x", 2).documents(["text"])


@pytest.mark.parametrize("error", [ValueError("the text itself"), TimeoutError("its own"), OSError(5, "x")])
async def test_of_an_error_only_the_class_is_told(error: Exception) -> None:
    model = RaisingEmbeddings()
    model.error = error
    embedder = Embedder(model, "x", None)
    with pytest.raises(EmbedderUnavailable, match=f"^{type(error).__name__}$") as caught:
        await embedder.documents(["text"])
    assert caught.value.__cause__ is None
    with pytest.raises(EmbedderUnavailable, match=f"^{type(error).__name__}$"):
        await ask(embedder, "text")


async def test_a_question_has_a_deadline_and_documents_a_lane_of_their_own() -> None:
    model = BlockingEmbeddings()
    embedder = Embedder(model, "x", None)
    with pytest.raises(EmbedderUnavailable, match="^deadline$"):
        await ask(embedder, "one", timeout=0.01)
    model.armed = False
    await embedder.documents(["two"])  # while the question still blocks its thread
    model.release()
    assert len(await ask(embedder, "three")) == 64


async def test_a_question_that_nobody_waits_for_any_more_is_not_asked() -> None:
    model = BlockingEmbeddings()
    embedder = Embedder(model, "x", None)
    first = embedder.ask("one")
    while not model.entered.is_set():
        await asyncio.sleep(0)
    with pytest.raises(EmbedderUnavailable):
        await ask(embedder, "two", timeout=0.01)
    model.release()
    await embedder.answer(first, timeout=30)
    await ask(embedder, "three")
    assert model.queries == ["one", "three"]


async def test_documents_that_never_come_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "_DOCUMENTS_S", 0.01)
    model = BlockingEmbeddings()
    with pytest.raises(EmbedderUnavailable, match="^deadline$"):
        await Embedder(model, "x", None).documents(["text"])
    model.release()


async def test_a_lone_surrogate_is_no_trouble() -> None:
    assert len(await ask(Embedder(HashEmbeddings(), "x", None), "\ud800")) == 64


async def test_a_call_that_hangs_keeps_its_thread_and_holds_up_no_other() -> None:
    release = threading.Event()
    entered: list[str] = []

    class HangsOnce(HashEmbeddings):
        def embed_query(self, text: str) -> list[float]:
            entered.append(text)
            if "hang" in text:
                release.wait(60)
            return super().embed_query(text)

    embedder = Embedder(HangsOnce(), "hash", None)
    for number in range(4):
        asked = embedder.ask(f"hang {number}")
        while entered[-1:] != [f"hang {number}"]:
            await asyncio.sleep(0)
        with pytest.raises(EmbedderUnavailable, match="deadline"):
            await embedder.answer(asked, timeout=0.01)
        if number < 3:
            assert (await embedder.answer(embedder.ask(f"a question {number}"), timeout=30)).any()
    with pytest.raises(EmbedderUnavailable, match="TimeoutError"):  # four threads hang: no fifth is given to it
        await embedder.answer(embedder.ask("one more"), timeout=30)
    assert "one more" not in entered
    release.set()
