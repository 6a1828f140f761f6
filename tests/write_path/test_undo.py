"""Whatever is told, corrected, forgotten and undone: what is read equals a plain model of what was believed when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from memgraph import Memory
from memgraph.drafts import FactDraft, KnownFact, SaidTurn, Step
from memgraph.errors import UndoRefused
from memgraph.ledger import facts, filters, owners
from memgraph.read_path.surroundings import around
from memgraph.records import OPEN, Fact, Graph, MemoryOperation, to_us
from memgraph.write_path import corrections
from memgraph.write_path.corrections import Correction
from memgraph.writing.attributes import single
from memgraph.writing.consolidation import plan
from memgraph.writing.extractor import PatternExtractor
from support.facts import history
from support.memories import ADA, Clock

DAY = 86_400_000_000
SAID = (
    "I live in Oslo.",
    "I live in Leeds.",
    "I moved from Oslo to Lisbon.",
    "I no longer live in Lisbon.",
    "I live in Oslo, Norway.",
    "I work at Kestrel as a nurse.",
    "I quit my job at Kestrel.",
    "I love tea.",
    "I don't like tea any more.",
    "In 2019 I lived in Rome.",
)


@dataclass(frozen=True)
class Believed:
    """What a fact says, as far as it is compared."""

    subject: str
    attribute: str
    object: str
    text: str
    kind: str
    valid_from: int
    valid_to: int


State = dict[int, tuple[Believed, frozenset[int]]]
"""By fact: what it says, and the turns that say so. What is not believed is not there."""


@dataclass
class Done:
    """An operation: what each fact was before it and after it, and the turns that became evidence or no longer are.

    Of what a turn ended also the turns that say so, and the fact that was brought instead.
    """

    before: dict[int, Believed | None] = field(default_factory=dict[int, "Believed | None"])
    after: dict[int, Believed | None] = field(default_factory=dict[int, "Believed | None"])
    cited: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    uncited: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    undone_by: Done | None = None
    closes: bool = False
    brings: int | None = None
    turns: list[int] = field(default_factory=list[int])

    def is_undone(self) -> bool:
        return self.undone_by is not None and not self.undone_by.is_undone()


class Model:
    """Facts, turns and operations in dicts and lists, numbered as they come."""

    def __init__(self) -> None:
        self.facts: dict[int, Believed | None] = {}
        self.evidence: dict[int, set[int]] = {}
        self.turns: list[bool] = []
        self.done: list[Done] = []
        self.log: list[tuple[int, State]] = []

    def state(self) -> State:
        return {fact: (said, frozenset(self.evidence[fact])) for fact, said in self.facts.items() if said is not None}

    def known_at(self, at: int) -> State:
        return next(state for when, state in reversed(self.log) if when <= at)

    def note(self, now: int) -> None:
        self.log.append((now, self.state()))

    def tell(self, text: str, now: int) -> None:
        self.turns.append(True)
        said = SaidTurn(1, "Ada", "user", "user", text, now)
        drafts = PatternExtractor().extract([said])
        rows = {f"f{row}": row for row in self.state()}
        known = [KnownFact(alias, *self._known(row)) for alias, row in rows.items()]
        for step in plan(drafts, [said], known):
            self._take(step, drafts[step.draft], rows, now)

    def _known(self, row: int) -> tuple[Any, ...]:
        said = self.facts[row]
        assert said is not None
        return said.subject, said.attribute, said.object, said.text, said.kind, said.valid_from, said.valid_to

    def _take(self, step: Step, draft: FactDraft, rows: dict[str, int], now: int) -> None:
        target = None if step.target is None else rows[step.target]
        if target is None and not step.adds:
            return
        turn = len(self.turns) - 1
        done = Done(closes=step.mode in ("change", "ended", "retracted"), turns=[turn])
        if target is not None and (said := self.facts[target]) is not None:
            if (step.operation == "NOOP" or step.mode == "refine") and turn not in self.evidence[target]:
                self.evidence[target].add(turn)
                done.cited.append((target, turn))
            if step.mode == "refine":
                self._set(done, target, replace(said, object=draft.object, text=draft.text))
            elif step.mode == "retracted":
                self._set(done, target, None)
            elif step.close_at is not None:
                self._set(done, target, replace(said, valid_to=step.close_at))
        if step.adds:
            row = rows[f"n{step.draft}"] = done.brings = len(self.facts) + 1
            self.evidence[row] = {turn}
            begins = now if draft.valid_from is None else draft.valid_from
            ends = OPEN if step.valid_to is None else step.valid_to
            said = Believed(
                draft.subject, draft.attribute, draft.object, draft.text, draft.kind, begins, max(begins, ends)
            )
            self._set(done, row, said)
        self.done.append(done)

    def _set(self, done: Done, row: int, said: Believed | None) -> None:
        done.before[row], done.after[row] = self.facts.get(row), said
        self.facts[row] = said

    def update(self, row: int, **changes: Any) -> None:
        said = self.facts[row]
        assert said is not None
        self.done.append(Done())
        self._set(self.done[-1], row, replace(said, **changes))

    def forget(self, row: int) -> None:
        self.done.append(Done())
        self._set(self.done[-1], row, None)

    def forget_turn(self, turn: int) -> None:
        self.turns[turn] = False
        closings = [done for done in reversed(self.done) if done.closes]
        gone = [row for row, (_, said) in self.state().items() if turn in said and not self._is_said(row)]
        for row in gone:
            self.forget(row)
        opened: set[int] = set()
        for done in closings:
            if done.is_undone() or any(self.turns[one] for one in done.turns):
                continue
            if done.brings is not None and self.facts[done.brings] is not None:
                continue
            for row, before in done.before.items():
                lost = turn in done.turns or done.brings in gone or row in opened
                if before and lost and self.facts[row] == done.after[row] and self._is_said(row):
                    self.done.append(Done())
                    done.undone_by = self.done[-1]
                    self._set(done.undone_by, row, before)
                    opened.add(row)
                    self._end_later(row, before)

    def _end_later(self, row: int, said: Believed) -> None:
        """End a fact where the next value of what it tells begins."""
        later = [
            (other.valid_from, -which, which)
            for which, (other, _) in self.state().items()
            if which != row
            and (other.subject, other.attribute, other.kind) == (said.subject, said.attribute, "state")
            and said.kind == "state"
            and said.valid_from < other.valid_from < said.valid_to
            and (single(said.attribute) or other.object == said.object)
        ]
        if later:
            at, _, which = min(later)
            self.done.append(Done(closes=True, turns=sorted(self.evidence[which]), brings=which))
            self._set(self.done[-1], row, replace(said, valid_to=at))

    def _is_said(self, row: int) -> bool:
        return any(self.turns[turn] for turn in self.evidence[row])

    def undo(self, which: int) -> bool:
        """Undo an operation. Returns whether it could be."""
        undone = self.done[which]
        if undone.undone_by or any(self.facts[row] != said for row, said in undone.after.items()):
            return False
        done = Done(cited=[*undone.uncited], uncited=[*undone.cited])
        undone.undone_by = done
        self.done.append(done)
        for row, said in undone.before.items():
            self._set(done, row, said)
        for row, turn in done.uncited:
            self.evidence[row].discard(turn)
        for row, turn in done.cited:
            self.evidence[row].add(turn)
        for row in {row for row, _ in done.uncited}:
            if self.facts[row] is not None and not self._is_said(row):
                before = done.before.get(row, self.facts[row])
                self._set(done, row, None)
                done.before[row] = before
        return True


ACTIONS = st.one_of(
    st.tuples(st.just("tell"), st.sampled_from(range(len(SAID)))),
    st.tuples(st.sampled_from(["tell", "update", "forget", "forget turn", "undo", "undo"]), st.integers(0, 9)),
)


class World:
    """A memory and its model, told the same."""

    def __init__(self, memory: Memory) -> None:
        self.memory, self.model, self.clock = memory, Model(), Clock()
        memory.core.clock = self.clock
        self.graphs: list[Graph] = []

    def act(self, action: str, number: int) -> None:
        memory, model = self.memory, self.model
        now = to_us("now", self.clock.tick(days=1))
        believed = [*model.state()]
        if action == "tell":
            text = SAID[number]
            model.tell(text, now)
            memory.add({"role": "user", "content": text, "name": "Ada"}, ADA)
        elif action == "undo" and model.done:
            which = number % len(model.done)
            can, operation = model.undo(which), self.history()[which]
            try:
                memory.live().wait(corrections.undo(memory.core, operation.id, ADA))
            except UndoRefused:
                assert not can
            else:
                assert can
        elif action == "update" and believed:
            row = believed[number % len(believed)]
            model.update(row, text=f"Corrected, {number}.")
            correction = Correction(text=f"Corrected, {number}.")
            memory.live().wait(corrections.update(memory.core, self.id_of(row), ADA, correction))
        elif action == "forget" and believed:
            row = believed[number % len(believed)]
            fact = self.id_of(row)
            model.forget(row)
            memory.forget(fact, ADA)
        elif action == "forget turn" and any(model.turns):
            turns = [turn for turn, there in enumerate(model.turns) if there]
            turn = turns[number % len(turns)]
            model.forget_turn(turn)
            memory.forget(self.turn_ids()[turn], ADA)
        model.note(now)
        self.graphs.append(self.graph(now, None))

    def graph(self, as_of: int, known_at: int | None) -> Graph:
        return self.memory.live().wait(around(self.memory.core, ADA, None, limit=200, as_of=as_of, known_at=known_at))

    def history(self) -> list[MemoryOperation]:
        return [done for done in history(self.memory) if done.operation != "MERGE"]

    def turn_ids(self) -> list[str]:
        return [
            turn for (turn,) in self.ask("select lower(hex(id)) from turns order by row")
        ]  # fmt: skip

    def id_of(self, row: int) -> str:
        """Return the id of the model's fact: facts are numbered as they come."""
        return str(self.ask("select lower(hex(id)) from facts order by row")[row - 1][0])

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.memory.live().wait(self.memory.core.ledger.read(lambda c: c.execute(sql).fetchall()))

    def read(self, as_of: int | None, known_at: int | None) -> list[Fact]:
        core = self.memory.core

        def look(connection: Any) -> list[Fact]:
            owner, _ = owners.head(connection, core.owner_key(ADA)) or (0, 0)
            condition = facts.visible(filters.Where(), None, as_of, known_at, core.clock())
            return facts.to_facts(
                connection, owner, facts.page(connection, owner, condition, after=0, limit=1_000), known_at
            )

        return self.memory.live().wait(core.ledger.read(look))

    def check(self) -> None:
        """Compare every moment of belief, and of truth, with the model."""
        numbers = {turn: number for number, turn in enumerate(self.turn_ids())}
        times = [when for when, _ in self.model.log]
        assert [self.graph(when, when) for when in times] == self.graphs
        for known_at in times:
            state = self.model.known_at(known_at)
            for as_of in times[::3]:
                expected = sorted(
                    (*said.__dict__.values(), tuple(sorted(turns)))
                    for said, turns in state.values()
                    if said.valid_from <= as_of
                    and (as_of < said.valid_to or (said.kind == "event" and said.valid_from < said.valid_to))
                )
                assert sorted(self.plain(self.read(as_of, known_at), numbers)) == expected
            for one, other in overlapping(self.read(None, known_at)):
                assert other.id in one.conflicts, f"{one.object} and {other.object} at once, and nothing says so"

    @staticmethod
    def plain(found: Sequence[Fact], numbers: dict[str, int]) -> list[tuple[Any, ...]]:
        return [
            (
                fact.subject, fact.attribute, fact.object, fact.text, fact.kind, to_us("from", fact.valid_from),
                OPEN if fact.valid_to is None else to_us("to", fact.valid_to),
                tuple(sorted(numbers[turn.replace("-", "")] for turn in fact.evidence)),
            )
            for fact in found
        ]  # fmt: skip


