"""The graph in the ledger: merges that can be undone, erasure that leaves no name, reads that see what they may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memgraph.ledger import facts, graph, operations, owners, unnaming
from memgraph.ledger.around import View, around
from memgraph.ledger.facts import Content, Keys
from memgraph.ledger.handle import Ledger
from memgraph.ledger.operations import Effects, Entry
from memgraph.records import OPEN, Graph, Kind
from memgraph.uuid7 import uuid7

TABLES = ("entities", "entity_aliases", "mentions", "relations")
NOW = View(None, None, None, 1_000)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    Ledger(str(tmp_path / "m.db"), None).close()
    opened = apsw.Connection(str(tmp_path / "m.db"))
    for name in (b"ada", b"bob"):
        owners.ensure(opened, name)
    yield opened
    opened.close()


class Book:
    """Writes facts with their entities, as an application does."""

    def __init__(self, connection: apsw.Connection, owner: int = 1) -> None:
        self.connection, self.owner, self.row, self.now = connection, owner, 100, 0
        self.entities: dict[tuple[str, str | None], int] = {}

    def draw(self) -> int:
        self.row += 1
        return self.row

    def operation(self, kind: str, at: int, effects: Effects | None = None, **fields: int | None) -> int:
        number = operations.next_number(self.connection, self.owner)
        entry = Entry(number, kind, **fields)  # type: ignore[arg-type]
        operations.record(self.connection, self.owner, entry, effects or Effects(), seq=1, now=at)
        return number

    def say(
        self,
        *triples: tuple[str, str, str],
        text: str = "",
        at: int = 10,
        valid: tuple[int, int] = (5, OPEN),
        kind: Kind = "state",
        agent: str | None = None,
        fact: int | None = None,
    ) -> int:
        """Write a fact (or a refined version of one) that relates names."""
        number = self.operation("ADD" if fact is None else "UPDATE", at)
        said = Content("user", "other", text, text or str(triples), kind, 0, 0.9, 0.5, *valid)
        row = self.draw() if fact is None else fact
        if fact is None:
            facts.add(
                self.connection, self.owner, row, said, Keys(b"s", b"h"), identity=uuid7(at).bytes,
                agent_id=agent, operation=number, seq=1, now=at,
            )  # fmt: skip
        else:
            facts.revise(self.connection, self.owner, row, said, None, operation=number, seq=1, now=at)
        for source, relation, target in triples:
            ends = [self.entity(name, number, at, agent) for name in (source, target)]
            for end in ends:
                graph.mention(self.connection, self.owner, row, end, number)
            graph.relate(
                self.connection, self.owner, self.draw(), ends[0], relation, ends[1], row, operation=number, now=at
            )
        return row

    def entity(
        self, name: str, operation: int = 0, at: int = 10, agent: str | None = None, kind: str = "person"
    ) -> int:
        if (name, agent) not in self.entities:
            row = self.entities[name, agent] = self.draw()
            graph.add_entity(
                self.connection, self.owner, row, name, kind, identity=uuid7(at).bytes, key=name.encode(),
                agent_id=agent, operation=operation, now=at,
            )  # fmt: skip
        return self.entities[name, agent]

    def merge(self, name: str, into: str, at: int = 20) -> int:
        entity, target = self.entity(name), self.entity(into)
        assert graph.merge(self.connection, self.owner, entity, target)
        return self.operation("MERGE", at, Effects(merged=[(entity, target)]), fact=entity, target=target)

    def see(self, name: str | None, view: View = NOW, *, hops: int = 1, limit: int = 50) -> Graph:
        key = None if name is None else name.encode()
        return around(self.connection, self.owner, key, view, hops=hops, limit=limit)

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        return {table: self.connection.execute(f"select * from {table}").fetchall() for table in TABLES}


@pytest.fixture
def book(connection: apsw.Connection) -> Book:
    return Book(connection)


def shown(part: Graph) -> set[str]:
    return {entity.name for entity in part.entities}


def edges(part: Graph) -> set[tuple[str, str, str]]:
    names = {entity.id: entity.name for entity in part.entities}
    return {(names[one.source], one.type, names[one.target]) for one in part.relations}


def test_known_are_those_of_the_name_and_the_newest_of_the_same_agent(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = book.say(("Ada", "likes", "Tea"), text="Ada likes tea.")
    book.say(("Ada", "likes", "Coffee"), agent="a")
    monkeypatch.setattr(graph, "FUZZY", 1)
    known = graph.known(book.connection, 1, None, [b"Ada"])
    assert [(one.name, one.recent) for one in known] == [("Ada", fact), ("Tea", fact)]
    assert [one.name for one in graph.known(book.connection, 1, None, [b"Nobody"])] == ["Tea"]
    assert [one.name for one in graph.known(book.connection, 1, "a", [])] == ["Coffee"]
    assert graph.known(book.connection, 2, None, [b"Ada"]) == []
    assert [one.context for one in graph.with_context(book.connection, 1, known)] == ["Ada likes tea."] * 2


def test_known_stand_for_what_was_merged_into_them(book: Book) -> None:
    book.say(("Bob", "likes", "Tea"))
    robert = book.entity("Robert", kind="other")
    fact = book.say(("Robert", "owns", "Car"), text="Robert owns a car.")
    for _ in range(2):
        graph.add_alias(book.connection, 1, robert, "Robbie", key=b"Robbie", fact=fact, operation=2, now=1)
    book.merge("Bob", "Robert")
    [known] = [one for one in graph.known(book.connection, 1, None, [b"Bob"]) if one.row == robert]
    assert (known.name, set(known.aliases), known.type) == ("Robert", {"Bob", "Robbie"}, "person")
    [told] = graph.with_context(book.connection, 1, [known])
    assert told.context.startswith("Robert owns a car. ")


def test_a_merge_is_undone_by_one_call(book: Book) -> None:
    book.say(("Bob", "likes", "Tea"))
    book.say(("Robert", "owns", "Car"))
    before, rows = book.see("Bob"), book.rows()
    merged = book.merge("Bob", "Robert")
    both = book.see("Bob")
    assert edges(both) == {("Robert", "likes", "Tea"), ("Robert", "owns", "Car")}
    [robert] = [entity for entity in both.entities if entity.name == "Robert"]
    assert robert.aliases == ("Bob",)
    assert len(robert.merges) == 1
    assert not graph.merge(book.connection, 1, book.entity("Robert"), book.entity("Bob"))
    assert not graph.merge(book.connection, 1, book.entity("Bob"), book.entity("Robert"))
    assert graph.unmerge(book.connection, 1, book.entity("Bob"))
    assert not graph.unmerge(book.connection, 1, book.entity("Bob"))
    parted = Effects(parted=[(book.entity("Bob"), book.entity("Robert"))])
    undone = book.operation("UNDO", 30, parted, fact=book.entity("Bob"), target=book.entity("Robert"), undoes=merged)
    assert book.see("Bob") == before
    assert book.rows() == rows
    assert edges(book.see("Bob", View(None, None, 25, 25))) == edges(both)
    assert edges(book.see("Bob", View(None, None, 15, 25))) == edges(before)
    assert edges(book.see("Bob", View(None, None, 35, 25))) == edges(before)
    assert graph.merge(book.connection, 1, book.entity("Bob"), book.entity("Robert"))
    again = Effects(merged=[(book.entity("Bob"), book.entity("Robert"))])
    book.operation("UNDO", 40, again, fact=book.entity("Bob"), target=book.entity("Robert"), undoes=undone)
    assert edges(book.see("Bob")) == edges(both)
    assert edges(book.see("Bob", View(None, None, 45, 25))) == edges(both)
    assert edges(book.see("Bob", View(None, None, 35, 25))) == edges(before)
    assert len(book.see("Bob").entities[0].merges) == 1


NAMES = ("Ada", "Bob", "Robert", "Bobby", "Tea", "Hull")
TRIPLES = st.tuples(st.sampled_from(NAMES), st.sampled_from(("likes", "owns")), st.sampled_from(NAMES))


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TRIPLES, min_size=1, max_size=8), st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))))
def test_merges_undone_last_first_leave_the_graph_as_it_was(
    connection: apsw.Connection, triples: list[tuple[str, str, str]], pairs: Sequence[tuple[str, str]]
) -> None:
    with Rollback(connection):
        book = Book(connection)
        for triple in triples:
            book.say(triple)
        before = [book.see(name, hops=2) for name in NAMES]
        done: list[tuple[tuple[int, int], int]] = []
        for one, other in pairs:
            if graph.merge(connection, 1, book.entity(one), book.entity(other)):
                pair = (book.entity(one), book.entity(other))
                done.append((pair, book.operation("MERGE", 20, Effects(merged=[pair]), fact=pair[0], target=pair[1])))
        for pair, number in reversed(done):
            graph.unmerge(connection, 1, pair[0])
            book.operation("UNDO", 30, Effects(parted=[pair]), fact=pair[0], target=pair[1], undoes=number)
        assert [book.see(name, hops=2) for name in NAMES] == before
        assert book.see("Ada", View(None, None, 15, 99), hops=2) == before[0]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(TRIPLES, min_size=1, max_size=2), min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=4),
    st.sampled_from(NAMES),
)
def test_a_name_goes_with_the_last_fact_that_said_it(
    connection: apsw.Connection,
    said: list[list[tuple[str, str, str]]],
    pairs: Sequence[tuple[str, str]],
    name: str,
) -> None:
    with Rollback(connection):
        book = Book(connection)
        rows = {book.say(*triples): {end for one in triples for end in (one[0], one[2])} for triples in said}
        named = set[str]().union(*rows.values())
        for one, other in pairs:
            if {one, other} <= named:
                graph.merge(connection, 1, book.entity(one), book.entity(other))
        erased = [row for row, ends in rows.items() if name in ends]
        gone = unnaming.erase_facts(connection, 1, erased)
        assert unnaming.left(connection, 1, erased, gone.entities) == {}
        left = set[str]().union(*(ends for row, ends in rows.items() if row not in erased))
        after = book.rows()
        assert {row[-1] for row in after["entities"]} == left
        assert {row[-1] for row in after["entity_aliases"]} == left
        held = {row[1] for row in after["entities"]}
        assert all(row[-2] is None or row[-2] in held for row in after["entities"])
        assert not any(row[5] in erased for row in after["relations"])
        assert gone.removed["entities"] == len(gone.entities) == len(named) - len(left)
        assert not set(gone.changed) & set(gone.entities)
        graph.Groups(graph.merges(connection, 1))
        assert name not in {one for entity in book.see(None).entities for one in (entity.name, *entity.aliases)}


class Rollback:
    """Undoes whatever was written."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("begin")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("rollback")


