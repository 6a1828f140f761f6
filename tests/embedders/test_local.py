from __future__ import annotations

import hashlib
import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from memgraph.embedders import local
from memgraph.embedders.local import BATCH_TOKENS, DIMENSIONS, MAX_TOKENS, LocalEmbeddings
from memgraph.errors import EmbedderError, MissingExtra

needs_model = pytest.mark.skipif(not local.available(), reason="the `local` extra is not installed")


class Tokens:
    """A tokenizer that makes a token of each word."""

    def encode(self, text: str) -> Any:
        encoded = Tokens()
        encoded.ids = [101, *(len(word) for word in text.split()), 102][:MAX_TOKENS]
        return encoded

    ids: list[int]


class Network:
    """A network that gives each token a vector made of its id, and keeps the shapes it was given."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def run(self, names: None, feed: dict[str, NDArray[np.int64]]) -> list[NDArray[np.float32]]:
        ids = feed["input_ids"]
        self.shapes.append(ids.shape)
        assert feed["attention_mask"].shape == feed["token_type_ids"].shape == ids.shape
        directions = np.arange(1, DIMENSIONS + 1) ** 0.5
        return [np.cos(ids[..., None] * directions).astype(np.float32)]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> tuple[LocalEmbeddings, Network, list[str]]:
    """The embedder around a fake network; the last item lists what was loaded."""
    network = Network()
    loaded: list[str] = []

    def tokens() -> Tokens:
        loaded.append("tokenizer")
        return Tokens()

    def model() -> Network:
        loaded.append("network")
        return network

    monkeypatch.setattr(local, "available", lambda: True)
    monkeypatch.setattr(local, "_open_tokenizer", tokens)
    monkeypatch.setattr(local, "_open_network", model)
    return LocalEmbeddings(), network, loaded


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "available", lambda: False)
    with pytest.raises(MissingExtra, match=r"langgraph-memory-nodes\[local\]"):
        LocalEmbeddings()


def test_unit_vectors_in_the_order_of_the_texts(fake: tuple[LocalEmbeddings, Network, list[str]]) -> None:
    embedder, _, _ = fake
    texts = ["a bb ccc", "", "a", "dddd " * 30, "a bb ccc"]
    rows = embedder.embed(texts)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(5), abs=1e-6)
    for text, row in zip(texts, rows, strict=True):
        assert embedder.embed_query(text) == pytest.approx(row.tolist(), abs=1e-6)
    assert embedder.embed_documents(texts) == rows.tolist()
    assert embedder.embed([]).shape == (0, DIMENSIONS)
    assert embedder.embed_documents([]) == []


def test_padding_changes_nothing(fake: tuple[LocalEmbeddings, Network, list[str]]) -> None:
    embedder, _, _ = fake
    alone, beside = embedder.embed(["a bb"])[0], embedder.embed(["a bb", "x " * 100])[0]
    assert beside.tolist() == pytest.approx(alone.tolist(), abs=1e-6)


def test_batches_are_bounded_and_of_like_length(fake: tuple[LocalEmbeddings, Network, list[str]]) -> None:
    embedder, network, _ = fake
    embedder.embed([f"{'w ' * (1 + 37 * i % 300)}" for i in range(200)])
    assert sum(rows for rows, _ in network.shapes) == 200
    assert all(rows * width <= BATCH_TOKENS for rows, width in network.shapes)
    assert [width for _, width in network.shapes] == sorted(width for _, width in network.shapes)
    assert network.shapes[-1][1] == MAX_TOKENS


def test_loaded_once_and_late(fake: tuple[LocalEmbeddings, Network, list[str]]) -> None:
    embedder, _, loaded = fake
    assert loaded == []
    threads = [threading.Thread(target=embedder.embed, args=(["a b c"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded == ["tokenizer", "network"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of our own in the place of the model's."""
    folder = tmp_path / "fakemodel"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    good = hashlib.sha256(b"weights").hexdigest()
    monkeypatch.setattr(local, "_FILES", {"model": ("fakemodel", "model.onnx", good)})
    return folder


def test_a_file_is_checked_before_it_is_used(package: Path) -> None:
    with pytest.raises(EmbedderError, match="is missing"):
        local._read_checked("model")  # pyright: ignore[reportPrivateUsage]
    (package / "model.onnx").write_bytes(b"other weights")
    with pytest.raises(EmbedderError, match="is not the expected file"):
        local._read_checked("model")  # pyright: ignore[reportPrivateUsage]
    (package / "model.onnx").write_bytes(b"weights")
    assert local._read_checked("model") == b"weights"  # pyright: ignore[reportPrivateUsage]


def test_a_package_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_FILES", {"model": ("no_such_package_here", "model.onnx", "")})
    assert not local.available()
    with pytest.raises(MissingExtra):
        local._read_checked("model")  # pyright: ignore[reportPrivateUsage]


def test_available_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def find_spec(name: str) -> None:
        asked.append(name)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    assert not local.available()
    assert asked == ["onnxruntime"]


@needs_model
def test_the_real_model_tells_related_from_unrelated() -> None:
    embedder = LocalEmbeddings()
    question, related, unrelated = embedder.embed(
        ["What food should I avoid?", "The user is allergic to peanuts", "The user plays the violin"]
    )
    assert question.shape == (DIMENSIONS,)
    assert question @ related > question @ unrelated + 0.1
    assert np.linalg.norm(question) == pytest.approx(1, abs=1e-5)


@needs_model
def test_the_real_model_takes_any_text() -> None:
    odd = ["", "\0", "\ud800", "\U0001f389" * 50, "\u6211\u4f4f\u5728\u91cc\u65af\u672c", "a " * 500_000, "\u202eabc"]
    rows = LocalEmbeddings().embed(odd)
    assert np.isfinite(rows).all()


@needs_model
def test_the_real_model_gives_a_text_the_same_vector_in_any_company() -> None:
    embedder = LocalEmbeddings()
    alone = embedder.embed(["I moved to Lisbon."])[0]
    beside = embedder.embed(["I moved to Lisbon.", "hi", "one two three " * 60])[0]
    assert beside @ alone == pytest.approx(1, abs=1e-5)
