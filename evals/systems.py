"""What can be evaluated: anything that reads a conversation and then ranks its turns for a question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from memgraph.evals.dialogs import Conversation


@dataclass(frozen=True, slots=True)
class Ranking:
    """A system's answer to one question.

    Attributes:
        dia_ids: Ids of turns, best first.
        degraded: Parts of the system that could not take part; the ranking counts all the same, and the report says so.
    """

    dia_ids: tuple[str, ...]
    degraded: tuple[str, ...] = ()


class System(Protocol):
    """A system under test. It is given conversations without their questions, and questions without their answers."""

    @property
    def name(self) -> str:
        """What the report calls it; unique within a run."""
        ...

    async def prepare(self, conversation: Conversation) -> None:
        """Take in a conversation; the questions that follow are about it. Not part of what is measured."""
        ...

    async def rank(self, question: str, k: int) -> Ranking:
        """Return the best `k` turns of the conversation prepared last. Whatever it raises scores 0."""
        ...

    async def close(self) -> None:
        """Let go of files and threads. Called once, also after a failure."""
        ...
