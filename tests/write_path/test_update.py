"""Correcting a fact, and undoing what was done."""

from __future__ import annotations

import math
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memgraph import Memory, Scope
from memgraph.errors import InvalidInput, NotFound, UndoRefused
from support.facts import HOMES, only, opened, tell, tick
from support.memories import ADA, BOB, NOW, found

UNKNOWN = "0199f3c2-6a1e-7c55-9d0b-3f1f6f0a4b11"


@pytest.fixture
def memory() -> Generator[Memory]:
    with opened() as memory:
        tell(memory, "I live in Oslo.")
        tick(memory)
        yield memory


def test_a_fact_is_corrected_and_the_version_before_is_kept(memory: Memory) -> None:
    before = only(memory)
    done = memory.update(
        before.id,
        ADA,
        text="Ada lives in Bergen.",
        object="Bergen",
        confidence=1,
        importance=0.25,
        valid_from=NOW - timedelta(days=30),
        reason="she was misheard",
    )
    assert (done.operation, done.mode, done.gate, done.reason) == ("UPDATE", "refine", "caller", "she was misheard")
    after = only(memory)
    assert (after.id, after.version, after.text, after.object) == (before.id, 2, "Ada lives in Bergen.", "Bergen")
    assert (after.confidence, after.importance, after.valid_from) == (1.0, 0.25, NOW - timedelta(days=30))
    assert (after.valid_to, after.evidence, after.subject) == (None, before.evidence, "Ada")
    assert memory.why(before.id, ADA).versions[0].text == "Ada lives in Oslo."
    assert "Ada lives in Bergen." in found(memory, "Bergen", kind="fact")


def test_what_is_not_named_stays(memory: Memory) -> None:
    before = only(memory)
    memory.update(before.id, ADA, importance=1.0)
    after = only(memory)
    assert (after.text, after.object, after.confidence) == (before.text, before.object, before.confidence)
    assert (after.valid_from, after.valid_to) == (before.valid_from, None)


def test_a_fact_is_ended_and_holds_again(memory: Memory) -> None:
    home = only(memory)
    ended = memory.update(home.id, ADA, valid_to=NOW + timedelta(days=1, seconds=1))
    assert memory.list(ADA, kind="fact").items == ()
    assert only(memory, as_of=NOW + timedelta(days=1)).valid_to == NOW + timedelta(days=1, seconds=1)
    memory.update(home.id, ADA, valid_to="open")
    assert only(memory).valid_to is None
    with pytest.raises(UndoRefused, match="later operation"):
        memory.undo(ended.id, ADA)


def test_a_correction_is_undone(memory: Memory) -> None:
    home = only(memory)
    done = memory.update(home.id, ADA, text="Ada lives in Bergen.", object="Bergen")
    tick(memory)
    undone = memory.undo(done.id, ADA)
    assert (undone.operation, undone.undoes) == ("UNDO", done.id)
    assert only(memory).text == "Ada lives in Oslo."
    with pytest.raises(UndoRefused, match="undone already"):
        memory.undo(done.id, ADA)
    memory.undo(undone.id, ADA)
    assert only(memory).text == "Ada lives in Bergen."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "nothing to change"),
        ({"reason": "for no reason"}, "nothing to change"),
        ({"text": ""}, "text is empty"),
        ({"text": " \n"}, "text is empty"),
        ({"text": "x" * 1_001}, "text has 1,001 characters; at most 1,000"),
        ({"text": "half \ud83d"}, "surrogates"),
        ({"text": b"x"}, "text must be text, not bytes"),
        ({"object": ""}, "object is empty"),
        ({"object": "x" * 301}, "object has 301"),
        ({"object": 7}, "object must be text"),
        ({"confidence": 1.1}, "confidence must be a number from 0 to 1"),
        ({"confidence": math.nan}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"importance": -0.1}, "importance"),
        ({"importance": "high"}, "importance"),
        ({"valid_from": datetime(2026, 1, 1)}, "valid_from .* has no time zone"),
        ({"valid_to": datetime(2026, 1, 1)}, "valid_to .* has no time zone"),
        ({"valid_to": "tomorrow"}, '"open"'),
        ({"valid_to": 7}, "valid_to must be an aware datetime"),
        ({"valid_from": "open"}, "valid_from must be an aware datetime"),
        ({"valid_to": datetime(1999, 1, 1, tzinfo=UTC)}, "before it began"),
        ({"text": "x", "reason": ""}, "reason is empty"),
        ({"text": "x", "reason": "x" * 1_001}, "reason has 1,001"),
    ],
)
def test_what_can_not_be(memory: Memory, changes: dict[str, Any], message: str) -> None:
    home = only(memory)
    with pytest.raises(InvalidInput, match=message):
        memory.update(home.id, ADA, **changes)
    assert only(memory) == home
    assert len(memory.operations(ADA).items) == 1


