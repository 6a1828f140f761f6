"""Owners' projections in memory: loaded once, appended to as commits arrive, dropped by one byte limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from memgraph.ledger import commits, fact_index, indexes, owners
from memgraph.projections.facts import FactIndex
from memgraph.projections.held import Held
from memgraph.projections.postings import ArrayPostings
from memgraph.projections.vectors import Floats, MatrixVectors
from memgraph.records import OPEN
from memgraph.sittings import SITTING_US

if TYPE_CHECKING:
    import apsw

Ints = NDArray[np.int64]
_STEP: Final = 64
Names = tuple[str | None, str | None, str | None]
"""Thread, session and agent of a place."""

_APPENDED: Final = frozenset({"turns", "index", "facts"})


class OwnerIndex:
    """Everything a search of one owner needs, as arrays in the order of the turns.

    Attributes:
        rows: Row numbers, ascending. Every other column is in the same order.
        before: Row of the turn before, where that is context; else 0, which is no row's number.
        seq: The owner's commit that the arrays show.
        all_believed: Whether no turn was replaced or forgotten, the common case in which no mask is needed.
    """

    def __init__(self, owner: int, dims: int | None) -> None:
        self.owner = owner
        self.seq = 0
        self.rows: Ints = np.zeros(0, np.int64)
        self.said_at: Ints = np.zeros(0, np.int64)
        self.recorded_at: Ints = np.zeros(0, np.int64)
        self.superseded_at: Ints = np.zeros(0, np.int64)
        self.before: Ints = np.zeros(0, np.int64)
        self.place: NDArray[np.int32] = np.zeros(0, np.int32)
        self.sitting: NDArray[np.int32] = np.zeros(0, np.int32)
        self.speaker: NDArray[np.int32] = np.zeros(0, np.int32)
        self.words: NDArray[np.int32] = np.zeros(0, np.int32)
        self.flags: NDArray[np.int32] = np.zeros(0, np.int32)
        self.speakers: list[str] = []
        self.places: dict[int, owners.Place] = {}
        self.postings = ArrayPostings()
        self.vectors = None if dims is None else MatrixVectors(dims)
        self.facts = FactIndex(owner, dims)
        self.all_believed = True
        self.derived: dict[str, Any] = {}
        """What ranking computes once from these columns; emptied when they change."""
        self._speaker_numbers: dict[str, int] = {}
        self._last_in: dict[int, tuple[int, int]] = {}
        self._sittings = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes held, near enough."""
        columns = 60 * len(self.rows) + self.postings.nbytes + 64 * len(self.places) + self.facts.nbytes
        return columns + (0 if self.vectors is None else self.vectors.nbytes)

    def at(self, rows: list[int]) -> list[int]:
        """Return the positions of rows that are here."""
        if not len(self):
            return []
        wanted = np.array(rows, np.int64)
        found = np.minimum(np.searchsorted(self.rows, wanted), len(self) - 1)
        positions: list[int] = found[self.rows[found] == wanted].tolist()
        return positions

    def append(
        self, heads: list[tuple[Any, ...]], places: Mapping[int, Names], contexts: Mapping[int, bytes] | None = None
    ) -> None:
        """Add turns at the end.

        Args:
            heads: What `indexes.heads` gives of them.
            places: Names of their places.
            contexts: By row: packed terms of turns that are their context and not among them.
        """
        if not heads:
            return
        columns = list(zip(*heads, strict=True))
        row, said_at, recorded_at, superseded_at, place, speaker, before, words, flags, terms = columns
        if not places.keys() <= self.places.keys():
            self.places = {**self.places, **places}
        self.rows = np.concatenate([self.rows, np.array(row, np.int64)])
        self.said_at = np.concatenate([self.said_at, np.array(said_at, np.int64)])
        self.recorded_at = np.concatenate([self.recorded_at, np.array(recorded_at, np.int64)])
        self.superseded_at = np.concatenate([self.superseded_at, np.array(superseded_at, np.int64)])
        self.before = np.concatenate([self.before, np.array([number or 0 for number in before], np.int64)])
        self.place = np.concatenate([self.place, np.array(place, np.int32)])
        self.words = np.concatenate([self.words, np.array(words, np.int32)])
        self.flags = np.concatenate([self.flags, np.array(flags, np.int32)])
        self.speaker = np.concatenate([self.speaker, np.array([self._number(name) for name in speaker], np.int32)])
        sittings = [self._sitting(p, t) for p, t in zip(place, said_at, strict=True)]
        self.sitting = np.concatenate([self.sitting, np.array(sittings, np.int32)])
        self.all_believed = self.all_believed and all(end == OPEN for end in superseded_at)
        self._append_postings(row, before, terms, contexts or {})
        if self.vectors is not None:
            self.vectors.grow(len(self.rows))
        self.derived = {}

    def _number(self, speaker: str) -> int:
        number = self._speaker_numbers.setdefault(speaker, len(self.speakers))
        if number == len(self.speakers):
            self.speakers.append(speaker)
        return number

    def _sitting(self, place: int, said_at: int) -> int:
        """Return the sitting a turn belongs to: the last one of its place, unless the pause since was long."""
        last = self._last_in.get(place)
        if last is None or abs(said_at - last[0]) > SITTING_US:
            self._sittings += 1
            last = (said_at, self._sittings - 1)
        self._last_in[place] = (said_at, last[1])
        return last[1]

    def _append_postings(
        self,
        rows: tuple[int, ...],
        befores: tuple[int | None, ...],
        terms: tuple[bytes, ...],
        contexts: Mapping[int, bytes],
    ) -> None:
        """Index each turn with its own text and, where it has context, the text of the turn before it."""
        known = {**contexts, **dict(zip(rows, terms, strict=True))}
        self.postings.append(
            [
                [blob, known[before]] if before is not None and before in known else [blob]
                for before, blob in zip(befores, terms, strict=True)
            ]
        )

    def load_vectors(self, connection: apsw.Connection, recipe: int) -> None:
        """Fill all vectors at once."""
        if self.vectors is None:
            return
        mine = set(self.rows.tolist())
        # Those of facts are theirs.
        stored = [item for item in indexes.vectors(connection, self.owner, recipe) if item[0] in mine]
        firsts = [(row, before, blob) for row, part, before, blob in stored if part == 0]
        count = len(self.rows)
        known = np.zeros(count, np.bool_)
        own = indexes.unpack([blob for _, _, blob in firsts], self.vectors.dims)
        at = np.searchsorted(self.rows, np.array([row for row, _, _ in firsts], np.int64))
        known[at] = True
        matrix: Floats = own
        if not known.all():
            matrix = np.zeros((count, self.vectors.dims), np.float32)
            matrix[at] = own
        # A turn that is withdrawn speaks no more through the turn before it.
        holds = (self.superseded_at[at] == OPEN).tolist()
        pairs = [(i, before) for i, (_, before, _) in enumerate(firsts) if before is not None and holds[i]]
        if pairs:
            after, before = np.array([i for i, _ in pairs]), np.array([row for _, row in pairs], np.int64)
            earlier = np.searchsorted(self.rows, before)
            both = known[earlier] & (self.rows[earlier] == before)
            earlier, after = earlier[both], after[both]
            # In place, since a row comes up as the turn after before it is written as the turn before. In small steps:
            # copies as large as the matrix are fresh memory, which took six times as long as the sums.
            for start in range(0, len(earlier), _STEP):
                span = slice(start, start + _STEP)
                matrix[earlier[span]] = 0.5 * (matrix[earlier[span]] + own[after[span]])
        self.vectors.fill(matrix, known)
        self._put_passages(stored)

    def _put_passages(self, stored: list[tuple[int, int, int | None, bytes]]) -> None:
        assert self.vectors is not None
        further: dict[int, list[bytes]] = {}
        for row, part, _, blob in stored:
            if part > 0:
                further.setdefault(int(np.searchsorted(self.rows, row)), []).append(blob)
        unpacked = {at: indexes.unpack(blobs, self.vectors.dims) for at, blobs in further.items()}
        self.vectors.put({}, {}, passages=unpacked)

    def paired(self, touched: list[int]) -> set[int]:
        """Return the rows whose vectors change with those of touched turns: theirs, and of pairs that they are in."""
        mine = {*touched, *(int(self.before[i]) for i in self.at(touched))}
        return mine | self._followers(mine)

    def refresh_vectors(self, stored: list[tuple[int, int, int | None, bytes]], touched: list[int]) -> None:
        """Take the vectors of touched turns again; a turn's row also holds the pair with the turn after it.

        Args:
            stored: What `indexes.vectors` gives of their `paired` rows.
            touched: Rows of turns.
        """
        if self.vectors is None or not touched:
            return
        mine = {*touched, *(int(self.before[i]) for i in self.at(touched))}
        firsts = {row: (before, blob) for row, part, before, blob in stored if part == 0}
        ended: set[int] = set() if self.all_believed else set(self.rows[self.superseded_at != OPEN].tolist())
        after = {before: blob for row, (before, blob) in firsts.items() if before is not None and row not in ended}
        at = {int(self.rows[i]): i for i in self.at(sorted(mine))}
        dims = self.vectors.dims
        owns = {at[row]: indexes.unpack([firsts[row][1]], dims)[0] for row in at if row in firsts}
        nexts = {at[row]: indexes.unpack([after[row]], dims)[0] for row in at if row in after}
        passages: dict[int, list[bytes]] = {}
        for row, part, _, blob in stored:
            if part > 0 and row in at:
                passages.setdefault(at[row], []).append(blob)
        self.vectors.put(
            owns,
            nexts,
            [at[row] for row in at if row not in firsts],
            {index: indexes.unpack(blobs, dims) for index, blobs in passages.items()},
        )

    def _followers(self, rows: set[int]) -> set[int]:
        """Return the believed turns that have one of `rows` as context: their pairs hold its text."""
        found: set[int] = set()
        for index in self.at(sorted(rows)):
            after = slice(index + 1, None)
            found.update(
                self.rows[after][
                    (self.before[after] == self.rows[index]) & (self.superseded_at[after] == OPEN)
                ].tolist()
            )
        return found


