"""What becomes of facts whose turns are erased or withdrawn: what is made again, of what, and what comes back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from memgraph import Fact, Memory, Scope
from memgraph.errors import StoreError
from memgraph.ledger import codec, commits, erasure
from memgraph.records import OPEN, MemoryOperation
from support.facts import HOMES, opened, tell, tick
from support.fakes import ScriptedChatModel, stated
from support.memories import ADA, query
from support.scan import holding

OSLO = HOMES[0]


def known(memory: Memory, scope: Scope = ADA) -> list[Fact]:
    return list(memory.list(scope, kind="fact").items)


def objects(memory: Memory, scope: Scope = ADA) -> list[str]:
    return [fact.object for fact in known(memory, scope)]


def done(memory: Memory) -> list[tuple[str, str | None]]:
    """Return what was done, oldest first."""
    return [(one.operation, one.mode) for one in _oldest_first(memory)]


def _oldest_first(memory: Memory) -> list[MemoryOperation]:
    return list(reversed(memory.operations(ADA, limit=100).items))


def erase(memory: Memory, *turns: str) -> None:
    memory.erase(list(turns), ADA)
    memory.settle(30)


def test_what_an_agent_said_is_made_again_for_it_alone() -> None:
    one, other = Scope("ada", agent_id="a1"), Scope("ada", agent_id="a2")
    with opened() as memory:
        mine, theirs = (tell(memory, OSLO, OSLO, scope=scope) for scope in (one, other))
        erase(memory, mine[0], theirs[0])
        assert {fact.agent_id: fact.evidence for fact in known(memory)} == {"a1": (mine[1],), "a2": (theirs[1],)}
        assert [fact.agent_id for fact in known(memory, one)] == ["a1"]


def test_many_turns_are_read_again_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as memory:
        first, *_ = tell(memory, *[OSLO] * 27)
        queued: list[int] = []

        def note(connection: Any, owner: int, seq: int, *, rows: Sequence[int], now: int, kind: str = "index") -> int:
            queued.append(len(rows))
            return 0

        with monkeypatch.context() as patched:
            patched.setattr("memgraph.ledger.erasure.jobs.enqueue", note)
            memory.erase(first, ADA)
        assert queued == [24, 2]


def test_what_the_caller_withdrew_stays_withdrawn() -> None:
    with opened() as memory:
        first, _ = tell(memory, OSLO, OSLO)
        memory.forget(known(memory)[0].id, ADA)
        erase(memory, first)
        assert known(memory) == []


def test_what_the_caller_undid_stays_undone() -> None:
    with opened() as memory:
        first, _, _ = tell(memory, OSLO, OSLO, HOMES[1])
        [change] = [one for one in _oldest_first(memory) if one.mode == "change"]
        memory.undo(change.id, ADA)
        erase(memory, first)
        assert objects(memory) == ["Oslo"]


def test_what_the_caller_undid_and_did_again_is_done_again() -> None:
    with opened() as memory:
        first, second = tell(memory, OSLO, OSLO)
        undone = memory.undo(_oldest_first(memory)[1].id, ADA)
        memory.undo(undone.id, ADA)
        erase(memory, first)
        assert [fact.evidence for fact in known(memory)] == [(second,)]


def test_why_a_newer_fact_is_believed_outlives_the_older_one() -> None:
    with opened() as memory:
        old, _ = tell(memory, *HOMES)
        before = known(memory)[0]
        erase(memory, old)
        assert known(memory) == [before]
        assert before.seq > 0
        [added] = memory.why(before.id, ADA).operations
        assert (added.operation, added.mode, added.gate, added.reason) == ("ADD", None, "none", None)
        assert (added.fact, added.target, added.evidence) == (before.id, None, before.evidence)
        memory.undo(added.id, ADA)
        assert known(memory) == []


def test_what_was_undone_is_so_too_without_the_older_fact() -> None:
    with opened() as memory:
        old, _ = tell(memory, *HOMES)
        undone = memory.undo(memory.operations(ADA).items[0].id, ADA)
        erase(memory, old)
        assert [(one.operation, one.target) for one in _oldest_first(memory)] == [("ADD", None), ("UNDO", None)]
        memory.undo(undone.id, ADA)
        assert objects(memory) == ["Lisbon"]


def test_an_end_outlives_what_it_was_ended_for() -> None:
    with opened() as memory:
        _, moved, again = tell(memory, *HOMES, "I live in Lisbon.")
        erase(memory, again)
        assert [(fact.object, fact.evidence) for fact in known(memory)] == [("Lisbon", (moved,))]
        oslo = memory.get(_oldest_first(memory)[0].fact or "", ADA, kind="fact")
        assert oslo.valid_to is not None


def test_what_a_forgotten_turn_ended_goes_on() -> None:
    with opened() as memory:
        _, moved = tell(memory, *HOMES)
        tick(memory, days=1)
        memory.forget(moved, ADA)
        [home] = known(memory)
        assert (home.object, home.valid_to) == ("Oslo", None)
        memory.settle(30)
        assert memory.search("Where does Ada live?", ADA, kind="fact")[0].id == home.id
        back = memory.why(home.id, ADA).operations[-1]
        assert (back.operation, back.reason) == ("UNDO", "the turn that ended it was withdrawn")
        memory.undo(back.id, ADA)
        assert known(memory) == []


@pytest.mark.parametrize(
    ("said", "ends"),
    [
        ("I love tea.", "I don't like tea any more."),
        ("I work at Kestrel as a nurse.", "I quit my job at Kestrel."),
        (OSLO, "I never lived in Oslo."),
    ],
)
def test_whatever_ended_it(said: str, ends: str) -> None:
    with opened() as memory:
        tell(memory, said)
        before = [(fact.id, fact.text, fact.valid_to) for fact in known(memory)]
        [end] = tell(memory, ends)
        assert before != [(fact.id, fact.text, fact.valid_to) for fact in known(memory)]
        memory.forget(end, ADA)
        assert [(fact.id, fact.text, fact.valid_to) for fact in known(memory)] == before


def test_what_an_edited_message_ended_goes_on() -> None:
    with opened() as memory:
        tell(memory, OSLO)
        for text in (HOMES[1], "I love tea."):
            tick(memory, days=1)
            message = HumanMessage(text, id="message-with-a-unique-id", name="Ada")
            memory.add([message], ADA, thread_id="t")
        assert sorted(objects(memory)) == ["Oslo", "tea"]


def test_what_others_say_too_stays_ended() -> None:
    with opened() as memory:
        _, moved, again = tell(memory, *HOMES, "I live in Lisbon.")
        memory.forget(moved, ADA)
        assert objects(memory) == ["Lisbon"]
        memory.forget(again, ADA)
        assert objects(memory) == ["Oslo"]


def test_what_came_after_ends_it_instead() -> None:
    with opened() as memory:
        _, moved, after = tell(memory, *HOMES, "I moved from Lisbon to Porto.")
        memory.forget(moved, ADA)
        [home] = known(memory)
        assert (home.object, home.conflicts) == ("Porto", ())
        oslo = memory.get(_oldest_first(memory)[0].fact or "", ADA, kind="fact")
        assert oslo.valid_to == home.valid_from
        assert done(memory)[-2:] == [("UNDO", None), ("UPDATE", "change")]
        memory.forget(after, ADA)
        assert objects(memory) == ["Oslo"]


def test_whoever_keeps_an_end_keeps_it() -> None:
    with opened() as memory:
        _, moved, tea = tell(memory, *HOMES, "I love tea.")
        memory.forget(moved, ADA)
        memory.undo(_oldest_first(memory)[-1].id, ADA)
        memory.forget(tea, ADA)
        assert known(memory) == []


def test_what_nobody_says_any_more_is_not_opened() -> None:
    with opened() as memory:
        lived, moved = tell(memory, *HOMES)
        memory.forget(lived, ADA)
        memory.forget(moved, ADA)
        assert known(memory) == []


SECRET = "Zyxville"


def test_what_a_model_took_from_the_turn_before_goes_with_it(tmp_path: Path) -> None:
    answer = stated("I live there since May.", object=SECRET, text=f"Ada lives in {SECRET}.")
    again = stated("I live there since May.", object="there", text="Ada lives there since May.")
    model = ScriptedChatModel.of(answer, again, otherwise="none")
    with opened(tmp_path / "m.db", model=model, embedder=None) as memory:
        asked = memory.add({"role": "assistant", "content": f"Do you live in {SECRET}?"}, ADA).ids[0]
        memory.settle(30)
        tell(memory, "I live there since May.")
        memory.settle(30)
        assert objects(memory) == [SECRET]
        erase(memory, asked)
        assert objects(memory) == ["there"]
    assert holding([tmp_path], [SECRET]) == []


def test_what_a_model_took_from_another_turn_goes_with_it(tmp_path: Path) -> None:
    answer = stated("I moved house in May.", object="house", text=f"Ada moved house to {SECRET} in May.", kind="event")
    again = stated("I moved house in May.", object="house", text="Ada moved house in May.", kind="event")
    model = ScriptedChatModel.of(answer, again, otherwise="none")
    with opened(tmp_path / "m.db", model=model, embedder=None) as memory:
        messages = [
            {"role": "user", "content": text, "name": "Ada"}
            for text in ("I moved house in May.", f"It is called {SECRET}.", "I have a cold.")
        ]
        _, named, cold = memory.add(messages, ADA).ids
        memory.settle(30)
        [moved] = known(memory)
        assert SECRET in moved.text
        erase(memory, cold)
        assert known(memory) == [moved]
        erase(memory, named)
        assert [fact.text for fact in known(memory)] == ["Ada moved house in May."]
    assert holding([tmp_path], [SECRET]) == []


def test_what_a_model_answers_to_erased_words_is_not_kept(tmp_path: Path) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(_: Sequence[BaseMessage]) -> Any:
        asked.set()
        assert answer.wait(30)
        return stated(f"I live in {SECRET}.", object=SECRET, text=f"Ada lives in {SECRET}.")

    tea = stated("I love tea.", attribute="preference", object="tea", text="Ada loves tea.")
    model = ScriptedChatModel.of(slow, tea, otherwise="none")
    with opened(tmp_path / "m.db", model=model, embedder=None) as memory:
        messages = [
            {"role": "user", "content": text, "name": "Ada"} for text in (f"I live in {SECRET}.", "I love tea.")
        ]
        first, _ = memory.add(messages, ADA, background=True).ids
        assert asked.wait(30)
        memory.erase(first, ADA)
        answer.set()
        memory.settle(30)
        assert objects(memory) == ["tea"]
    assert holding([tmp_path], [SECRET]) == []


class Left:
    """A job that stands still, as another process left it."""

    def __init__(self, memory: Memory, **columns: Any) -> None:
        self.memory = memory
        values = {
            "owner": 1,
            "seq": 1,
            "kind": "facts",
            "state": "failed",
            "available_at": 0,
            "created_at": 0,
            **columns,
        }
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))

        def write(connection: Any) -> int:
            connection.execute(f"insert into outbox({names}) values ({marks})", (*values.values(),))
            return int(connection.last_insert_rowid())

        self.job = memory.live().wait(memory.core.ledger.write(write))

    def now(self, columns: str = "state, fence, draft is null, decision is null") -> tuple[Any, ...]:
        [found] = query(self.memory, f"select {columns} from outbox where job = ?", self.job)
        return found


def test_what_waits_to_be_decided_is_made_again_without_the_words() -> None:
    with opened() as memory:
        first, _ = tell(memory, OSLO, "Hello there!")
        (turn,), (other,) = query(memory, "select row from turns order by row")
        [(fact,)] = query(memory, "select row from facts")
        draft = codec.encode(f'{{"rows": [{other}]}}')
        beside = codec.encode(f'{{"rows": [{other}], "context_rows": [{turn}]}}')
        weighed = codec.encode(f'{{"known": {{"f1": [{fact}, 1]}}}}')
        rows = commits.pack([other])
        drafted = Left(memory, rows=rows, draft=beside, decision=weighed)
        decided = Left(memory, rows=rows, draft=draft, decision=weighed)
        mine = Left(memory, rows=commits.pack([turn, other]), draft=draft, error_class="Other")
        theirs = Left(memory, rows=rows, draft=draft)
        held = Left(
            memory,
            rows=rows,
            state="leased",
            attempt=1,
            lease_owner="elsewhere:1:x",
            lease_until=OPEN,
            available_at=OPEN,
        )
        memory.erase(first, ADA)
        assert (drafted.now(), decided.now()) == (("failed", 1, 1, 1), ("failed", 1, 0, 1))
        assert (mine.now(), theirs.now()) == (("failed", 1, 1, 1), ("failed", 0, 0, 1))
        assert commits.unpack(mine.now("rows")[0]) == [other]
        assert held.now("fence, attempt, lease_owner") == (1, 0, None)


def test_a_draft_that_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(facts=False) as memory:
        [turn] = tell(memory, OSLO)
        monkeypatch.setattr(erasure, "_shrink_jobs", lambda *_: 0)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        Left(memory, rows=b"", draft=codec.encode('{"rows": [1]}'))
        with pytest.raises(StoreError, match="jobs"):
            memory.erase(turn, ADA)
