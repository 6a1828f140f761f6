from __future__ import annotations

from pathlib import Path

import pytest

from memgraph import Entity, Graph, Memory, Relation, Scope
from support.cli import run, succeed
from support.fixtures import Say
from support.memories import NOW

GRAPH = Graph(
    (
        Entity("e1", "Ada", "person", (), ()),
        Entity("e2", "Solveig", "person", ("Sol\x1bveig",), ("o1",)),
        Entity("e3", "Bergen", "place", (), ()),
    ),
    (
        Relation("e1", "sibling_of", "e2", "f1", NOW, None, ("t1",)),
        Relation("e2", "lives_in", "e3", "f2", NOW, NOW, ("t1",)),
    ),
)


@pytest.fixture
def full(db: Path, say: Say) -> Path:
    with Memory.open(db, embedder=None, facts=True) as memory:
        message = {"role": "user", "content": say("My sister Solveig lives in Bergen."), "name": "Ada"}
        memory.add(message, Scope("ada"))
    return db


def test_entities_and_their_relations(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def graph(self: Memory, *args: object, **options: object) -> Graph:
        asked.append((args, options))
        return GRAPH

    monkeypatch.setattr(Memory, "graph", graph)
    said = succeed("graph", "Solveig", "--user", "ada", "--hops", "1", "--db", full, COLUMNS="200")
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines == [
        "Ada person",
        "└── sibling_of Solveig true since Sat 14 Mar 2026, 09:26 f1",
        "Solveig person, also Sol\\u001bveig",
        "└── lives_in Bergen true since Sat 14 Mar 2026, 09:26, until Sat 14 Mar 2026, 09:26 f2",
        "Bergen place",
    ]
    assert asked == [
        ((Scope("ada"), "Solveig"), {"hops": 1, "limit": 50, "as_of": None, "known_at": None}),
    ]
    found = succeed("graph", "--user", "ada", "--db", full, "--json").json
    assert list(found) == ["entities", "relations"]
    assert found["relations"][0]["type"] == "sibling_of"


def test_a_graph_of_the_file(full: Path) -> None:
    found = succeed("graph", "--user", "ada", "--db", full, "--json").json
    assert list(found) == ["entities", "relations"]
    said = succeed("graph", "--user", "bob", "--db", full)
    assert (said.out, said.err) == ("", "nothing there for bob\n")
    said = succeed("graph", "Nobody", "--user", "ada", "--as-of", "2025-01-01", "--db", full)
    assert (said.out, said.err) == ("", "nothing there for ada around `Nobody`\n")


def test_a_wrong_command_line(full: Path) -> None:
    assert "--hops" in run("graph", "--hops", "5", "--user", "ada", "--db", full).usage
    assert "--as-of" in run("graph", "--as-of", "soon", "--user", "ada", "--db", full).usage
    assert "--user" in run("graph", "--db", full).usage
    assert "name is empty" in run("graph", " ", "--user", "ada", "--db", full).error
