"""The graph that facts make: who is whom, how they stand to each other, what is undone and erased of it."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from memgraph import Memory, Scope
from memgraph.drafts import FactDraft, Mention, RelationDraft, SaidTurn
from memgraph.errors import NotFound, StoreError, UndoRefused
from memgraph.ledger import faults, unnaming
from memgraph.records import Entity, Graph, MemoryOperation
from memgraph.write_path import corrections
from memgraph.write_path.corrections import Correction
from support.facts import day, history, known, now, opened, tell, tick, undo
from support.memories import ADA, query
from support.scan import holding

Say = Callable[..., str]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Tells what a text states and returns the text: `say(text, subject, attribute, object, (name, type), ...)`."""
    stated: dict[str, list[FactDraft]] = {}

    class Scripted:
        def extract(self, turns: Sequence[SaidTurn]) -> list[FactDraft]:
            return [
                FactDraft(
                    one.subject,
                    one.attribute,
                    one.object,
                    one.text,
                    one.kind,
                    evidence=(turn.index,),
                    quote=turn.text,
                    entities=one.entities,
                    relations=one.relations,
                )  # fmt: skip
                for turn in turns
                for one in stated[turn.text]
            ]

    def note(text: str, subject: str, attribute: str, thing: str, *names: tuple[str, str], **more: Any) -> str:
        mentions = tuple(Mention(*name) for name in names)
        relations = tuple(RelationDraft(*one) for one in more.pop("relations", ()))
        draft = FactDraft(subject, attribute, thing, text, entities=mentions, relations=relations, **more)
        stated.setdefault(text, []).append(draft)
        return text

    monkeypatch.setattr(importlib.import_module("memgraph.nodes.extract"), "PatternExtractor", Scripted)
    return note


def see(memory: Memory, name: str | None, scope: Scope = ADA, **options: Any) -> Graph:
    return memory.graph(scope, name, **options)


def names(part: Graph) -> set[str]:
    return {entity.name for entity in part.entities}


def edges(part: Graph) -> set[tuple[str, str, str]]:
    called = {entity.id: entity.name for entity in part.entities}
    return {(called[one.source], one.type, called[one.target]) for one in part.relations}


def entity(part: Graph, name: str) -> Entity:
    return next(one for one in part.entities if one.name == name)


def live(say: Say, where: str, who: str = "Ada") -> str:
    return say(f"{who} lives in {where}.", who, "residence", where, (who, "person"), (where, "place"))


def sisters(memory: Memory, say: Say) -> list[str]:
    """Tell of a sister by her full name, then by her first."""
    texts = [
        say(
            "Ada has a sister called Solveig Aune.", "Ada", "family", "sister Solveig Aune", ("Ada", "person"),
            ("Solveig Aune", "person"), relations=[("Ada", "sibling_of", "Solveig Aune")],
        ),
        say(
            "Ada's sister Solveig lives in Leeds.", "Solveig", "residence", "Leeds", ("Solveig", "person"),
            ("Leeds", "place"),
        ),
    ]  # fmt: skip
    tell(memory, *texts)
    return texts


def test_facts_make_entities_and_relations_that_are_found_by_any_name(say: Say) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"), live(say, "Leeds", "Solveig"))
        part = see(memory, "ada")
        assert edges(part) == {("Ada", "lives_in", "Oslo")}
        [home] = [fact for fact in known(memory) if fact.object == "Oslo"]
        [relation] = part.relations
        assert (relation.fact, relation.evidence, relation.valid_to) == (home.id, home.evidence, None)
        assert edges(see(memory, "OSLO")) == edges(part)
        assert edges(see(memory, None)) == {*edges(part), ("Solveig", "lives_in", "Leeds")}
        assert len(see(memory, None, limit=1).entities) == 1
        assert see(memory, "Nobody") == see(memory, "ada", Scope("bob")) == Graph((), ())
        assert entity(part, "Oslo").type == "place"


