"""What is measured: made-up talk, the same in every process of a run, and vectors that cost nothing.

A turn has 25 words of a vocabulary of 20,000, drawn by Zipf's law. Two speakers take turns in threads of 20; a thread
takes twenty minutes, the next one begins a day later. Vectors are random unit vectors of 384 dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

DIMS: Final = 384
VOCABULARY: Final = 20_000
WORDS: Final = 25
ASKED: Final = 8
THREAD: Final = 20
SPEAKERS: Final = ("Ada", "Ben")
BEGIN: Final = datetime(2023, 1, 1, 9, tzinfo=UTC)

_POOL: Final = 256
_SYLLABLES: Final = tuple(c + v for c in "bdfgklmnprtvz" for v in "aiou")
_FRAMES: Final = (
    "{}",
    "What did {name} say about {}?",
    "When did {name} first mention {}?",
    "Do you remember {} in {month}?",
)
"""How questions are put: plain, with a name, asking when, with a time: each wakes other rules of a ranking."""

_MONTHS: Final = ("March 2023", "last week", "May 2023", "the summer of 2023")


@cache
def words() -> tuple[str, ...]:
    """Return the vocabulary, the commonest first: three syllables each, which no stemmer cuts."""
    base = len(_SYLLABLES)
    return tuple(
        _SYLLABLES[i % base] + _SYLLABLES[i // base % base] + _SYLLABLES[(i + i // base**2) % base]
        for i in range(VOCABULARY)
    )


@cache
def _reach() -> NDArray[np.float64]:
    share = 1 / np.arange(1, VOCABULARY + 1)
    return np.cumsum(share / share.sum())


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return indices into the vocabulary, by Zipf's law."""
    return np.minimum(np.searchsorted(_reach(), rng.random(shape)), VOCABULARY - 1)


def unit(rng: np.random.Generator, count: int) -> NDArray[np.float32]:
    """Return `count` random unit vectors."""
    vectors = rng.standard_normal((count, DIMS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def name(user: int) -> str:
    """Return a user's id."""
    return f"user-{user}"


def said_at(turn: int) -> datetime:
    """Return when a user's n-th turn was said."""
    thread, place = divmod(turn, THREAD)
    return BEGIN + timedelta(days=thread % 700, hours=thread // 700 % 12, minutes=place)


@dataclass(frozen=True)
class Talk:
    """What one user has said and been told.

    Attributes:
        terms: int64[turns, WORDS], indices into the vocabulary.
        vectors: float32[turns, DIMS].
    """

    user: int
    terms: NDArray[np.int64]
    vectors: NDArray[np.float32]

    def text(self, turn: int) -> str:
        """Return a turn's text."""
        vocabulary = words()
        terms: list[int] = self.terms[turn].tolist()
        return " ".join([vocabulary[i] for i in terms]).capitalize() + "."


def talk(user: int, turns: int) -> Talk:
    """Return a user's talk."""
    rng = np.random.default_rng([1, user])
    return Talk(user, draw(rng, (turns, WORDS)), unit(rng, turns))


@dataclass(frozen=True)
class Question:
    """A question.

    Attributes:
        terms: Indices into the vocabulary.
        vector: float32[DIMS], for the floor; the others ask `Prepared`.
    """

    user: int
    terms: list[int]
    vector: NDArray[np.float32]
    text: str


def questions(seed: int, users: int, count: int) -> list[Question]:
    """Return questions of users drawn at random, no two alike."""
    rng = np.random.default_rng([2, seed])
    vocabulary = words()
    made: list[Question] = []
    for i in range(count):
        terms: list[int] = draw(rng, (ASKED,)).tolist()
        about = " ".join(vocabulary[t] for t in terms)
        frame = _FRAMES[i % len(_FRAMES)]
        text = frame.format(about, name=SPEAKERS[i // 4 % 2], month=_MONTHS[i // 4 % len(_MONTHS)])
        made.append(Question(int(rng.integers(users)), terms, unit(rng, 1)[0], text))
    return made


class Prepared(Embeddings):
    """An embedder that takes no time: it gives out prepared vectors in turn, whatever the text."""

    model = "prepared"

    def __init__(self) -> None:
        self._pool: list[list[float]] = unit(np.random.default_rng(3), _POOL).tolist()
        self._next = 0

    def _take(self) -> list[float]:
        self._next = (self._next + 1) % _POOL
        return self._pool[self._next]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text."""
        return [self._take() for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return a vector."""
        return self._take()


def message(of: Talk, turn: int) -> dict[str, Any]:
    """Return a turn as it is handed to `Memory.add`."""
    speaker = SPEAKERS[turn % 2]
    return {"role": "user", "name": speaker, "content": of.text(turn), "said_at": said_at(turn)}
