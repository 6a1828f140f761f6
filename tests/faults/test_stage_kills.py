"""kill -9 at every boundary between the stages that make facts: the same end, and at most one more call of a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from memgraph import Memory
from support import forks
from support.memories import ADA

POINTS = ["facts.extracted", "facts.drafted", "facts.planned", "facts.decided", "facts.applied", "facts.committed"]
WAYS = ["rules", "model"]
CALLS = 3
"""What the two turns cost without a kill: an extraction each, and one decision."""

_MODEL = """
from support.fakes import ScriptedChatModel, decided, stated

QUOTES = {"I live in Oslo.": "Oslo", "I moved from Oslo to Lisbon.": "Lisbon"}

def opened(path, way):
    def answer(messages):
        with open(path + ".calls", "a") as calls:
            calls.write(".")
        asked = messages[-1].text
        if "Draft 0," in asked:
            return decided(draft=0, action="change", target="f1", reason="new_value")
        [quote] = [quote for quote in QUOTES if quote in asked.rpartition("Turn 1,")[2]]
        return stated(quote, object=QUOTES[quote], text=f"Ada lives in {QUOTES[quote]}.")

    model = ScriptedChatModel.of(*[answer] * 20) if way == "model" else None
    return Memory.open(path, embedder=None, model=model)
"""

_SCRIPT = (
    _MODEL
    + """
def case(path, way, point):
    memory = opened(path, way)
    memory.add({"role": "user", "content": "I live in Oslo.", "name": "Ada"}, ada)
    die_at(point)
    memory.add({"role": "user", "content": "I moved from Oslo to Lisbon.", "name": "Ada"}, ada)
"""
)

_AGAIN = (
    _MODEL
    + """
def case(path, way):
    with opened(path, way) as memory:
        memory.settle(30)
"""
)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Files whose writer was killed at a point (and one that wasn't) and that were opened again, by way and point."""
    points = [*POINTS, "no point"]
    files = {(way, point): tmp_path_factory.mktemp("killed") / "memory.db" for way in WAYS for point in points}
    killed = forks.run_each(_SCRIPT, [(path, *case) for case, path in files.items()])
    assert [end.rc for end in killed] == [0 if point == "no point" else -9 for _, point in files], killed[0].stderr
    again = forks.run_each(_AGAIN, [(path, way) for (way, _), path in files.items()])
    assert {end.rc for end in again} == {0}, again[0].stderr
    return files


@pytest.mark.parametrize("point", [*POINTS, "no point"])
@pytest.mark.parametrize("way", WAYS)
def test_a_kill_between_stages_changes_nothing_in_the_end(
    ended: dict[tuple[str, str], Path], way: str, point: str
) -> None:
    path = ended[way, point]
    with Memory.open(path, embedder=None, model=None) as memory:
        assert [fact.object for fact in memory.list(ADA, kind="fact").items] == ["Lisbon"]
        told = [(one.operation, one.mode) for one in memory.operations(ADA).items]
        assert told == [("UPDATE", "change"), ("ADD", None)]
        assert memory.doctor()["jobs"] == []
    if way == "model":
        calls = len(path.with_name("memory.db.calls").read_text())
        assert calls - CALLS <= (point in ("facts.extracted", "facts.planned"))