def test_a_relation_ends_with_its_fact(say: Say) -> None:
    with opened() as memory:
        say("Ada moved from Oslo to Leeds.", "Ada", "residence", "Leeds", ("Ada", "person"), ("Leeds", "place"))
        tell(memory, live(say, "Oslo"), "Ada moved from Oslo to Leeds.")
        assert edges(see(memory, "Ada")) == {("Ada", "lives_in", "Leeds")}
        assert see(memory, "Oslo") == Graph((), ())
        assert edges(see(memory, "Ada", as_of=day(1))) == {("Ada", "lives_in", "Oslo")}
        assert edges(see(memory, "Ada", known_at=day(1))) == {("Ada", "lives_in", "Oslo")}
        memory.forget(known(memory)[0].id, ADA)
        assert see(memory, "Ada") == Graph((), ())


def test_each_agents_entities_are_its_own(say: Say) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"), scope=Scope("ada", agent_id="a"))
        tell(memory, live(say, "Leeds"), scope=Scope("ada", agent_id="b"))
        tell(memory, live(say, "Ely"))
        assert names(see(memory, "Ada", Scope("ada", agent_id="a"))) == {"Ada", "Oslo", "Ely"}
        assert names(see(memory, "Ada")) == {"Ada", "Oslo", "Leeds", "Ely"}
        assert query(memory, "select count(*) from entities where name = 'Ada'") == [(3,)]


def test_a_merge_is_an_operation_and_one_call_undoes_it(say: Say) -> None:
    with opened() as memory:
        sisters(memory, say)
        before = now(memory)
        apart, together = see(memory, "Solveig", known_at=day(1)), see(memory, "Solveig")
        assert apart == Graph((), ())
        sister = entity(together, "Solveig Aune")
        assert sister.aliases == ("Solveig",)
        assert edges(together) == {("Solveig Aune", "lives_in", "Leeds"), ("Ada", "sibling_of", "Solveig Aune")}
        [merge] = [done for done in history(memory) if done.operation == "MERGE"]
        assert sister.merges == (merge.id,)
        assert merge.target == sister.id
        assert merge.fact not in (None, sister.id)
        assert merge.evidence == known(memory)[1].evidence
        assert "Solveig" not in (merge.reason or "Solveig")
        tick(memory)
        undone = undo(memory, merge)
        assert (undone.operation, undone.fact, undone.target) == ("UNDO", merge.fact, merge.target)
        assert edges(see(memory, "Solveig")) == {("Solveig", "lives_in", "Leeds")}
        assert edges(see(memory, "Solveig Aune")) == {("Ada", "sibling_of", "Solveig Aune")}
        assert see(memory, "Solveig", known_at=before) == together
        with pytest.raises(UndoRefused):
            undo(memory, merge)
        tick(memory)
        again = undo(memory, undone)
        assert edges(see(memory, "Solveig")) == edges(together)
        assert entity(see(memory, "Solveig"), "Solveig Aune").merges == (again.id,)
        undo(memory, again)
        assert names(see(memory, "Solveig")) == {"Solveig", "Leeds"}


def test_a_merge_is_undone_by_whom_it_belongs_to(say: Say) -> None:
    with opened() as memory:
        scope = Scope("ada", agent_id="a")
        say("Ada has a sister called Solveig Aune.", "Ada", "family", "sister Solveig Aune", ("Ada", "person"),
            ("Solveig Aune", "person"))  # fmt: skip
        say("Ada's sister Solveig lives in Leeds.", "Solveig", "residence", "Leeds", ("Solveig", "person"))
        tell(memory, "Ada has a sister called Solveig Aune.", "Ada's sister Solveig lives in Leeds.", scope=scope)
        [merge] = [done for done in history(memory) if done.operation == "MERGE"]
        for other in (Scope("ada", agent_id="b"), Scope("bob")):
            with pytest.raises(NotFound):
                undo(memory, merge, other)
        assert undo(memory, merge, scope).undoes == merge.id


def test_what_an_operation_brought_goes_and_comes_with_it(say: Say) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"))
        text = "Ada is also called Addy."
        tell(memory, say(text, "Ada", "name", "Addy", ("Ada", "person"), ("Addy", "person")))
        assert entity(see(memory, "Addy"), "Ada").aliases == ("Addy",)
        undone = undo(memory, history(memory)[1])
        assert see(memory, "Addy") == Graph((), ())
        assert entity(see(memory, "Ada"), "Ada").aliases == ()
        undo(memory, undone)
        assert edges(see(memory, "Addy")) == {("Ada", "lives_in", "Oslo")}
        memory.forget(known(memory)[1].evidence[0], ADA)
        assert see(memory, "Addy") == Graph((), ())
        # Nobody is called so any more: who is named so now is somebody else.
        tell(memory, live(say, "Hull", "Addy"))
        assert edges(see(memory, "Addy")) == {("Addy", "lives_in", "Hull")}