class IndexCache:
    """The owner indexes in memory.

    Args:
        limit: Bytes that may be held.

    Attributes:
        held: Where they are kept, together with whatever else is kept below the same limit.
    """

    def __init__(self, limit: int) -> None:
        self.held = Held(limit)

    def get(self, connection: apsw.Connection, key: bytes, embedder: tuple[int, int] | None) -> OwnerIndex | None:
        """Return an owner's index as of its latest commit, None if the owner has no data yet.

        Args:
            connection: A reader's, inside one snapshot.
            key: The owner's digest.
            embedder: (recipe, dims) of the vectors in force, None for no dense arm.
        """
        index = self.held.get(key)
        assert index is None or isinstance(index, OwnerIndex)
        dims = None if embedder is None else embedder[1]
        if index is not None and (None if index.vectors is None else index.vectors.dims) != dims:
            index = None
        found = commits.since(connection, key, OPEN if index is None else index.seq)
        if found is None:
            return None
        owner, seq, news = found
        if index is not None and index.seq == seq:
            self.held.use(key)
            return index
        if index is not None:
            index = self._catch_up(connection, index, seq, news, embedder)
        if index is None:
            index = self._load(connection, owner, seq, embedder)
        self.held.keep(key, index)
        return index

    def _load(self, connection: apsw.Connection, owner: int, seq: int, embedder: tuple[int, int] | None) -> OwnerIndex:
        index = OwnerIndex(owner, None if embedder is None else embedder[1])
        places = {
            number: (thread, session, agent) for number, thread, session, agent in indexes.places(connection, owner)
        }
        index.append(indexes.heads(connection, owner), places)
        if embedder is not None:
            index.load_vectors(connection, embedder[0])
        recipe = None if embedder is None else embedder[0]
        index.facts = index.facts.updated(fact_index.news(connection, owner, recipe), index.rows, index.said_at)
        index.seq = seq
        return index

    def _catch_up(
        self,
        connection: apsw.Connection,
        index: OwnerIndex,
        seq: int,
        news: list[tuple[str, list[int]]],
        embedder: tuple[int, int] | None,
    ) -> OwnerIndex | None:
        """Append what commits brought since; None where one rewrote the past and a load is due."""
        if len(news) != seq - index.seq or any(kind not in _APPENDED for kind, _ in news):
            return None
        last = int(index.rows[-1]) if len(index) else 0
        touched: defaultdict[str, set[int]] = defaultdict(set)
        for kind, rows in news:
            touched[kind].update(rows)
        if added := sorted(row for row in touched["turns"] if row > last):
            found = indexes.new_heads(connection, index.owner, added)
            contexts = {head[6]: head[10] for head in found if head[10] is not None}
            index.append([head[:10] for head in found], {head[4]: head[11:14] for head in found}, contexts)
        # Rows of turns, facts and entities are numbered together: what is no turn is of the others.
        indexed = sorted(touched["index"])
        mine = [int(index.rows[at]) for at in index.at(indexed)]
        recipe = None if embedder is None else embedder[0]
        others = sorted((touched["facts"] | touched["index"]).difference(mine))
        pairs = index.paired(mine) if recipe is not None and mine else set[int]()
        stored: list[tuple[int, int, int | None, bytes]] = []
        if others:
            told = fact_index.news(connection, index.owner, recipe, others, pairs or None)
            # Both in one statement: this runs in a search right after an add.
            vectors = [(item[1], item[2], item[3], item[12]) for item in told if item[0] == fact_index.VECTOR]
            stored = sorted(vectors, key=lambda item: item[:2])
            index.facts = index.facts.updated(told, index.rows, index.said_at)
        elif pairs and recipe is not None:
            stored = indexes.vectors(connection, index.owner, recipe, pairs)
        index.refresh_vectors(stored, mine if pairs else [])
        index.seq = seq
        return index
