"""LangGraph's own InMemoryStore with an index, as a contestant: the same turns, one namespace a user."""

from __future__ import annotations

from langgraph.store.base import PutOp
from langgraph.store.memory import InMemoryStore

import _rounds
import _world


class Peer:
    """A filled store. `--serve` gives it to the other scripts."""

    def __init__(self, users: int, turns: int) -> None:
        self._users = users
        self._store = InMemoryStore(index={"dims": _world.DIMS, "embed": _world.Prepared(), "fields": ["text"]})
        for user in range(users):
            talk = _world.talk(user, turns)
            for start in range(0, turns, 500):
                self._store.batch(
                    PutOp((_world.name(user),), str(i), {"text": talk.text(i), "speaker": _world.SPEAKERS[i % 2]})
                    for i in range(start, min(start + 500, turns))
                )

    def _search(self, asked: _world.Question) -> None:
        self._store.search((_world.name(asked.user),), query=asked.text, limit=10)

    def _questions(self, seed: int, count: int) -> list[_world.Question]:
        return _world.questions(seed, self._users, count)

    def search(self, seed: int, count: int) -> list[float]:
        """Return ms of each search."""
        return _rounds.timed(self._search, self._questions(seed, count))

    def clients(self, seed: int, count: int) -> float:
        """Return searches a second of 16 threads."""
        return _rounds.per_second(self._search, self._questions(seed, count))

    def memory(self) -> dict[str, float]:
        """Return resident memory, MB."""
        return {"rss": _rounds.rss_mb()}


if __name__ == "__main__":
    _rounds.serve(Peer)