def test_who_was_merged_into_what_goes_stays_together(book: Book) -> None:
    facts_ = {name: book.say((name, "likes", "Tea")) for name in ("Robert", "Bob", "Bobby")}
    for name in ("Bob", "Bobby"):
        book.merge(name, "Robert")
    gone = unnaming.erase_facts(book.connection, 1, [facts_["Robert"]])
    assert gone.entities == [book.entity("Robert")]
    assert gone.changed == [book.entity("Bob"), book.entity("Bobby")]
    assert graph.merges(book.connection, 1) == {book.entity("Bobby"): book.entity("Bob")}
    [bob] = [entity for entity in book.see("Bobby").entities if entity.name == "Bob"]
    assert bob.aliases == ("Bobby",)
    assert unnaming.left(book.connection, 1, list(facts_.values()), []) == {"mentions": 4, "relations": 2}


def test_an_alias_goes_with_the_fact_that_gave_it(book: Book) -> None:
    book.say(("user", "likes", "Tea"))
    named = book.say(("user", "related_to", "Tea"))
    number = book.connection.execute("select max(operation) from operations").get
    user = book.entity("user")
    graph.mention(book.connection, 1, named, user, number)
    graph.add_alias(book.connection, 1, user, "Ada", key=b"Ada", fact=named, operation=number, now=10)
    assert shown(book.see("Ada")) == {"user", "Tea"}
    facts.withdraw(book.connection, 1, named, seq=1, now=40)
    assert book.see("Ada").entities == ()
    assert [one.aliases for one in book.see("user").entities if one.name == "user"] == [()]
    assert shown(book.see("Ada", View(None, None, 39, 39))) == {"user", "Tea"}
    assert shown(book.see("user")) == {"user", "Tea"}
    said = facts.content_of(book.connection, 1, named, 1)
    facts.revise(book.connection, 1, named, said, None, operation=book.operation("UNDO", 50), seq=1, now=50)
    assert shown(book.see("Ada")) == {"user", "Tea"}
    assert unnaming.erase_facts(book.connection, 1, [named]).removed["entity_aliases"] == 1
    assert "Ada" not in str(book.rows())


