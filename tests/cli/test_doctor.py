from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memgraph import Memory, Scope
from memgraph.cli.doctor import examine
from memgraph.embedders import local
from support import fakes
from support.cli import run, succeed
from support.fixtures import OpenMemory, Say

NAMES = ["file", "schema", "engine", "turns", "facts", "store", "embedder", "vectors", "jobs", "pages"]


@pytest.fixture
def small(db: Path, say: Say) -> Path:
    with Memory.open(db, embedder=None) as memory:
        added = memory.add([("user", say("One.")), ("user", say("Two."))], Scope("ada"))
        memory.forget(added.ids[0], Scope("ada"))
        memory.settle(30)
    return db


def states(db: Path, *args: object) -> dict[str, str]:
    said = run("doctor", "--db", db, "--json", *args)
    return {check["name"]: check["state"] for check in said.json["checks"]}


def test_a_sound_file(small: Path) -> None:
    said = succeed("doctor", "--db", small)
    assert [line.split()[:2] for line in said.out.splitlines()] == [["✓", name] for name in NAMES]
    assert "1 turn of 1 owner, 1 replaced or forgotten, 0 erased" in said.out
    assert "0 items in 0 namespaces" in said.out
    assert "--deep" in said.out
    assert "every page is sound" in succeed("doctor", "--deep", "--db", small).out


def test_the_stores_items_are_counted(small: Path) -> None:
    with Memory.open(small, embedder=None) as memory:
        for key in ("a", "b"):
            memory.store.put(("recipes",), key, {})
    assert "2 items in 1 namespace" in succeed("doctor", "--db", small, COLUMNS="200").out


def test_json(small: Path) -> None:
    found = succeed("doctor", "--deep", "--db", small, "--json").json
    assert list(found) == ["ok", "checks", "file"]
    assert found["ok"] is True
    assert [check["name"] for check in found["checks"]] == NAMES
    assert found["file"]["counts"]["turns"] == 2
    assert found["file"]["integrity"] == []


def test_a_file_of_another_embedder(open_memory: OpenMemory, db: Path, say: Say) -> None:
    memory = open_memory(db, embedder=fakes.HashEmbeddings(model="theirs"))
    memory.close()
    said = succeed("doctor", "--db", db, MEMGRAPH_EMBEDDER="local")
    assert "theirs, 64 dimensions" in said.out


def test_looking_leaves_waiting_jobs_waiting(open_memory: OpenMemory, db: Path, say: Say) -> None:
    embedder = fakes.RaisingEmbeddings()
    memory = open_memory(db, embedder=embedder, plant=False)
    memory.add(say("Hello."), Scope("ada"))
    memory.close()
    for _ in range(2):
        said = succeed("doctor", "--db", db)
        assert "! jobs       1 waiting" in said.out
        assert "! vectors    1 turn without" in said.out
    succeed("list", "--user", "ada", "--db", db)
    assert succeed("add", say("Again."), "--user", "ada", "--db", db, "--json").json["pending"] == 1
    embedder.armed = False
    memory = open_memory(db, embedder=embedder, plant=False)
    memory.settle(30)
    memory.close()
    assert set(states(db).values()) == {"ok"}


def test_a_failed_job_is_wrong(small: Path) -> None:
    with Memory.open(small, embedder=None) as memory:
        found = dict(memory.doctor())
    found["jobs"] = [
        {"state": "failed", "error": "EmbedderUnavailable: it raised", "count": 2},
        {"state": "ready", "error": None, "count": 3},
    ]
    [jobs] = [check for check in examine(found) if check.name == "jobs"]
    detail = "2 jobs failed for good (EmbedderUnavailable: it raised), 3 waiting; --retry opens them again"
    assert jobs == ("jobs", "fail", detail)


def test_facts_and_the_graph_are_counted(db: Path, say: Say) -> None:
    with Memory.open(db, embedder=None, facts=True) as memory:
        for text in ("I live in Oslo.", "I moved from Oslo to Lisbon.", "I am allergic to hazelnuts."):
            memory.add({"role": "user", "content": say(text), "name": "Ada"}, Scope("ada"))
        memory.forget(memory.list(Scope("ada"), kind="fact").items[0].id, Scope("ada"))
    counts = succeed("doctor", "--db", db, "--json").json["file"]["counts"]
    assert {name: counts[name] for name in ("facts", "facts_believed", "fact_versions", "operations")} == {
        "facts": 3, "facts_believed": 2, "fact_versions": 4, "operations": 4,
    }  # fmt: skip
    assert {"entities", "relations"} <= set(counts)
    shown = succeed("doctor", "--db", db, COLUMNS="200").out
    assert "facts      2 facts, 1 no longer believed, 4 versions, 4 operations; graph: " in shown


def test_failed_jobs_are_opened_again(db: Path, say: Say) -> None:
    model = fakes.ScriptedChatModel.of("Sure!", "Sure!")
    with Memory.open(db, embedder=None, model=model, facts=True) as memory:
        memory.add({"role": "user", "content": say("I live in Oslo."), "name": "Ada"}, Scope("ada"))
    said = run("doctor", "--db", db, COLUMNS="200")
    assert said.code == 1
    assert "✗ jobs       1 job failed for good (ModelOutputInvalid), 0 waiting; --retry opens them again" in said.out
    said = succeed("doctor", "--retry", "--db", db)
    assert said.err == "1 failed job opened again\n"
    assert "! jobs       1 waiting" in succeed("doctor", "--db", db, COLUMNS="200").out
    assert succeed("doctor", "--retry", "--db", db).err == "no job had failed\n"
    with Memory.open(db, embedder=None, facts=True) as memory:
        memory.settle(30)
        assert [fact.object for fact in memory.list(Scope("ada"), kind="fact").items] == ["Oslo"]
    assert states(db)["jobs"] == "ok"


def test_what_is_wrong_makes_the_exit_code_1(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(self: Memory, *, deep: bool = False) -> dict[str, Any]:
        return {**healthy, "integrity": ["row 3 missing from index"]}

    with Memory.open(small, embedder=None) as memory:
        healthy = memory.doctor()
    monkeypatch.setattr(Memory, "doctor", damaged)
    said = run("doctor", "--db", small)
    assert said.code == 1
    assert "✗ pages      1 fault" in said.out
    assert run("doctor", "--db", small, "--json").json["ok"] is False


def test_an_engine_without_ciphers_and_an_embedder_that_is_not_installed(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "available", lambda: False)
    with Memory.open(small, embedder=None) as memory:
        found = dict(memory.doctor())
    found["sqlite"] = {"sqlite": "3.53.0", "ciphers": None}
    found["embedder"] = {"name": local.MODEL_NAME, "dims": None}
    by_name = {check.name: check for check in examine(found)}
    assert by_name["engine"].state == "warn"
    assert by_name["embedder"].state == "warn"
    assert 'pip install "langgraph-memory-nodes[local]"' in by_name["embedder"].detail
