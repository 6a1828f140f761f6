"""What a store is given and asked: made-up items, the same in every process, and questions with one best answer.

An item is like a turn of `_world`: 25 words and a random unit vector. A question's vector is that of one item, turned
some way off; no other is nearly as close to it, so every store has to find that item first, whatever it makes of the
words. Namespaces are `("memories", "user-7")`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

import _world

ROOT: Final = "memories"

_NEAR: Final = 0.8
"""Cosine of a question and the item it asks for. Two random vectors of 384 dimensions seldom come to 0.25."""


def namespace(user: int) -> tuple[str, str]:
    """Return a user's namespace."""
    return ROOT, _world.name(user)


@dataclass(frozen=True)
class Item:
    """An item.

    Attributes:
        number: Which of its user's.
        vector: float32[DIMS], of its text.
    """

    user: int
    number: int
    text: str
    vector: NDArray[np.float32]

    @property
    def namespace(self) -> tuple[str, str]:
        """Its user's."""
        return namespace(self.user)

    @property
    def key(self) -> str:
        """Its key."""
        return str(self.number)

    @property
    def value(self) -> dict[str, Any]:
        """What is put."""
        return {"text": self.text, "speaker": _world.SPEAKERS[self.number % 2]}

    @property
    def nbytes(self) -> int:
        """Bytes of its value as JSON and of its vector: what has to be kept."""
        return len(json.dumps(self.value)) + self.vector.nbytes


def item(user: int, number: int) -> Item:
    """Return a user's n-th item."""
    rng = np.random.default_rng([4, user, number])
    vocabulary = _world.words()
    terms: list[int] = _world.draw(rng, (_world.WORDS,)).tolist()
    return Item(user, number, " ".join([vocabulary[term] for term in terms]), _world.unit(rng, 1)[0])


@dataclass(frozen=True)
class Asked:
    """A question.

    Attributes:
        of: The item to be found first.
        vector: float32[DIMS], of its text.
    """

    of: Item
    text: str
    vector: NDArray[np.float32]


def about(of: Item, question: _world.Question) -> Asked:
    """Return a question, turned towards an item."""
    vector = _NEAR * of.vector + np.sqrt(1 - _NEAR**2) * question.vector
    return Asked(of, question.text, (vector / np.linalg.norm(vector)).astype(np.float32))


def questions(seed: int, users: int, each: int, count: int) -> list[Asked]:
    """Return questions for items drawn at random, no two alike."""
    numbers: list[int] = np.random.default_rng([5, seed]).integers(each, size=count).tolist()
    drawn = _world.questions(seed, users, count)
    return [about(item(one.user, number), one) for one, number in zip(drawn, numbers, strict=True)]


class Known(Embeddings):
    """An embedder that takes no time: it looks up vectors that it was told before."""

    model = "prepared"

    def __init__(self) -> None:
        self._vectors: dict[str, list[float]] = {}

    def know(self, said: Iterable[Item | Asked]) -> None:
        """Know the vectors of these texts, and of no others."""
        self._vectors = {one.text: one.vector.tolist() for one in said}

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return the vectors of texts."""
        return [self._vectors[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a text."""
        return self._vectors[text]