def test_a_relation_holds_with_each_version_that_says_what_its_own_said(book: Book) -> None:
    fact = book.say(("Ada", "lives_in", "Hull"), text="hull", at=10)
    book.say(("Ada", "lives_in", "Kingston upon Hull"), text="kingston", at=20, fact=fact)
    assert edges(book.see("Ada")) == {("Ada", "lives_in", "Kingston upon Hull")}
    assert edges(book.see("Ada", View(None, None, 15, 99))) == {("Ada", "lives_in", "Hull")}
    before = facts.content_of(book.connection, 1, fact, 1)
    facts.revise(book.connection, 1, fact, before, None, operation=book.operation("UNDO", 30), seq=1, now=30)
    assert edges(book.see("Ada")) == {("Ada", "lives_in", "Hull")}
    facts.withdraw(book.connection, 1, fact, seq=1, now=40)
    assert book.see("Ada") == Graph((), ())
    assert edges(book.see("Ada", View(None, None, 35, 99))) == {("Ada", "lives_in", "Hull")}


def test_relations_are_true_while_their_fact_is(book: Book) -> None:
    book.say(("Ada", "lives_in", "Hull"), valid=(5, 50))
    book.say(("Ada", "visited", "Oslo"), valid=(5, 6), kind="event")
    assert edges(book.see("Ada", View(None, 20, None, 99))) == {("Ada", "lives_in", "Hull"), ("Ada", "visited", "Oslo")}
    assert edges(book.see("Ada", View(None, 60, None, 99))) == {("Ada", "visited", "Oslo")}
    assert edges(book.see("Ada", View(None, 4, None, 99))) == set()
    [lived] = [one for one in book.see("Ada", View(None, 20, None, 99)).relations if one.type == "lives_in"]
    assert lived.valid_to is not None
    assert (lived.valid_to - lived.valid_from).microseconds == 45


