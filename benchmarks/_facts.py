"""Facts of made-up talk, written with the ledger's own functions: what the write path would have written of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import numpy as np

import _world
from memgraph.ledger import commits, facts, graph, indexes, owners
from memgraph.ledger.facts import Content
from memgraph.records import OPEN, to_us
from memgraph.write_path.applying import index_words, keys_of
from memgraph.writing.resolution import alias_key

if TYPE_CHECKING:
    import apsw

THINGS: Final = range(20, 60)
"""Ranks of the words that are names of things: every other question names one of them."""

_WORDS: Final = 8


def fill(
    connection: apsw.Connection,
    owner: int,
    talk: _world.Talk,
    rows: Sequence[int],
    *,
    every: int,
    pepper: bytes,
    recipe: int,
    now: int,
) -> None:
    """Write that one turn in `every` states a fact: its speaker likes one of forty things, in words of the turn.

    Args:
        connection: The writer's, in a transaction.
        owner: The owner.
        talk: What was said.
        rows: The turns' rows, in order.
        every: Turns for one fact.
        pepper: Of the file.
        recipe: Of the vectors.
        now: Microseconds UTC.
    """
    found = owners.numbered(connection, owner)
    words, last = _world.words(), found.last_row
    names = [*_world.SPEAKERS, *(words[rank].capitalize() for rank in THINGS)]
    entities: dict[str, int] = {}
    touched: list[int] = []
    for name in names:
        last += 1
        entities[name] = last
        graph.add_entity(
            connection, owner, last, name, "person" if name in _world.SPEAKERS else "thing", identity=uuid4().bytes,
            key=alias_key(found.secret, name), agent_id=None, operation=1, now=now,
        )  # fmt: skip
    vectors = _world.unit(np.random.default_rng([4, talk.user]), len(rows) // every + 1)
    for number, place in enumerate(range(0, len(rows), every), 1):
        speaker, thing = _world.SPEAKERS[place % 2], names[2 + number % len(THINGS)]
        said: list[int] = talk.terms[place, :_WORDS].tolist()
        text = f"{speaker} likes {thing} {' '.join(words[term] for term in said)}."
        begins = to_us("said_at", _world.said_at(place))
        content = Content(speaker, "likes", thing, text, "state", 0, 0.9, 0.5, begins, OPEN)
        last += 1
        fact, last = last, last + 1
        facts.add(
            connection, owner, fact, content, keys_of(found.secret, content), identity=uuid4().bytes, agent_id=None,
            operation=number, seq=found.seq + 1, now=now,
        )  # fmt: skip
        facts.cite(connection, owner, fact, rows[place], number, now)
        index_words(connection, owner, pepper, fact, text, 1)
        indexes.put_vectors(connection, owner, recipe, {fact: [(None, vectors[number - 1])]})
        for name in (speaker, thing):
            graph.mention(connection, owner, fact, entities[name], number)
        graph.relate(
            connection, owner, last, entities[speaker], "likes", entities[thing], fact, operation=number, now=now
        )
        touched.append(fact)
    owners.note_last_row(connection, owner, last)
    commits.record(connection, owner, at=now, kind="facts", touched=[*touched, *entities.values()])
