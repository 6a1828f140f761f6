"""What each kind of read sees of each kind of write: one table, here and in docs/scopes.md."""

from __future__ import annotations

import pytest

import checkout
from memgraph import Memory, Scope
from memgraph.errors import NotFound
from support.fixtures import OpenMemory
from support.memories import KINDS, place

READS = ("user", "+same agent", "+other agent", "+session", "+both", "shared", "include_shared")
TABLE = {
    "user": ("yes", "yes", "yes", "yes", "yes", "no", "yes"),
    "+agent": ("yes", "yes", "no", "yes", "yes", "no", "yes"),
    "+session": ("yes", "yes", "yes", "yes", "yes", "no", "yes"),
    "both": ("yes", "yes", "no", "yes", "yes", "no", "yes"),
    "shared": ("no", "no", "no", "no", "no", "yes", "yes"),
}
CORNER = r"written with \ read with"

WRITERS = {
    "user": Scope("ada"),
    "+agent": Scope("ada", agent_id="planner"),
    "+session": Scope("ada", session_id="monday"),
    "both": Scope("ada", agent_id="planner", session_id="monday"),
    "shared": Scope.shared(),
}
READERS = {
    "user": Scope("ada"),
    "+same agent": Scope("ada", agent_id="planner"),
    "+other agent": Scope("ada", agent_id="critic"),
    "+session": Scope("ada", session_id="tuesday"),
    "+both": Scope("ada", agent_id="planner", session_id="tuesday"),
    "shared": Scope.shared(),
    "include_shared": Scope("ada"),
}
CELLS = [(write, read, cell == "yes") for write, row in TABLE.items() for read, cell in zip(READS, row, strict=True)]
SAID = "The boat is moored in Trieste."


@pytest.fixture(params=KINDS)
def memory(request: pytest.FixtureRequest, open_memory: OpenMemory, tmp_path_factory: pytest.TempPathFactory) -> Memory:
    path, options = place(request.param, tmp_path_factory.mktemp("visibility"))
    return open_memory(path, **options)


@pytest.mark.parametrize(("write", "read", "seen"), CELLS, ids=lambda cell: str(cell))
def test_search(memory: Memory, write: str, read: str, seen: bool) -> None:
    memory.add(SAID, WRITERS[write])
    hits = memory.search("where is the boat moored", READERS[read], include_shared=read == "include_shared")
    assert [hit.text for hit in hits] == ([SAID] if seen else [])


@pytest.mark.parametrize(
    ("write", "read", "seen"), [cell for cell in CELLS if cell[1] != "include_shared"], ids=lambda cell: str(cell)
)
def test_list_and_get(memory: Memory, write: str, read: str, seen: bool) -> None:
    [id] = memory.add(SAID, WRITERS[write]).ids
    assert [turn.id for turn in memory.list(READERS[read]).items] == ([id] if seen else [])
    if seen:
        assert memory.get(id, READERS[read]).text == SAID
    else:
        with pytest.raises(NotFound, match="no such turn( or fact)? in this scope"):
            memory.get(id, READERS[read])


@pytest.mark.parametrize(
    ("write", "read", "seen"), [cell for cell in CELLS if cell[1] != "include_shared"], ids=lambda cell: str(cell)
)
def test_what_is_not_seen_is_neither_forgotten_nor_erased(
    open_memory: OpenMemory, write: str, read: str, seen: bool
) -> None:
    memory = open_memory(":memory:", embedder=None)
    [id] = memory.add(SAID, WRITERS[write]).ids
    if seen:
        memory.forget(id, READERS[read])
        assert memory.erase("everything", READERS[read]).turns == 1
    else:
        with pytest.raises(NotFound):
            memory.forget(id, READERS[read])
        assert memory.erase([id], READERS[read]).turns == 0
        assert memory.erase("everything", READERS[read]).turns == 0
        assert memory.get(id, WRITERS[write]).superseded_at is None


def test_an_edit_by_one_agent_replaces_nothing_of_anothers(memory: Memory) -> None:
    planner, critic = Scope("ada", agent_id="planner"), Scope("ada", agent_id="critic")

    def say(text: str, scope: Scope) -> None:
        memory.add({"role": "user", "content": text, "id": "m1", "metadata": {"by": text}}, scope, thread_id="t")

    say("The planner's plan.", planner)
    say("The critic's word.", critic)
    assert [turn.text for turn in memory.list(planner).items] == ["The planner's plan."]
    assert memory.erase({"metadata.by": "The critic's word."}, critic).turns == 1
    assert [turn.text for turn in memory.list(Scope("ada")).items] == ["The planner's plan."]


def test_what_an_edit_replaced_is_erased_with_it_by_who_sees_both(memory: Memory) -> None:
    nobody, critic = Scope("ada"), Scope("ada", agent_id="critic")
    for text, scope in (("For all.", nobody), ("The critic's.", critic), ("Edited.", critic)):
        memory.add({"role": "user", "content": text, "id": "m1"}, scope, thread_id="t")
    assert [turn.text for turn in memory.list(critic).items] == ["Edited."]
    assert memory.erase("everything", critic).turns == 3


def test_a_session_hides_nothing_and_filters(memory: Memory) -> None:
    memory.add("In this session.", Scope("ada", session_id="monday"))
    memory.add("In that session.", Scope("ada", session_id="tuesday"))
    reader = Scope("ada", session_id="monday")
    assert len(memory.list(reader).items) == 2
    assert [t.text for t in memory.list(reader, filter={"session_id": "tuesday"}).items] == ["In that session."]


def test_another_team_sees_nothing(memory: Memory) -> None:
    memory.add(SAID, Scope.shared("acme", "web"))
    for scope in (Scope.shared("acme"), Scope.shared(project_id="web"), Scope("ada", "acme")):
        assert memory.search("boat moored", scope, include_shared=True) == []
    assert len(memory.search("boat moored", Scope("ada", "acme", "web"), include_shared=True)) == 1


@pytest.mark.checkout
def test_the_docs_show_this_table() -> None:
    page = (checkout.ROOT / "docs" / "scopes.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|")
    ]
    at = next(i for i, row in enumerate(rows) if row[0].replace("\\\\", "\\") == CORNER)
    assert tuple(rows[at][1:]) == READS
    assert {row[0]: tuple(row[1:]) for row in rows[at + 2 : at + 2 + len(TABLE)]} == TABLE
