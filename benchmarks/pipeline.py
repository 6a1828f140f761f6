"""How long it takes from ten turns to five facts, where the time goes, and what it asks of a model, in one run.

    python benchmarks/pipeline.py [--json] [--folder FOLDER]

Model and embedder answer at once, and what they take all the same is taken off: what is left is our own time, with
LangGraph's and LangChain's, and one commit that reaches the disk. Each add is for a user of its own, who is new, or of
whom 50 facts are known already. Beside it stands a bare INSERT and COMMIT on the same disk.
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

_WARMING: Final = 2
_BARS: Final = {"model calls": 2, "prompt tokens": 1_500, "embed calls": 2}
"""At most, an add."""


class Pipeline:
    """A memory that makes facts, and what its model and embedder cost.

    Args:
        path: Of its file.
        by: "a model" or "rules".
        known_users: How many users to make of whom 50 facts are known.
    """

    def __init__(self, path: Path, by: str, known_users: int) -> None:
        self.by = by
        self.meter = _stages.Meter()
        model = _model.Instant(meter=self.meter) if by == "a model" else None
        self.memory = Memory.open(path, model=model, embedder=_stages.Timed(_world.Prepared(), self.meter))
        self._users = self._told = 0
        self._known = [self._user() for _ in range(known_users)]
        for user in self._known:
            self.memory.add(_model.known(KNOWN), Scope(user))
            self._check(user, KNOWN)

    def _user(self) -> str:
        self._users += 1
        return f"user-{self._users}"

    def _check(self, user: str, facts: int) -> None:
        found = len(self.memory.list(Scope(user), kind="fact", limit=200).items)
        assert found == facts, f"{user}: {found} facts, not {facts}"

    def said(self) -> list[dict[str, Any]]:
        """Return ten turns, no two of them said before."""
        self._told += 1
        return _model.said(self._told)

    def add(self, *, known: bool) -> tuple[float, float]:
        """Add ten turns for another user. Returns seconds, and seconds of processors; the meter has the rest."""
        user, said = self._known.pop() if known else self._user(), self.said()
        self.meter.reset()
        with _stages.watched(self.meter):
            begin, busy = time.perf_counter(), time.process_time()
            self.memory.add(said, Scope(user))
            spans = time.perf_counter() - begin, time.process_time() - busy
        self.memory.settle()
        # One of those known, the residence, gives way to what is said.
        self._check(user, FACTS + (KNOWN - 1 if known else 0))
        return spans

    def commits(self, *, known: bool) -> tuple[int, int]:
        """Return how many commits an add makes: those that reach the disk, and all."""
        with _stages.statements(self.memory) as seen:
            self.add(known=known)
        return _stages.commits(seen)

    def at_once(self, users: int, each: int) -> tuple[int, float]:
        """Return how many adds of users at once failed or brought other than five facts, and adds a second."""
        names = [self._user() for _ in range(users)]

        def failed(user: str, said: list[dict[str, Any]]) -> bool:
            try:
                self.memory.add(said, Scope(user))
            except AgentMemoryError:
                return True
            return False

        adds = [(user, self.said()) for user in names for _ in range(each)]
        with ThreadPoolExecutor(users) as pool:
            begin = time.perf_counter()
            failures = sum(pool.map(failed, *zip(*adds, strict=True)))
            rate = len(adds) / (time.perf_counter() - begin)
        self.memory.settle()
        # The residence of one add gives way to that of the next.
        wrong = [user for user in names if self._stated(user) != FACTS * each - (each - 1)]
        return failures + len(wrong), rate

    def _stated(self, user: str) -> int:
        return len(self.memory.list(Scope(user), kind="fact", limit=200).items)


class Contestant:
    """Rounds of adds of one kind, with the stages and counts of each.

    Attributes:
        what: Of it, by name: figures by round.
    """

    def __init__(self, pipeline: Pipeline, *, known: bool) -> None:
        self.pipeline = pipeline
        self.known = known
        self.what: dict[str, list[list[float]]] = {}
        for _ in range(_WARMING):
            pipeline.add(known=known)

    @property
    def name(self) -> str:
        """What is measured."""
        of = f"{KNOWN} facts known" if self.known else "a new user"
        return f"{TURNS} turns -> {FACTS} facts by {self.pipeline.by}, {of}"

    def rounds(self, adds: int) -> Callable[[int], list[float]]:
        """Return a call that runs one round and returns ms of our own time of each add."""
        return lambda _: self._round(adds)

    def _round(self, adds: int) -> list[float]:
        spans: list[float] = []
        found: dict[str, list[float]] = {}
        meter = self.pipeline.meter
        for _ in range(adds):
            wall, busy = self.pipeline.add(known=self.known)
            own = wall - meter.elsewhere
            spans.append(own * 1e3)
            stages = {**meter.stages, "between the stages": own - sum(meter.stages.values())}
            for stage, seconds in (stages | {"processor time in all": busy - meter.elsewhere}).items():
                found.setdefault(f"{stage}, ms", []).append(seconds * 1e3)
            for name in _BARS:
                found.setdefault(name, []).append(getattr(meter, name.replace(" ", "_")))
        for name, figures in found.items():
            self.what.setdefault(name, []).append(figures)
        return spans

    def rows(self, spans: list[list[float]], bare: list[list[float]]) -> list[dict[str, Any]]:
        """Return the rows: the time, its parts, what was asked of others, and the commits."""
        beside = {"bare INSERT + COMMIT": bare}
        rows = [_rounds.row(self.name, "ms", spans, beside, bar="p50 <= 10 ms", met=_at_most(10, "p50"))]
        for what, figures in self.what.items():
            name, _, unit = what.partition(", ")
            if name not in _BARS:
                rows.append(_rounds.row(f"  of this, {name}", unit, figures, {}))
            elif self.pipeline.by == "a model" or name == "embed calls":
                bar = _BARS[name]
                rows.append(_rounds.row(f"  {name}", "an add", figures, {}, bar=f"<= {bar:,}", met=_at_most(bar)))
        durable, every = self.pipeline.commits(known=self.known)
        name = f"  commits that reach the disk (of {every})"
        return [*rows, _rounds.row(name, "an add", [[durable]], {}, bar="<= 1", met=_at_most(1))]


def _at_most(bar: int, which: str = "p95") -> Callable[[dict[str, Any]], bool]:
    return lambda made: bool(made["ours"][which] <= bar)


def measure(folder: Path, rounds: int, adds: int, each: int) -> list[dict[str, Any]]:
    """Return the rows."""
    bare = Bare(folder / "bare.db")
    texts = _world.talk(1, 100)
    known_users = rounds * adds + _WARMING + 1
    pipelines = [Pipeline(folder / f"{by[-5:]}.db", by, known_users) for by in ("a model", "rules")]
    contestants = [Contestant(pipeline, known=known) for pipeline in pipelines for known in (False, True)]
    found = _rounds.in_turn(
        rounds,
        {
            "bare": lambda _: _rounds.timed(lambda i: bare.add(texts.text(i % 100)), list(range(adds))),
            **{one.name: one.rounds(adds) for one in contestants},
        },
    )
    bare.close()
    rows = [row for one in contestants for row in one.rows(found[one.name], found["bare"])]
    for pipeline in pipelines:
        failures, rate = pipeline.at_once(USERS, each)
        name = f"{USERS} users at once by {pipeline.by}"
        rows += [
            _rounds.row(f"{name}, failures", "adds", [[failures]], {}, bar="0", met=_at_most(0)),
            _rounds.row(f"{name}, adds of {TURNS} turns", "adds/s", [[rate]], {}),
        ]
        pipeline.memory.close()
    return rows


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
        f"{options.rounds} rounds of {options.adds} adds in turn, without the model's and the embedder's time.",
        "Between the stages: LangGraph's graph, and the way to the memory's loop and back.",
        "Prompt tokens: of all calls, schemas among them, without the turns' own words.",
    ]
    _rounds.emit("pipeline", rows, notes, as_json=options.json)


if __name__ == "__main__":
    main()
