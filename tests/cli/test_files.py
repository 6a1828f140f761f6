"""Files that are not there, not ours, locked by a key: one line each, and never a secret in it."""

from __future__ import annotations

import getpass
import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from memgraph import Memory, Scope
from support.cli import Said, run, succeed
from support.fixtures import Say

READING = [
    ("search", "cat", "--user", "ada"),
    ("list", "--user", "ada"),
    ("erase", "--everything", "--yes", "--user", "ada"),
    ("doctor",),
]
ALL = [("add", "hello", "--user", "ada"), *READING]
SECRET = "correct horse battery"


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_reading_makes_no_file(db: Path, command: tuple[str, ...]) -> None:
    assert f"no memory file at `{db}`" in run(*command, "--db", db).error
    assert not db.exists()


@pytest.mark.parametrize("command", ALL, ids=lambda command: command[0])
def test_a_file_that_is_not_ours(db: Path, command: tuple[str, ...]) -> None:
    db.write_text("Dear diary, " * 500)
    assert "is not a memgraph database" in run(*command, "--db", db).error
    db.unlink()
    with apsw.Connection(str(db)) as connection:
        connection.execute("create table theirs(x)")
    connection.close()
    assert "not one of memgraph's" in run(*command, "--db", db).error
    assert "can't be read" in run(*command, "--db", db.parent).error


def test_a_file_of_a_newer_version(db: Path, say: Say) -> None:
    succeed("add", say("hello"), "--user", "ada", "--db", db)
    with apsw.Connection(str(db)) as connection:
        connection.pragma("user_version", 99)
    connection.close()
    assert "upgrade" in run("list", "--user", "ada", "--db", db).error


def test_the_file_is_its_owners_alone(db: Path, say: Say) -> None:
    succeed("add", say("hello"), "--user", "ada", "--db", db)
    assert stat.S_IMODE(db.stat().st_mode) == 0o600


def test_another_embedder_than_the_files(db: Path, say: Say) -> None:
    from support import fakes

    with Memory.open(db, embedder=fakes.HashEmbeddings(model="theirs")) as memory:
        memory.add(say("hello"), Scope("ada"))
    error = run("search", "hello", "--user", "ada", "--db", db, MEMGRAPH_EMBEDDER="local").error
    assert "theirs" in error
    assert succeed("search", "hello", "--user", "ada", "--embedder", "none", "--db", db).out


@pytest.fixture
def locked(db: Path, say: Say) -> Path:
    succeed("add", say("hello"), "--user", "ada", "--db", db, MEMGRAPH_KEY=SECRET)
    assert db.read_bytes()[:15] != b"SQLite format 3"
    return db


def no_secret(said: Said) -> Said:
    assert SECRET not in said.out + said.err
    return said


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_a_key_from_the_environment(locked: Path, command: tuple[str, ...]) -> None:
    assert "key is missing or wrong" in run(*command, "--db", locked).error
    assert "key is missing or wrong" in no_secret(run(*command, "--db", locked, MEMGRAPH_KEY=f"{SECRET}!")).error
    assert no_secret(run(*command, "--db", locked, MEMGRAPH_KEY=SECRET)).code == 0


def test_a_key_that_got_lost_writes_no_plaintext(db: Path) -> None:
    assert "the key is empty" in run("add", "hello", "--user", "ada", "--db", db, MEMGRAPH_KEY="").error
    assert not db.exists()


def test_a_key_for_a_plaintext_file(db: Path, say: Say) -> None:
    succeed("add", say("hello"), "--user", "ada", "--db", db)
    assert no_secret(run("list", "--user", "ada", "--db", db, MEMGRAPH_KEY=SECRET)).error


def test_a_raw_key(db: Path, say: Say) -> None:
    key = bytes(range(32))
    with Memory.open(db, embedder=None, key=key) as memory:
        memory.add(say("hello"), Scope("ada"))
    assert succeed("list", "--user", "ada", "--db", db, MEMGRAPH_KEY_HEX=key.hex()).out
    for wrong in ("xyz", "00"):
        assert wrong not in run("list", "--user", "ada", "--db", db, MEMGRAPH_KEY_HEX=wrong).error.replace(str(db), "")


def typing(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Type these when asked unseen; returns what was asked."""
    asked: list[str] = []
    waiting: Iterator[str] = iter(words)

    def answer(prompt: str = "") -> str:
        asked.append(prompt)
        return next(waiting)

    monkeypatch.setattr(getpass, "getpass", answer)
    return asked


def test_a_key_that_is_asked_for(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = typing(monkeypatch, SECRET)
    no_secret(succeed("list", "--user", "ada", "--ask-key", "--db", locked))
    assert asked == ["Passphrase: "]


def test_the_key_of_a_new_file_is_asked_for_twice(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    args = ("add", say("hello"), "--user", "ada", "--ask-key", "--db", db)
    typing(monkeypatch, SECRET, "another")
    assert "differ" in no_secret(run(*args)).error
    assert not db.exists()
    assert len(typing(monkeypatch, SECRET, SECRET)) == 0
    no_secret(succeed(*args))
    assert succeed("list", "--user", "ada", "--db", db, MEMGRAPH_KEY=SECRET).out


def test_a_key_is_not_asked_for_where_nobody_sits(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fallback(prompt: str = "") -> str:
        import warnings

        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        raise AssertionError("the passphrase would be seen")

    monkeypatch.setattr(getpass, "getpass", fallback)
    assert "MEMGRAPH_KEY" in run("list", "--user", "ada", "--ask-key", "--db", locked).usage
