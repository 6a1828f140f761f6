"""How fast the store is, beside LangGraph's InMemoryStore and its SqliteStore, in one run.

    python benchmarks/store.py [--json] [--sizes ITEMS ...] [--sqlite-python PYTHON] [--folder FOLDER]

The embedder takes no time. Each store is in a process of its own, in short rounds in turn, and asked what all have to
answer alike: the run ends where one doesn't. `--sizes 1000 10000 100000` takes minutes longer. SqliteStore needs
`langgraph-checkpoint-sqlite`, numpy, and a Python whose sqlite3 loads extensions: `--sqlite-python` names one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import _rounds
import _world
from _official import Lacking, official
from _stores import BATCH, IN_MEMORY, OURS, SQLITE
from add import Bare

ROUND_MS: Final = 250
"""How long a contestant's round may take; what is slow is asked less often, at least once."""

BARE: Final = "bare INSERT + COMMIT"
WARM: Final = "ours without the put"
NEEDED: Final = "values and vectors alone"

METHODS: Final = (
    "get",
    "filter",
    "search_everywhere",
    "list_namespaces",
    "search",
    "clients",
    "search_after_put",
    "put",
    "batch",
)
"""What is measured, in this order: what only reads comes first, and has nothing before it of what is put later."""

Round = Callable[[int], list[float] | float]
Figures = dict[str, list[list[float]]]


class Contestants:
    """The stores, filled alike.

    Args:
        folder: Where their files are made.
        users: In how many namespaces the items are.
        each: How many are in each.
        sqlite: The Python that runs SqliteStore, None to do without.
    """

    def __init__(self, folder: Path, users: int, each: int, sqlite: str | None) -> None:
        self._options: dict[str, Any] = {"users": users, "each": each}
        self._pythons = {OURS: sys.executable, IN_MEMORY: sys.executable} | ({SQLITE: sqlite} if sqlite else {})
        self._paths = {name: folder / f"{name}-{users * each}.db" for name in self._pythons}
        self.kept: dict[str, float] = {}
        """Bytes of the files after they were closed."""
        for name in self._pythons:
            if name != IN_MEMORY:
                self._fill(name)
        # Those with a file open it anew: what filling it took is not in their memory.
        self._workers = {name: self._worker(name) for name in self._pythons}
        self._workers[IN_MEMORY].call("fill")

    def _worker(self, name: str) -> _rounds.Worker:
        path = str(self._paths[name])
        return _rounds.Worker("_stores.py", python=self._pythons[name], kind=name, path=path, **self._options)

    def _fill(self, name: str) -> None:
        path = self._paths[name]
        with self._worker(name) as worker:
            self.kept[NEEDED] = worker.call("fill")
            worker.call("close")
        self.kept[name] = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))

    def pace(self, method: str, most: int) -> dict[str, int]:
        """Call a method of each twice, the first time to get warm; return how many calls each one's rounds have."""
        counts: dict[str, int] = {}
        for name, worker in self._workers.items():
            worker.call(method, seed=_seed(method, 998), count=1)
            [span] = worker.call(method, seed=_seed(method, 999), count=1)
            counts[name] = max(1, min(most, int(ROUND_MS / span)))
        return counts

    def round_of(self, name: str, method: str, count: int, first: int = 0) -> Round:
        """Return a round of one contestant; `first` is that of the first round."""
        return lambda number: self._workers[name].call(method, seed=_seed(method, first + number), count=count)

    def rounds_of(self, method: str, counts: Mapping[str, int]) -> dict[str, Round]:
        """Return a round of each contestant."""
        return {name: self.round_of(name, method, count) for name, count in counts.items()}

    def memory(self) -> Figures:
        """Return the most memory that each was resident in so far, MB."""
        return {name: [[worker.call("memory")]] for name, worker in self._workers.items()}

    def __enter__(self) -> Self:
        """Return the contestants."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """End them."""
        for worker in self._workers.values():
            if kind is None:
                worker.call("close")
            worker.__exit__(kind, value, at)


def _seed(method: str, number: int) -> int:
    """Return what a round's questions are drawn by: no text is asked twice, which a store might know by then."""
    return 1_000 * METHODS.index(method) + number


