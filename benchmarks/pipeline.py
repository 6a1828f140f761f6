"""How long it takes from ten turns to five facts, where the time goes, and what it asks of a model, in one run.

    python benchmarks/pipeline.py [--json] [--folder FOLDER]

Model and embedder answer at once, and what they take all the same is taken off: what is left is our own time, LangGraph's
and LangChain's among it, and one commit on the disk. Each add is for a user of its own, who is new, or of whom 50 facts
are known already. Beside it stands a bare INSERT and COMMIT on the same disk.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import _model
import _rounds
import _stages
import _world
from add import Bare
from memgraph import Memory, Scope
from memgraph.errors import AgentMemoryError

TURNS: Final = 10
FACTS: Final = 5
KNOWN: Final = 50
USERS: Final = 20


class Pipeline:
    """A memory that makes facts, and what its model and embedder cost.

    Args:
        path: Of its file.
        by_model: Whether a model makes the facts; else rules do.
    """

    def __init__(self, path: Path, *, by_model: bool) -> None:
        self.meter = _stages.Meter()
        self.model = _model.Instant(meter=self.meter) if by_model else None
        self.memory = Memory.open(path, model=self.model, embedder=_stages.Timed(_world.Prepared(), self.meter))
        self.stages: dict[str, list[list[float]]] = {name: [] for name in _stages.NAMES}
        self.counts: dict[str, list[float]] = {"model calls": [], "prompt tokens": [], "embed calls": []}
        self._users = self._told = 0
        self._known: list[str] = []

    def know(self, users: int) -> None:
        """Make users of whom 50 facts are known."""
        for _ in range(users):
            user = self._user()
            self.memory.add(_model.known(KNOWN), Scope(user))
            assert self._facts(user) == KNOWN, self._facts(user)
            self._known.append(user)
        self.memory.settle()

    def _user(self) -> str:
        self._users += 1
        return f"user-{self._users}"

    def _said(self) -> list[dict[str, Any]]:
        self._told += 1
        return _model.said(self._told)

    def _facts(self, user: str) -> int:
        return len(self.memory.list(Scope(user), kind="fact", limit=200).items)

    def round(self, adds: int, *, known: bool) -> list[float]:
        """Return ms of our own time of each add; the stages of the round are kept."""
        spans: list[float] = []
        of_stages: dict[str, list[float]] = {name: [] for name in _stages.NAMES}
        for _ in range(adds):
            user = self._known.pop() if known else self._user()
            self.meter.reset()
            with _stages.watched(self.meter):
                said = self._said()
                begin, busy = time.perf_counter(), time.process_time()
                self.memory.add(said, Scope(user))
                wall, busy = time.perf_counter() - begin, time.process_time() - busy
            own = wall - self.meter.elsewhere
            spans.append(own * 1e3)
            in_stages = 0.0
            for name, seconds in self.meter.stages.items():
                of_stages[name].append(seconds * 1e3)
                in_stages += seconds
            of_stages[_stages.BETWEEN].append((own - in_stages) * 1e3)
            of_stages[_stages.BUSY].append((busy - self.meter.elsewhere) * 1e3)
            self.counts["model calls"].append(self.meter.model_calls)
            self.counts["embed calls"].append(self.meter.embed_calls)
            self.counts["prompt tokens"].append(self.meter.prompt_tokens)
            self.memory.settle()
            # One of those known, the residence, gives way to what is said.
            assert self._facts(user) == FACTS + (KNOWN - 1 if known else 0), self._facts(user)
        for name, values in of_stages.items():
            self.stages[name].append(values)
        return spans

    def commits(self, *, known: bool) -> tuple[int, int]:
        """Return how many commits an add makes: those that reach the disk, and all."""
        user = self._known.pop() if known else self._user()
        with _stages.statements(self.memory) as seen:
            self.memory.add(self._said(), Scope(user))
            self.memory.settle()
        return _stages.commits(seen)

    def at_once(self, users: int, each: int) -> tuple[int, float]:
        """Return how many adds of users at once failed or brought other than five facts, and adds a second."""
        names = [self._user() for _ in range(users)]

        def client(user: str) -> int:
            failed = 0
            for _ in range(each):
                try:
                    self.memory.add(self._said(), Scope(user))
                except AgentMemoryError:
                    failed += 1
            return failed

        with ThreadPoolExecutor(users) as pool:
            begin = time.perf_counter()
            failures = sum(pool.map(client, names))
            rate = users * each / (time.perf_counter() - begin)
        self.memory.settle()
        failures += sum(self._facts(user) != FACTS for user in names)
        return failures, rate

    def close(self) -> None:
        """Close the memory."""
        self.memory.close()


def measure(folder: Path, rounds: int, adds: int, each: int) -> list[dict[str, Any]]:
    """Return the rows."""
    bare = Bare(folder / "bare.db")
    texts = _world.talk(1, 100)
    makers = {
        "a model": Pipeline(folder / "model.db", by_model=True),
        "rules": Pipeline(folder / "rules.db", by_model=False),
    }
    kinds = [(maker, known) for maker in makers for known in (False, True)]
    for made in makers.values():
        made.know(rounds * adds + 3)
        made.round(2, known=False)
        made.round(2, known=True)
        made.stages = {name: [] for name in _stages.NAMES}
        made.counts = {name: [] for name in made.counts}
    stages: dict[tuple[str, bool], dict[str, list[list[float]]]] = {
        kind: {n: [] for n in _stages.NAMES} for kind in kinds
    }
    counts: dict[tuple[str, bool], dict[str, list[list[float]]]] = {kind: {} for kind in kinds}

    def contestant(maker: str, known: bool) -> Callable[[int], list[float]]:
        def run(_: int) -> list[float]:
            pipeline = makers[maker]
            spans = pipeline.round(adds, known=known)
            for name in _stages.NAMES:
                stages[maker, known][name].append(pipeline.stages[name].pop())
            for name, values in pipeline.counts.items():
                counts[maker, known].setdefault(name, []).append(values[-adds:])
            return spans

        return run

    found = _rounds.in_turn(
        rounds,
        {
            "bare": lambda _: _rounds.timed(lambda i: bare.add(texts.text(i % 100)), list(range(adds))),
            **{f"{maker}, {known}": contestant(maker, known) for maker, known in kinds},
        },
    )
    rows: list[dict[str, Any]] = []
    for maker, known in kinds:
        of = f"{KNOWN} facts known" if known else "a new user"
        rows.append(
            _rounds.row(
                f"{TURNS} turns -> {FACTS} facts by {maker}, {of}",
                "ms",
                found[f"{maker}, {known}"],
                {"bare INSERT + COMMIT": found["bare"]},
                bar="p50 <= 10 ms",
                met=lambda made: bool(made["ours"]["p50"] <= 10),
            )
        )
        rows += [_rounds.row(f"  of this, {name}", "ms", values, {}) for name, values in stages[maker, known].items()]
        rows += _counted(makers[maker], counts[maker, known], maker=maker, known=known)
    for maker, pipeline in makers.items():
        failures, rate = pipeline.at_once(USERS, each)
        rows += [
            _rounds.row(
                f"{USERS} users at once by {maker}, failures", "adds", [[failures]], {}, bar="0", met=_at_most(0)
            ),
            _rounds.row(f"{USERS} users at once by {maker}", "adds/s", [[rate]], {}),
        ]
        pipeline.close()
    bare.close()
    return rows


def _counted(
    pipeline: Pipeline, counts: dict[str, list[list[float]]], *, maker: str, known: bool
) -> list[dict[str, Any]]:
    """Return the rows that count instead of measuring."""
    durable, every = pipeline.commits(known=known)
    bars = {"model calls": 2, "prompt tokens": 1_500, "embed calls": 2}
    if maker == "rules":
        del counts["model calls"], counts["prompt tokens"]
    rows = [
        _rounds.row(f"  {name}", "an add", values, {}, bar=f"<= {bars[name]:,}", met=_at_most(bars[name]))
        for name, values in counts.items()
    ]
    name = f"  commits that reach the disk (of {every})"
    return [*rows, _rounds.row(name, "an add", [[durable]], {}, bar="<= 1", met=_at_most(1))]


def _at_most(bar: int) -> Callable[[dict[str, Any]], bool]:
    return lambda made: bool(made["ours"]["p95"] <= bar)


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--folder", help="where the files are made (default: the system's folder for such)")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--adds", type=int, default=6, help="a round")
    parser.add_argument("--each", type=int, default=3, help="adds of each of the users at once")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        rows = measure(Path(name), options.rounds, options.adds, options.each)
    notes = [
        f"{options.rounds} rounds of {options.adds} adds in turn. Our own time: without the model's and the embedder's.",
        "Between: LangGraph's graph, and the way to the memory's loop and back. Stages are without model and embedder too.",
        "Prompt tokens: of all calls, schemas among them, without the turns' own words.",
    ]
    _rounds.emit("pipeline", rows, notes, as_json=options.json)


if __name__ == "__main__":
    main()
