from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from memgraph import Memory, Scope
from support.cli import run, succeed
from support.fixtures import Say


@pytest.fixture
def full(db: Path, say: Say) -> Path:
    """A file with five turns."""
    with Memory.open(db, embedder=None) as memory:
        memory.add([("user", say(f"number {n}")) for n in range(5)], Scope("ada"))
    return db


def test_pages(full: Path, say: Say) -> None:
    first = succeed("list", "--user", "ada", "-n", "2", "--db", full, "--json").json
    assert list(first) == ["turns", "cursor"]
    assert [turn["text"] for turn in first["turns"]] == [say("number 0"), say("number 1")]
    rest = succeed("list", "--user", "ada", "--cursor", first["cursor"], "--all", "-n", "2", "--db", full, "--json")
    assert [turn["text"] for turn in rest.json["turns"]] == [say(f"number {n}") for n in (2, 3, 4)]
    assert rest.json["cursor"] is None


def test_a_person_is_told_how_to_go_on(full: Path, say: Say) -> None:
    said = succeed("list", "--user", "ada", "-n", "2", "--db", full)
    assert "number 1" in said.out
    assert "number 2" not in said.out
    assert said.err.startswith("2 turns; go on with --cursor ")
    rest = succeed("list", "--user", "ada", "--cursor", said.err.split()[-1], "--db", full)
    assert "number 2" in rest.out
    assert rest.err == "3 turns, no more\n"
    assert succeed("list", "--user", "bob", "--db", full).err == "nothing there for bob\n"


def test_all_pages(full: Path) -> None:
    said = succeed("list", "--user", "ada", "-n", "2", "--all", "--db", full)
    assert [f"number {n}" in said.out for n in range(5)] == [True] * 5
    assert said.err == "5 turns, no more\n"


def test_what_is_no_longer_believed_is_shown_as_such(full: Path) -> None:
    with Memory.open(full, embedder=None) as memory:
        turn = memory.list(Scope("ada")).items[0]
        memory.forget(turn.id, Scope("ada"))
        now = datetime.now(UTC).isoformat()
    assert "number 0" not in succeed("list", "--user", "ada", "--db", full).out
    before = turn.recorded_at.isoformat()
    said = succeed("list", "--user", "ada", "--known-at", before, "--db", full, COLUMNS="200")
    assert "no longer believed since" in said.out
    assert "number 0" not in succeed("list", "--user", "ada", "--known-at", now, "--db", full).out


def test_a_filter(full: Path) -> None:
    assert succeed("list", "--user", "ada", "--role", "assistant", "--db", full, "--json").json["turns"] == []


@pytest.fixture
def stated(db: Path, say: Say) -> Path:
    """A file with two turns, and two facts of them."""
    with Memory.open(db, embedder=None, facts=True) as memory:
        for text in ("I live in Oslo.", "I am allergic to hazelnuts."):
            memory.add({"role": "user", "content": say(text), "name": "Ada"}, Scope("ada"))
    return db


def test_facts(stated: Path) -> None:
    found = succeed("list", "--facts", "--user", "ada", "--db", stated, "--json").json
    assert list(found) == ["facts", "cursor"]
    assert [fact["object"] for fact in found["facts"]] == ["Oslo", "hazelnuts"]
    said = succeed("list", "--facts", "--user", "ada", "--db", stated, "-n", "1", COLUMNS="200")
    assert said.out.startswith("Ada lives in Oslo.\n    Ada, residence: Oslo · state · true since ")
    assert found["facts"][0]["id"] in said.out
    assert said.err.startswith("1 fact; go on with --cursor ")
    rest = succeed("list", "--facts", "--user", "ada", "--cursor", said.err.split()[-1], "--db", stated)
    assert "hazelnuts" in rest.out
    assert rest.err == "1 fact, no more\n"


def test_facts_of_a_sort(stated: Path) -> None:
    def objects(*args: object) -> list[str]:
        found = succeed("list", "--facts", "--user", "ada", "--db", stated, "--json", *args).json["facts"]
        return [fact["object"] for fact in found]

    assert objects("--attribute", "allergy") == ["hazelnuts"]
    assert objects("--about", "Ada", "--attribute", "residence") == ["Oslo"]
    assert objects("--about", "Bob") == []
    assert objects("--as-of", "2020-01-01") == objects("--known-at", "2020-01-01") == []
    assert (
        "attribute must be one of"
        in run("list", "--facts", "--attribute", "shoes", "--user", "ada", "--db", stated).error
    )


def test_options_of_turns_and_of_facts_do_not_go_together(stated: Path) -> None:
    assert "lists facts" in run("list", "--facts", "--speaker", "Ada", "--user", "ada", "--db", stated).usage
    assert "add --facts" in run("list", "--about", "Ada", "--user", "ada", "--db", stated).usage


def test_a_fact_that_is_no_longer_believed(stated: Path) -> None:
    with Memory.open(stated, embedder=None) as memory:
        fact = memory.list(Scope("ada"), kind="fact").items[0]
        memory.forget(fact.id, Scope("ada"))
    then = fact.recorded_at.isoformat()
    said = succeed("list", "--facts", "--user", "ada", "--known-at", then, "--db", stated, COLUMNS="200")
    assert "believed since" in said.out
    assert ", until " in said.out


def test_a_cursor_of_ones_own(full: Path) -> None:
    assert "cursor" in run("list", "--user", "ada", "--cursor", "x", "--db", full).error
