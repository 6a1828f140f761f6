"""How fast memgraph takes what was said, beside a bare INSERT and COMMIT on the same disk, in one run.

    python benchmarks/add.py [--json] [--folder FOLDER]

The embedder takes no time. An acknowledged write is on the disk when `add` returns, and so is the bare one:
`synchronous=FULL`, one fsync each. Where the folder lies on a disk that does not wait for its medium (tmpfs), nothing
but our own time is left, and the ratio says little.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import apsw

import _rounds
import _world
from memgraph import Memory, Scope
from memgraph.errors import AgentMemoryError
from memgraph.write_path.acceptance import Request

USERS: Final = 20


class Bare:
    """One table with one row a turn, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._db = apsw.Connection(str(path))
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        self._db.execute("create table turns(row integer primary key, said_at integer, speaker text, text text)")

    def add(self, text: str) -> None:
        """Write one turn; on the disk when this returns."""
        self._db.execute("begin immediate")
        self._db.execute("insert into turns(said_at, speaker, text) values (?, ?, ?)", (time.time_ns(), "Ada", text))
        self._db.execute("commit")

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Talker:
    """Says new things to a memory."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._talk = _world.talk(0, 4_000)
        self._next = 0

    def message(self) -> dict[str, Any]:
        """Return the next turn."""
        self._next += 1
        return _world.message(self._talk, self._next % 4_000) | {"said_at": _world.said_at(self._next)}

    def add(self, turns: int, *, background: bool, user: str = "ada") -> Callable[[object], None]:
        """Return a call that adds `turns` turns."""
        said = [self.message() for _ in range(turns)]
        return lambda _: self._add(said, user, background)

    def _add(self, said: list[dict[str, Any]], user: str, background: bool) -> None:
        added = self._memory.add(said, Scope(user), background=background)
        assert len(added.ids) == len(said)

    def apart(self, turns: int, count: int, *, background: bool) -> list[float]:
        """Return ms of adds, each after all that the one before left to the background."""
        spans: list[float] = []
        for _ in range(count):
            spans += _rounds.timed(self.add(turns, background=background), [None])
            self._memory.settle()
        return spans

    def alone(self, count: int) -> list[float]:
        """Return ms of the same write without the graph that `add` runs: commit 1 alone, waited for."""
        spans: list[float] = []
        for _ in range(count):
            request = Request([self.message()], Scope("ada"), append=True, background=True)
            spans += _rounds.timed(lambda of: self._memory.host.wait(self._memory.writes.accept(of)), [request])
        self._memory.settle()
        return spans

    def clients(self, count: int) -> float:
        """Return acknowledged adds a second of 16 threads, each for a user of its own."""
        calls = [self.add(1, background=True, user=f"user-{i % _rounds.CLIENTS}") for i in range(count)]
        rate = _rounds.per_second(lambda call: call(None), calls)
        self._memory.settle()
        return rate

    def failures(self, each: int) -> int:
        """Return how many of the adds of 20 users at once failed."""
        calls = [self.add(2, background=False, user=f"at-once-{i % USERS}") for i in range(USERS * each)]

        def failed(call: Callable[[object], None]) -> bool:
            try:
                call(None)
            except AgentMemoryError:
                return True
            return False

        with ThreadPoolExecutor(USERS) as pool:
            return sum(pool.map(failed, calls))


def measure(folder: Path, rounds: int, adds: int) -> list[dict[str, Any]]:
    """Return the rows."""
    bare = Bare(folder / "bare.db")
    texts = _world.talk(1, 100)
    with Memory.open(folder / "memory.db", embedder=_world.Prepared()) as memory:
        ours = Talker(memory)

        def bare_round(_: int) -> list[float]:
            return _rounds.timed(lambda i: bare.add(texts.text(i % 100)), list(range(adds)))

        ours.apart(1, 5, background=True)
        bare_round(0)
        found = _rounds.in_turn(
            rounds,
            {
                "bare": bare_round,
                "one": lambda _: ours.apart(1, adds, background=True),
                "alone": lambda _: ours.alone(adds),
                "indexed": lambda _: ours.apart(1, adds, background=False),
                "ten": lambda _: ours.apart(10, max(1, adds // 4), background=False),
                "clients": lambda _: ours.clients(adds * _rounds.CLIENTS // 4),
            },
        )
        failures = ours.failures(3)
    bare.close()
    one_after_another = [[1e3 / span for span in spans] for spans in found["bare"]]
    beside = {"bare INSERT + COMMIT": found["bare"]}
    return [
        _rounds.row(
            "add of 1 turn, acknowledged",
            "ms",
            found["one"],
            beside,
            bar="p50 <= 1.5 x bare",
            met=lambda made: bool(made["ratio"]["bare INSERT + COMMIT"]["p50"] <= 1.5),
        ),
        _rounds.row("of this, without LangGraph's graph", "ms", found["alone"], beside),
        _rounds.row("add of 1 turn, indexed", "ms", found["indexed"], beside),
        _rounds.row(
            "add of 10 turns, indexed",
            "ms",
            found["ten"],
            beside,
            bar="<= 10 ms beyond one bare",
            met=lambda made: bool(made["ours"]["p50"] - made["others"]["bare INSERT + COMMIT"]["p50"] <= 10),
        ),
        _rounds.row(
            f"{_rounds.CLIENTS} clients, adds of 1 turn",
            "adds/s",
            found["clients"],
            {"bare, one after another": one_after_another},
        ),
        _rounds.row(
            f"{USERS} users at once, failures",
            "adds",
            [[failures]],
            {},
            bar="0",
            met=lambda made: bool(made["ours"]["p50"] == 0),
        ),
    ]


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", help="where the files are made (default: the system's folder for such)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--adds", type=int, default=20, help="a round")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        rows = measure(Path(name), options.rounds, options.adds)
    notes = [
        f"{options.rounds} rounds of {options.adds} adds in turn. Acknowledged: on the disk; the vector comes later.",
        "A bare commit of less than a millisecond: the disk acknowledges early, and the ratio says little.",
    ]
    _rounds.emit("add", rows, notes, as_json=options.json)


if __name__ == "__main__":
    main()
