"""One owner's facts as arrays: versions, evidence, conflicts, names; appended to as commits arrive."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memgraph.ledger import fact_index
from memgraph.ledger.indexes import unpack
from memgraph.projections.adjacency import ListAdjacency
from memgraph.projections.postings import ArrayPostings
from memgraph.projections.vectors import Floats, MatrixVectors
from memgraph.records import KINDS, OPEN

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_EVENT: Final = KINDS.index("event")
_PLAN: Final = KINDS.index("plan")
_WORD: Final = re.compile(r"[^\W_]+")

_LONGEST: Final = 8
"""Words of a name that are compared with a question."""


def name_key(name: str) -> tuple[str, ...]:
    """Return a name as it is looked for in a question: its words, case folded."""
    return tuple(_WORD.findall(name.casefold()))[:_LONGEST]


class FactIndex:
    """Everything a search needs of an owner's facts.

    There is one entry for each version of each fact, since a search may ask what was believed earlier, and one document
    (a text's postings and vector) for each version that was the newest when it was read. Change a copy: searches under
    way hold the one before. What is kept in lists and dicts is shared by the copies and only ever added to.

    Attributes:
        rows: By fact: its row in the ledger. `agents`: its agent, 0 for none, else an index into `agent_names`.
        fact: By entry: the fact. The other columns of entries: `doc`, `kind`, `recorded_at`, `superseded_at`,
            `valid_from`, `valid_to`, `confidence`.
        cited_fact: By piece of evidence: the fact. `cited_at`: the turn, as its position in the owner's index.
            `cited_since` and `cited_until`: while it was evidence.
        said_at: By fact: when its first evidence was said.
        older: By fact: whether a newer one contradicts it, both being believed now.
        successors: By row of a fact: the row of the one that took its place.
        derived: What readers see of these columns, by the agents whose facts they may see; emptied when they change.
    """

    def __init__(self, owner: int, dims: int | None) -> None:
        self.owner = owner
        self.rows: Ints = np.zeros(0, np.int64)
        self.agents: NDArray[np.int32] = np.zeros(0, np.int32)
        self.said_at: Ints = np.zeros(0, np.int64)
        self.older: Bools = np.zeros(0, np.bool_)
        self.fact: NDArray[np.int32] = np.zeros(0, np.int32)
        self.version: NDArray[np.int32] = np.zeros(0, np.int32)
        self.doc: NDArray[np.int32] = np.zeros(0, np.int32)
        self.kind: NDArray[np.int8] = np.zeros(0, np.int8)
        self.recorded_at: Ints = np.zeros(0, np.int64)
        self.superseded_at: Ints = np.zeros(0, np.int64)
        self.valid_from: Ints = np.zeros(0, np.int64)
        self.valid_to: Ints = np.zeros(0, np.int64)
        self.confidence: NDArray[np.float32] = np.zeros(0, np.float32)
        self.cited_fact: NDArray[np.int32] = np.zeros(0, np.int32)
        self.cited_at: NDArray[np.int32] = np.zeros(0, np.int32)
        self.cited_since: Ints = np.zeros(0, np.int64)
        self.cited_until: Ints = np.zeros(0, np.int64)
        self.postings = ArrayPostings()
        self.vectors = None if dims is None else MatrixVectors(dims)
        self.ids: list[bytes] = []
        self.agent_names: list[str | None] = [None]
        self.entity_ids: dict[int, bytes] = {}
        self.entity_names: dict[int, str] = {}
        self.links: dict[tuple[int, int], list[tuple[int, int]]] = {}
        self.successors: dict[int, int] = {}
        self.derived: dict[tuple[int, ...] | None, Any] = {}
        self._docs = 0
        self._number: dict[int, int] = {}
        self._entries: dict[tuple[int, int], int] = {}
        self._newest: dict[int, int] = {}
        self._names: defaultdict[str, dict[tuple[str, ...], set[int]]] = defaultdict(dict)
        self._merged: dict[int, int] = {}
        self._mentions: dict[tuple[int, int], None] = {}
        self._graph = ListAdjacency()

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.fact)

    def replaced(self, shown: Ints, version_of: Ints) -> list[tuple[int, int]]:
        """Return (what is over, what took its place) as entries, of what may be shown at the end of each such chain.

        Args:
            shown: By fact: the entry that may be shown, -1 for none.
            version_of: By fact: the entry that is believed, true or not, -1 for none.
        """
        pairs: list[tuple[int, int]] = []
        for row in self.successors:
            over = self._number.get(row, -1)
            if over < 0 or shown[over] >= 0 or version_of[over] < 0:
                continue
            seen: set[int] = set()
            while row in self.successors and row not in seen:
                seen.add(row)
                row = self.successors[row]
            last = self._number.get(row, -1)
            if last >= 0 and shown[last] >= 0:
                pairs.append((int(version_of[over]), int(shown[last])))
        return pairs

    @property
    def nbytes(self) -> int:
        """Bytes held, near enough."""
        columns = 50 * len(self.fact) + 400 * len(self.rows) + 24 * len(self.cited_fact)
        names = 300 * len(self.entity_ids) + 200 * len(self._mentions) + 120 * len(self.links)
        return columns + names + self.postings.nbytes + (0 if self.vectors is None else self.vectors.nbytes)

    def number(self, row: int) -> int | None:
        """Return which fact a row of the ledger is, None for none that is here."""
        return self._number.get(row)

    def updated(self, news: Sequence[tuple[Any, ...]], turns: Ints, said_at: Ints) -> FactIndex:
        """Return the index with what `fact_index.news` tells of some facts and entities.

        Args:
            news: All there is of each fact that it names.
            turns: Rows of the owner's turns, ascending.
            said_at: When they were said.
        """
        if not news:
            return self
        index = copy(self)
        index.derived = {}
        by_kind: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
        for item in news:
            by_kind[item[0]].append(item[1:])
        index._take_versions(sorted(by_kind[fact_index.VERSION], key=lambda item: item[:2]))
        index._take_evidence(by_kind[fact_index.EVIDENCE], {item[0] for item in by_kind[0]}, turns, said_at)
        index._take_links(by_kind[fact_index.LINK])
        moved = index._take_names(by_kind[fact_index.ENTITY], by_kind[fact_index.ALIAS])
        index._take_mentions(by_kind[fact_index.MENTION], moved=moved)
        return index

    def _take_versions(self, versions: list[tuple[Any, ...]]) -> None:
        known = [item for item in versions if item[:2] in self._entries]
        new = [item for item in versions if item[:2] not in self._entries]
        heads = {item[0]: item for item in versions}
        if known:
            at = [self._entries[item[:2]] for item in known]
            self.superseded_at = self.superseded_at.copy()
            self.superseded_at[at] = [item[3] for item in known]
        if new:
            self._number_facts(new)
            added = {item[0]: heads[item[0]] for item in new}
            first = self._docs
            for doc, row in enumerate(added, first):
                self._newest[row] = doc
            self._docs += len(added)
            self.postings.append([[item[10]] if item[10] else [] for item in added.values()])
            if self.vectors is not None:
                self.vectors.grow(self._docs)
            self._append_entries(new)
        # A vector may come later than the version that it is of.
        if self.vectors is not None and heads:
            made = {self._newest[row]: item[11] for row, item in heads.items() if item[11] is not None}
            if made:
                matrix = unpack(list(made.values()), self.vectors.dims)
                self.vectors.put(dict(zip(made, matrix, strict=True)), {})

    def _number_facts(self, new: Sequence[tuple[Any, ...]]) -> None:
        fresh = {item[0]: item for item in new if item[0] not in self._number}
        agents: list[int] = []
        for row, item in fresh.items():
            self._number[row] = len(self.ids)
            self.ids.append(item[9])
            if item[8] not in self.agent_names:
                self.agent_names.append(item[8])
            agents.append(self.agent_names.index(item[8]))
        self.rows = np.concatenate([self.rows, np.array(list(fresh), np.int64)])
        self.agents = np.concatenate([self.agents, np.array(agents, np.int32)])
        self.said_at = np.concatenate([self.said_at, np.full(len(fresh), OPEN)])
        self.older = np.concatenate([self.older, np.zeros(len(fresh), np.bool_)])

    def _append_entries(self, new: Sequence[tuple[Any, ...]]) -> None:
        for entry, item in enumerate(new, len(self.fact)):
            self._entries[item[0], item[1]] = entry
        row, version, recorded, superseded, since, until, kind, confidence, *_ = zip(*new, strict=True)
        numbers = [self._number[one] for one in row]
        self.fact = np.concatenate([self.fact, np.array(numbers, np.int32)])
        self.version = np.concatenate([self.version, np.array(version, np.int32)])
        self.doc = np.concatenate([self.doc, np.array([self._newest[one] for one in row], np.int32)])
        self.kind = np.concatenate([self.kind, np.array(kind, np.int8)])
        self.recorded_at = np.concatenate([self.recorded_at, np.array(recorded, np.int64)])
        self.superseded_at = np.concatenate([self.superseded_at, np.array(superseded, np.int64)])
        self.valid_from = np.concatenate([self.valid_from, np.array(since, np.int64)])
        self.valid_to = np.concatenate([self.valid_to, np.array(until, np.int64)])
        self.confidence = np.concatenate([self.confidence, np.array(confidence, np.float32)])

    def _take_evidence(self, evidence: list[tuple[Any, ...]], touched: set[int], turns: Ints, said_at: Ints) -> None:
        numbers = [self._number[row] for row in touched]
        if not numbers:
            return
        keep = ~np.isin(self.cited_fact, numbers)
        cited = [item for item in evidence if item[0] in self._number]
        wanted = np.array([item[1] for item in cited], np.int64)
        at = np.minimum(np.searchsorted(turns, wanted), max(len(turns) - 1, 0))
        there = turns[at] == wanted if len(turns) else np.zeros(len(wanted), np.bool_)
        fact = np.array([self._number[item[0]] for item in cited], np.int32)[there]
        at = at[there]
        since = np.array([item[2] for item in cited], np.int64)[there]
        until = np.array([item[3] for item in cited], np.int64)[there]
        self.cited_fact = np.concatenate([self.cited_fact[keep], fact])
        self.cited_at = np.concatenate([self.cited_at[keep], at.astype(np.int32)])
        self.cited_since = np.concatenate([self.cited_since[keep], since])
        self.cited_until = np.concatenate([self.cited_until[keep], until])
        self.said_at = self.said_at.copy()
        self.said_at[numbers] = OPEN
        np.minimum.at(self.said_at, fact, said_at[at])

    def _take_links(self, links: list[tuple[Any, ...]]) -> None:
        if not links:
            return
        told: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for source, target, since, until, derived, *_ in links:
            if not derived:
                told[source, target].append((since, until))  # ended and made anew, a link has several rows
            elif until == OPEN:
                self.successors = {**self.successors, target: source}
        self.links = {**self.links, **told}
        self.older = self.outdated(None)

    def _links(self, known_at: int | None) -> list[tuple[int, int]]:
        """Return the pairs of facts that contradict each other, by what is (or was) believed."""
        at = OPEN - 1 if known_at is None else known_at
        return [pair for pair, spans in self.links.items() if any(since <= at < until for since, until in spans)]

    def outdated(self, known_at: int | None) -> Bools:
        """Return by fact whether a newer one contradicts it, both being believed now or at `known_at`."""
        older = np.zeros(len(self.rows), np.bool_)
        pairs = self._links(known_at)
        if not pairs:
            return older
        entry = {int(self.fact[i]): int(i) for i in np.flatnonzero(self.believed(known_at))}
        for pair in pairs:
            one, other = (entry.get(self._number.get(row, -1)) for row in pair)
            if one is not None and other is not None:
                since = {(int(self.valid_from[i]), int(self.rows[self.fact[i]])): i for i in (one, other)}
                older[self.fact[since[min(since)]]] = True
        return older

    def linked(self, known_at: int | None) -> set[int]:
        """Return the rows of the facts that contradict another, now or at `known_at`."""
        return {row for pair in self._links(known_at) for row in pair} if self.links else set()

    def opposed(self, row: int, known_at: int | None) -> list[int]:
        """Return the rows of the facts that contradict one, now or at `known_at`."""
        if not self.links:
            return []
        return sorted({other for pair in self._links(known_at) if row in pair for other in pair if other != row})

    def _take_names(self, entities: list[tuple[Any, ...]], aliases: list[tuple[Any, ...]]) -> bool:
        """Take in what entities are called. Returns whether one that was here was merged or parted."""
        moved = False
        for row, merged, _, until, *rest in entities:
            moved |= row in self.entity_ids and self._merged.get(row) != merged
            self.entity_ids[row], self.entity_names[row] = rest[5], rest[4]
            if merged is None:
                self._merged.pop(row, None)
            else:
                self._merged[row] = merged
            if until == OPEN:
                self._name(row, rest[4])
        for row, _, _, until, *rest in aliases:
            if until == OPEN:
                self._name(row, rest[4])
        return moved

    def _name(self, row: int, name: str) -> None:
        key = name_key(name)
        if key:
            self._names[key[0]].setdefault(key, set()).add(row)

    def _take_mentions(self, mentions: list[tuple[Any, ...]], *, moved: bool) -> None:
        pairs = [(item[0], item[1]) for item in mentions]
        self._mentions.update(dict.fromkeys(pairs))
        if moved:  # what they are mentioned by moves with them
            self._graph = ListAdjacency()
            pairs = list(self._mentions)
        self._graph.add((fact, self._resolved(entity)) for fact, entity in pairs)

    def _resolved(self, entity: int) -> int:
        """Return the entity that one was merged into, itself if it wasn't."""
        seen = {entity}
        while (into := self._merged.get(entity)) is not None and into not in seen:
            seen.add(into)
            entity = into
        return entity

    def named(self, text: str) -> list[int]:
        """Return the entities whose names or aliases stand in a text, the longest name first at each word."""
        if not self._names:
            return []
        words = [match.group() for match in _WORD.finditer(text)]
        folded = [word.casefold() for word in words]
        uncased = text.replace("I", "i") == text.lower()
        found: dict[int, None] = {}
        at = 0
        while at < len(words):
            keys = self._names.get(folded[at])
            if keys is None:
                at += 1
                continue
            longest = max((key for key in keys if tuple(folded[at : at + len(key)]) == key), key=len, default=())
            for entity in keys.get(longest, ()):
                # "Will she come?" names nobody; a question in small letters throughout may name anybody.
                if uncased or words[at][0].isupper() or not self.entity_names.get(entity, "")[:1].isupper():
                    found[self._resolved(entity)] = None
            at += max(1, len(longest))
        return list(found)

    def walk(
        self, entities: Iterable[int], believed: Bools, *, hops: int, fan_out: int, limit: int
    ) -> dict[int, tuple[float, tuple[int, ...]]]:
        """Return the facts that a walk from entities over what mentions them comes to.

        Args:
            entities: Where it begins.
            believed: By fact: whether it may be stepped on.
            hops: Facts a path may have.
            fan_out: Neighbours followed from each.
            limit: Entities and facts met at most.

        Returns:
            By fact: how near it is, at most 1 (each entity on the way divides by the root of what mentions it, so that
            a hub leads nowhere in particular), and the rows of the path, entities and facts in turn.
        """

        def passable(row: int) -> bool:
            number = self._number.get(row)
            return number is None or bool(believed[number])

        start = list(entities)
        found: dict[int, tuple[float, tuple[int, ...]]] = {}
        for path in self._graph.reach(
            start, hops=2 * hops - 1, fan_out=fan_out, limit=limit, passable=passable
        ).values():
            number = self._number.get(path[-1])
            if number is not None:
                near = 1.0
                for entity in path[:-1:2]:
                    near /= self._graph.degree(entity) ** 0.5
                found[number] = near, path
        return found

    def path_ids(self, path: Iterable[int]) -> list[bytes]:
        """Return the ids of the entities and facts of a path."""
        return [
            self.entity_ids[row] if row in self.entity_ids else self.ids[self._number[row]]
            for row in path
            if row in self.entity_ids or row in self._number
        ]

    def believed(self, known_at: int | None) -> Bools:
        """Return by entry whether it is (or was) believed."""
        if known_at is None:
            now: Bools = self.superseded_at == OPEN
            return now
        then: Bools = (self.recorded_at <= known_at) & (known_at < self.superseded_at)
        return then

    def true(self, at: int, *, named: bool) -> Bools:
        """Return by entry whether it is true at a time.

        An event goes on having happened. A plan holds from when it was said. What begins later is shown unless the time
        was named.

        Args:
            at: Microseconds UTC.
            named: Whether the reader named the time.
        """
        holds: Bools = (self.valid_to > at) | ((self.kind == _EVENT) & (self.valid_to > self.valid_from))
        if named:
            planned = (self.kind == _PLAN) & (self.said_at[self.fact] <= at)
            holds &= (self.valid_from <= at) | planned
        return holds

    def dense(self, query: Floats) -> Floats:
        """Return by entry the similarity to a unit query vector, NaN for one without a vector yet."""
        if self.vectors is None:
            return np.full(len(self.fact), np.nan, np.float32)
        return self.vectors.scores(query)[self.doc]

    def lexical(self, hashes: NDArray[np.uint64]) -> Floats:
        """Return by entry the BM25 score for the hashes of a query's terms."""
        return self.postings.scores(hashes)[self.doc]
