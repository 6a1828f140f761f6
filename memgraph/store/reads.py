"""Reading a store's items: one operation on one connection, in steps. On the host's loop."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from langgraph.store.base import Item, Result, SearchItem

from memgraph.ledger import items
from memgraph.ledger.steps import Steps
from memgraph.projections.items import ItemArrays
from memgraph.ranking.items import Floats, best, scores
from memgraph.records import from_us
from memgraph.store.arrays import Model
from memgraph.store.operations import Get, Listing, Search

if TYPE_CHECKING:
    import apsw


_FEWEST: Final = 32
_MOST: Final = 256
"""Values read at once where a filter looks at them: few to begin with, since most pages are full by then."""

_PATHS: Final = 250

# What is counted as a step's cost, microseconds.
_ITEM: Final = 8
_BYTES: Final = 200
"""Bytes of a value that are read in one more: of prose six times as many, of numbers a third."""

_PATH: Final = 3


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


def get(connection: apsw.Connection, op: Get, alive_at: int | None) -> Steps[Answer]:
    """Read one item."""
    yield _ITEM  # however large: one item is one step
    found = items.get(connection, op.namespace, op.key, alive_at)
    if found is None:
        return Answer(None)
    return Answer(Item(**_parts(found)), _used(op, [found]))


def listing(connection: apsw.Connection, op: Listing, alive_at: int | None) -> Steps[Answer]:
    """Read namespaces."""
    namespaces = items.namespaces(connection, op.prefix, alive_at)
    listed: dict[tuple[str, ...], None] = {}
    while len(listed) < op.offset + op.limit and (some := list(islice(namespaces, _PATHS))):
        listed |= dict.fromkeys(op.listed(some))
        yield _PATH * len(some)
    return Answer(op.page(listed))


def search(connection: apsw.Connection, op: Search, alive_at: int | None) -> Steps[Answer]:
    """Read the items under a prefix, the last written first."""
    most = op.offset + op.limit if op.matches is None else None
    ordered = yield from items.newest(connection, op.prefix, alive_at, most)
    return (yield from _page(connection, op, ordered, {}))


def ranked(
    connection: apsw.Connection, op: Search, question: Question, arrays: ItemArrays, alive_at: int | None
) -> dict[int, float]:
    """Return the numbers of the items under a prefix with their scores, the best first.

    What is not indexed comes last, without a score (NaN).

    Args:
        connection: A reader's, inside one snapshot.
        op: What is asked.
        question: Its query.
        arrays: The items under its prefix, as of the snapshot.
        alive_at: Time at which an item has to be alive, None for expired ones as well.
    """
    if not len(arrays):
        return {}
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
    return dict(zip(arrays.items[places].tolist(), rated[places].tolist(), strict=True))


def hits(connection: apsw.Connection, op: Search, score: Mapping[int, float]) -> Steps[Answer]:
    """Read the items of an operation, as `ranked` has put them in order."""
    return _page(connection, op, iter(score), score)


def _page(connection: apsw.Connection, op: Search, ordered: Iterator[int], score: Mapping[int, float]) -> Steps[Answer]:
    """Read the page of an operation from items in order, looking at no more values than it takes to fill it."""
    numbers = yield from _numbers(connection, op, ordered)
    shown: dict[int, SearchItem] = {}
    used: list[int] = []
    for first in range(0, len(numbers), _MOST):
        for one in items.by_number(connection, numbers[first : first + _MOST]):
            rated = score.get(one.item, math.nan)
            shown[one.item] = SearchItem(**_parts(one), score=None if math.isnan(rated) else rated)
            used += _used(op, [one])
            yield _cost(one.value)
    return Answer([shown[number] for number in numbers], used)


def _numbers(connection: apsw.Connection, op: Search, ordered: Iterator[int]) -> Steps[list[int]]:
    until = op.offset + op.limit
    found: list[int] = []
    size = _FEWEST
    while len(found) < until and (part := list(islice(ordered, size))):
        if op.matches is None:
            found += part
            yield len(part)
        else:
            matching: set[int] = set()
            for number, value in items.values(connection, part):
                if all(text in value for text in op.needed) and op.matches(json.loads(value)):
                    matching.add(number)
                yield _cost(value)
            found += [number for number in part if number in matching]
        size = min(2 * size, _MOST)
    return found[op.offset : until]


def _cost(value: str) -> int:
    return _ITEM + len(value) // _BYTES


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
