"""Ours, as a contestant: a file loaded in bulk, then searches and writes through `Memory`'s sync face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import _facts
import _rounds
import _world
from memgraph import Memory, Scope
from memgraph.ledger import commits, indexes, jobs, turns
from memgraph.projections.postings import pack_terms
from memgraph.projections.tokenizer import tokenize
from memgraph.records import Draft, to_us
from memgraph.write_path.applying import LEXICAL_RECIPE
from memgraph.writing.features import features

if TYPE_CHECKING:
    import apsw

_GROUP: Final = 20
"""Owners a transaction of the bulk load."""


def load(path: str, users: int, turns_each: int, facts_every: int = 0) -> None:
    """Write users' talk with the ledger's own functions, in large transactions: what `add` would have written.

    Args:
        path: Of the file.
        users: How many.
        turns_each: Turns of each.
        facts_every: Turns for one fact; 0 for no facts.
    """
    with Memory.open(path, embedder=_world.Prepared()) as memory:
        ledger, recipe = memory.core.ledger, memory.core.recipe
        assert recipe is not None
        terms = [tokenize(word) for word in _world.words()]
        for first in range(0, users, _GROUP):
            group = [_user(ledger.pepper, terms, u, turns_each) for u in range(first, min(first + _GROUP, users))]

            def write(connection: apsw.Connection, group: Sequence[_Loaded] = group) -> None:
                indexes.set_dims(connection, recipe, _world.DIMS)
                for one in group:
                    one.write(connection, memory.core.owner_key(Scope(one.user)), recipe)
                    if facts_every:
                        one.state(connection, recipe, ledger.pepper, facts_every)

            ledger.submit(write).result()


class _Unkeyed:
    """No keys for any entry: each is a new turn."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __call__(self, secret: bytes) -> list[turns.Keys]:
        return [(None, None, None)] * self._count


class _Loaded:
    """A user's talk, ready to be written."""

    def __init__(self, talk: _world.Talk, entries: Sequence[turns.Entry]) -> None:
        self.user = _world.name(talk.user)
        self._talk = talk
        self._entries = entries
        self._owner = 0
        self._rows: list[int] = []

    def write(self, connection: apsw.Connection, owner_key: bytes, recipe: int) -> None:
        """Write threads one after another, each with its vectors, and the job of each as done."""
        owner: int | None = None
        now = to_us("now", datetime.now(UTC))
        for thread, start in enumerate(range(0, len(self._entries), _world.THREAD)):
            entries = self._entries[start : start + _world.THREAD]
            accepted = turns.accept(
                connection,
                owner_key,
                entries,
                _Unkeyed(len(entries)),
                place=(f"{self.user}-{thread}", None, None),
                claim=None,
                now=now,
                recipe=LEXICAL_RECIPE,
                cause=None,
            )
            if owner is None:
                owner = connection.execute("select owner from owners where key = ?", (owner_key,)).get
            assert owner is not None
            assert accepted.job is not None
            self._owner = owner
            self._rows += accepted.rows
            before: int | None = None
            for i, row in enumerate(accepted.rows):
                indexes.put_vectors(connection, owner, recipe, {row: [(before, self._talk.vectors[start + i])]})
                before = row
            commits.record(connection, owner, at=now, kind="index", touched=accepted.rows)
            jobs.finish(connection, jobs.Job(accepted.job, owner, list(accepted.rows), 0, 0))

    def state(self, connection: apsw.Connection, recipe: int, pepper: bytes, every: int) -> None:
        """Write the facts of what was written."""
        now = to_us("now", datetime.now(UTC))
        _facts.fill(connection, self._owner, self._talk, self._rows, every=every, pepper=pepper, recipe=recipe, now=now)


