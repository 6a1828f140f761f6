"""memgraph under evaluation, through real graphs; the embedder is a stand-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memgraph import Memory, Scope
from memgraph.evals import load, memgraph_system, run_retrieval
from memgraph.evals.dialogs import Conversation
from memgraph.evals.memgraph_system import LIMIT, MemgraphSystem
from support.fakes import HashEmbeddings, RaisingEmbeddings

WriteData = Callable[[Any], Path]
Sample = dict[str, Any]


@asynccontextmanager
async def _system(path: Path) -> AsyncGenerator[MemgraphSystem]:
    system = MemgraphSystem(path, HashEmbeddings(dims=256))
    try:
        yield system
    finally:
        await system.close()


@pytest.fixture
def talks(sample: Sample, write_data: WriteData) -> list[Conversation]:
    """Two conversations whose turns have the same dia_ids."""
    other = deepcopy(sample)
    other["sample_id"] = "talk-2"
    other["conversation"]["session_2"][1]["text"] = "Basil learnt to swim."
    sample["conversation"]["session_1"][0]["role"] = "user"
    sample["conversation"]["session_1"][1]["role"] = "assistant"
    return [item.conversation for item in load(write_data([sample, other])).samples]


async def test_every_turn_is_stored_as_it_was_said(talks: list[Conversation], tmp_path: Path) -> None:
    async with _system(tmp_path / "eval.db") as system:
        for talk in talks:
            await system.prepare(talk)
    with Memory.open(tmp_path / "eval.db", embedder=HashEmbeddings(dims=256)) as memory:
        page = memory.list(Scope("talk-1"))
        turns = {turn.message_id: turn for turn in page.items}
        assert set(turns) == {"talk-1:D1:1", "talk-1:D1:2", "talk-1:D2:1", "talk-1:D2:2"}
        assert len(memory.list(Scope("talk-2")).items) == 4
    reply = turns["talk-1:D1:2"]
    assert (reply.role, reply.speaker, reply.session_id) == ("assistant", "Tomas", "session_1")
    assert reply.said_at == datetime(2021, 3, 14, 15, 7, 1, tzinfo=UTC)
    assert turns["talk-1:D2:1"].text.endswith(" [shares image: a blue bowl on a table]")
    assert turns["talk-1:D2:1"].role == "user"


async def test_questions_are_about_the_conversation_prepared_last(talks: list[Conversation], tmp_path: Path) -> None:
    async with _system(tmp_path / "eval.db") as system:
        await system.prepare(talks[0])
        assert (await system.rank("Who broke the fence?", 4)).dia_ids[0] == "D2:2"
        await system.prepare(talks[1])
        ranking = await system.rank("Who learnt to swim?", 4)
        assert ranking.dia_ids[0] == "D2:2"
        assert set(ranking.dia_ids) <= {"D1:1", "D1:2", "D2:1", "D2:2"}
        assert ranking.degraded == ()
        assert len((await system.rank("Who broke the fence?", 1)).dia_ids) == 1


async def test_a_conversation_of_several_pages(
    talks: list[Conversation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memgraph_system, "_PAGE", 3)
    async with _system(tmp_path / "eval.db") as system:
        await system.prepare(talks[0])
        assert sorted((await system.rank("Who broke the fence?", 4)).dia_ids) == ["D1:1", "D1:2", "D2:1", "D2:2"]


async def test_what_can_not_be_asked(talks: list[Conversation], tmp_path: Path) -> None:
    async with _system(tmp_path / "eval.db") as system:
        with pytest.raises(ValueError, match="after a conversation was prepared"):
            await system.rank("Who broke the fence?", 1)
        await system.prepare(talks[0])
        with pytest.raises(ValueError, match=f"up to {LIMIT}"):
            await system.rank("Who broke the fence?", LIMIT + 1)


async def test_a_missing_arm_is_told(talks: list[Conversation], tmp_path: Path) -> None:
    embedder = RaisingEmbeddings(armed=False)
    system = MemgraphSystem(tmp_path / "eval.db", embedder)
    await system.prepare(talks[0])
    embedder.armed = True
    ranking = await system.rank("Who broke the fence?", 4)
    assert ranking.dia_ids[0] == "D2:2"
    assert ranking.degraded == ("dense",)
    await system.close()


def test_a_whole_run_compares_memgraph_with_the_baselines(sample: Sample, write_data: WriteData) -> None:
    report = run_retrieval(write_data([sample]), embedder=HashEmbeddings(dims=256))
    assert [row.system for row in report.rows if row.group == "categories 1-4"] == [
        "bm25",
        "dense",
        "dense -names",
        "rrf",
        "rrf -names",
        "memgraph without facts",
        "memgraph",
    ]
    assert report.row("memgraph").recall[20] == 1.0  # four turns, all found within twenty
    assert (report.failures, report.degraded) == ({}, {})
    assert [difference.other for difference in report.differences] == [
        *2 * [report.differences[0].other],
        *2 * ["memgraph without facts"],
    ]
    assert report.differences[0].other not in ("memgraph", "memgraph without facts")


def test_without_an_embedder_words_are_compared_with_words(sample: Sample, write_data: WriteData) -> None:
    report = run_retrieval(write_data([sample]), embedder=None)
    assert [row.system for row in report.rows if row.group == "categories 1-4"] == [
        "bm25",
        "memgraph without facts",
        "memgraph",
    ]
    assert report.failures == {}
    assert report.manifest.embedder is None
