from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memgraph.evals.baselines import TurnIndex, baselines, strip_names
from memgraph.evals.dialogs import Conversation
from memgraph.evals.locomo import load
from memgraph.evals.systems import System
from support.fakes import HashEmbeddings


@pytest.fixture
def talk(sample: dict[str, Any], write_data: Callable[[Any], Path]) -> Conversation:
    return load(write_data([sample])).samples[0].conversation


def _named(name: str, embedder: HashEmbeddings) -> System:
    return next(system for system in baselines(embedder) if system.name == name)


def test_without_an_embedder_there_is_bm25_only() -> None:
    assert [system.name for system in baselines(None)] == ["bm25"]
    assert [system.name for system in baselines(HashEmbeddings())] == [
        "bm25",
        "dense",
        "dense -names",
        "rrf",
        "rrf -names",
    ]


@pytest.mark.parametrize("name", ["bm25", "dense", "dense -names", "rrf", "rrf -names"])
async def test_every_baseline_ranks_the_turn_that_says_it_first(name: str, talk: Conversation) -> None:
    system = _named(name, HashEmbeddings(dims=512))
    await system.prepare(talk)
    ranking = await system.rank("the crooked bowl", 3)
    assert ranking.dia_ids[0] == "D2:1"
    assert len(ranking.dia_ids) == 3
    assert ranking.degraded == ()
    await system.close()


async def test_bm25_is_lucenes(talk: Conversation) -> None:
    index = TurnIndex(None)
    await index.prepare(talk)
    # "basil" stands once in turns 0 and 3 of 4: idf = ln(1 + 2.5 / 2.5); the shorter of the two turns scores more.
    scores = index.bm25("Basil")
    assert scores[1] == scores[2] == 0.0
    assert 0 < scores[0] < scores[3] < 0.6931471805599453
    assert index.bm25("the of").tolist() == [0.0] * 4


async def test_a_tie_goes_to_the_earlier_turn(talk: Conversation) -> None:
    system = baselines(None)[0]
    await system.prepare(talk)
    assert (await system.rank("zebra", 4)).dia_ids == ("D1:1", "D1:2", "D2:1", "D2:2")


async def test_names_are_taken_out_of_the_question_only(talk: Conversation) -> None:
    embedder = HashEmbeddings()
    system = _named("dense -names", embedder)
    await system.prepare(talk)
    await system.rank("What did Mira's dog break?", 1)
    assert embedder.queries == ["What did dog break?"]
    assert embedder.documents[0][0].startswith("Mira: ")


async def test_one_index_serves_all_and_a_text_is_embedded_once(talk: Conversation) -> None:
    embedder = HashEmbeddings()
    for system in baselines(embedder):
        await system.prepare(talk)
    for system in baselines(embedder)[:1]:
        await system.close()
    assert len(embedder.documents) == 1


async def test_a_question_is_embedded_once(talk: Conversation) -> None:
    embedder = HashEmbeddings()
    systems = baselines(embedder)
    for system in systems:
        await system.prepare(talk)
        await system.rank("Which animal did Mira adopt?", 2)
    assert embedder.queries == ["Which animal did Mira adopt?", "Which animal did adopt?"]


async def test_an_index_without_an_embedder_has_no_cosine(talk: Conversation) -> None:
    index = TurnIndex(None)
    await index.prepare(talk)
    with pytest.raises(ValueError, match="without an embedder"):
        await index.cosine("bowl")


@pytest.mark.parametrize(
    ("question", "stripped"),
    [
        ("What did Mira adopt?", "What did adopt?"),
        ("Mira's dog and Tomas\u2019s bowl", "dog and bowl"),
        ("Miranda met mira", "Miranda met mira"),
        ("Mira", ""),
    ],
)
def test_only_whole_names_go(question: str, stripped: str) -> None:
    assert strip_names(question, ["Mira", "Tomas"]) == stripped
