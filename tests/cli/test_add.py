from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memgraph import Memory, Scope, Turn
from memgraph.cli.messages_file import BATCH
from support import fakes
from support.cli import run, succeed, use_embedder
from support.fixtures import Say

ADA = Scope("ada")


def stored(db: Path, scope: Scope = ADA) -> Sequence[Turn]:
    with Memory.open(db, embedder=None) as memory:
        return memory.list(scope, limit=1000).items


def jsonl(path: Path, messages: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(message) + "\n" for message in messages), encoding="utf-8")
    return path


def test_a_text_is_a_turn_and_its_id_is_printed(db: Path, say: Say) -> None:
    said = succeed("add", say("I moved to Lisbon."), "--user", "ada", "--db", db)
    [turn] = stored(db)
    assert said.out == f"{turn.id}\n"
    assert uuid.UUID(turn.id).version == 7
    assert said.err == ""
    assert (turn.text, turn.role, turn.speaker) == (say("I moved to Lisbon."), "user", "user")


def test_what_is_said_about_a_text_is_kept(db: Path, say: Say) -> None:
    options = "--role assistant --speaker Hal --thread t1 --session s1 --agent hal --org acme --project x".split()
    meta = ["--meta", "n=3", "--meta", "ok=true", "--meta", "x=a=b", "--meta", 'q="3"', "--meta", "list=[1]"]
    succeed("add", say("Noted."), "--user", "ada", "--said-at", "2025-03-31T18:05+02:00", *options, *meta, "--db", db)
    [turn] = stored(db, Scope("ada", "acme", "x"))
    assert (turn.role, turn.speaker, turn.origin) == ("assistant", "Hal", "assistant")
    assert (turn.thread_id, turn.session_id, turn.agent_id) == ("t1", "s1", "hal")
    assert turn.said_at == datetime(2025, 3, 31, 16, 5, tzinfo=UTC)
    assert turn.metadata == {"n": 3, "ok": True, "x": "a=b", "q": "3", "list": "[1]"}


def test_a_date_is_its_first_moment_in_utc(db: Path, say: Say) -> None:
    succeed("add", say("Snow."), "--user", "ada", "--said-at", "2025-01-26", "--db", db)
    assert stored(db)[0].said_at == datetime(2025, 1, 26, tzinfo=UTC)


def test_json_tells_ids_and_what_was_skipped(db: Path, say: Say) -> None:
    args = ("add", say("Hello."), "--thread", "t", "--user", "ada", "--db", db, "--json")
    first, second = succeed(*args).json, succeed(*args).json
    assert list(first) == ["ids", "skipped", "pending", "seq"]
    assert first["ids"] == [stored(db)[0].id]
    assert first["skipped"] == []
    assert second == {"ids": [], "skipped": [{"index": 0, "reason": "known"}], "pending": 0, "seq": first["seq"]}


@pytest.mark.parametrize(("role", "text", "reason"), [("system", "Be brief.", "system"), ("user", " ", "empty")])
def test_why_a_text_is_no_turn_is_told(db: Path, role: str, text: str, reason: str) -> None:
    said = succeed("add", text, "--role", role, "--user", "ada", "--db", db)
    assert said.out == ""
    assert said.err.startswith(f"skipped: {reason}, it ")
    assert stored(db) == ()


def test_a_text_from_stdin_loses_only_the_line_break_that_ends_it(db: Path, say: Say) -> None:
    succeed("add", "-", "--user", "ada", "--db", db, input=say("two\nlines\n") + "\n")
    assert stored(db)[0].text == say("two\nlines\n")


def test_bytes_that_are_no_text_are_flagged(db: Path, say: Say) -> None:
    succeed("add", "-", "--user", "ada", "--db", db, input=say("caf").encode() + b"\xe9")
    assert stored(db)[0].text == say("caf") + "\ufffd"
    assert stored(db)[0].altered


def test_the_teams_memory(db: Path, say: Say) -> None:
    succeed("add", say("We deploy on Fridays."), "--shared", "--org", "acme", "--db", db)
    assert len(stored(db, Scope.shared("acme"))) == 1


def test_a_text_without_quotes_is_refused_and_not_repeated(db: Path, canary: str) -> None:
    said = run("add", "I", "am", canary, "--user", "ada", "--db", db)
    assert "put it in quotes" in said.usage
    assert canary not in said.err
    assert not db.exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--user", "ada"], "missing"),
        (["hello"], "--user: missing"),
        (["hello", "--user", "ada", "--said-at", "yesterday"], "no date"),
        (["hello", "--user", "ada", "--said-at", "2025-01-26T10:00"], "no time zone"),
        (["hello", "--user", "ada", "--meta", "key"], "key=value"),
        (["--file", "x.jsonl", "--user", "ada", "--role", "user"], "themselves"),
        (["hello", "--file", "x.jsonl", "--user", "ada"], "themselves"),
    ],
)
def test_a_wrong_command_line_makes_no_file(db: Path, args: list[str], message: str) -> None:
    assert message in run("add", *args, "--db", db).usage
    assert not db.exists()


