"""`memgraph.agents` as a package: the tools need no `langchain`, the middleware says how to get it."""

from __future__ import annotations

import sys

import pytest

import memgraph.agents
from memgraph.errors import MissingExtra


def test_without_langchain_the_middleware_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "memgraph.agents.middleware", raising=False)
    for name in [name for name in sys.modules if name.partition(".")[0] == "langchain"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "langchain", None)
    with pytest.raises(MissingExtra, match=r"pip install \"langgraph-memory-nodes\[agents\]\""):
        _ = memgraph.agents.MemoryMiddleware
    assert len(memgraph.agents.memory_tools()) == 3


def test_another_missing_module_is_not_blamed_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "memgraph.agents.middleware", raising=False)
    monkeypatch.setitem(sys.modules, "memgraph.nodes.remember", None)
    with pytest.raises(ModuleNotFoundError, match="remember"):
        _ = memgraph.agents.MemoryMiddleware


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        memgraph.agents.no_such_name  # noqa: B018  # asking is the test