def overlapping(found: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """Return the pairs of values that one subject has at one time, of attributes that have one value."""
    never = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
    return [
        (one, other)
        for one in found
        for other in found
        if one.id != other.id
        and single(one.attribute)
        and (one.subject, one.attribute) == (other.subject, other.attribute)
        and {one.kind, other.kind} == {"state"}
        and one.valid_from < (other.valid_to or never)
        and other.valid_from < (one.valid_to or never)
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(ACTIONS, min_size=2, max_size=9))
def test_what_is_read_equals_a_plain_model(actions: list[tuple[str, int]]) -> None:
    with Memory.open(":memory:", embedder=None, facts=True) as memory:
        world = World(memory)
        for action, number in actions:
            world.act(action, number)
        world.check()


def test_what_nobody_says_any_more_goes_with_the_evidence_that_is_undone() -> None:
    with Memory.open(":memory:", embedder=None, facts=True) as memory:
        world = World(memory)
        for action in (("tell", 0), ("tell", 0), ("forget turn", 0), ("undo", 1)):
            world.act(*action)
        assert world.read(None, None) == []
        world.act("undo", 2)
        assert [len(fact.evidence) for fact in world.read(None, None)] == [2]
        world.check()


def test_two_values_at_once_contradict_each_other_until_that_is_undone_too() -> None:
    with Memory.open(":memory:", embedder=None, facts=True) as memory:
        world = World(memory)
        for action in (("tell", 2), ("tell", 3), ("tell", 0), ("undo", 1)):
            world.act(*action)
        one, other = world.read(None, None)
        assert {one.object, other.object} == {"Lisbon", "Oslo"}
        assert (one.conflicts, other.conflicts) == ((other.id,), (one.id,))
        world.act("undo", 3)
        [oslo] = world.read(None, None)
        assert (oslo.object, oslo.conflicts) == ("Oslo", ())
        world.check()


def test_an_addition_can_be_undone_once_what_changed_it_was() -> None:
    with Memory.open(":memory:", embedder=None, facts=True) as memory:
        world = World(memory)
        for action in (("tell", 0), ("tell", 2), ("undo", 0), ("undo", 1), ("undo", 0)):
            world.act(*action)
        assert world.read(None, None) == []
        assert [done.operation for done in world.history()] == ["ADD", "UPDATE", "UNDO", "UNDO"]
        world.check()
