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
from memgraph.ledger import indexes, items
from memgraph.ranking.items import Floats, scores
from memgraph.records import from_us
from memgraph.store.operations import Get, Listing, Search

if TYPE_CHECKING:
    import apsw


@dataclass(frozen=True, slots=True)
class Question:
    """What an index makes of a query.

    Attributes:
        words: Its packed terms.
        vector: Its unit vector, None to go by words alone.
        model: The name of the model that made it.
    """

    words: bytes
    vector: Floats | None
    model: str


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


def search(connection: apsw.Connection, op: Search, question: Question | None, alive_at: int | None) -> Answer:
    """Read the items under a prefix: by a question the best first, without one the last written first."""
    if question is not None:
        hits = _ranked(connection, op, question, alive_at)
    elif op.matches is None:
        hits = [(one, None) for one in items.newest(connection, op.prefix, alive_at, op.limit, op.offset)]
    else:
        every = _matching(items.newest(connection, op.prefix, alive_at), op.matches)
        hits = [(one, None) for one in islice(every, op.offset, op.offset + op.limit)]
    found: list[SearchItem] = [SearchItem(**_parts(one), score=score) for one, score in hits]
    return Answer(found, _used(op, [one for one, _ in hits]))


def _matching(found: Iterable[items.Stored], matches: grammar.Predicate) -> Iterator[items.Stored]:
    return (one for one in found if matches(json.loads(one.value)))


def _ranked(
    connection: apsw.Connection, op: Search, question: Question, alive_at: int | None
) -> list[tuple[items.Stored, float | None]]:
    """Return a page: what is indexed by its score, then the rest, the last written first among equals."""
    found = items.candidates(connection, op.prefix, alive_at, values=op.matches is not None)
    if op.matches is not None:
        matches = op.matches
        found = [one for one in found if one.value is not None and matches(json.loads(one.value))]
    if not found:
        return []
    numbers = np.array([one.item for one in found], np.int64)
    matrix, of = _vectors(connection, question, numbers)
    rated = scores(question.vector, matrix, of, question.words, [one.terms for one in found])
    written = np.array([one.updated_at for one in found], np.int64)
    best = np.lexsort((-numbers, -written, -np.nan_to_num(rated, nan=-np.inf)))[op.offset : op.offset + op.limit]
    stored = items.by_number(connection, numbers[best].tolist())
    page: list[tuple[items.Stored, float | None]] = []
    for index in best.tolist():
        score = float(rated[index])
        page.append((stored[int(numbers[index])], None if np.isnan(score) else score))
    return page


def _vectors(
    connection: apsw.Connection, question: Question, numbers: np.ndarray[Any, np.dtype[np.int64]]
) -> tuple[Floats, np.ndarray[Any, np.dtype[np.int64]]]:
    """Return the vectors of items made by the question's model, and whose each is, by its place among the items."""
    dims = 0 if question.vector is None else len(question.vector)
    model = items.model_number(connection, question.model, dims)
    rows = [] if model is None else items.vectors(connection, model, numbers.tolist())
    of = np.searchsorted(numbers, np.array([item for item, _ in rows], np.int64))
    return indexes.unpack([vector for _, vector in rows], dims), of


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
