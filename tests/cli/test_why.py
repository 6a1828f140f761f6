from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from memgraph import Fact, Memory, MemoryOperation, Scope, Why
from memgraph.cli.facts import show_why
from support.cli import run, succeed
from support.fakes import ScriptedChatModel
from support.fakes import stated as stated_by_model
from support.fixtures import Say

ADA = Scope("ada")
UNKNOWN = "0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11"


@pytest.fixture
def stated(db: Path, say: Say) -> tuple[Path, str, str]:
    """A file in which Ada moved, the id of where she lived, and of the turn that said so."""
    with Memory.open(db, embedder=None, facts=True) as memory:
        said = [
            memory.add({"role": "user", "content": say(text), "name": "Ada"}, ADA)
            for text in ("I live in Oslo.", "I moved from Oslo to Lisbon.")
        ]
        oslo = [one.target for one in memory.operations(ADA).items if one.mode == "change"]
    assert oslo[0] is not None
    return db, oslo[0], said[0].ids[0]


def test_versions_operations_and_words(stated: tuple[Path, str, str]) -> None:
    db, fact, turn = stated
    said = succeed("why", fact, "--user", "ada", "--db", db, COLUMNS="200")
    assert said.out.startswith("Ada lives in Oslo.\nAda, residence: Oslo · state · true since ")
    for part in ("2 versions", "2 operations", "1. Ada lives in Oslo.", "ADD: ", "UPDATE (change): ", "said by", turn):
        assert part in said.out
    assert "gate a" in said.out
    assert "by rules" in said.out
    assert said.err == ""


def test_json_has_every_field(stated: tuple[Path, str, str]) -> None:
    db, fact, turn = stated
    found = succeed("why", fact, "--user", "ada", "--db", db, "--json").json
    assert list(found) == ["fact", "versions", "operations", "turns"]
    assert found["fact"]["id"] == fact
    assert [version["version"] for version in found["versions"]] == [1, 2]
    assert [done["operation"] for done in found["operations"]] == ["ADD", "UPDATE"]
    assert found["turns"][0]["id"] == turn


def test_what_was_undone_and_forgotten_is_shown(stated: tuple[Path, str, str]) -> None:
    db, fact, turn = stated
    with Memory.open(db, embedder=None, facts=False) as memory:
        change = memory.operations(ADA, fact=fact).items[0]
        undone = memory.undo(change.id, ADA)
        memory.update(fact, ADA, confidence=0.1, valid_to="open", reason="her words")
        memory.forget(turn, ADA)
    shown = succeed("why", fact, "--user", "ada", "--db", db, COLUMNS="200").out
    assert f"undone by {undone.id}" in shown
    assert f"undoes {change.id}" in shown
    assert "UPDATE (refine): her words" in shown
    assert "gate caller · by the caller" in shown
    assert "unsure" in shown
    assert "no longer believed since" in shown


def test_what_contradicts_a_fact_is_shown(db: Path, say: Say) -> None:
    with Memory.open(db, embedder=None, facts=True) as memory:
        for text in ("My birthday is 3 May.", "My birthday is 4 June."):
            memory.add({"role": "user", "content": say(text), "name": "Ada"}, ADA)
        may, june = memory.list(ADA, kind="fact").items
    assert f"contradicted by {june.id}" in succeed("why", may.id, "--user", "ada", "--db", db).out
    said = succeed(
        "search", "when is the birthday of Ada", "--kind", "fact", "--user", "ada", "--db", db, COLUMNS="200"
    )
    assert "a fact, true since" in said.out
    assert "contradicted, since" in said.out


def test_what_is_no_fact(stated: tuple[Path, str, str]) -> None:
    db, fact, turn = stated
    assert run("why", UNKNOWN, "--user", "ada", "--db", db).error == "no such fact in this scope"
    assert run("why", fact, "--user", "bob", "--db", db).error == "no such fact in this scope"
    assert "id of a turn" in run("why", turn, "--user", "ada", "--db", db).error
    assert "FACT_ID" in run("why", "--user", "ada", "--db", db).usage
    assert "--user" in run("why", fact, "--db", db).usage


def test_an_erasure_by_a_facts_id_says_what_to_do(stated: tuple[Path, str, str]) -> None:
    db, fact, _ = stated
    assert "evidence" in run("erase", "--id", fact, "--user", "ada", "--yes", "--db", db).error


def test_one_kind_of_hit(stated: tuple[Path, str, str]) -> None:
    db, _, _ = stated

    def kinds(*args: object) -> set[str]:
        hits = succeed("search", "where does Ada live", "--user", "ada", "--db", db, "--json", *args).json["hits"]
        return {hit["kind"] for hit in hits}

    assert kinds("--kind", "turn") == {"turn"}
    assert kinds("--kind", "fact") == {"fact"}
    assert "--kind" in run("search", "x", "--kind", "mood", "--user", "ada", "--db", db).usage


def test_stored_text_never_drives_the_terminal(db: Path, say: Say) -> None:
    with Memory.open(db, embedder=None, facts=True) as memory:
        memory.add({"role": "user", "content": say("I live in Oslo."), "name": "Ada"}, ADA)
        fact = memory.list(ADA, kind="fact").items[0]
        memory.update(fact.id, ADA, text="Ada \x9b31m", object="\u202eOslo", reason="\x9b31m")
    for options in (("list", "--facts"), ("why", fact.id), ("search", "Ada", "--kind", "fact")):
        for form in ((), ("--json",)):
            said = succeed(*options, "--user", "ada", "--db", db, *form)
            assert not set(said.out) & set("\x1b\x9b\u202e")
            assert "\\u009b" in said.out or "\\x9b" in said.out


def test_who_decided_and_whose_it_is_are_shown(db: Path, say: Say) -> None:
    agent = Scope("ada", agent_id="planner")
    with Memory.open(db, embedder=None, model=ScriptedChatModel.of(stated_by_model())) as memory:
        memory.add({"role": "user", "content": say("I live in Oslo."), "name": "Ada"}, agent)
        [fact] = memory.list(agent, kind="fact").items
        [done] = memory.operations(agent).items
    shown = succeed("why", fact.id, "--user", "ada", "--agent", "planner", "--db", db, COLUMNS="300").out
    assert f"by {done.model}, prompt {str(done.prompt)[:12]}" in shown
    assert "agent planner" in shown
    assert (" tokens" in shown) == (done.prompt_tokens is not None)
    assert run("why", fact.id, "--user", "ada", "--agent", "critic", "--db", db).error == "no such fact in this scope"


def test_what_a_tool_said_is_marked() -> None:
    moment = datetime(2026, 3, 14, tzinfo=UTC)
    fact = Fact(
        "f1", "Ada", "residence", "Oslo", "Ada lives in Oslo.", "state", 0.9, 0.5, moment, None, moment, None, 1,
        ("t1",), "tool", None, (), 3,
    )  # fmt: skip
    done = MemoryOperation(
        "o1", "ADD", None, "f1", None, "none", None, ("t1",), "m", "abc", 1_200, 30, moment, 3, None, None
    )
    console = Console(width=200, file=StringIO())
    show_why(Why(fact, (fact,), (done,), ()), console)
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert "state · true since Sat 14 Mar 2026 · from a tool" in shown
    assert "1,200 + 30 tokens" in shown
