"""Reading a store's items: one operation on one connection. On the host's loop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from langgraph.store.base import Item, Result, SearchItem

from memgraph import grammar
from memgraph.ledger import items
from memgraph.projections.items import ItemArrays
from memgraph.ranking.items import Floats, best, scores
from memgraph.records import from_us
from memgraph.store.arrays import Model
from memgraph.store.operations import Get, Listing, Search

if TYPE_CHECKING:
    import apsw


@dataclass(frozen=True, slots=True)
class Question:
    """What an index makes of a query.

    Attributes:
        words: Its packed terms.
        vector: Its unit vector, None to go by words alone.
        model: Name and dimension of what made it, None without one.
    """

    words: bytes
    vector: Floats | None
    model: Model | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a read found.

    Attributes:
        result: As the store returns it.
        used: The items whose time to live begins anew.
    """

    result: Result
    used: Sequence[int] = ()


def get(connection: apsw.Connection, op: Get, alive_at: int | None) -> Answer:
    """Read one item."""
    found = items.get(connection, op.namespace, op.key, alive_at)
    if found is None:
        return Answer(None)
    return Answer(Item(**_parts(found)), _used(op, [found]))


def listing(connection: apsw.Connection, op: Listing, alive_at: int | None) -> Answer:
    """Read namespaces."""
    return Answer(op.page(items.namespaces(connection, op.prefix, alive_at)))


def search(connection: apsw.Connection, op: Search, alive_at: int | None) -> Answer:
    """Read the items under a prefix, the last written first."""
    if op.matches is None:
        found = [*items.newest(connection, op.prefix, alive_at, op.limit, op.offset)]
    else:
        every = _matching(items.newest(connection, op.prefix, alive_at), op.matches)
        found = [*islice(every, op.offset, op.offset + op.limit)]
    return Answer([SearchItem(**_parts(one)) for one in found], _used(op, found))


def ranked(
    connection: apsw.Connection, op: Search, question: Question, arrays: ItemArrays, alive_at: int | None
) -> Answer:
    """Read the items under a prefix, the best first; what is not indexed comes last, without a score.

    Args:
        connection: A reader's, inside one snapshot.
        op: What is asked.
        question: Its query.
        arrays: The items under its prefix, as of the snapshot.
        alive_at: Time at which an item has to be alive, None for expired ones as well.
    """
    if not len(arrays):
        return Answer([])
    rated = scores(
        None if question.vector is None else arrays.similarities(question.vector),
        arrays.likenesses(question.words) if question.words else None,
        arrays.indexed,
    )
    numbers, places = arrays.items, np.arange(len(arrays))
    if alive_at is not None and (dead := items.expired(connection, alive_at)):
        places = places[~np.isin(numbers[places], np.array(dead, np.int64))]
    if op.matches is not None:
        matches = op.matches
        let = [item for item, value in items.values(connection, op.prefix) if matches(json.loads(value))]
        places = places[np.isin(numbers[places], np.array(let, np.int64))]
    chosen = best(rated[places], arrays.updated_at[places], numbers[places], op.offset + op.limit)[op.offset :]
    page = places[chosen].tolist()
    stored = items.by_number(connection, numbers[page].tolist())
    found = [(stored[int(numbers[place])], float(rated[place])) for place in page]
    hits = [SearchItem(**_parts(one), score=None if np.isnan(score) else score) for one, score in found]
    return Answer(hits, _used(op, [one for one, _ in found]))


def _matching(found: Iterable[items.Stored], matches: grammar.Predicate) -> Iterator[items.Stored]:
    return (one for one in found if matches(json.loads(one.value)))


def _used(op: Get | Search, found: Iterable[items.Stored]) -> list[int]:
    return [one.item for one in found if one.ttl is not None] if op.refresh else []


def _parts(found: items.Stored) -> dict[str, Any]:
    return {
        "namespace": found.namespace,
        "key": found.key,
        "value": json.loads(found.value),
        "created_at": from_us(found.created_at),
        "updated_at": from_us(found.updated_at),
    }
