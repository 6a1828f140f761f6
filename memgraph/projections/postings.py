"""Postings of one owner: BM25 over arrays.

BM25 after Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009),
doi:10.1561/1500000019, with Lucene's idf, which is never negative.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Terms = NDArray[np.uint64]

K1: Final = 1.2
B: Final = 0.75

_ENTRY: Final = 10
"""Bytes of a packed term: an 8-byte hash and a 2-byte count."""


@lru_cache(maxsize=65_536)
def term_hash(secret: bytes, term: str) -> int:
    """Return a term's keyed hash: postings in the file spell no words, and two terms never meet (64 bits)."""
    return int.from_bytes(hashlib.blake2b(term.encode(), digest_size=8, key=secret).digest(), "little")


def pack_terms(secret: bytes, terms: Sequence[str]) -> bytes:
    """Return a text's terms as stored: all hashes (sorted), then all counts."""
    counts = Counter(term_hash(secret, term) for term in terms)
    hashes = np.array(sorted(counts), dtype="<u8")
    tallies = np.array([min(counts[int(h)], 65_535) for h in hashes], dtype="<u2")
    return hashes.tobytes() + tallies.tobytes()


def packed_hashes(packed: bytes) -> Terms:
    """Return the hashes of packed terms."""
    return np.frombuffer(packed, "<u8", count=len(packed) // _ENTRY)


class Postings(Protocol):
    """What a search needs of a lexical projection."""

    def scores(self, terms: Terms) -> Floats:
        """Return the BM25 score of every turn for the hashes of a query's terms, 0 where none occurs."""
        ...


class _Segment:
    """Postings of a run of turns, sorted by term, then turn.

    Args:
        term: The term of each posting.
        doc: The turn of each, ascending. A term that stands twice in a turn becomes one posting.
        tf: The count of each.
    """

    __slots__ = ("doc", "start", "terms", "tf")

    def __init__(self, term: Terms, doc: NDArray[np.int32], tf: Floats) -> None:
        order = np.argsort(term, kind="stable")
        term, doc, tf = term[order], doc[order], tf[order]
        begins = np.append(True, term[1:] != term[:-1])  # a term's postings begin here
        new = begins.copy()
        new[1:] |= doc[1:] != doc[:-1]
        if not new.all():
            firsts = np.flatnonzero(new)
            term, doc, tf, begins = term[firsts], doc[firsts], np.add.reduceat(tf, firsts), begins[firsts]
        first = np.flatnonzero(begins)
        self.doc, self.tf, self.terms = doc, tf, term[first]
        self.start = np.append(first, len(doc)).astype(np.int64)

    def among(self, kept: NDArray[np.bool_], places: NDArray[np.int32]) -> _Segment:
        """Return the postings of some turns, which have other numbers now. They are in order still."""
        stays = kept[self.doc]
        counts = np.add.reduceat(stays, self.start[:-1], dtype=np.int64)
        found = _Segment.__new__(_Segment)
        found.doc, found.tf = places[self.doc[stays]], self.tf[stays]
        found.terms = self.terms[counts > 0]
        found.start = np.append(0, np.cumsum(counts[counts > 0]))
        return found

    @property
    def flat(self) -> Terms:
        """The term of every posting."""
        return np.repeat(self.terms, np.diff(self.start))

    @property
    def nbytes(self) -> int:
        return self.doc.nbytes + self.tf.nbytes + self.terms.nbytes + self.start.nbytes


class ArrayPostings:
    """Postings as arrays: a few segments of growing size, merged so that an append copies little and a search asks few.

    A turn is indexed with the text of the turn before it where both are short. That is done here, in memory: what is
    stored of a turn is its own words alone, so nothing of an erased turn is left in a neighbour's row.
    """

    def __init__(self) -> None:
        self._segments: list[_Segment] = []
        self._lengths: Floats = np.zeros(0, np.float32)
        self._norm: Floats = np.zeros(0, np.float32)
        self._average = 1.0

    def append(self, texts: Sequence[Sequence[bytes]]) -> None:
        """Add turns at the end.

        Args:
            texts: For each turn the packed terms of its own text and, where it has context, of the turn before.
        """
        if not texts:
            return
        term, doc, tf = _flatten(texts, len(self._lengths))
        lengths = np.bincount(doc - len(self._lengths), weights=tf, minlength=len(texts)).astype(np.float32)
        self._measure(np.concatenate([self._lengths, lengths]))
        if not len(doc):
            return  # words that are no terms ("and so it is")
        self._segments.append(_Segment(term, doc, tf))
        while len(self._segments) > 1 and 4 * len(self._segments[-1].doc) >= len(self._segments[-2].doc):
            last, one = self._segments.pop(), self._segments.pop()
            self._segments.append(
                _Segment(
                    np.concatenate([one.flat, last.flat]),
                    np.concatenate([one.doc, last.doc]),
                    np.concatenate([one.tf, last.tf]),
                )
            )

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Drop the turns that are not among these; those that stay move up."""
        places = (np.cumsum(kept) - 1).astype(np.int32)
        self._segments = [one for segment in self._segments if len((one := segment.among(kept, places)).doc)]
        self._measure(self._lengths[kept])

    def _measure(self, lengths: Floats) -> None:
        """Take the lengths of all turns, and what they mean for a score."""
        self._lengths = lengths
        self._average = (float(lengths.mean()) if len(lengths) else 0) or 1.0
        self._norm = (K1 * B / self._average) * lengths
        self._norm += K1 * (1 - B)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._lengths.nbytes + self._norm.nbytes + sum(segment.nbytes for segment in self._segments)

    def scores(self, terms: Terms) -> Floats:
        """Return the BM25 score of every turn for the hashes of a query's terms, 0 where none occurs."""
        count = len(self._lengths)
        spans, sizes, idf = self._found(terms)
        if not spans:
            return np.zeros(count, np.float32)
        # All postings of all terms in one pass: half the time of adding term after term.
        doc = np.concatenate([segment.doc[start:end] for segment, start, end in spans])
        tf = np.concatenate([segment.tf[start:end] for segment, start, end in spans])
        weight = np.repeat(np.concatenate([idf] * len(sizes)), np.concatenate(sizes))
        weight *= tf / (tf + self._norm[doc])
        return np.bincount(doc, weight, count).astype(np.float32)

    def score_of(self, text: bytes) -> float:
        """Return the BM25 score that a turn of a text's packed terms would get for these terms."""
        terms, _, tf = _flatten([[text]], 0)
        _, _, idf = self._found(terms)
        norm = K1 * (1 - B) + K1 * B / self._average * float(tf.sum())
        return float((idf * tf / (tf + norm)).sum())

    def _found(
        self, terms: Terms
    ) -> tuple[list[tuple[_Segment, int, int]], list[NDArray[np.int64]], NDArray[np.float64]]:
        """Return where the postings of terms stand, how many they are by segment and term, and the terms' weights."""
        spans: list[tuple[_Segment, int, int]] = []
        sizes: list[NDArray[np.int64]] = []
        df = np.zeros(len(terms), np.int64)
        for segment in self._segments:
            at = np.minimum(np.searchsorted(segment.terms, terms), len(segment.terms) - 1)
            begin = segment.start[at]
            size = np.where(segment.terms[at] == terms, segment.start[at + 1] - begin, 0)
            df += size
            sizes.append(size)
            spans += [(segment, start, start + n) for start, n in zip(begin.tolist(), size.tolist(), strict=True) if n]
        return spans, sizes, np.log1p((len(self._lengths) - df + 0.5) / (df + 0.5)) * (K1 + 1)


def _flatten(texts: Sequence[Sequence[bytes]], first: int) -> tuple[Terms, NDArray[np.int32], Floats]:
    """Return (term, turn, count) of every posting, in the order of the turns."""
    packed = [blob for parts in texts for blob in parts]
    sizes = np.array([len(blob) // _ENTRY for blob in packed], np.int64)
    owner = np.repeat(np.arange(first, first + len(texts), dtype=np.int32), [len(parts) for parts in texts])
    cut = [8 * size for size in sizes.tolist()]
    term: Terms = np.frombuffer(b"".join([b[:c] for b, c in zip(packed, cut, strict=True)]), dtype="<u8")
    tf = np.frombuffer(b"".join([b[c:] for b, c in zip(packed, cut, strict=True)]), dtype="<u2").astype(np.float32)
    return term, np.repeat(owner, sizes), tf
