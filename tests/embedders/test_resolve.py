from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from memgraph import embedders
from memgraph.embedders import local, resolve
from memgraph.errors import EmbedderError, InvalidInput, MissingExtra
from support.fakes import HashEmbeddings


class Named(HashEmbeddings):
    """An embedder that says its model in another attribute."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(model="")
        vars(self).update(attributes)


@pytest.fixture
def langchain(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A stand-in for LangChain's initialiser; tests set what it does."""
    module = ModuleType("langchain.embeddings")
    monkeypatch.setitem(sys.modules, "langchain", ModuleType("langchain"))
    monkeypatch.setitem(sys.modules, "langchain.embeddings", module)
    return module


def test_none() -> None:
    assert resolve(None) == (None, None)


def test_an_object_and_its_name() -> None:
    embedder = HashEmbeddings(model="my-model")
    assert resolve(embedder) == (embedder, "my-model")
    assert resolve(Named(model_name="other")).name == "other"
    assert resolve(Named(model_id="third", model_name=7)).name == "third"
    assert resolve(Named()).name == "Named"


def test_what_is_no_embedder() -> None:
    with pytest.raises(InvalidInput, match="not `int`"):
        resolve(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "remote", "openai:", ":small"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(InvalidInput, match="provider:model"):
        resolve(text)


def test_a_provider(langchain: ModuleType) -> None:
    made = HashEmbeddings()
    asked: list[str] = []

    def init_embeddings(model: str) -> HashEmbeddings:
        asked.append(model)
        return made

    langchain.init_embeddings = init_embeddings  # type: ignore[attr-defined]
    assert resolve("openai:text-embedding-3-small") == (made, "openai:text-embedding-3-small")
    assert asked == ["openai:text-embedding-3-small"]


def test_without_langchain(langchain: ModuleType) -> None:
    with pytest.raises(MissingExtra, match=r"langgraph-memory-nodes\[all\]"):
        resolve("openai:small")


def test_without_the_provider(langchain: ModuleType) -> None:
    def init_embeddings(model: str) -> HashEmbeddings:
        raise ImportError("langchain_openai")

    langchain.init_embeddings = init_embeddings  # type: ignore[attr-defined]
    with pytest.raises(MissingExtra, match=r"langgraph-memory-nodes\[openai\]"):
        resolve("openai:small")


def test_a_provider_that_fails(langchain: ModuleType) -> None:
    def init_embeddings(model: str) -> HashEmbeddings:
        raise RuntimeError("key sk-secret is wrong")

    langchain.init_embeddings = init_embeddings  # type: ignore[attr-defined]
    with pytest.raises(EmbedderError, match="openai:small") as caught:
        resolve("openai:small")
    assert "sk-secret" not in str(caught.value)


def test_local_without_its_extra_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(local, "available", lambda: False)
    monkeypatch.setattr(embedders, "_warned", set[str]())
    with caplog.at_level(logging.WARNING, logger="memgraph"):
        assert resolve("local") == (None, None)
        assert resolve("local") == (None, None)
    assert len(caplog.records) == 1
    assert 'pip install "langgraph-memory-nodes[local]"' in caplog.text


def test_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "available", lambda: True)
    found = resolve("local")
    assert isinstance(found.embeddings, local.LocalEmbeddings)
    assert found.name == local.MODEL_NAME