def test_what_a_refinement_names_goes_with_it(say: Say) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"))
        more = say(
            "Ada lives in Oslo, Norway.", "Ada", "residence", "Oslo, Norway", ("Ada", "person"), ("Oslo", "place"),
            ("Norway", "place"), relations=[("Ada", "lives_in", "Oslo"), ("Oslo", "part_of", "Norway")],
        )  # fmt: skip
        tell(memory, more)
        assert [(done.operation, done.mode) for done in history(memory)] == [("ADD", None), ("UPDATE", "refine")]
        refined = see(memory, "Ada")
        assert names(refined) == {"Ada", "Oslo", "Norway"}
        undone = undo(memory, history(memory)[1])
        assert edges(see(memory, "Ada")) == {("Ada", "lives_in", "Oslo")}
        assert see(memory, "Norway") == Graph((), ())
        undo(memory, undone)
        assert edges(see(memory, "Ada")) == edges(refined)
        undo(memory, history(memory)[-1])
        undo(memory, history(memory)[0])
        assert see(memory, None) == see(memory, "Ada") == Graph((), ())


def test_a_fact_in_the_callers_words_names_whom_these_name(say: Say) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"))

        def update(correction: Correction) -> MemoryOperation:
            return memory.live().wait(corrections.update(memory.core, known(memory)[0].id, ADA, correction))

        update(Correction(text="Ada has lived in Oslo since 2020."))
        assert edges(see(memory, "Ada")) == {("Ada", "lives_in", "Oslo")}
        moved = update(Correction(text="Ada lives in Bergen.", object="Bergen"))
        assert edges(see(memory, "Ada")) == {("Ada", "lives_in", "Bergen")}
        assert entity(see(memory, "Bergen"), "Bergen").type == "place"
        assert see(memory, "Oslo") == Graph((), ())
        undo(memory, moved)
        assert edges(see(memory, "Oslo")) == {("Ada", "lives_in", "Oslo")}
        update(Correction(text="Ada lives somewhere in Norway.", object="somewhere"))
        assert edges(see(memory, "Ada")) == set()