def test_what_the_core_refuses_is_one_line(db: Path, say: Say) -> None:
    later = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    assert "more than a day ahead" in run("add", say("x"), "--user", "ada", "--said-at", later, "--db", db).error
    assert "user_id" in run("add", say("x"), "--user", " ada", "--db", db).error
    assert "metadata key" in run("add", say("x"), "--user", "ada", "--meta", "a b=1", "--db", db).error
    assert "no folder" in run("add", say("x"), "--user", "ada", "--db", db.parent / "none" / "m.db").error
    assert "not known" in run("add", say("x"), "--user", "ada", "--embedder", "best", "--db", db).error


# A file of messages


def messages(count: int, say: Say) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": say(f"number {n}"), "id": f"message-of-mine-{n:04}", "said_at": "2025-01-26T19:42Z"}
        for n in range(count)
    ]


def test_a_file_is_added_and_added_again_without_harm(db: Path, tmp_path: Path, say: Say) -> None:
    path = jsonl(tmp_path / "m.jsonl", messages(BATCH + 6, say))
    args = ("add", "--file", path, "--user", "ada", "--db", db)
    assert succeed(*args).out == f"added {BATCH + 6} turns\n"
    again = succeed(*args)
    assert again.out == "added 0 turns\n"
    assert f"skipped {BATCH + 6}: known, is there already (line 1, 2, 3, 4, 5, ...)" in again.err
    turns = stored(db)
    assert [turn.text for turn in turns] == [message["content"] for message in messages(BATCH + 6, say)]
    assert turns[0].said_at == datetime(2025, 1, 26, 19, 42, tzinfo=UTC)


def test_an_interrupted_file_goes_on(db: Path, tmp_path: Path, say: Say) -> None:
    everything = messages(BATCH + 2, say)
    with Memory.open(db, embedder=None) as memory:
        memory.add(everything[:3], ADA)
    said = succeed("add", "--file", jsonl(tmp_path / "m.jsonl", everything), "--user", "ada", "--db", db, "--json")
    assert said.json["skipped"] == [{"line": n, "reason": "known"} for n in (1, 2, 3)]
    assert len(said.json["ids"]) == BATCH - 1
    assert len(stored(db)) == BATCH + 2


def test_messages_without_ids_are_all_kept_and_known_when_the_file_comes_again(
    db: Path, tmp_path: Path, say: Say
) -> None:
    same = [{"role": "user", "content": say("ok")}] * (2 * BATCH + 1)
    args = ("add", "--file", jsonl(tmp_path / "m.jsonl", same), "--user", "ada", "--thread", "t", "--db", db)
    assert len(succeed(*args, "--json").json["ids"]) == len(same)
    assert succeed(*args, "--json").json["ids"] == []
    other = jsonl(tmp_path / "other.jsonl", [*same[:1], {"role": "user", "content": say("another talk")}])
    assert len(succeed("add", "--file", other, "--user", "ada", "--db", db, "--json").json["ids"]) == 2


def test_a_file_is_checked_whole_before_anything_is_stored(db: Path, tmp_path: Path, say: Say, canary: str) -> None:
    good = json.dumps({"role": "user", "content": say("fine")})
    for bad, what in [
        ("{" + canary, "not JSON"),
        (f'"{canary}"', "not a JSON object"),
        (json.dumps({"text": canary}), "is a dict without `role` and `content`"),
        (json.dumps({"role": "user", "content": canary, "said_at": "soon"}), "said_at"),
    ]:
        path = tmp_path / "m.jsonl"
        path.write_text(f"{good}\n\n{bad}\n")
        error = run("add", "--file", path, "--user", "ada", "--db", db).error
        assert f"`{path}`, line 3: " in error
        assert what in error
        assert canary not in error
        assert not db.exists()


def test_a_message_refused_late_names_its_lines(db: Path, tmp_path: Path, say: Say) -> None:
    late = messages(BATCH + 3, say)
    late[-1]["said_at"] = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    error = run("add", "--file", jsonl(tmp_path / "m.jsonl", late), "--user", "ada", "--db", db).error
    assert error.startswith(f"lines {BATCH + 1} to {BATCH + 3}: message 2: ")
    assert len(stored(db)) == BATCH


def test_a_file_that_can_not_be_read(db: Path, tmp_path: Path) -> None:
    assert "can't read" in run("add", "--file", tmp_path / "none.jsonl", "--user", "ada", "--db", db).error
    assert "can't read" in run("add", "--file", tmp_path, "--user", "ada", "--db", db).error


def test_an_empty_file_adds_nothing(db: Path, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "m.jsonl", [])
    assert succeed("add", "--file", path, "--user", "ada", "--db", db).out == "added 0 turns\n"


def test_turns_that_wait_for_their_vectors_are_told_of(db: Path, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    use_embedder(monkeypatch, fakes.RaisingEmbeddings())
    said = succeed("add", say("Hello."), "--user", "ada", "--db", db)
    assert "warning: indexing was put off" in said.err
    assert "warning: 1 turn found by words only" in said.err
    assert len(said.out.split()) == 1
