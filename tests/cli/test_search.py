from __future__ import annotations

from pathlib import Path

import pytest

from memgraph import Memory, Scope
from support import fakes
from support.cli import run, succeed, use_embedder
from support.fixtures import Say


@pytest.fixture
def full(db: Path, say: Say) -> Path:
    """A file with turns of Ada and of her team."""
    with Memory.open(db, embedder=None) as memory:
        for day, name, text in [(1, "Ada", "The cat is grey."), (5, "Bo", "My cat is red."), (9, "Ada", "Rain.")]:
            message = {"role": "user", "name": name, "content": say(text), "said_at": f"2025-03-0{day}T12:00Z"}
            memory.add(message, Scope("ada", session_id=f"s{day}"), thread_id=f"t{day}", metadata={"day": day})
        memory.add({"role": "user", "content": say("The team's cat is black.")}, Scope.shared())
        memory.add({"role": "user", "content": say("Bob's cat is blue.")}, Scope("bob"))
    return db


def texts(*args: object) -> list[str]:
    return [hit["text"].rsplit(" ", 1)[0] for hit in succeed("search", *args, "--user", "ada", "--json").json["hits"]]


def test_hits_are_cards_with_dates(full: Path, say: Say) -> None:
    said = succeed("search", "grey", "cat", "--user", "ada", "--db", full)
    assert said.out.startswith(" 1. Ada (user)  Sat 1 Mar 2025, 12:00 UTC\n    The cat is grey.")
    assert "thread t1 · session s1" in said.out
    assert "why:" not in said.out
    assert said.err == ""


def test_why_shows_arms_ranks_and_scores(full: Path) -> None:
    said = succeed("search", "grey cat", "--user", "ada", "--db", full, "--why", COLUMNS="200")
    assert "why: lexical 1st (" in said.out
    assert "; score " in said.out


def test_json_has_every_field_of_a_hit(full: Path) -> None:
    found = succeed("search", "grey cat", "--user", "ada", "--db", full, "--json").json
    assert list(found) == ["hits", "degraded", "trace_id"]
    hit = found["hits"][0]
    assert hit["said_at"] == "2025-03-01T12:00:00+00:00"
    assert hit["arms"]["lexical"]["rank"] == 1
    assert {"id", "kind", "speaker", "score", "boosts", "evidence", "thread_id", "session_id"} <= set(hit)


def test_filters(full: Path) -> None:
    grey, red = "The cat is grey.", "My cat is red."
    assert set(texts("cat", "--db", full)) >= {grey, red}
    assert texts("cat", "--db", full, "-n", "1") == texts("cat", "--db", full)[:1]
    assert texts("cat", "--speaker", "Bo", "--db", full) == [red]
    assert texts("cat", "--session", "s1", "--db", full) == [grey]
    assert texts("cat", "--thread", "t5", "--db", full) == [red]
    assert texts("cat", "--until", "2025-03-05", "--db", full) == [grey]
    assert red in texts("cat", "--since", "2025-03-05T00:00Z", "--db", full)
    assert grey not in texts("cat", "--since", "2025-03-05T00:00Z", "--db", full)
    assert texts("cat", "--meta", "day=1", "--db", full) == [grey]
    assert texts("cat", "--meta", "day=one", "--db", full) == []
    assert texts("cat", "--role", "assistant", "--db", full) == []
    assert texts("cat", "--as-of", "2025-03-02", "--db", full) == [grey]
    assert texts("cat", "--known-at", "2020-01-01", "--db", full) == []


def test_the_team_is_searched_only_on_request(full: Path) -> None:
    black = "The team's cat is black."
    assert black not in texts("cat", "--db", full)
    assert black in texts("cat", "--include-shared", "--db", full)
    [hit] = succeed("search", "cat", "--shared", "--db", full, "--json").json["hits"]
    assert hit["text"].startswith(black)


def test_finding_nothing_is_no_error(full: Path) -> None:
    said = succeed("search", "cat", "--user", "nobody", "--db", full)
    assert (said.out, said.err) == ("", "nothing found for nobody\n")
    assert succeed("search", "cat", "--user", "nobody", "--db", full, "--json").json["hits"] == []


def test_a_missing_arm_is_told_of(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = fakes.RaisingEmbeddings(armed=False)
    use_embedder(monkeypatch, embedder)
    succeed("add", say("The cat is grey."), "--user", "ada", "--db", db)
    embedder.armed = True
    said = succeed("search", "grey cat", "--user", "ada", "--db", db)
    assert "warning: the dense arm took no full part" in said.err
    assert "The cat is grey." in said.out


def test_long_turns_are_cut_unless_asked_for_whole(db: Path, say: Say) -> None:
    succeed("add", say("word " * 200 + "end"), "--user", "ada", "--db", db)
    assert " …" in succeed("search", "word", "--user", "ada", "--db", db).out
    whole = succeed("search", "word", "--user", "ada", "--db", db, "--full").out
    assert " …" not in whole
    assert "end" in whole


NASTY = "\x1b]0;title\x07 \x9b31m red \u202eevil\u202c \x00 \U000e0041 \r over"


@pytest.mark.parametrize("option", ["--full", "--why", "--json"])
def test_stored_text_never_drives_the_terminal(db: Path, say: Say, option: str) -> None:
    with Memory.open(db, embedder=None) as memory:
        message = {"role": "user", "name": "Ada\x1b[31m", "content": say(f"cat {NASTY}")}
        memory.add(message, Scope("ada"))
    said = succeed("search", "cat", "--user", "ada", "--db", db, option)
    assert not set(said.out) & set("\x1b\x07\x9b\u202e\u202c\x00\U000e0041\r")
    assert "\\u001b" in said.out
    if option == "--json":
        assert said.json["hits"][0]["text"] == say(f"cat {NASTY}")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "QUERY"),
        (["cat", "--user", "ada", "--limit", "0"], "--limit"),
        (["cat", "--user", "ada", "--since", "soon"], "--since"),
        (["cat", "--user", "ada", "--until", "2025-03-05T10:00"], "no time zone"),
        (["cat", "--user", "ada", "--meta", "=1"], "key=value"),
        (["cat"], "--user"),
    ],
)
def test_a_wrong_command_line(full: Path, args: list[str], message: str) -> None:
    assert message in run("search", *args, "--db", full).usage


def test_a_malformed_filter_is_one_line(full: Path) -> None:
    assert "metadata.a b" in run("search", "cat", "--user", "ada", "--meta", "a b=1", "--db", full).error