def test_a_replay_of_a_job_gives_the_same_graph(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def kill(point: str) -> None:
        if point == "facts.applied":
            raise Killed

    say("Solveig Aune is Ada's sister.", "Ada", "family", "sister Solveig Aune", ("Solveig Aune", "person"))
    text = live(say, "Leeds", "Solveig Aune")
    with opened(tmp_path / "one.db", embedder=None) as memory:
        tell(memory, "Solveig Aune is Ada's sister.")
        passed = faults.reached
        monkeypatch.setattr(faults, "reached", kill)
        with pytest.raises(Killed):
            tell(memory, text)
    monkeypatch.setattr(faults, "reached", passed)
    shutil.copy(tmp_path / "one.db", tmp_path / "other.db")
    states: list[list[list[tuple[Any, ...]]]] = []
    for name in ("one.db", "other.db"):
        with Memory.open(tmp_path / name, embedder=None, facts=True) as memory:
            memory.settle(30)
            assert edges(see(memory, "Leeds", hops=1)) == {("Solveig Aune", "lives_in", "Leeds")}
            columns = {
                "facts": "id, row, text", "entities": "id, row, name, merged_into", "mentions": "fact, entity",
                "entity_aliases": "key, entity, name", "relations": "row, source, type, target, fact",
            }  # fmt: skip
            states.append(
                [query(memory, f"select {which} from {table} order by 1") for table, which in columns.items()]
            )
    assert states[0] == states[1]


def everywhere(memory: Memory) -> str:
    """Return all words of all tables."""
    tables = [name for (name,) in query(memory, "select name from sqlite_schema where type = 'table'")]
    return " ".join(
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for table in tables
        for row in query(memory, f"select * from {table}")
        for value in row
    )


def test_no_table_holds_the_names_that_were_erased(say: Say, tmp_path: Path) -> None:
    with opened(tmp_path / "memory.db") as memory:
        sisters(memory, say)
        tell(memory, live(say, "Oslo"))
        assert all(word in everywhere(memory) for word in ("Solveig", "Leeds", "MERGE"))
        turns = [turn.id for turn in memory.list(ADA).items if "Solveig" in turn.text]
        receipt = memory.erase(turns, ADA)
        assert (receipt.rows["entities"], receipt.rows["relations"]) == (3, 2)
        assert not any(word in everywhere(memory) for word in ("Solveig", "Aune", "Leeds", "MERGE"))
        assert edges(see(memory, None)) == {("Ada", "lives_in", "Oslo")}
        assert memory.search("where does Ada live", ADA)[0].text
    assert holding([tmp_path], ["Solveig", "Aune", "Leeds"]) == []


def test_an_erasure_that_leaves_a_name_is_told(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as memory:
        tell(memory, live(say, "Oslo"))
        [entity] = [row for row, name in query(memory, "select row, name from entities") if name == "Oslo"]

        def nothing(*_: Any) -> unnaming.Gone:
            return unnaming.Gone({}, [entity], [], {})

        monkeypatch.setattr(unnaming, "erase_facts", nothing)
        with pytest.raises(StoreError, match="entity_aliases") as raised:
            memory.erase("everything", ADA)
        assert "Oslo" not in str(raised.value)
        assert all(table in str(raised.value) for table in ("mentions", "relations", "entities"))


def test_what_was_merged_because_of_an_erased_turn_is_parted(say: Say) -> None:
    with opened() as memory:
        _, told = sisters(memory, say)
        tell(memory, live(say, "Hull", "Solveig"))
        assert edges(see(memory, "Solveig", hops=1)) >= {("Solveig Aune", "lives_in", "Hull")}
        [turn] = [turn.id for turn in memory.list(ADA).items if turn.text == told]
        memory.erase(turn, ADA)
        assert "Leeds" not in everywhere(memory)
        assert not [done for done in history(memory) if done.operation == "MERGE"]
        assert names(see(memory, "Solveig Aune")) == {"Solveig Aune", "Ada"}


def test_who_was_merged_into_what_is_erased_stays_one_and_can_be_parted(say: Say) -> None:
    with opened() as memory:
        full, short = sisters(memory, say)
        more = say(
            "Ada's sister Solvieg works at Kestrel.", "Solvieg", "employer", "Kestrel", ("Solvieg", "person"),
            ("Kestrel", "organisation"),
        )  # fmt: skip
        tell(memory, more)
        root = "select row, merged_into from entities where merged_into is not null order by row"
        merged = query(memory, root)
        [turn] = [turn.id for turn in memory.list(ADA).items if turn.text == full]
        memory.erase(turn, ADA)
        assert "Aune" not in everywhere(memory)
        if len(merged) == 2:  # both by what is left
            [(row, into)] = query(memory, root)
            assert {row, into} == {entity for entity, _ in merged}
            assert edges(see(memory, "Solveig")) == {
                ("Solveig", "lives_in", "Leeds"),
                ("Solveig", "works_at", "Kestrel"),
            }
            [merge] = [done for done in history(memory) if done.operation == "MERGE"]
            undo(memory, merge)
        assert edges(see(memory, "Solveig")) == {("Solveig", "lives_in", "Leeds")}
        assert short in everywhere(memory)


def test_a_name_that_only_an_erased_turn_said_is_no_ones(say: Say) -> None:
    with opened() as memory:
        first = live(say, "Oslo", "Ada Berg")
        text = "Ada Berg is also called Addy."
        say(text, "Ada Berg", "name", "Addy", ("Ada Berg", "person"), ("Addy", "person"))
        tell(memory, first, text, live(say, "Hull", "Addy"))
        assert entity(see(memory, "Addy"), "Ada Berg").aliases == ("Addy",)
        turns = [turn.id for turn in memory.list(ADA).items if "Berg" in turn.text]
        memory.erase(turns, ADA)
        assert "Berg" not in everywhere(memory)
        assert edges(see(memory, "Addy")) == {("Addy", "lives_in", "Hull")}
