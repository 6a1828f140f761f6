"""Reading a store's items: one operation on one connection. On the host's loop."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from langgraph.store.base import Item, Result, SearchItem

from memgraph.ledger import items
from memgraph.projections.items import ItemArrays
from memgraph.ranking.items import Floats, best, scores
from memgraph.records import from_us
from memgraph.store.arrays import Model
from memgraph.store.operations import Get, Listing, Search

if TYPE_CHECKING:
    import apsw


_STEP: Final = 256
"""Values read at once where a filter looks at them."""


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
        page = items.newest(connection, op.prefix, alive_at, op.limit, op.offset)
    else:
        page = _matching(connection, items.newest(connection, op.prefix, alive_at), op)
    stored = items.by_number(connection, page)
    found = [stored[number] for number in page]
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
    places = np.arange(len(arrays))
    if alive_at is not None and (dead := items.expired(connection, op.prefix, alive_at)):
        places = np.flatnonzero(~np.isin(arrays.items, np.array(dead, np.int64)))
    most = len(arrays) if op.matches is not None else op.offset + op.limit
    places = places[best(rated[places], arrays.updated_at[places], arrays.items[places], most)]
    score = dict(zip(arrays.items[places].tolist(), rated[places].tolist(), strict=True))
    page = [*score][op.offset :] if op.matches is None else _matching(connection, [*score], op)
    stored = items.by_number(connection, page)
    hits = [
        SearchItem(**_parts(stored[number]), score=None if math.isnan(score[number]) else score[number])
        for number in page
    ]
    return Answer(hits, _used(op, [stored[number] for number in page]))


def _matching(connection: apsw.Connection, ordered: Sequence[int], op: Search) -> list[int]:
    """Return the page of an operation from items in order, reading no more values than it takes to fill it."""
    assert op.matches is not None
    until = op.offset + op.limit
    found: list[int] = []
    for first in range(0, len(ordered), _STEP):
        if len(found) >= until:
            break
        part = ordered[first : first + _STEP]
        values = items.values(connection, part)
        found += [number for number in part if op.matches(json.loads(values[number]))]
    return found[op.offset : until]


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