def test_no_message_holds_a_memorys_text(memory: Memory) -> None:
    with pytest.raises(InvalidInput) as raised:
        memory.update(only(memory).id, ADA, text="secret " * 200)
    assert "secret" not in str(raised.value)


def test_what_is_no_fact_of_the_scope(memory: Memory) -> None:
    home = only(memory)
    [said] = home.evidence
    for identity, scope in ((UNKNOWN, ADA), ("x", ADA), (home.id, BOB), (said, BOB)):
        with pytest.raises(NotFound, match="no such fact in this scope"):
            memory.update(identity, scope, text="x")
    with pytest.raises(InvalidInput, match="id of a turn, which is kept as it was said"):
        memory.update(said, ADA, text="x")
    memory.forget(home.id, ADA)
    with pytest.raises(NotFound, match="not believed any more: `why` tells which operation"):
        memory.update(home.id, ADA, text="x")
    memory.undo(memory.why(home.id, ADA).operations[-1].id, ADA)
    memory.update(home.id, ADA, text="Ada lives in Oslo, Norway.")
    assert only(memory).text == "Ada lives in Oslo, Norway."


def test_what_is_no_operation_of_the_scope(memory: Memory) -> None:
    done = memory.operations(ADA).items[0]
    for identity, scope in ((UNKNOWN, ADA), ("x", ADA), (done.id, BOB), (only(memory).id, ADA)):
        with pytest.raises(NotFound, match="no such operation in this scope"):
            memory.undo(identity, scope)
    with pytest.raises(InvalidInput, match="an id is text"):
        memory.undo(7, ADA)  # type: ignore[arg-type]  # what people write


def test_anothers_agent_corrects_and_undoes_nothing() -> None:
    a, b = Scope("ada", agent_id="a"), Scope("ada", agent_id="b")
    with opened() as memory:
        tell(memory, *HOMES, scope=a)
        home = only(memory, a)
        done = memory.operations(a).items[0]
        with pytest.raises(NotFound):
            memory.update(home.id, b, text="x")
        with pytest.raises(NotFound):
            memory.undo(done.id, b)
        memory.undo(done.id, a)
        assert only(memory, a).object == "Oslo"


@pytest.mark.parametrize("text", ["Ada lives\nin Bergen.", "Ada\x00", "Ada\u2028lives"])
def test_a_sentence_is_one_line(memory: Memory, text: str) -> None:
    with pytest.raises(InvalidInput, match="one line"):
        memory.update(only(memory).id, ADA, text=text)
    assert only(memory).version == 1


def test_a_contradiction_that_was_ended_is_none_any_more(memory: Memory) -> None:
    tell(memory, "I also live in Bergen.")
    first, second = memory.list(ADA, kind="fact").items
    assert (first.conflicts, second.conflicts) == ((second.id,), (first.id,))
    memory.update(first.id, ADA, valid_to=second.valid_from)
    [left] = memory.list(ADA, kind="fact").items
    assert (left.id, left.conflicts) == (second.id, ())
