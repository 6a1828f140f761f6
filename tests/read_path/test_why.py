"""Why a fact is believed, or no longer is."""

from __future__ import annotations

import pytest

from memgraph import Scope
from memgraph.errors import InvalidInput, NotFound
from support.facts import HOMES, only, opened, tell, tick
from support.fakes import ScriptedChatModel, stated
from support.memories import ADA, BOB, NOW


def test_why_tells_versions_operations_and_words() -> None:
    with opened() as memory:
        tell(memory, *HOMES)
        told = memory.why(only(memory, known_at=memory.list(ADA).items[0].recorded_at).id, ADA)
        assert [(one.version, one.object, one.valid_to is None) for one in told.versions] == [
            (1, "Oslo", True),
            (2, "Oslo", False),
        ]
        first, second = told.versions
        assert first.superseded_at == second.recorded_at
        assert second.superseded_at is None
        assert told.fact == second
        assert [(one.operation, one.mode) for one in told.operations] == [("ADD", None), ("UPDATE", "change")]
        assert [turn.text for turn in told.turns] == [*HOMES]
        assert told.operations[0].evidence == told.fact.evidence == (told.turns[0].id,)
        assert all(one.model is None and one.prompt is None for one in told.operations)
        assert all(one.reason and one.gate for one in told.operations)


def test_a_model_and_its_prompt_are_named() -> None:
    with opened(model=ScriptedChatModel.of(stated())) as memory:
        tell(memory, "I live in Oslo.")
        [added] = memory.why(only(memory).id, ADA).operations
        assert added.model is not None
        assert added.prompt is not None
        assert len(added.prompt) >= 12


def test_what_was_said_again_and_what_was_undone_is_told() -> None:
    with opened() as memory:
        tell(memory, "I live in Oslo.", "I live in Oslo.")
        home = only(memory)
        tick(memory)
        again = memory.operations(ADA, fact=home.id).items[0]
        undone = memory.undo(again.id, ADA)
        told = memory.why(home.id, ADA)
        assert [one.operation for one in told.operations] == ["ADD", "NOOP", "UNDO"]
        assert told.operations[1].undone_by == undone.id
        assert told.operations[2].undoes == again.id
        assert len(told.fact.evidence) == 1
        assert len(told.turns) == 2


def test_a_forgotten_fact_and_its_forgotten_turn_are_still_told_of() -> None:
    with opened() as memory:
        [said] = tell(memory, "I live in Oslo.")
        home = only(memory)
        tick(memory)
        memory.forget(home.id, ADA, reason="asked to")
        tick(memory)
        memory.forget(said, ADA)
        told = memory.why(home.id, ADA)
        assert told.fact.superseded_at is not None
        assert (told.operations[-1].operation, told.operations[-1].reason) == ("DELETE", "asked to")
        assert [turn.text for turn in told.turns] == ["I live in Oslo."]
        assert told.turns[0].superseded_at is not None
        assert told.fact.evidence == (said,)


def test_a_fact_that_was_undone_is_told_of_with_what_said_it() -> None:
    with opened() as memory:
        [said] = tell(memory, "I live in Oslo.")
        home = only(memory)
        tick(memory)
        memory.undo(memory.operations(ADA).items[0].id, ADA)
        told = memory.why(home.id, ADA)
        assert told.fact.superseded_at is not None
        assert told.fact.evidence == (said,)
        assert [turn.id for turn in told.turns] == [said]
        assert [one.operation for one in told.operations] == ["ADD", "UNDO"]


def test_conflicts_are_told() -> None:
    with opened() as memory:
        tell(memory, "My birthday is 3 May.", "My birthday is 4 June.")
        may, june = memory.list(ADA, kind="fact").items
        assert memory.why(may.id, ADA).fact.conflicts == may.conflicts == (june.id,)
        assert memory.why(june.id, ADA).fact.conflicts == june.conflicts == (may.id,)
        told = memory.why(may.id, ADA)
        assert [one.fact for one in told.operations] == [may.id, june.id]
        assert len(told.turns) == 2


def test_what_is_no_fact_of_the_scope() -> None:
    with opened() as memory:
        [said] = tell(memory, "I live in Oslo.", scope=Scope("ada", agent_id="a"))
        home = only(memory)
        assert memory.why(home.id, Scope("ada", agent_id="a")).fact == home
        for identity, scope in ((home.id, BOB), (home.id, Scope("ada", agent_id="b")), ("x", ADA), ("", ADA)):
            with pytest.raises(NotFound, match="no such fact in this scope"):
                memory.why(identity, scope)
        with pytest.raises(NotFound):
            memory.why(said, BOB)
        with pytest.raises(InvalidInput, match="id of a turn"):
            memory.why(said, ADA)
        with pytest.raises(InvalidInput, match="an id is text"):
            memory.why(None, ADA)  # type: ignore[arg-type]  # what people write
        assert home.valid_from > NOW
