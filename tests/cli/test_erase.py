from __future__ import annotations

from pathlib import Path

import pytest

from memgraph import Memory, Scope
from memgraph.cli import erase
from support import fakes
from support.cli import run, succeed, use_embedder
from support.fixtures import Say

ADA = Scope("ada")


@pytest.fixture
def full(db: Path, say: Say) -> Path:
    """A file with three turns of Ada, each of a thread and session of its own."""
    with Memory.open(db, embedder=None) as memory:
        for n in range(3):
            memory.add(say(f"number {n}"), Scope("ada", session_id=f"s{n}"), thread_id=f"t{n}")
    return db


def left(db: Path) -> list[str]:
    with Memory.open(db, embedder=None) as memory:
        return [turn.text.split()[1] for turn in memory.list(ADA).items]


def ids(db: Path) -> list[str]:
    with Memory.open(db, embedder=None) as memory:
        return [turn.id for turn in memory.list(ADA).items]


def test_it_asks_first(full: Path) -> None:
    said = run("erase", "--thread", "t1", "--user", "ada", "--db", full, input="n\n")
    assert (said.code, said.out) == (1, "")
    assert "Erase 1 turn of ada, with all earlier versions? There is no undo" in said.err
    assert said.err.endswith("nothing was erased\n")
    assert left(full) == ["0", "1", "2"]


def test_without_an_answer_nothing_is_erased(full: Path) -> None:
    said = run("erase", "--everything", "--user", "ada", "--db", full)
    assert said.code == 1
    assert "Erase 3 turns of ada" in said.err
    assert left(full) == ["0", "1", "2"]


def test_the_receipt(full: Path) -> None:
    said = succeed("erase", "--thread", "t1", "--user", "ada", "--db", full, input="y\n")
    assert said.out.startswith("erased 1 turn\n")
    assert "verified by queries" in said.out
    assert "rows of postings" in said.out
    assert left(full) == ["0", "2"]


def test_the_receipt_as_json_keeps_stdout_for_itself(full: Path) -> None:
    said = succeed("erase", "--session-id", "s0", "--user", "ada", "--db", full, "--json", input="y\n")
    assert {"turns", "rows", "rebuilt", "seq", "at", "verified"} == set(said.json)
    assert said.json["turns"] == 1
    assert said.json["verified"] == "queries"
    assert left(full) == ["1", "2"]


def test_several_ids(full: Path) -> None:
    first, _, last = ids(full)
    said = succeed("erase", "--id", first, "--id", last, "--user", "ada", "--db", full, input="y\n")
    assert "Erase 2 turns" in said.err
    assert left(full) == ["1"]


def test_everything_of_one_user(full: Path, say: Say) -> None:
    succeed("add", say("Bob's own"), "--user", "bob", "--db", full)
    assert succeed("erase", "--everything", "--user", "ada", "--yes", "--db", full, "--json").json["turns"] == 3
    assert left(full) == []
    assert len(succeed("list", "--user", "bob", "--db", full, "--json").json["turns"]) == 1


def test_erasing_again_finds_nothing(full: Path) -> None:
    args = ("erase", "--thread", "t1", "--user", "ada", "--yes", "--db", full)
    succeed(*args)
    assert succeed(*args).out.startswith("erased 0 turns\n")


@pytest.mark.parametrize(
    "what",
    [
        [],
        ["--thread", "t1", "--everything"],
        ["--thread", "t1", "--session-id", "s1"],
        ["--id", "x", "--everything"],
    ],
)
def test_what_to_erase_is_said_in_exactly_one_way(full: Path, what: list[str]) -> None:
    assert "in one way" in run("erase", *what, "--user", "ada", "--yes", "--db", full).usage
    assert left(full) == ["0", "1", "2"]


def test_a_session_can_not_be_mistaken_for_what_narrows_everything(full: Path) -> None:
    said = run("erase", "--everything", "--session", "s1", "--user", "ada", "--yes", "--db", full)
    assert "--session-id" in said.usage
    assert left(full) == ["0", "1", "2"]


def test_neighbours_are_indexed_anew_before_it_returns(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = fakes.HashEmbeddings()
    use_embedder(monkeypatch, embedder)
    with Memory.open(db, embedder=embedder) as memory:
        added = memory.add([("user", say("Short one.")), ("user", say("Another."))], ADA, thread_id="t")
    before = embedder.calls
    said = succeed("erase", "--id", added.ids[0], "--user", "ada", "--yes", "--db", db, "--json")
    assert said.json["rebuilt"] == 1
    assert embedder.calls == before + 1
    with Memory.open(db, embedder=embedder) as memory:
        assert memory.doctor()["without_vectors"] == 0


def test_neighbours_that_must_wait_are_told_of(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = fakes.RaisingEmbeddings(armed=False)
    use_embedder(monkeypatch, embedder)
    monkeypatch.setattr(erase, "_PATIENCE_S", 0.05)
    with Memory.open(db, embedder=embedder) as memory:
        added = memory.add([("user", say("Short one.")), ("user", say("Another."))], ADA, thread_id="t")
    embedder.armed = True
    said = succeed("erase", "--id", added.ids[0], "--user", "ada", "--yes", "--db", db)
    assert "not indexed anew yet" in said.err
