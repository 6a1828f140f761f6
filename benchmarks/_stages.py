"""What a write spends in each of its stages, in the model and in the embedder; and its statements."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from langchain_core.embeddings import Embeddings

from memgraph import Memory
from memgraph.nodes.consolidate import ConsolidateStage
from memgraph.nodes.extract import ExtractStage
from memgraph.nodes.merge_graph import MergeStage
from memgraph.nodes.remember import Accept, Index
from memgraph.nodes.stage import Stage

if TYPE_CHECKING:
    import apsw

_STAGES: Final[dict[str, type[Stage]]] = {
    "accept": Accept,
    "index": Index,
    "extract": ExtractStage,
    "consolidate": ConsolidateStage,
    "merge_graph": MergeStage,
}
_BODY: Final = "run"
"""The method that does a stage's work."""


def _no_stages() -> dict[str, float]:
    return dict.fromkeys(_STAGES, 0.0)


@dataclass
class Meter:
    """Seconds and calls since `reset`, of one write at a time.

    Attributes:
        elsewhere: Seconds in the model and in the embedder.
        stages: Seconds in each stage beside these.
        prompt_tokens: Of all calls, without the turns' own words.
    """

    elsewhere: float = 0.0
    model_calls: int = 0
    embed_calls: int = 0
    prompt_tokens: int = 0
    stages: dict[str, float] = field(default_factory=_no_stages)

    def reset(self) -> None:
        """Begin anew."""
        self.elsewhere, self.model_calls, self.embed_calls, self.prompt_tokens = 0.0, 0, 0, 0
        self.stages = _no_stages()

    @contextmanager
    def away(self) -> Generator[None]:
        """Count the time as the model's or the embedder's."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.elsewhere += time.perf_counter() - begin


class Timed(Embeddings):
    """An embedder whose time and calls are counted."""

    def __init__(self, embedder: Embeddings, meter: Meter) -> None:
        self.model = "prepared"
        self._embedder = embedder
        self._meter = meter

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text."""
        self._meter.embed_calls += 1
        with self._meter.away():
            return self._embedder.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """Return a vector."""
        with self._meter.away():
            return self._embedder.embed_query(text)


@contextmanager
def watched(meter: Meter) -> Generator[None]:
    """Measure the stages of the writes that run meanwhile, one write at a time."""
    bodies = {name: stage.run for name, stage in _STAGES.items()}
    for name, stage in _STAGES.items():
        setattr(stage, _BODY, _measured(name, bodies[name], meter))
    try:
        yield
    finally:
        for name, stage in _STAGES.items():
            setattr(stage, _BODY, bodies[name])


def _measured(name: str, body: Any, meter: Meter) -> Any:
    async def run(self: Stage, *arguments: Any) -> Any:
        before, begin = meter.elsewhere, time.perf_counter()
        try:
            return await body(self, *arguments)
        finally:
            meter.stages[name] += time.perf_counter() - begin - (meter.elsewhere - before)

    return run


@contextmanager
def statements(memory: Memory) -> Generator[list[str]]:
    """Collect the statements that a memory's writer runs meanwhile."""
    seen: list[str] = []

    def note(_: object, sql: str, __: object) -> bool:
        seen.append(sql.lower())
        return True

    def trace(connection: apsw.Connection, tracer: Any) -> None:
        connection.exec_trace = tracer

    ledger = memory.core.ledger
    ledger.submit(trace, note, alone=True).result()
    try:
        yield seen
    finally:
        ledger.submit(trace, None, alone=True).result()


def commits(seen: list[str]) -> tuple[int, int]:
    """Return how many commits reached the disk, and how many there were, of a writer's statements."""
    full = False
    durable = every = 0
    for sql in seen:
        if "synchronous" in sql:
            full = "full" in sql
        elif sql == "commit":
            every += 1
            durable += full
    return durable, every