def _user(pepper: bytes, terms: Sequence[list[str]], user: int, count: int) -> _Loaded:
    talk = _world.talk(user, count)
    entries: list[turns.Entry] = []
    for i in range(count):
        text, speaker = talk.text(i), _world.SPEAKERS[i % 2]
        draft = Draft(text, "user", speaker, "user", 0, said_at=to_us("said_at", _world.said_at(i)))
        read = features(text, "user")
        words: list[int] = talk.terms[i].tolist()
        packed = pack_terms(pepper, [term for word in words for term in terms[word]])
        entries.append(turns.Entry(draft, packed, read.words, read.flags))
    return _Loaded(talk, entries)


class Ours:
    """An open memory. `--serve` gives it to the other scripts.

    Args:
        path: Of the file.
        users: Whose talk is in it.
        turns_each: How many turns of each.
        cache_bytes: As `Memory.open` takes it.
        facts: Whether facts are made of what is added, which then states one.
    """

    def __init__(
        self, path: str, users: int, turns_each: int, cache_bytes: int = 256 << 20, *, facts: bool = False
    ) -> None:
        self._memory = Memory.open(path, embedder=_world.Prepared(), cache_bytes=cache_bytes, facts=facts)
        self._facts = facts
        self._users = users
        self._next = turns_each
        self._more = _world.talk(users, 2_000)
        self._scopes = [Scope(_world.name(user)) for user in range(users)]

    def _questions(self, seed: int, count: int) -> list[_world.Question]:
        return _world.questions(seed, self._users, count)

    def _search(self, asked: _world.Question) -> None:
        hits = self._memory.search(asked.text, self._scopes[asked.user])
        assert len(hits) == min(10, self._next)
        assert not hits.degraded

    def warm(self) -> None:
        """Search once for every user that fits into the cache."""
        for scope in self._scopes[:200]:
            self._memory.search("warm", scope)

    def search(self, seed: int, count: int) -> list[float]:
        """Return ms of each search."""
        return _rounds.timed(self._search, self._questions(seed, count))

    def search_after_add(self, seed: int, count: int) -> list[float]:
        """Return ms of each search that comes right after its user was told something; the add is not counted."""
        spans: list[float] = []
        for asked in self._questions(seed, count):
            self._add(asked)
            spans += _rounds.timed(self._search, [asked])
        return spans

    def _add(self, asked: _world.Question) -> None:
        """Say something new to a user's memory: with facts it states one."""
        turn = self._next % len(self._more.terms)
        said = _world.message(self._more, turn) | {"said_at": _world.said_at(self._next)}
        if self._facts:
            said["content"] = f"{said['content']} I like {_world.words()[turn]}."
        thread = f"{_world.name(asked.user)}-{self._next // _world.THREAD}"
        self._memory.add([said], self._scopes[asked.user], thread_id=thread)
        self._next += 1

    def statements(self, seed: int, count: int) -> dict[str, list[int]]:
        """Return how many SQL statements searches took, warm and right after an add."""
        reader = self._memory.core.ledger.reader
        seen: list[str] = []

        def note(_: object, sql: str, __: object) -> bool:
            seen.append(sql)
            return True

        def trace(tracer: Callable[[object, str, object], bool] | None) -> None:
            async def put() -> None:
                reader.exec_trace = tracer

            self._memory.host.wait(put())

        taken: dict[str, list[int]] = {"warm": [], "after an add": []}
        for number in range(count):
            for kind, numbers in taken.items():
                if kind != "warm":
                    self._add(self._questions(seed + number, 1)[0])
                trace(note)
                self._search(self._questions(seed + number, 1)[0])
                trace(None)
                numbers.append(len(seen))
                seen.clear()
        return taken

    def clients(self, seed: int, count: int) -> float:
        """Return searches a second of 16 threads."""
        return _rounds.per_second(self._search, self._questions(seed, count))

    def memory(self) -> dict[str, float]:
        """Return resident memory and what the cache holds, MB."""
        return {"rss": _rounds.rss_mb(), "cache": self._memory.core.cache.held.nbytes / (1 << 20)}

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()


if __name__ == "__main__":
    _rounds.serve(Ours)