def test_an_agent_sees_its_own_and_nobodys(book: Book) -> None:
    book.say(("Ada", "likes", "Tea"))
    book.say(("Ada", "likes", "Gin"), agent="a")
    book.say(("Ada", "likes", "Rum"), agent="b")
    for agent, seen in ((None, {"Tea", "Gin", "Rum"}), ("a", {"Tea", "Gin"}), ("c", {"Tea"})):
        view = View(agent, None, None, 99)
        assert shown(book.see("Ada", view)) == {"Ada", *seen}
        assert shown(book.see(None, view)) == {"Ada", *seen}
    assert book.see("Rum", View("a", None, None, 99)).entities == ()


def test_it_is_walked_breadth_first_within_its_limits(book: Book) -> None:
    for one, other in ("ab", "bc", "cd", "ac", "de"):
        book.say((one, "likes", other))
    assert edges(book.see("a", hops=0)) == set()
    assert shown(book.see("a", hops=0)) == {"a"}
    assert edges(book.see("a")) == {("a", "likes", "b"), ("a", "likes", "c"), ("b", "likes", "c")}
    assert shown(book.see("a", hops=2)) == set("abcd")
    assert shown(book.see("a", hops=9)) == set("abcde")
    assert shown(book.see("a", hops=9, limit=2)) == {"a", "c"}
    assert len(book.see("a", hops=9, limit=3).relations) == 3
    assert shown(book.see(None, limit=2)) <= {"c", "a", "b", "d"}
    assert "c" in shown(book.see(None, limit=1))
    assert edges(book.see(None, limit=3)) == {("a", "likes", "b"), ("a", "likes", "c"), ("b", "likes", "c")}


def test_evidence_is_the_turns_that_say_it(book: Book) -> None:
    fact = book.say(("Ada", "likes", "Tea"))
    turn = uuid7(5)
    book.connection.execute(
        "insert into turns(owner, row, id, seq, place, said_at, recorded_at, superseded_at, role, speaker, origin,"
        " text)"
        " values (1, 1, ?, 1, 1, 1, 1, ?, 'user', 'Ada', 0, x'')",
        (turn.bytes, OPEN),
    )
    facts.cite(book.connection, 1, fact, 1, 1, 10)
    [relation] = book.see("Ada").relations
    assert relation.evidence == (str(turn),)
    assert relation.fact == facts.ids(book.connection, 1, [fact])[fact]


def test_a_relation_of_what_is_one_now_joins_nothing(book: Book) -> None:
    book.say(("Bob", "related_to", "Robert"))
    book.merge("Bob", "Robert")
    assert book.see("Bob").relations == ()
    assert book.see(None) == Graph((), ())


def test_no_query_reads_the_rows_of_other_owners(book: Book) -> None:
    fact = book.say(("Ada", "likes", "Tea"))
    book.say(("Bob", "likes", "Tea"))
    book.merge("Bob", "Ada")
    plans: list[str] = []

    def explained(cursor: apsw.Cursor, sql: str, bindings: apsw.Bindings | None) -> bool:
        if not sql.startswith("explain"):
            plan = apsw.Connection(book.connection.filename).execute(f"explain query plan {sql}", bindings)
            plans.extend(f"{step[3]} in {sql}" for step in plan)
        return True

    book.connection.exec_trace = explained
    graph.with_context(book.connection, 1, graph.known(book.connection, 1, None, [b"Ada"]))
    for view in (NOW, View("a", 20, 20, 99)):
        book.see("Ada", view)
        book.see(None, view)
    graph.unmerge(book.connection, 1, book.entity("Bob"))
    graph.stated(book.connection, 1, fact)
    unnaming.left(book.connection, 1, [fact], unnaming.erase_facts(book.connection, 1, [fact]).entities)
    book.connection.exec_trace = None
    assert len(plans) > 30
    for plan in plans:
        step = plan.split(" in ")[0]
        assert not step.startswith("SCAN") or "carray" in step or step in ("SCAN n", "SCAN (subquery-1)")
        # By the owner alone: only what reads the newest rows, and which entities are merged.
        if step.startswith("SEARCH") and "(owner=?)" in step:
            assert step.split()[1] in ("entities", "o") or "order by row desc limit" in plan, plan
