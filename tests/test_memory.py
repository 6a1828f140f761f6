"""The contract of a memory, over every kind of file."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import apsw
import pytest

from memgraph import Memory, Scope
from memgraph.errors import (
    EmbedderMismatch,
    EncryptionUnavailable,
    InvalidFilter,
    InvalidInput,
    InvalidScope,
    NotAMemoryFile,
    NotFound,
    ScopeDenied,
    StoreBusy,
    StoreClosed,
    StoreTooNew,
)
from memgraph.memory import MAX_LIMIT
from support.fakes import BlockingEmbeddings, HashEmbeddings
from support.fixtures import OpenMemory, Say
from support.memories import ADA, BOB, KINDS, NOW, RAW_KEY, Clock, found, matching, place, query, texts

UNKNOWN = str(uuid4())
NAIVE = datetime(2026, 1, 1)
AHEAD = NOW + timedelta(days=1, seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def memory(request: pytest.FixtureRequest, open_memory: OpenMemory, tmp_path: Path, clock: Clock) -> Memory:
    path, options = place(request.param, tmp_path)
    opened = open_memory(path, **options)
    opened.core.clock = clock
    return opened


# Kept word for word, found with a reason


def test_a_turn_is_kept_whole(memory: Memory) -> None:
    said = NOW - timedelta(days=3)
    added = memory.add(
        {"role": "user", "content": "I moved to Lisbon.", "name": "Ada", "id": "m1", "metadata": {"mood": "glad"}},
        Scope("ada", session_id="s1", agent_id="bot"),
        said_at=said,
        thread_id="monday",
        metadata={"channel": "web"},
    )
    turn = memory.get(added.ids[0], ADA, kind="turn")
    assert (turn.text, turn.role, turn.speaker, turn.origin) == ("I moved to Lisbon.", "user", "Ada", "user")
    assert (turn.thread_id, turn.session_id, turn.agent_id, turn.message_id) == ("monday", "s1", "bot", "m1")
    assert (turn.said_at, turn.recorded_at, turn.superseded_at) == (said, NOW, None)
    assert turn.metadata == {"mood": "glad", "channel": "web"}
    assert (turn.replaces, list(turn.parts), turn.altered, turn.seq) == (None, [], False, added.seq - 0)
    assert memory.list(ADA).items == (turn,)


def test_a_hit_says_why(memory: Memory) -> None:
    memory.add(["I moved to Lisbon.", "The cat sleeps."], ADA, thread_id="monday")
    hits = memory.search("who moved to Lisbon", ADA, kind="turn")
    first = hits[0]
    assert (first.text, first.kind, first.thread_id, first.role) == ("I moved to Lisbon.", "turn", "monday", "user")
    assert first.evidence == (first.id,)
    assert (first.valid_from, first.valid_to, first.said_at) == (NOW, None, NOW)
    assert first.arms["lexical"].rank == first.arms["dense"].rank == 1
    assert first.arms["lexical"].score > 0
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert hits.degraded == {}


def test_limits_and_order(memory: Memory) -> None:
    memory.add([f"Fig number {n}." for n in range(12)], ADA)
    assert len(memory.search("figs", ADA)) == 10
    assert len(memory.search("figs", ADA, limit=3)) == 3
    assert len(memory.search("figs", ADA, limit=MAX_LIMIT)) == 12


def test_an_empty_memory_answers(memory: Memory) -> None:
    hits = memory.search("anything", ADA)
    assert (hits, hits.degraded, hits.seq) == ([], {}, 0)
    assert memory.list(ADA).items == ()
    assert memory.erase("everything", ADA).turns == 0
    assert memory.search(" \n", ADA) == []


def test_the_seq_grows_with_every_commit_of_the_owner(memory: Memory) -> None:
    first = memory.add("One.", ADA)
    second = memory.add("Two.", ADA)
    assert first.owner == second.owner != memory.add("One.", BOB).owner
    assert second.seq > first.seq
    assert memory.search("one", ADA).seq >= second.seq
    commits = query(
        memory, "select c.seq from commits c join owners o using(owner) where o.key = ?", memory.core.owner_key(ADA)
    )
    assert [seq for (seq,) in commits] == list(range(1, len(commits) + 1))  # without a gap


# Time


def test_as_of_reads_what_had_been_said(memory: Memory) -> None:
    memory.add("I live in Oslo.", ADA, said_at=NOW - timedelta(days=400))
    memory.add("I live in Lisbon.", ADA, said_at=NOW - timedelta(days=4))
    then = NOW - timedelta(days=30)
    assert texts(memory, as_of=then) == found(memory, "where do I live", as_of=then) == ["I live in Oslo."]
    assert len(texts(memory)) == 2


def test_known_at_reads_what_was_believed(memory: Memory, clock: Clock) -> None:
    [old] = memory.add({"role": "user", "content": "I live in Oslo.", "id": "m"}, ADA, thread_id="t").ids
    first = clock.at
    clock.tick()
    memory.add({"role": "user", "content": "I live in Lisbon.", "id": "m"}, ADA, thread_id="t")
    second = clock.at
    clock.tick()
    memory.forget(memory.list(ADA).items[0].id, ADA)
    expected = {
        first - timedelta(seconds=1): [],
        first: ["I live in Oslo."],
        second: ["I live in Lisbon."],
        clock.at: [],
    }
    for moment, believed in expected.items():
        assert texts(memory, known_at=moment) == believed
        assert found(memory, "where do I live", known_at=moment) == believed
    assert texts(memory) == found(memory, "where do I live") == []
    assert memory.get(old, ADA).superseded_at == second


def test_a_turn_has_no_end_of_validity_though_belief_ended(memory: Memory, clock: Clock) -> None:
    [id] = memory.add("I live in Oslo.", ADA).ids
    before = clock.at
    clock.tick()
    memory.forget(id, ADA)
    [hit] = memory.search("Oslo", ADA, known_at=before)
    assert hit.valid_to is None


@pytest.mark.parametrize("name", ["as_of", "known_at"])
def test_naive_times_are_refused(memory: Memory, name: str) -> None:
    options: dict[str, Any] = {name: datetime(2026, 1, 1)}
    with pytest.raises(InvalidInput, match=f"{name} .* has no time zone"):
        memory.search("x", ADA, **options)
    with pytest.raises(InvalidInput, match=f"{name} .* has no time zone"):
        memory.list(ADA, **options)


def test_times_of_any_zone_and_year(memory: Memory) -> None:
    years = [datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 7, 20, 20, 17, tzinfo=UTC)]
    memory.add([{"role": "user", "content": f"In {t.year}.", "said_at": t} for t in years], ADA)
    assert [turn.said_at for turn in memory.list(ADA).items] == years


# Pages and filters


def test_pages_end_and_lose_nothing(memory: Memory) -> None:
    memory.add([f"Turn {n}." for n in range(7)], ADA)
    seen: list[str] = []
    cursor = None
    sizes: list[int] = []
    while True:
        page = memory.list(ADA, limit=3, cursor=cursor)
        sizes.append(len(page.items))
        seen += [turn.text for turn in page.items]
        memory.add("Meanwhile.", BOB)
        if (cursor := page.cursor) is None:
            break
    assert (sizes, seen) == ([3, 3, 1], [f"Turn {n}." for n in range(7)])
    assert memory.list(ADA, limit=7).cursor is None


def test_what_is_added_while_paging_comes_at_the_end(memory: Memory) -> None:
    memory.add(["One.", "Two."], ADA)
    page = memory.list(ADA, limit=1)
    memory.add("Three.", ADA)
    assert [turn.text for turn in memory.list(ADA, cursor=page.cursor).items] == ["Two.", "Three."]


@pytest.mark.parametrize(
    "cursor", ["", "x", "r1", "\ud800", base64.urlsafe_b64encode(b"r-1").decode(), "cjE=x" * 9, 7, b"cjE="]
)
def test_a_cursor_that_list_did_not_give_out(memory: Memory, cursor: Any) -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        memory.list(ADA, cursor=cursor)


def _fill(memory: Memory) -> None:
    early, late = NOW - timedelta(days=9), NOW - timedelta(days=1)
    memory.add(
        {
            "role": "user",
            "content": "fig a",
            "name": "Ada",
            "said_at": early,
            "metadata": {"n": 1, "ok": True, "s": "x"},
        },
        Scope("ada", session_id="s1", agent_id="a1"),
        thread_id="t1",
    )
    memory.add(
        {
            "role": "assistant",
            "content": "fig b",
            "id": "m2",
            "said_at": late,
            "metadata": {"n": 1.5, "ok": None, "s": "1"},
        },
        Scope("ada", session_id="s2"),
        thread_id="t2",
    )
    memory.add({"role": "tool", "content": "fig c", "said_at": late, "metadata": {"n": "1", "s": 'it\'s "x"'}}, ADA)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        ({}, "abc"),
        ({"speaker": "Ada"}, "a"),
        ({"speaker": "ada"}, ""),
        ({"role": "assistant"}, "b"),
        ({"origin": "tool"}, "c"),
        ({"origin": "user"}, "a"),
        ({"session_id": "s1"}, "a"),
        ({"thread_id": "t2"}, "b"),
        ({"agent_id": "a1"}, "a"),
        ({"message_id": "m2"}, "b"),
        ({"said_after": NOW - timedelta(days=5)}, "bc"),
        ({"said_before": NOW - timedelta(days=5)}, "a"),
        ({"said_after": NOW - timedelta(days=1)}, "bc"),
        ({"said_before": NOW - timedelta(days=1)}, "a"),
        ({"metadata.n": 1}, "a"),
        ({"metadata.n": 1.5}, "b"),
        ({"metadata.n": "1"}, "c"),
        ({"metadata.ok": True}, "a"),
        ({"metadata.ok": None}, "bc"),
        ({"metadata.ok": False}, ""),
        ({"metadata.s": 'it\'s "x"'}, "c"),
        ({"metadata.absent": "x"}, ""),
        ({"metadata.n": 2**80}, ""),
        ({"speaker": "x' or 1=1 --"}, ""),
        ({"role": "tool", "metadata.s": "x"}, ""),
        ({"metadata.n": float("nan")}, ""),
        ({"speaker": None}, ""),
        ({"session_id": None}, "c"),
        ({"session_id": {"$exists": False}}, "c"),
        ({"$or": [{"session_id": {"$exists": False}}, {"metadata.a.b": 1}]}, "c"),
        ({"metadata.n": {"$in": [1, 1.5, "x", True]}}, "ab"),
        ({"metadata.n": {"$nin": ["1", None, [1]]}}, "ab"),
        ({"speaker": {"$in": ["Ada", "x"]}}, "a"),
        ({"role": {"$ne": "tool"}}, "ab"),
        ({"origin": {"$nin": ["tool", "user"]}}, "b"),
        ({"said_at": {"$gte": NOW - timedelta(days=5)}}, "bc"),
        ({"said_at": {"$not": {"$gte": NOW - timedelta(days=5)}}}, "a"),
        ({"$or": [{"role": "tool"}, {"metadata.n": {"$lt": 1.5}}]}, "ac"),
        ({"$and": [{"role": "tool"}, {"metadata.n": {"$lt": 1.5}}]}, ""),
        ({"$not": {"$or": [{"said_before": NOW - timedelta(days=5)}, {"thread_id": "t2"}]}}, "c"),
        ({"metadata": {"n": 1}}, "a"),
        ({"metadata.n": {"$gt": 0}, "metadata.ok": {"$exists": False}}, ""),
        ({"metadata.n": {"$gt": 0}, "role": "user"}, "a"),
        ({"metadata.a.b": "x"}, ""),
        ({"metadata.n": ["x"]}, ""),
        ({"metadata.n": 10**400}, ""),
        ({"metadata.n": {"$lt": 10**400}}, "ab"),
        ({"metadata.n": {"$nin": [1, 10**400]}}, "bc"),
        ({"metadata.s": "\ud800"}, ""),
        ({"metadata.s": {"$ne": "\ud800"}}, "abc"),
        ({"metadata.ok": {"$in": [None, False]}}, "bc"),
        ({"metadata": {"$eq": {"n": "1", "s": 'it\'s "x"'}}}, "c"),
        ({"origin": None}, ""),
        ({"origin": {"$ne": None}}, "abc"),
        ({"origin": {"$in": ["tool", None]}}, "c"),
        ({"origin": {"$gt": "tool"}}, "a"),
        ({"said_at": {"$ne": None}}, "abc"),
        ({"agent_id": {"$ne": "a1"}}, "bc"),
        ({"agent_id": {"$nin": ["a1", None]}}, ""),
        ({"message_id": {"$in": [None, "m2"]}}, "abc"),
        ({"thread_id": {"$gt": "t1"}}, "b"),
        ({"thread_id": {"$not": {"$gt": "t1"}}}, "ac"),
    ],
    ids=str,
)
def test_filters(open_memory: OpenMemory, filter: dict[str, Any], expected: str) -> None:
    memory = open_memory(":memory:")
    memory.core.clock = Clock()
    _fill(memory)
    wanted = [f"fig {letter}" for letter in expected]
    assert texts(memory, filter=filter) == wanted
    assert sorted(found(memory, "fig", filter=filter)) == wanted


@pytest.mark.parametrize(
    "filter",
    [
        {"text": "x"},
        {"": "x"},
        {"speaker'": "x"},
        {'speaker"': "x"},
        {"metadata.": "x"},
        {"metadata.a'b": "x"},
        {'metadata.a"b': "x"},
        {"metadata.a]": "x"},
        {"owner": 1},
        {7: "x"},
        {"speaker": 7},
        {"speaker": {"$gt": 7}},
        {"speaker": {"$in": ["x", 7]}},
        {"speaker": {"$not": {"$eq": 7}}},
        {"speaker": {"$in": "x"}},
        {"speaker": {"like": "x"}},
        {"speaker.name": "x"},
        {"said_at": "2026-01-01"},
        {"said_at": {"$gt": datetime(2026, 1, 1)}},
        {"$or": []},
        {"$or": [{"text": "x"}]},
        {"$not": {"$not": {"text": "x"}}},
        {"$nor": [{"speaker": "x"}]},
        {"$gt": 3},
        {"metadata.a": {"$gt": b"x"}},
        {"metadata.a": {"$regex": "x"}},
        {"speaker": "\ud800"},
        {"speaker": {"$gt": None}},
        {"said_after": None},
        {"said_at": {"$lt": None}},
        {"origin": "hearsay"},
        {"$not": {"origin": {"$in": ["user", "hearsay"]}}},
        {"origin": ["user"]},
        {"said_after": datetime(2026, 1, 1)},
        {"said_after": "2026-01-01"},
        ["speaker"],
        [],
        "speaker",
    ],
    ids=ascii,
)
def test_another_filter_is_refused(open_memory: OpenMemory, filter: Any) -> None:
    memory = open_memory(":memory:", embedder=None)
    memory.add("fig", ADA)
    with pytest.raises(InvalidFilter):
        memory.search("fig", ADA, filter=filter)
    with pytest.raises(InvalidFilter):
        memory.list(ADA, filter=filter)
    if not isinstance(filter, (list, str)):
        with pytest.raises(InvalidFilter):
            memory.erase(filter, ADA)
    assert texts(memory) == ["fig"]


# Forget and erase


def test_forget_keeps_the_history(memory: Memory, clock: Clock) -> None:
    ids = memory.add(["I like figs.", "I like olives."], ADA).ids
    before = clock.at
    clock.tick()
    seq = memory.forget(ids[0], ADA, reason="wrong")
    assert texts(memory) == ["I like olives."]
    assert found(memory, "what do I like") == ["I like olives."]
    assert texts(memory, known_at=before) == ["I like figs.", "I like olives."]
    assert memory.get(ids[0], ADA).superseded_at == clock.at
    told = "select kind, reason from commits where seq between ? and ? and kind in ('forget', 'facts') order by seq"
    assert query(memory, told, seq - 1, seq) == [("forget", "wrong"), ("facts", None)]  # the turn's, and its fact's


@pytest.mark.parametrize("which", ["unknown", "no id at all", "\ud800", ""])
def test_forgetting_what_is_not_there(memory: Memory, which: str) -> None:
    [id] = memory.add("I like figs.", ADA).ids
    unknown = UNKNOWN if which == "unknown" else which
    with pytest.raises(NotFound, match="no such turn( or fact)? in this scope"):
        memory.forget([id, unknown], ADA)
    with pytest.raises(NotFound):
        memory.forget(id, BOB)
    with pytest.raises(NotFound):
        memory.get(unknown, ADA)
    assert texts(memory) == ["I like figs."]  # nothing was changed


def test_forgetting_twice_or_nothing(memory: Memory) -> None:
    [id] = memory.add("I like figs.", ADA).ids
    memory.forget([id, id], ADA)
    selections: list[str | list[str]] = [id, []]
    for ids in selections:
        with pytest.raises(NotFound):
            memory.forget(ids, ADA)


@pytest.mark.parametrize("reason", [7, "x" * 1_001, "\ud800"])
def test_a_reason_is_a_short_text(memory: Memory, reason: Any) -> None:
    [id] = memory.add("I like figs.", ADA).ids
    with pytest.raises(InvalidInput, match="reason"):
        memory.forget(id, ADA, reason=reason)
    assert texts(memory) == ["I like figs."]


def test_erase_takes_an_id_ids_a_filter_or_everything(memory: Memory) -> None:
    ids = memory.add([f"Turn {n}." for n in range(4)], ADA, metadata={"k": "v"}).ids
    memory.add("In a session.", Scope("ada", session_id="s"))
    memory.add("Bob's own.", BOB)
    assert memory.erase(ids[0], ADA).turns == 1
    assert memory.erase([ids[1], ids[0], UNKNOWN], ADA).turns == 1
    assert memory.erase({"session_id": "s"}, ADA).turns == 1
    receipt = memory.erase("everything", ADA)
    assert (receipt.turns, receipt.verified) == (2, "queries")
    assert receipt.rows["turns"] == receipt.rows["postings"] == receipt.rows["vectors"] == 2
    assert receipt.at == NOW
    assert texts(memory) == found(memory, "turn") == []
    assert texts(memory, BOB) == ["Bob's own."]
    with pytest.raises(NotFound):
        memory.get(ids[2], ADA)


def test_erasing_again_changes_nothing(memory: Memory) -> None:
    [id] = memory.add("I like figs.", ADA).ids
    first = memory.erase(id, ADA)
    again = memory.erase(id, ADA)
    assert (again.turns, again.seq) == (0, first.seq)


def test_erase_also_takes_what_was_forgotten_or_replaced(memory: Memory) -> None:
    memory.add({"role": "user", "content": "Oslo.", "id": "m"}, ADA, thread_id="t")
    memory.add({"role": "user", "content": "Lisbon.", "id": "m"}, ADA, thread_id="t")
    memory.forget(memory.add("Figs.", ADA).ids, ADA)
    assert memory.erase("everything", ADA).turns == 3
    assert texts(memory, known_at=NOW) == []


@pytest.mark.parametrize("what", [{}, 7, None, [7], [None]])
def test_erase_of_no_selection_is_refused(memory: Memory, what: Any) -> None:
    memory.add("I like figs.", ADA)
    with pytest.raises(InvalidInput):
        memory.erase(what, ADA)
    assert texts(memory) == ["I like figs."]


# Odd input: stored faithfully


def test_a_megabyte_is_whole_and_found_by_its_last_kilobyte(memory: Memory) -> None:
    filler = " ".join(f"w{n % 997}" for n in range(230_000))
    text = f"{filler} and at the very end a zygomorphic flower"
    assert len(text) > 1_000_000
    id = memory.add([text, *(f"Something short, number {n}." for n in range(40))], ADA).ids[0]
    assert memory.get(id, ADA).text == text
    [hit] = [hit for hit in memory.search("zygomorphic", ADA) if hit.id == id]
    assert hit.text == text
    assert hit.arms["lexical"].rank == 1


@pytest.mark.parametrize(
    "text",
    [
        "before\0after",
        "\u05e9\u05dc\u05d5\u05dd \u202eabc\u202c \u0645\u0631\u062d\u0628\u0627",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 party \U0001f389",
        "\u200bzero\u200bwidth\ufeff",
        "e\u0301 and \u00e9",
        "line\r\nline\u2028line\x0b\x1f",
        "  space around  ",
        "\U000e0041 tag \U0010ffff",
    ],
    ids=ascii,
)
def test_odd_text_is_kept_code_point_for_code_point(memory: Memory, text: str) -> None:
    [id] = memory.add(text, ADA).ids
    assert memory.get(id, ADA).text == text
    assert not memory.get(id, ADA, kind="turn").altered
    assert [hit.text for hit in memory.search(text, ADA)] == [text]


def test_lone_surrogates_are_replaced_and_flagged(memory: Memory) -> None:
    [id] = memory.add("half \ud83d a face", ADA).ids
    turn = memory.get(id, ADA, kind="turn")
    assert (turn.text, turn.altered) == ("half \ufffd a face", True)
    assert matching(memory, "half \ud83d a face") == ["half \ufffd a face"]


def test_an_empty_message_is_skipped_and_reported(memory: Memory) -> None:
    nothing: list[str] = []
    added = memory.add(["", "   ", {"role": "user", "content": nothing}, "x"], ADA)
    assert [(skip.index, skip.reason) for skip in added.skipped] == [(0, "empty"), (1, "empty"), (2, "empty")]
    assert len(added.ids) == 1


def test_parts_are_kept_by_reference_and_nothing_is_fetched(memory: Memory) -> None:
    part = {"type": "image", "uri": "https://example.org/cat.png"}
    [id] = memory.add({"role": "user", "content": ["my cat", {"type": "image", "url": part["uri"]}]}, ADA).ids
    [alone] = memory.add({"role": "user", "content": [{"type": "image", "url": part["uri"]}]}, ADA).ids
    assert (memory.get(id, ADA).text, list(memory.get(id, ADA, kind="turn").parts)) == ("my cat", [part])
    assert (memory.get(alone, ADA).text, list(memory.get(alone, ADA, kind="turn").parts)) == ("", [part])
    assert memory.search("cat", ADA)[0].id == id


def test_metadata_comes_back_as_it_was(memory: Memory) -> None:
    metadata: dict[str, object] = {"a": [1, {"b": None}], "c": "\u00e9 'quoted' \"twice\"", "d": 1.5, "e": True}
    [id] = memory.add("x", ADA, metadata=metadata).ids
    assert memory.get(id, ADA, kind="turn").metadata == metadata


# Bad input: a typed error before anything is written


BAD: list[tuple[Callable[[Any, str], object], type[Exception]]] = [
    (lambda m, text: m.add(["good", {"role": "user", "content": text, "said_at": NAIVE}], ADA), InvalidInput),
    (lambda m, text: m.add(text, ADA, said_at=NAIVE), InvalidInput),
    (lambda m, text: m.add(text, ADA, said_at="2026-01-01"), InvalidInput),
    (lambda m, text: m.add(text, ADA, said_at=AHEAD), InvalidInput),
    (lambda m, text: m.add({"role": "user", "content": text, "said_at": AHEAD}, ADA), InvalidInput),
    (lambda m, text: m.add(text, ADA, thread_id=" t"), InvalidScope),
    (lambda m, text: m.add(text, ADA, thread_id=""), InvalidScope),
    (lambda m, text: m.add(text, ADA, thread_id=7), InvalidScope),
    (lambda m, text: m.add(text, ADA, idempotency_key="a\0"), InvalidScope),
    (lambda m, text: m.add(text, ADA, metadata={"a'": 1}), InvalidInput),
    (lambda m, text: m.add(text, ADA, metadata={"a": {1}}), InvalidInput),
    (lambda m, text: m.add(text, ADA, metadata=[("a", 1)]), InvalidInput),
    (lambda m, text: m.add([text, 7], ADA), InvalidInput),
    (lambda m, text: m.add(None, ADA), InvalidInput),
    (lambda m, text: m.add({"role": "user", "content": text, "metadata": "x"}, ADA), InvalidInput),
]


@pytest.mark.parametrize(("call", "error"), BAD)
def test_bad_input_is_refused_before_anything_is_written(
    memory: Memory, call: Any, error: type[Exception], say: Say
) -> None:
    memory.add("Before.", ADA)
    with pytest.raises(error):
        call(memory, say("a secret"))
    assert texts(memory) == ["Before."]


def test_a_day_ahead_is_still_today_somewhere(memory: Memory) -> None:
    memory.add("Tomorrow, elsewhere.", ADA, said_at=NOW + timedelta(days=1))
    assert len(texts(memory)) == 1


def test_a_thread_belongs_to_its_first_owner(memory: Memory, say: Say) -> None:
    memory.add(say("mine"), ADA, thread_id="t")
    with pytest.raises(ScopeDenied, match="belongs to another user"):
        memory.add(say("theirs"), BOB, thread_id="t")
    assert texts(memory, BOB) == []
    memory.erase("everything", ADA)
    with pytest.raises(ScopeDenied):
        memory.add(say("theirs"), BOB, thread_id="t")


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1, 2.5, True, "3", None])
def test_a_limit_is_a_whole_number(memory: Memory, limit: Any) -> None:
    with pytest.raises(InvalidInput, match=f"limit must be 1 to {MAX_LIMIT}"):
        memory.search("x", ADA, limit=limit)
    with pytest.raises(InvalidInput, match="limit"):
        memory.list(ADA, limit=limit)


@pytest.mark.parametrize("text", [None, 7, b"x", ["x"]])
def test_a_query_is_text(memory: Memory, text: Any) -> None:
    with pytest.raises(InvalidInput, match="the query must be text"):
        memory.search(text, ADA)


def test_a_deadline_is_above_zero(memory: Memory) -> None:
    with pytest.raises(InvalidInput, match="deadline"):
        memory.search("x", ADA, deadline=0)


# Traces


def test_a_trace_holds_ids_ranks_and_scores_and_no_text(memory: Memory, canary: str) -> None:
    memory.add([f"I live in Lisbon {canary}.", f"The cat sleeps {canary}."], ADA)
    hits = memory.search(f"where is Lisbon {canary}", ADA)
    trace = memory.trace(hits.trace_id, ADA)
    assert (trace.id, trace.at) == (hits.trace_id, NOW)
    assert [entry["id"] for entry in trace.hits] == [hit.id for hit in hits]
    assert [entry["rank"] for entry in trace.hits] == [1, 2]
    assert trace.arms == {"dense": 2, "lexical": 2}
    for entry, hit in zip(trace.hits, hits, strict=True):
        lexical = hit.arms["lexical"]
        assert entry["arms"]["lexical"] == {"rank": lexical.rank, "score": pytest.approx(lexical.score, abs=1e-4)}
        assert entry["score"] == pytest.approx(hit.score, abs=1e-4)
        assert entry["boosts"] == hit.boosts
    stored = b"".join(body for (body,) in query(memory, "select body from traces"))
    for word in (canary, "Lisbon", "cat"):
        assert word not in json.dumps([*trace.hits, *trace.drops])
        assert word.encode() not in stored


def test_a_trace_is_its_owners(memory: Memory) -> None:
    memory.add("I live in Lisbon.", ADA)
    memory.add("Me too.", BOB)
    trace_id = memory.search("Lisbon", ADA).trace_id
    for id, scope in ((trace_id, BOB), (trace_id, Scope("nobody")), (UNKNOWN, ADA), ("x", ADA), (None, ADA)):
        with pytest.raises(NotFound, match="no such trace in this scope"):
            memory.trace(id, scope)  # type: ignore[arg-type]  # None is one of the things people hand in
    assert memory.trace(trace_id, ADA).id == trace_id


def test_a_search_moves_no_seq(memory: Memory) -> None:
    memory.add("I live in Lisbon.", ADA)
    before = memory.search("Lisbon", ADA)
    memory.trace(before.trace_id, ADA)
    assert memory.search("Lisbon", ADA).seq == before.seq


def test_an_erased_turn_leaves_no_trace(memory: Memory) -> None:
    [id] = memory.add("I live in Lisbon.", ADA).ids
    written = memory.search("Lisbon", ADA).trace_id
    memory.trace(written, ADA)
    waiting = memory.search("Lisbon", ADA).trace_id
    memory.erase(id, ADA)
    for trace_id in (written, waiting):
        with pytest.raises(NotFound):
            memory.trace(trace_id, ADA)


# Opening and closing


@pytest.mark.parametrize("kind", ["file", "keyed"])
def test_it_is_all_there_after_opening_again(kind: str, open_memory: OpenMemory, tmp_path: Path) -> None:
    path, options = place(kind, tmp_path)
    first = open_memory(path, **options)
    [id] = first.add("I live in Lisbon.", ADA).ids
    first.close()
    second = open_memory(path, plant=False, **options)
    assert second.get(id, ADA).text == "I live in Lisbon."
    [hit] = second.search("where is Lisbon", ADA)
    assert set(hit.arms) >= {"dense", "lexical"}


def test_a_memory_of_its_own_is_gone_after_close(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    folder = Path(memory.core.ledger.path).parent
    assert folder.is_dir()
    memory.close()
    assert not folder.exists()


async def test_async_with_and_aopen(tmp_path: Path) -> None:
    async with await Memory.aopen(tmp_path / "m.db", embedder=HashEmbeddings()) as memory:
        await memory.aadd("I live in Lisbon.", ADA)
        assert [hit.text for hit in await memory.asearch("Lisbon", ADA)] == ["The user lives in Lisbon."]
    with pytest.raises(StoreClosed):
        await memory.asearch("Lisbon", ADA)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, not a database\n" * 200)
    before = path.read_bytes()
    with pytest.raises(NotAMemoryFile, match="not a memgraph database"):
        Memory.open(path, embedder=None)
    assert path.read_bytes() == before


def test_a_database_of_somebody_elses(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with apsw.Connection(str(path)) as connection:
        connection.execute("create table turns(x)")
    connection.close()
    with pytest.raises(NotAMemoryFile, match="not one of memgraph's"):
        Memory.open(path, embedder=None)


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    Memory.open(path, embedder=None).close()
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(StoreTooNew, match=r"has schema 99, this memgraph knows \d+: upgrade"):
        Memory.open(path, embedder=None)


@pytest.mark.parametrize("path", [".", "absent/folder/memory.db"])
def test_a_path_that_cannot_be_a_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Memory.open(tmp_path / path, embedder=None)


@pytest.mark.parametrize("key", [None, "another", b"k" * 32])
def test_a_missing_or_wrong_key(key: Any, tmp_path: Path) -> None:
    Memory.open(tmp_path / "m.db", embedder=None, key=RAW_KEY).close()
    with pytest.raises(NotAMemoryFile, match="its key is missing or wrong") as caught:
        Memory.open(tmp_path / "m.db", embedder=None, key=key)
    assert "another" not in str(caught.value)


def test_a_key_for_a_plaintext_file(tmp_path: Path) -> None:
    Memory.open(tmp_path / "m.db", embedder=None).close()
    with pytest.raises(NotAMemoryFile, match=r"plaintext file; open it without, then rekey"):
        Memory.open(tmp_path / "m.db", embedder=None, key=RAW_KEY)


@pytest.mark.parametrize("key", ["", b"short", b"x" * 33])
def test_a_key_that_can_be_none(key: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="key"):
        Memory.open(tmp_path / "m.db", embedder=None, key=key)
    assert not (tmp_path / "m.db").exists()


def test_an_engine_without_ciphers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(apsw, "mc_version")
    with pytest.raises(EncryptionUnavailable, match="would write plaintext"):
        Memory.open(tmp_path / "m.db", embedder=None, key=RAW_KEY)
    assert not (tmp_path / "m.db").exists()


def test_another_key_for_a_file_that_is_open(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m.db", embedder=None, key=RAW_KEY):
        with pytest.raises(NotAMemoryFile):
            Memory.open(tmp_path / "m.db", embedder=None, key=b"x" * 32)


@pytest.mark.parametrize("size", [-1, 1.5, True, "256"])
def test_the_cache_has_a_number_of_bytes(size: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cache_bytes"):
        Memory.open(tmp_path / "m.db", embedder=None, cache_bytes=size)


def test_another_embedder_is_named_with_what_to_do(tmp_path: Path, open_memory: OpenMemory) -> None:
    open_memory().close()
    with pytest.raises(EmbedderMismatch, match=r"`hash \(64 dimensions\)`.*`other`.*memory\.reindex") as caught:
        open_memory(embedder=HashEmbeddings(model="other"))
    assert (caught.value.stored, caught.value.given) == ("hash (64 dimensions)", "other")


def test_a_failed_opening_leaves_nothing_open(tmp_path: Path, open_memory: OpenMemory) -> None:
    open_memory().close()
    before = {*threading.enumerate()}
    with pytest.raises(EmbedderMismatch):
        open_memory(embedder=HashEmbeddings(model="other"))
    assert {*threading.enumerate()} <= before
    assert not os.path.exists(tmp_path / "memory.db-wal")


def test_without_an_embedder_words_are_found(tmp_path: Path) -> None:
    with Memory.open(tmp_path / "m.db", embedder=None) as memory:
        memory.add(["I live in Lisbon.", "The cat sleeps."], ADA)
        hits = memory.search("who lives in Lisbon", ADA)
        assert hits[0].text == "The user lives in Lisbon."
        assert (set(hits[0].arms), hits.degraded) == ({"lexical", "fact", "graph"}, {})


def test_a_busy_file_is_not_rekeyed(tmp_path: Path, open_memory: OpenMemory) -> None:
    first = open_memory(key=RAW_KEY)
    second = open_memory(key=RAW_KEY, plant=False)
    with pytest.raises(StoreBusy, match="needs the file to itself"):
        first.rekey("new")
    second.close()
    first.add("I live in Lisbon.", ADA)
    first.rekey("new")
    assert found(first, "Lisbon") == ["The user lives in Lisbon."]
    first.rekey(None)
    first.rekey(b"y" * 32)
    first.close()
    assert found(open_memory(key=b"y" * 32, plant=False), "Lisbon") == ["The user lives in Lisbon."]


def test_doctor_counts_and_checks(memory: Memory) -> None:
    memory.add(["One.", "Two."], ADA)
    memory.forget(memory.list(ADA).items[0].id, ADA)
    memory.settle()
    state = memory.doctor(deep=True)
    assert state["integrity"] == []
    assert state["counts"]["turns"] == state["counts"]["believed"] + 1
    assert state["embedder"] == {"name": "hash", "dims": 64}
    assert (state["without_vectors"], state["jobs"]) == (0, [])
    assert memory.doctor()["integrity"] is None


def test_a_memory_of_its_own_that_cannot_be_opened_leaves_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = tempfile.mkdtemp

    def mkdtemp(suffix: str | None = None, prefix: str | None = None, dir: str | None = None) -> str:
        made.append(real(suffix, prefix, dir))
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)
    with pytest.raises(InvalidInput, match="key"):
        Memory.open(":memory:", embedder=None, key="")
    assert [os.path.exists(folder) for folder in made] == [False]


def test_vectors_appear_for_a_handle_that_had_none(open_memory: OpenMemory) -> None:
    embedder = BlockingEmbeddings()
    memory = open_memory(":memory:", plant=False, embedder=embedder)
    memory.add("A fig.", ADA, background=True)
    assert memory.search("fig", ADA).degraded == {"dense": "pending 1"}
    embedder.release()
    memory.settle()
    assert set(memory.search("fig", ADA)[0].arms) >= {"dense", "lexical"}