def measure(folder: Path, users: int, each: int, sqlite: str | None, rounds: int, most: int) -> list[dict[str, Any]]:
    """Return the rows of one size."""
    bare, texts = Bare(folder / f"bare-{users * each}.db"), _world.talk(1, 100)
    found: dict[str, Figures] = {}
    with Contestants(folder, users, each, sqlite) as stores:

        def run(
            method: str, counts: Mapping[str, int] | None = None, beside: Mapping[str, Round] | None = None
        ) -> Mapping[str, int]:
            counts = counts or stores.pace(method, most)
            found[method] = _rounds.in_turn(rounds, {**stores.rounds_of(method, counts), **(beside or {})})
            return counts

        for method in METHODS[:4]:
            run(method)
        paces = run("search")
        run("clients", {name: max(_rounds.CLIENTS, 4 * count) for name, count in paces.items()})
        memory = stores.memory()
        run("search_after_put", beside={WARM: stores.round_of(OURS, "search", paces[OURS], first=500)})
        run("put", beside={BARE: lambda _: _rounds.timed(lambda i: bare.add(texts.text(i % 100)), range(most))})
        run("batch", stores.pace("batch", max(1, most // 5)))  # fewer: each is 100 items more
    bare.close()
    kept: Figures = {name: [[nbytes / (1 << 20)]] for name, nbytes in stores.kept.items()}
    rows = {
        "put of 1 item": ("ms", found["put"]),
        f"batch of {BATCH} puts, 1 namespace": ("ms", found["batch"]),
        "get": ("ms", found["get"]),
        "search by a filter, 1 namespace": ("ms", found["filter"]),
        "search with a query, 1 namespace": ("ms", found["search"]),
        "search with a query, right after a put there": ("ms", found["search_after_put"]),
        "search with a query, prefix ()": ("ms", found["search_everywhere"]),
        "list_namespaces": ("ms", found["list_namespaces"]),
        f"{_rounds.CLIENTS} clients, searches with a query": ("searches/s", found["clients"]),
        "resident memory at most, reading": ("MB", memory),
        "file after closing": ("MB", kept),
    }
    return [_row(f"{users * each:,} items: {what}", unit, figures) for what, (unit, figures) in rows.items()]


def _row(what: str, unit: str, figures: Figures) -> dict[str, Any]:
    beside = {name: rounds for name, rounds in figures.items() if name != OURS}
    return _rounds.row(what, unit, figures[OURS], beside)


def _sqlite_python(given: str | None) -> tuple[str | None, str]:
    """Return the Python that runs SqliteStore, None if there is none, and what to say of it.

    Raises:
        Lacking: The one that was asked for can't.
    """
    python = given or sys.executable
    try:
        return python, f"SqliteStore {official(python)}, with a write-ahead log, which it is given here."
    except Lacking as lacking:
        if given:
            raise
        return None, f"SqliteStore: not run: {lacking}."


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000], metavar="ITEMS")
    parser.add_argument("--namespaces", type=int, default=100)
    parser.add_argument("--sqlite-python", metavar="PYTHON", help="what runs SqliteStore (default: this Python)")
    parser.add_argument("--folder", help="where the files are made (default: the system's folder for such)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--calls", type=int, default=20, help="a round, at most")
    options = parser.parse_args()
    if any(size < options.namespaces for size in options.sizes):
        parser.error("each namespace has an item at least")
    try:
        sqlite, about_sqlite = _sqlite_python(options.sqlite_python)
    except Lacking as lacking:
        parser.error(f"--sqlite-python: {lacking}")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for size in sorted(set(options.sizes)):
            each = size // options.namespaces
            rows += measure(Path(name), options.namespaces, each, sqlite, options.rounds, options.calls)
    notes = [
        f"{options.namespaces} namespaces; {options.rounds} rounds in turn, each of {options.calls} calls at most, of "
        f"fewer where they would take more than {ROUND_MS} ms.",
        about_sqlite,
        "Puts of ours, of SqliteStore and the bare one are on the disk when they return; InMemoryStore keeps nothing.",
    ]
    _rounds.emit("store", rows, notes, as_json=options.json)


if __name__ == "__main__":
    main()
