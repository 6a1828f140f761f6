"""The floor of a search: what no implementation can leave out, written as directly as it can be.

For one search: ask the owner's commit number (one SQL read), one matrix product, BM25 by adding up slices of arrays,
the best fifty of either joined by reciprocal ranks, the ten best read back (one SQL read by owner and row, version
checked), ten records. Everything that ours does beyond that is what its ratio to this shows.

Run alone it prints the steps: `python benchmarks/floor.py [--json] [--users 1 --turns 10000]`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import _rounds
import _world

KEEP: Final = 50
FOUND: Final = 10
STEPS: Final = ("seq", "dense", "bm25", "fusion", "join", "all")


@dataclass(frozen=True, slots=True)
class Found:
    """One result."""

    score: float
    row: int
    text: str
    said_at: float
    speaker: str
    version: int


class Arrays:
    """One owner in memory: a matrix, and postings whose weights are computed beforehand."""

    def __init__(self, of: _world.Talk) -> None:
        turns = len(of.terms)
        self.turns = turns
        self.vectors = of.vectors
        pairs = of.terms.ravel() * turns + np.repeat(np.arange(turns), _world.WORDS)
        pairs, tally = np.unique(pairs, return_counts=True)
        term, turn = np.divmod(pairs, turns)
        present, first, df = np.unique(term, return_index=True, return_counts=True)
        idf = np.log(1 + (turns - df + 0.5) / (df + 0.5))
        weight = np.repeat(idf, df) * tally * 2.2 / (tally + 1.2)  # all turns are equally long
        self.turn: NDArray[np.int32] = turn.astype(np.int32)
        self.weight: NDArray[np.float32] = weight.astype(np.float32)
        ends = (first + df).tolist()
        self.span = {t: slice(a, b) for t, a, b in zip(present.tolist(), first.tolist(), ends, strict=True)}


class Floor:
    """A file and the owners' arrays. `--serve` gives it to the other scripts."""

    def __init__(self, users: int, turns: int, most: int = 100) -> None:
        handle, self.path = tempfile.mkstemp(suffix=".db")
        os.close(handle)
        self.users = min(users, most)
        with sqlite3.connect(self.path) as db:
            db.execute("pragma journal_mode = wal")
            db.execute("create table owners(key blob primary key, seq integer) without rowid")
            db.execute(
                "create table turns(owner blob, row integer, version integer, said_at real, speaker text, text text,"
                " primary key(owner, row)) without rowid"
            )
            self.owners = [self._load(db, user, turns) for user in range(self.users)]
        db.close()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._db = sqlite3.connect(self.path)
        self._hosted: sqlite3.Connection | None = None

    @staticmethod
    def _load(db: sqlite3.Connection, user: int, turns: int) -> Arrays:
        of, key = _world.talk(user, turns), user.to_bytes(16, "big")
        db.execute("insert into owners values (?, ?)", (key, turns))
        db.executemany(
            "insert into turns values (?, ?, 1, ?, ?, ?)",
            ((key, i, float(i), _world.SPEAKERS[i % 2], of.text(i)) for i in range(turns)),
        )
        return Arrays(of)

    def find(self, db: sqlite3.Connection, asked: _world.Question) -> tuple[list[Found], list[float]]:
        """Search once. Returns what was found and when each step ended."""
        at = [time.perf_counter()]
        key, arrays = asked.user.to_bytes(16, "big"), self.owners[asked.user]
        db.execute("select seq from owners where key = ?", (key,)).fetchone()
        at.append(time.perf_counter())
        dense = arrays.vectors @ asked.vector
        at.append(time.perf_counter())
        lexical = np.zeros(arrays.turns, np.float32)
        for term in asked.terms:
            if (span := arrays.span.get(term)) is not None:
                lexical[arrays.turn[span]] += arrays.weight[span]
        at.append(time.perf_counter())
        fused: dict[int, float] = {}
        for scores in (dense, lexical):
            best = np.argpartition(scores, -min(KEEP, arrays.turns))[-KEEP:]
            for place, row in enumerate(best[np.argsort(-scores[best])].tolist()):
                fused[row] = fused.get(row, 0.0) + 1 / (60 + place)
        top = sorted(fused.items(), key=lambda item: -item[1])[:FOUND]
        at.append(time.perf_counter())
        marks = ",".join("?" * len(top))
        rows: dict[int, Any] = {
            line[0]: line
            for line in db.execute(
                f"select row, text, said_at, speaker, version from turns where owner = ? and row in ({marks})",
                (key, *(row for row, _ in top)),
            )
        }
        found = [Found(score, *rows[row]) for row, score in top]
        at.append(time.perf_counter())
        return found, at

    def _questions(self, seed: int, count: int) -> list[_world.Question]:
        return _world.questions(seed, self.users, count)

    def steps(self, seed: int, count: int) -> list[list[float]]:
        """Return ms of each step, one line a search."""
        spans: list[list[float]] = []
        for asked in self._questions(seed, count):
            _, at = self.find(self._db, asked)
            ends = [*zip(at, at[1:], strict=False), (at[0], at[-1])]
            spans.append([(end - begin) * 1e3 for begin, end in ends])
        return spans

    def search(self, seed: int, count: int) -> list[float]:
        """Return ms of each search, called directly."""
        return _rounds.timed(lambda asked: self.find(self._db, asked), self._questions(seed, count))

    def _through_loop(self, asked: _world.Question) -> None:
        async def run() -> None:
            if self._hosted is None:
                self._hosted = sqlite3.connect(self.path)
            self.find(self._hosted, asked)

        asyncio.run_coroutine_threadsafe(run(), self._loop).result()

    def through_loop(self, seed: int, count: int) -> list[float]:
        """Return ms of each search when it runs on one background loop, as a sync face over async code must."""
        return _rounds.timed(self._through_loop, self._questions(seed, count))

    def clients(self, seed: int, count: int) -> float:
        """Return searches a second of 16 threads through the one loop."""
        return _rounds.per_second(self._through_loop, self._questions(seed, count))

    def close(self) -> None:
        """Remove the file."""
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.unlink(self.path + suffix)


def main() -> None:
    """Print the floor of one size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10_000, help="of each user")
    parser.add_argument("--searches", type=int, default=100, help="a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with _rounds.Worker("floor.py", one_blas_thread=True, users=options.users, turns=options.turns) as worker:
        worker.call("search", seed=0, count=options.searches)
        rounds = [worker.call("steps", seed=i + 1, count=options.searches) for i in range(options.rounds)]
        rows = [
            _rounds.row(
                f"floor, {options.users} x {options.turns}: {name}", "ms", [[s[i] for s in r] for r in rounds], {}
            )
            for i, name in enumerate(STEPS)
        ]
        loop = _rounds.in_turn(
            options.rounds, {"": lambda i: worker.call("through_loop", seed=50 + i, count=options.searches)}
        )
        rows.append(_rounds.row("through one background loop", "ms", loop[""], {}))
        worker.call("close")
    _rounds.emit("floor", rows, [], as_json=options.json)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        _rounds.serve(Floor)
    else:
        main()
