"""Plain systems to stand beside: BM25, dense vectors, and their fusion by ranks.

All rank single turns, rendered "speaker: text [shares image: caption]". A tie goes to the earlier turn, also among the
turns that score nothing: in a fusion they all take part, as is usual.

Dense vectors of short turns are wrecked by a name in the question (it matches the "speaker:" prefix instead of the
content), so dense and fused systems stand in the table twice: with the question as it is, and with the names of the two
participants taken out of it. The second is the fair baseline.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from memgraph.evals.systems import Ranking, System
from memgraph.projections.tokenizer import tokenize

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    from memgraph.evals.dialogs import Conversation

    Scores = Callable[["TurnIndex", str], Awaitable[NDArray[np.float64]]]

K1: Final = 1.2
B: Final = 0.75
"""Lucene's defaults."""

RRF_K: Final = 60
"""The constant of the paper that introduced reciprocal rank fusion; never tuned here."""


def baselines(embedder: Embeddings | None) -> list[System]:
    """Return all plain systems, which share one index.

    Args:
        embedder: Makes the vectors; None leaves only BM25.
    """
    index = TurnIndex(embedder)
    systems: list[System] = [PlainSystem("bm25", index, _words)]
    if embedder is not None:
        systems += [
            PlainSystem("dense", index, _vectors),
            PlainSystem("dense -names", index, _vectors, strip=True),
            PlainSystem("rrf", index, _both),
            PlainSystem("rrf -names", index, _both, strip=True),
        ]
    return systems


class TurnIndex:
    """One conversation's turns, scored by BM25 and by cosine. Every score is in the order of the turns."""

    def __init__(self, embedder: Embeddings | None) -> None:
        """Keep the embedder, None for one that is never asked for vectors."""
        self._embedder = embedder
        self._conversation: Conversation | None = None
        self._terms: list[Counter[str]] = []
        self._norms: NDArray[np.float64] = np.empty(0)
        self._vectors: NDArray[np.float64] = np.empty((0, 0))
        self._queries: dict[str, NDArray[np.float64]] = {}
        self.ids: tuple[str, ...] = ()
        self.names: tuple[str, ...] = ()

    async def prepare(self, conversation: Conversation) -> None:
        """Index a conversation in place of the one before; the same one again costs nothing."""
        if conversation is self._conversation:
            return
        texts = [turn.rendered for turn in conversation.turns]
        self.ids = tuple(turn.dia_id for turn in conversation.turns)
        self.names = conversation.speakers
        self._terms = [Counter(tokenize(text)) for text in texts]
        lengths = np.array([terms.total() for terms in self._terms], dtype=np.float64)
        self._norms = K1 * (1 - B + B * lengths / max(lengths.mean(), 1.0))
        if self._embedder is not None:
            self._vectors = _unit(await self._embedder.aembed_documents(texts))
        self._queries.clear()
        self._conversation = conversation

    def bm25(self, question: str) -> NDArray[np.float64]:
        """Score every turn by BM25; a question without terms scores all turns 0."""
        scores = np.zeros(len(self.ids))
        for term in tokenize(question):
            counts = np.array([terms[term] for terms in self._terms], dtype=np.float64)
            found = np.count_nonzero(counts)
            scores += np.log1p((len(self.ids) - found + 0.5) / (found + 0.5)) * counts / (counts + self._norms)
        return scores

    async def cosine(self, question: str) -> NDArray[np.float64]:
        """Score every turn by the cosine of its vector and the question's."""
        if self._embedder is None:
            raise ValueError("this index was made without an embedder")
        if question not in self._queries:
            self._queries[question] = _unit([await self._embedder.aembed_query(question)])[0]
        return self._vectors @ self._queries[question]


class PlainSystem:
    """An index, a way to score its turns, and whether the participants' names are taken out of the question first."""

    def __init__(self, name: str, index: TurnIndex, scores: Scores, *, strip: bool = False) -> None:
        """Put a system together; several may share one index."""
        self.name = name
        self._index = index
        self._scores = scores
        self._strip = strip

    async def prepare(self, conversation: Conversation) -> None:
        """Index the conversation."""
        await self._index.prepare(conversation)

    async def rank(self, question: str, k: int) -> Ranking:
        """Return the best `k` turns."""
        asked = strip_names(question, self._index.names) if self._strip else question
        best: list[int] = _order(await self._scores(self._index, asked))[:k].tolist()
        return Ranking(tuple(self._index.ids[i] for i in best))

    async def close(self) -> None:
        """Do nothing: there is only memory to let go of."""


async def _words(index: TurnIndex, question: str) -> NDArray[np.float64]:
    return index.bm25(question)


async def _vectors(index: TurnIndex, question: str) -> NDArray[np.float64]:
    return await index.cosine(question)


async def _both(index: TurnIndex, question: str) -> NDArray[np.float64]:
    """Fuse by reciprocal ranks: every turn is ranked in both, with equal weights."""
    return _reciprocal(index.bm25(question)) + _reciprocal(await index.cosine(question))


def strip_names(question: str, names: Sequence[str]) -> str:
    """Take names, each with a following 's, out of a question: whole words, case-sensitive."""
    pattern = "|".join(re.escape(name) for name in names)
    return " ".join(re.sub(rf"\b(?:{pattern})\b(?:['\u2019]s\b)?", " ", question).split())


def _order(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.argsort(-scores, kind="stable")


def _reciprocal(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    gains = np.empty(len(scores))
    gains[_order(scores)] = 1 / (RRF_K + np.arange(1, len(scores) + 1))
    return gains


def _unit(rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    vectors = np.asarray(rows, dtype=np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
