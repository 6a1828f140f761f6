"""Searches over facts: what is shown in whose place, what was true and believed when, whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import apsw
import pytest

from memgraph import Hit, Memory, Scope
from memgraph.ledger import commits, facts, indexes
from memgraph.ledger.filters import of_turns
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.budget import recall
from memgraph.ranking.query import analyse
from memgraph.read_path.search import Search
from memgraph.records import OPEN, Kind, to_us
from memgraph.uuid7 import as_text, uuid7
from memgraph.write_path.applying import LEXICAL_RECIPE
from support.fakes import hash_vector
from support.fixtures import OpenMemory
from support.memories import ADA, NOW, Clock, query, statements

DIMS = 64
MOST = 6
"""SQL statements a search."""


@pytest.fixture
def memory(open_memory: OpenMemory) -> Memory:
    memory = open_memory(":memory:", facts=False)  # those of a test are its own
    memory.core.clock = Clock()
    return memory


def us(moment: datetime) -> int:
    return to_us("moment", moment)


class Writer:
    """Writes facts as consolidation does, without it."""

    def __init__(self, memory: Memory, scope: Scope = ADA) -> None:
        self.memory = memory
        self.scope = scope
        self._operation = 0

    def write(self, *work: Any) -> None:
        """Run functions of (connection, owner, seq, now) in one commit of facts; each returns what it touched."""
        core = self.memory.core
        key = core.owner_key(self.scope)

        def apply(connection: apsw.Connection) -> None:
            owner, seq = connection.execute("select owner, seq from owners where key = ?", (key,)).fetchall()[0]
            touched = [row for one in work for row in one(connection, owner, seq + 1, core.clock())]
            commits.record(connection, owner, at=core.clock(), kind="facts", touched=touched)

        core.ledger.submit(apply).result()

    def fact(
        self,
        text: str,
        *turn_ids: str,
        subject: str = "Ada",
        attribute: str = "residence",
        thing: str = "",
        kind: Kind = "state",
        confidence: float = 0.8,
        since: datetime = NOW,
        until: datetime | None = None,
        names: Sequence[str] = (),
        origin: int = 0,
    ) -> int:
        """Write a fact; returns its row."""
        content = facts.Content(
            subject,
            attribute,
            thing,
            text,
            kind,
            origin,
            confidence,
            0.5,
            us(since),
            OPEN if until is None else us(until),
        )
        self._operation += 1
        operation = self._operation
        made: list[int] = []

        def add(connection: apsw.Connection, owner: int, seq: int, now: int) -> list[int]:
            row = _next(connection, owner)
            identity = uuid7(now).bytes
            facts.add(
                connection,
                owner,
                row,
                content,
                facts.Keys(b"s" + subject.encode(), b"h"),
                identity=identity,
                agent_id=self.scope.agent_id,
                operation=operation,
                seq=seq,
                now=now,
            )
            for turn in turn_ids:
                at = connection.execute(
                    "select row from turns where owner = ? and lower(hex(id)) = ?", (owner, turn.replace("-", ""))
                ).get
                facts.cite(connection, owner, row, at, operation, now, text[:10])
            self._index(connection, owner, row, 1, text)
            made.append(row)
            return [row, *self._mention(connection, owner, row, names, now)]

        self.write(add)
        return made[0]

    def _index(self, connection: apsw.Connection, owner: int, row: int, version: int, text: str) -> None:
        core = self.memory.core
        terms = pack_terms(core.ledger.pepper, tokenize(text))
        connection.execute(
            "insert or replace into postings values (?, ?, 0, ?, ?, null, 9, 0, ?)",
            (owner, row, version, LEXICAL_RECIPE, terms),
        )
        if core.recipe is not None:
            indexes.put_vectors(connection, owner, core.recipe, {row: [(None, hash_vector(text, DIMS))]})  # type: ignore[list-item]

    def _mention(self, connection: apsw.Connection, owner: int, fact: int, names: Sequence[str], now: int) -> list[int]:
        touched: list[int] = []
        for name in names:
            entity = connection.execute("select row from entities where owner = ? and name = ?", (owner, name)).get
            if entity is None:
                entity = _next(connection, owner)
                connection.execute(
                    "insert into entities values (?, ?, ?, null, 'person', 1, ?, ?, null, ?)",
                    (owner, entity, uuid7(now).bytes, now, OPEN, name),
                )
            connection.execute("insert into mentions values (?, ?, ?, 1)", (owner, fact, entity))
            touched.append(entity)
        return touched

    def conflict(self, one: int, other: int) -> None:
        """Link two facts as contradicting each other."""

        def link(connection: apsw.Connection, owner: int, _: int, now: int) -> list[int]:
            facts.link(connection, owner, one, facts.CONFLICT, other, 1, now)
            return [one, other]

        self.write(link)

    def revise(self, row: int, text: str | None = None, until: datetime | None = None) -> None:
        """Give a fact another text or an end."""

        def change(connection: apsw.Connection, owner: int, seq: int, now: int) -> list[int]:
            head = facts.heads(connection, owner, [row])[row].content()
            new = replace(head, text=text or head.text, valid_to=head.valid_to if until is None else us(until))
            version = facts.revise(connection, owner, row, new, None, operation=9, seq=seq, now=now)
            self._index(connection, owner, row, version, new.text)
            return [row]

        self.write(change)

    def withdraw(self, row: int) -> None:
        """End belief in a fact."""

        def end(connection: apsw.Connection, owner: int, seq: int, now: int) -> list[int]:
            facts.withdraw(connection, owner, row, seq=seq, now=now)
            return [row]

        self.write(end)


def _next(connection: apsw.Connection, owner: int) -> int:
    row: int = connection.execute(
        "update owners set last_row = last_row + 1 where owner = ? returning last_row", (owner,)
    ).get
    return row


def search(memory: Memory, text: str, scope: Scope = ADA, **options: Any) -> list[Hit]:
    """Search with every option of `Search`."""
    for name in ("as_of", "known_at"):
        if name in options:
            options[name] = us(options[name])
    ask: dict[str, Any] = {
        "conditions": None,
        "as_of": None,
        "known_at": None,
        "include_shared": False,
        "deadline": 5.0,
        **options,
    }
    limit = ask.pop("limit", 10)

    async def run() -> list[Hit]:
        return (await memory.reads.search(Search(text, scope, limit, **ask)))[0]

    return memory.live().wait(run())


def shown(hits: Sequence[Hit]) -> list[tuple[str, str]]:
    return [(hit.kind, hit.text) for hit in hits]


CHAT = "Oh well, after all that fuss with the boxes and the van and the weather, it is Lisbon for us from this week on."


def test_a_fact_that_says_it_better_stands_in_its_turns_place(memory: Memory) -> None:
    turn, other = memory.add([CHAT, "I like figs."], ADA).ids
    row = Writer(memory).fact("Ada lives in Lisbon.", turn, thing="Lisbon")
    hits = search(memory, "where does Ada live")
    assert shown(hits) == [("fact", "Ada lives in Lisbon."), ("turn", "I like figs.")]
    fact = hits[0]
    assert (fact.evidence, fact.subject, fact.attribute, fact.object) == ((turn,), "Ada", "residence", "Lisbon")
    assert (fact.confidence, fact.quote, fact.said_at) == (0.8, "Ada lives ", NOW)
    assert fact.id == as_text(query(memory, "select id from facts where row = ?", row)[0][0])
    assert fact.arms["fact"].score > 0
    assert hits[1].evidence == (other,)
    assert shown(search(memory, "where does Ada live", kind="turn"))[0] == ("turn", CHAT)
    assert shown(search(memory, "where does Ada live", kind="fact")) == [("fact", "Ada lives in Lisbon.")]


def test_a_turn_that_says_as_much_is_shown_itself_and_keeps_its_score(memory: Memory) -> None:
    turn, _ = memory.add(["I live in Lisbon.", "I like figs."], ADA).ids
    before = search(memory, "I live in Lisbon.")
    Writer(memory).fact("Ada seems to be somewhere.", turn)
    after = search(memory, "I live in Lisbon.")
    assert shown(after) == shown(before)
    assert [hit.score for hit in after] == [hit.score for hit in before]


def test_every_fact_of_a_turn_is_found_where_only_facts_are_wanted(memory: Memory) -> None:
    (turn,) = memory.add("I can't have nuts or milk.", ADA).ids
    writer = Writer(memory)
    for thing in ("nuts", "milk"):
        writer.fact(f"Ada is allergic to {thing}.", turn, attribute="allergy")
    texts = {hit.text for hit in search(memory, "what can't Ada eat", kind="fact")}
    assert texts == {"Ada is allergic to nuts.", "Ada is allergic to milk."}


def test_a_fact_takes_one_place_and_a_further_turn_stays_if_it_says_more(memory: Memory) -> None:
    more = "Lisbon again: we also found a school for the children there, and a boat, and a garden with two fig trees."
    first, short, long = memory.add([CHAT, "Lisbon, yes.", more], ADA).ids
    Writer(memory).fact("Ada lives in Lisbon.", first, short, long)
    hits = search(memory, "where does Ada live")
    assert [hit.kind for hit in hits] == ["fact", "turn"]
    assert len(hits[1].text) > len("Lisbon, yes.")
    assert set(hits[0].evidence) == {first, short, long}


def test_what_has_ended_marks_its_turn(memory: Memory) -> None:
    turn, _ = memory.add(["I live in Oslo.", "I like figs."], ADA).ids
    writer = Writer(memory)
    row = writer.fact("Ada lives in Oslo.", turn, since=NOW - timedelta(days=9))
    writer.revise(row, until=NOW - timedelta(days=1))
    hits = search(memory, "live in Oslo")
    assert shown(hits)[0] == ("turn", "I live in Oslo.")
    assert hits[0].ended == (("", NOW - timedelta(days=1)),)
    block = recall(hits, analyse("Oslo", speakers=[], now_us=0), 1_000).text
    assert '"I live in Oslo." [no longer so since 13 March 2026]' in block


def test_a_fact_ends_while_nothing_is_written(memory: Memory) -> None:
    """What searches see of facts is kept between them: until a fact ends, and by the agents whose facts it is."""
    clock = Clock()
    memory.core.clock = clock
    (turn,) = memory.add("I live in Oslo.", ADA).ids
    Writer(memory).fact("Ada lives in Oslo until spring comes.", turn, until=NOW + timedelta(days=1))
    begins = clock.at
    assert [hit.kind for hit in search(memory, "until spring", kind="fact")] == ["fact"]
    clock.tick(hours=24)
    assert search(memory, "until spring", kind="fact") == []
    assert search(memory, "Oslo")[0].ended == (("", NOW + timedelta(days=1)),)
    clock.at = begins
    assert [hit.kind for hit in search(memory, "until spring", kind="fact")] == ["fact"]


def test_what_took_its_place_answers_where_the_question_is_about_now(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    for days, text in enumerate(["I live in Oslo by the sea.", "I bake bread.", "I moved from Oslo to Lisbon."], -9):
        message = {"role": "user", "content": text, "name": "Ada"}
        memory.add(message, ADA, said_at=NOW + timedelta(days=days), thread_id="t")
    now = [hit.text for hit in memory.search("who lives by the sea in Oslo", ADA)]
    assert "Lisbon" in now[0]
    assert now[1] == "I live in Oslo by the sea."
    assert memory.search("who lived by the sea in Oslo before", ADA)[0].text == "I live in Oslo by the sea."


def test_one_sentence_takes_one_place(open_memory: OpenMemory) -> None:
    memory = open_memory(":memory:")
    memory.add({"role": "user", "content": "My sister Solveig is married to Jonas.", "name": "Ada"}, ADA)
    texts = [fact.text for fact in memory.list(ADA, kind="fact").items]
    assert len(texts) > len(set(texts)), "two facts in one sentence"
    hits = memory.search("whom is Solveig married to", ADA, kind="fact")
    assert {hit.text for hit in hits} == set(texts)
    assert len(hits) == len(set(texts))
    assert "said by another hit" in {drop["reason"] for drop in memory.trace(hits.trace_id, ADA).drops}


def test_truth_at_a_time(memory: Memory) -> None:
    """A fact is found by when it was true, also before its turn was said; the turn is not."""
    (turn,) = memory.add("In January I moved to Lisbon.", ADA).ids
    writer = Writer(memory)
    writer.fact("Ada lives in Lisbon.", turn, since=datetime(2026, 1, 10, tzinfo=UTC))
    assert shown(search(memory, "Ada Lisbon", as_of=datetime(2026, 2, 1, tzinfo=UTC))) == [
        ("fact", "Ada lives in Lisbon.")
    ]
    assert search(memory, "Ada Lisbon", as_of=datetime(2026, 1, 1, tzinfo=UTC)) == []
    assert search(memory, "Ada Lisbon", as_of=datetime(2026, 2, 1, tzinfo=UTC), kind="turn") == []


def test_plans_hold_from_their_saying_and_events_go_on_having_happened(memory: Memory) -> None:
    plan, event = memory.add(["Off to the half marathon!", "Ran it."], ADA, said_at=NOW).ids
    later = NOW + timedelta(days=30)
    writer = Writer(memory)
    writer.fact("Ada plans to run the race.", plan, kind="plan", since=later, until=later + timedelta(days=1))
    past = NOW - timedelta(days=30)
    writer.fact("Ada ran the race.", event, kind="event", since=past, until=past + timedelta(days=1))
    texts = {hit.text for hit in search(memory, "race", kind="fact")}
    assert texts == {"Ada plans to run the race.", "Ada ran the race."}
    assert len(search(memory, "race", kind="fact", as_of=NOW)) == 2
    assert [hit.text for hit in search(memory, "race", kind="fact", as_of=past)] == ["Ada ran the race."]


def test_belief_at_a_time(memory: Memory) -> None:
    clock = Clock()
    memory.core.clock = clock
    (turn,) = memory.add("It is Lisbon.", ADA).ids
    writer = Writer(memory)
    row = writer.fact("Ada lives in Lisbon.", turn)
    assert len(search(memory, "Ada", kind="fact")) == 1
    first = clock.at
    clock.tick(hours=1)
    writer.revise(row, text="Ada lives in Lisbon, in Alfama.")
    second = clock.at
    clock.tick(hours=1)
    writer.withdraw(row)
    for _ in range(2):  # caught up with, and loaded
        assert search(memory, "Ada", kind="fact") == []
        assert [hit.text for hit in search(memory, "Ada", kind="fact", known_at=second)] == [
            "Ada lives in Lisbon, in Alfama."
        ]
        assert [hit.text for hit in search(memory, "Ada", kind="fact", known_at=first)] == ["Ada lives in Lisbon."]
        memory.core.cache.held.clear()


def test_both_sides_of_a_contradiction_are_shown(memory: Memory) -> None:
    one, other = memory.add(["So, dairy is out.", "Cheese, cheese and more cheese for me today."], ADA).ids
    writer = Writer(memory)
    older = writer.fact("Ada eats no cheese.", one, since=NOW - timedelta(days=39))
    newer = writer.fact("Ada enjoys cheese.", other)
    plain = search(memory, "does Ada eat cheese", kind="fact")
    writer.conflict(newer, older)
    hits = search(memory, "does Ada eat cheese", kind="fact")
    found = {hit.text: hit for hit in hits}
    assert found["Ada eats no cheese."].conflicts == (found["Ada enjoys cheese."].id,)
    assert found["Ada enjoys cheese."].contradictions == (("Ada eats no cheese.", NOW - timedelta(days=39)),)
    score = {hit.text: hit.score for hit in plain}
    assert found["Ada eats no cheese."].score < score["Ada eats no cheese."]
    assert found["Ada enjoys cheese."].score == score["Ada enjoys cheese."]
    block = recall(hits[:1], analyse("cheese", speakers=[], now_us=0), 1_000).text
    assert '[contradicts: "Ada e' in block


def test_the_graph_leads_to_what_no_word_names(memory: Memory) -> None:
    ids = memory.add([f"Chat number {n}, nothing of note." for n in range(30)] + ["Odd.", "Even."], ADA).ids
    writer = Writer(memory)
    writer.fact("Solveig works at Kelp and Co.", ids[-2], subject="Solveig", names=["Solveig", "Kelp and Co"])
    writer.fact("Kelp and Co moved to Bergen.", ids[-1], subject="Kelp and Co", names=["Kelp and Co", "Bergen"])
    hits = search(memory, "Which town is Solveig in?", limit=32)
    paths = {hit.text: hit for hit in hits if hit.kind == "fact"}
    near, far = paths["Solveig works at Kelp and Co."], paths["Kelp and Co moved to Bergen."]
    assert near.route == ("Solveig",)
    assert far.route == ("Solveig", "Kelp and Co")
    assert far.path[1] == near.id
    assert far.path[-1] == far.id
    assert near.arms["graph"].score > far.arms["graph"].score > 0
    assert "graph" not in search(memory, "Which town is it?", limit=5)[0].arms


def test_a_date_that_is_named_is_the_facts_not_the_turns(memory: Memory) -> None:
    late, near = memory.add(["Long ago, the boat.", "The weather is fine."], ADA).ids
    day = datetime(2024, 7, 5, tzinfo=UTC)
    Writer(memory).fact("Ada sold the boat.", late, kind="event", since=day, until=day + timedelta(days=1))
    hit = search(memory, "what happened in July 2024")[0]
    assert late in hit.evidence
    assert hit.arms["time"].rank == 1
    assert near not in hit.evidence


def test_an_agents_facts_are_its_own(memory: Memory) -> None:
    planner = Scope("ada", agent_id="planner")
    (turn,) = memory.add("The planner's figs.", planner).ids
    memory.add("Everybody's figs.", ADA)
    Writer(memory, planner).fact("Ada grows figs in secret.", turn)
    assert search(memory, "figs", Scope("ada", agent_id="critic"), kind="fact") == []
    assert len(search(memory, "figs", planner, kind="fact")) == 1
    assert len(search(memory, "figs", kind="fact")) == 1


def test_a_filter_is_met_by_the_evidence(memory: Memory) -> None:
    (one,) = memory.add({"role": "user", "name": "Ada", "content": "Figs."}, ADA).ids
    (two,) = memory.add({"role": "user", "name": "Ben", "content": "Figs too."}, ADA).ids
    writer = Writer(memory)
    writer.fact("Ada eats figs.", one)
    writer.fact("Ben eats figs.", two)
    found = search(memory, "figs", kind="fact", conditions=of_turns({"speaker": "Ben"}))
    assert [hit.text for hit in found] == ["Ben eats figs."]


def test_a_fact_that_is_gone_from_the_ledger_is_not_shown(memory: Memory) -> None:
    (turn,) = memory.add(CHAT, ADA).ids
    Writer(memory).fact("Ada lives in Lisbon.", turn)
    assert len(search(memory, "Ada", kind="fact")) == 1
    memory.core.ledger.submit(lambda c: c.execute("delete from facts")).result()
    assert search(memory, "Ada", kind="fact") == []


def test_facts_of_two_owners_are_ranked_together(memory: Memory) -> None:
    (mine,) = memory.add(CHAT, ADA).ids
    (ours,) = memory.add("The berth is number nine, as everybody knows by now or should know.", Scope.shared()).ids
    Writer(memory).fact("Ada lives in Lisbon.", mine)
    Writer(memory, Scope.shared()).fact("The team's boat lies at berth nine.", ours)
    hits = search(memory, "boat berth", include_shared=True, kind="fact")
    assert [hit.text for hit in hits] == ["The team's boat lies at berth nine.", "Ada lives in Lisbon."]


def test_sql_statements_of_a_search_over_facts(memory: Memory) -> None:
    writer = Writer(memory)
    ids = memory.add([f"Turn {n} about figs." for n in range(60)], ADA, thread_id="t").ids
    rows = [writer.fact(f"Ada has {n} figs.", ids[n]) for n in range(20)]
    search(memory, "figs")
    with statements(memory) as seen:
        search(memory, "Ada has figs")
    assert len(seen) <= MOST, seen
    memory.add("And about olives.", ADA, thread_id="t")
    writer.fact("Ada has an olive.", ids[40])
    writer.conflict(rows[0], rows[1])
    with statements(memory) as seen:
        assert "Ada has an olive." in {hit.text for hit in search(memory, "Ada has an olive")}
    assert len(seen) <= MOST, seen  # an add of turns, its vectors and its facts, all caught up with at once
