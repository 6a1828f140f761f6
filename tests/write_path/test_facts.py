"""From turns to facts through the write path: what is kept, what a failing model costs, what is undone and erased."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from memgraph import Memory, MemoryContext, Scope
from memgraph.drafts import FactDraft, SaidTurn
from memgraph.errors import InvalidInput, ModelUnavailable, NotFound, UndoRefused
from memgraph.ledger import faults, jobs
from memgraph.ledger.operations import Origin
from memgraph.nodes import consolidate, extract, merge_graph, remember
from memgraph.write_path import corrections
from memgraph.write_path.acceptance import Request
from memgraph.write_path.corrections import Correction
from memgraph.writing.extractor import PatternExtractor
from support.facts import HOMES, day, history, known, now, opened, tell, tick, undo
from support.fakes import ScriptedChatModel, decided, stated
from support.memories import ADA, chain, query


def said(memory: Memory, scope: Scope = ADA, **options: Any) -> list[str]:
    return [fact.text for fact in known(memory, scope, **options)]


def test_a_change_closes_what_was_and_keeps_both_with_their_evidence() -> None:
    with opened() as memory:
        tell(memory, *HOMES)
        [home] = known(memory)
        assert (home.subject, home.attribute, home.object) == ("Ada", "residence", "Lisbon")
        assert [memory.get(turn, ADA).text for turn in home.evidence] == [*HOMES[1:]]
        assert [fact.object for fact in known(memory, as_of=day(1))] == ["Oslo"]
        assert [fact.object for fact in known(memory, known_at=day(1))] == ["Oslo"]
        done = history(memory)
        assert [(one.operation, one.mode) for one in done] == [("ADD", None), ("UPDATE", "change")]
        assert done[1].target is not None
        assert done[1].fact == home.id
        assert done[1].evidence == home.evidence


def test_an_add_tells_whether_its_facts_are_made() -> None:
    with opened(model=ScriptedChatModel.of("Sure!", "Sure!", stated())) as memory:
        assert memory.add({"role": "user", "content": "I live in Oslo.", "name": "Ada"}, ADA).facts is not None
        assert memory.add({"role": "user", "content": "I live in Oslo now.", "name": "Ada"}, ADA).facts is None
        assert memory.add("Thanks!", ADA).facts is None


def test_the_same_said_again_is_evidence_and_no_second_fact() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I live in Oslo.")
        [home] = known(memory)
        assert len(home.evidence) == 2
        assert history(memory)[1].operation == "NOOP"


def test_without_facts_none_are_made() -> None:
    with opened(facts=False) as memory:
        tell(memory, *HOMES)
        assert known(memory) == []


def test_the_facts_of_one_agent_are_not_anothers() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", scope=Scope("ada", agent_id="a"))
        tell(memory, "I moved from Oslo to Lisbon.", scope=Scope("ada", agent_id="b"))
        assert [fact.object for fact in known(memory, Scope("ada", agent_id="a"))] == ["Oslo"]
        assert [fact.object for fact in known(memory, Scope("ada", agent_id="b"))] == ["Lisbon"]
        assert len(known(memory)) == 2


def test_an_operation_is_undone_and_its_undoing_too() -> None:
    with opened() as memory:
        tell(memory, *HOMES)
        [_, change] = history(memory)
        undone = undo(memory, change)
        assert (undone.operation, undone.undoes) == ("UNDO", change.id)
        assert said(memory) == ["Ada lives in Oslo."]
        with pytest.raises(UndoRefused, match="undone already"):
            undo(memory, change)
        undo(memory, undone)
        assert [fact.object for fact in known(memory)] == ["Lisbon"]
        with pytest.raises(UndoRefused, match="later operation"):
            undo(memory, history(memory)[0])


def test_evidence_that_was_added_is_taken_back() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I live in Oslo.")
        undone = undo(memory, history(memory)[1])
        assert len(known(memory)[0].evidence) == 1
        undo(memory, undone)
        assert len(known(memory)[0].evidence) == 2


def test_what_is_not_there_is_not_undone() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", scope=Scope("ada", agent_id="a"))
        [added] = history(memory)
        with pytest.raises(NotFound):
            undo(memory, added, Scope("bob"))
        with pytest.raises(NotFound):
            undo(memory, added, Scope("ada", agent_id="b"))
        with pytest.raises(NotFound):
            memory.live().wait(corrections.undo(memory.core, "no id", ADA))


def test_a_fact_is_corrected_by_its_owner() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.")
        [home] = known(memory)
        better = Correction(text="Ada lives in Oslo, Norway.", object="Oslo, Norway", reason="more exact")
        done = memory.live().wait(corrections.update(memory.core, home.id, ADA, better))
        assert (done.operation, done.mode, done.gate, done.reason) == ("UPDATE", "refine", "caller", "more exact")
        assert (known(memory)[0].object, known(memory)[0].version) == ("Oslo, Norway", 2)
        with pytest.raises(InvalidInput, match="before it began"):
            memory.live().wait(corrections.update(memory.core, home.id, ADA, Correction(valid_to=0)))
        with pytest.raises(NotFound):
            memory.live().wait(corrections.update(memory.core, home.id, Scope("bob"), better))


def test_forgetting_a_fact_keeps_its_history() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.")
        [home] = known(memory)
        before = now(memory)
        tick(memory)
        memory.forget(home.id, ADA, reason="asked to")
        assert known(memory) == []
        assert known(memory, known_at=before)[0].id == home.id
        assert (history(memory)[-1].operation, history(memory)[-1].reason) == ("DELETE", "asked to")
        with pytest.raises(NotFound):
            memory.forget(home.id, ADA)


def test_a_fact_goes_with_the_last_turn_that_says_it() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I live in Oslo.")
        first, second = known(memory)[0].evidence
        memory.forget(first, ADA)
        assert said(memory) == ["Ada lives in Oslo."]
        memory.forget(second, ADA)
        assert said(memory) == []


def test_an_edited_message_takes_its_facts_along() -> None:
    with opened() as memory:
        tell(memory)
        for text in ("I live in Oslo.", "I live in Lisbon."):
            tick(memory)
            memory.add(HumanMessage(text, id="0123456789abcdef", name="Ada"), ADA, thread_id="t")
        assert said(memory) == ["Ada lives in Lisbon."]


def test_erasing_a_turn_leaves_nothing_of_its_facts_and_reopens_what_it_closed(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with opened(path) as memory:
        tell(memory, *HOMES)
        [home] = known(memory)
        receipt = memory.erase(list(home.evidence), ADA)
        assert receipt.rows["facts"] == 2
        memory.settle()
        assert said(memory) == ["Ada lives in Oslo."]
        assert query(memory, "select count(*) from fact_versions where object = 'Lisbon'") == [(0,)]
    assert b"Lisbon" not in path.read_bytes()


def test_a_model_makes_the_facts_and_each_operation_says_so() -> None:
    model = ScriptedChatModel.of(stated())
    with opened(model=model) as memory:
        tell(memory, "I live in Oslo.")
        assert said(memory) == ["Ada lives in Oslo."]
        [done] = history(memory)
        assert done.model is not None
        assert done.prompt is not None
        assert len(model.calls) == 1


def test_a_model_is_not_asked_where_there_is_nothing_to_extract() -> None:
    with opened(model=ScriptedChatModel.of()) as memory:
        tell(memory, "Thanks!")
        assert known(memory) == []


def test_prose_twice_leaves_the_turn_and_the_next_extraction_takes_it_along() -> None:
    model = ScriptedChatModel.of("Sure!", "Sure!", stated(turns=[1, 2]))
    with opened(model=model) as memory:
        tell(memory, "I live in Oslo.")
        assert known(memory) == []
        assert [(job["state"], job["error"]) for job in memory.doctor()["jobs"]] == [("failed", "ModelOutputInvalid")]
        assert memory.search("where does she live", ADA)[0].text == "I live in Oslo."
        tell(memory, "I work in Oslo as a nurse.")
        assert said(memory) == ["Ada lives in Oslo."]
        assert memory.doctor()["jobs"] == []


def test_what_failed_twice_is_taken_along_once() -> None:
    model = ScriptedChatModel.of(*["Sure!"] * 4, stated("I run a bakery.", turns=[2]))
    with opened(model=model) as memory:
        tell(memory, "I live in Oslo.", "I like olives.", "I run a bakery.")
        asked = model.calls[-1][-1].text
        assert [line.partition(",")[0] for line in asked.splitlines() if line.startswith("Turn")] == [
            "Turn 1",
            "Turn 2",
        ]
        assert "I like olives." in asked
        assert "I live in Oslo." not in asked.partition("Turn 1,")[2]
        assert [job["count"] for job in memory.doctor()["jobs"]] == [1]


def prepared(memory: Memory, text: str) -> int:
    """Accept a turn and leave its job to the test."""
    request = Request([{"role": "user", "content": text, "name": "Ada"}], ADA, append=True, background=True)

    async def accept() -> int:
        added = await memory.writes.accept(request)
        assert added.facts is not None
        memory.facts.expect(added.facts)
        return added.facts

    return memory.live().wait(accept())


async def by_rules(turns: Sequence[SaidTurn], context: Sequence[SaidTurn]) -> tuple[list[FactDraft], Origin]:
    return PatternExtractor().extract(turns), Origin()


def test_what_was_decided_for_other_facts_is_decided_again() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.")
        [oslo] = known(memory)
        tick(memory, days=1)
        job = prepared(memory, "I moved from Oslo to Lisbon.")
        stages, wait = memory.facts, memory.live().wait
        wait(stages.extract(job, by_rules))
        wait(stages.consolidate(job, None))
        memory.forget(oslo.id, ADA)
        assert wait(stages.merge(job)).open
        assert known(memory) == []
        wait(stages.consolidate(job, None))
        done = wait(stages.merge(job))
        assert [(one.operation, one.target) for one in done.operations] == [("ADD", None)]


def test_a_stage_that_lost_its_job_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as memory:
        job = prepared(memory, "I live in Oslo.")

        def taken_over(point: str) -> None:
            if point == "facts.extracted":
                memory.core.ledger.submit(lambda c: c.execute("update outbox set fence = fence + 1")).result()

        monkeypatch.setattr(faults, "reached", taken_over)
        memory.live().wait(memory.facts.extract(job, by_rules))
        assert query(memory, "select draft from outbox where kind = 'facts'") == [(None,)]


def test_what_a_document_said_stays_a_documents_word_beside_the_users_own() -> None:
    said = [
        stated("Ada lives in Oslo."),
        stated("I live in Oslo, in Bislett.", object="Bislett, Oslo", text="Ada lives in Bislett, Oslo."),
    ]
    model = ScriptedChatModel.of(*said, decided(action="refine", target="f1", reason="more_detail"))
    with opened(model=model) as memory:
        memory.add({"role": "user", "content": "Ada lives in Oslo.", "name": "Ada", "origin": "document"}, ADA)
        tell(memory, "I live in Oslo, in Bislett.")
        kept = {(fact.object, fact.origin) for fact in known(memory)}
        assert kept == {("Oslo", "document"), ("Bislett, Oslo", "user")}


def test_who_waits_behind_a_failure_is_told() -> None:
    with opened(model=ScriptedChatModel.of(*[RuntimeError("away")] * 2)) as memory:
        tell(memory, "I live in Oslo.")
        memory.core.clock.at -= timedelta(days=1)  # type: ignore[attr-defined]  # it is not due again
        assert memory.add("I like olives.", ADA).facts is not None
        with pytest.raises(ModelUnavailable, match="Waiting"):
            memory.add("I bake bread.", ADA, strict=True)


def test_an_outage_does_not_use_up_the_second_chance() -> None:
    answers: list[Any] = ["Sure!", "Sure!", RuntimeError("away"), stated(turns=[1, 2])]
    with opened(model=ScriptedChatModel.of(*answers)) as memory:
        tell(memory, "I live in Oslo.", "I work in Oslo as a nurse.")
        assert known(memory) == []
        tick(memory, minutes=5)
        memory.settle(30)
        assert [len(fact.evidence) for fact in known(memory)] == [2]
        assert memory.doctor()["jobs"] == []


def test_a_model_that_keeps_one_owner_waiting_keeps_nobody_else() -> None:
    hangs = threading.Event()

    def answer(messages: list[Any]) -> Any:
        if "Bergen" in messages[-1].text:
            assert hangs.wait(100)
        return stated() if "Oslo" in messages[-1].text else '{"facts": []}'

    with opened(model=ScriptedChatModel.of(*[answer] * 4)) as memory:
        memory.add({"role": "user", "content": "I live in Bergen.", "name": "Bob"}, Scope("bob"), background=True)
        memory.add({"role": "user", "content": "I live in Oslo.", "name": "Ada"}, ADA, background=True)
        while not known(memory):
            pass
        hangs.set()
        memory.settle(30)


def test_a_strict_caller_hears_of_a_model_that_fails_and_the_turn_is_kept() -> None:
    with opened(model=ScriptedChatModel.of(ValueError("I live in Oslo."))) as memory:
        with pytest.raises(ModelUnavailable) as raised:
            tell(memory, "I live in Oslo.", strict=True)
        assert "Oslo" not in str(raised.value)
        assert len(memory.list(ADA).items) == 1


def test_the_three_nodes_do_what_remember_does() -> None:
    with opened() as memory:
        graph = chain(
            ("extract", extract()), ("consolidate", consolidate()), ("merge", merge_graph()), store=memory.store
        )
        ada = MemoryContext("ada")
        graph.invoke({"messages": [HumanMessage("I live in Oslo.", name="Ada")]}, context=ada)
        assert said(memory) == ["Ada lives in Oslo."]


def test_a_job_waits_for_the_node_that_goes_on_with_it() -> None:
    with opened() as memory:

        def look(state: Any) -> dict[str, Any]:
            while memory.live().wait(memory.drain.run_next()):
                pass  # the turn's vectors
            assert said(memory) == [], "the background took it over"
            return {}

        steps = [("extract", extract()), ("look", look), ("consolidate", consolidate()), ("again", look)]
        graph = chain(*steps, ("merge", merge_graph()), store=memory.store)
        state = {"messages": [HumanMessage("I live in Oslo.", name="Ada")]}
        events: list[Any] = list(graph.stream(state, context=MemoryContext("ada"), stream_mode="custom"))
        told = {event["type"]: event for event in events}
        assert told["memgraph.consolidate"]["drafts"] == 1
        assert told["memgraph.merge_graph"]["operations"][0]["operation"] == "ADD"
        assert said(memory) == ["Ada lives in Oslo."]


def test_where_no_node_goes_on_with_it_settling_does() -> None:
    with opened() as memory:
        graph = chain(("extract", extract()), store=memory.store)
        graph.invoke({"messages": [HumanMessage("I live in Oslo.", name="Ada")]}, context=MemoryContext("ada"))
        memory.settle(30)
        assert said(memory) == ["Ada lives in Oslo."]


def test_the_stages_tell_what_they_did_without_a_word_of_it() -> None:
    with opened() as memory:
        memory.live().loop.call_soon_threadsafe(memory.drain.wake)  # the background is busy: it leaves the job to us
        graph = chain(("remember", remember()), store=memory.store)
        state = {"messages": [HumanMessage("I live in Oslo.", name="Ada")]}
        events: list[Any] = list(graph.stream(state, context=MemoryContext("ada"), stream_mode="custom"))
        assert "Oslo" not in str(events)
        told = {event["type"]: event for event in events}
        assert told["memgraph.merge_graph"]["operations"][0]["operation"] == "ADD"


def test_a_model_that_is_away_is_asked_again_ever_later_and_then_no_more() -> None:
    away = [RuntimeError("away")] * jobs.MAX_ATTEMPTS
    with opened(model=ScriptedChatModel.of(*away, stated())) as memory:
        tell(memory, "I live in Oslo.")
        for attempt in range(1, jobs.MAX_ATTEMPTS):
            assert query(memory, "select state, attempt, error_class from outbox") == [
                ("retry", attempt, "ModelUnavailable")
            ]
            early = timedelta(seconds=2 ** (attempt - 1), microseconds=-1)
            memory.core.clock.at += early  # type: ignore[attr-defined]  # the clock of `opened`
            assert not memory.live().wait(memory.drain.run_next())
            memory.core.clock.at += timedelta(microseconds=1)  # type: ignore[attr-defined]
            while query(memory, "select attempt from outbox where state <> 'leased'") != [(attempt + 1,)]:
                memory.live().wait(memory.drain.run_next())
        assert [(job["state"], job["error"]) for job in memory.doctor()["jobs"]] == [("failed", "ModelUnavailable")]
        assert known(memory) == []
        assert memory.retry_failed() == 1
        memory.settle(30)
        assert said(memory) == ["Ada lives in Oslo."]
        assert memory.doctor()["jobs"] == []
