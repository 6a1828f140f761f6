"""`retrieve`: what bears on the last user message, as one block for the model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from langchain_core.messages import convert_to_messages
from langchain_core.runnables import RunnableConfig, RunnableLambda

from memgraph.errors import EmbedderUnavailable, StoreBusy, StoreClosed, StoreError
from memgraph.messages import finite, message_text, positive, said_by_user
from memgraph.nodes.node import MemoryNode, Run, ScopeOf
from memgraph.ranking.budget import Recall, recall
from memgraph.read_path.search import explain
from memgraph.records import Hits
from memgraph.state import NodeState, Recalled, state_value
from memgraph.writing.identity import MessagePlace, place_of

_ARMS: Final = ("dense", "lexical", "time")
_PENDING: Final = "pending"
"""What the reason begins with where turns only wait for their vectors: that is no failure."""

_GRACE: Final = 0.25
"""Seconds beyond the deadline for fusion and the join, after which the agent goes on without memory."""


_NOTHING: Final = Recall("", (), {}, (), 0)


class _Present(NamedTuple):
    """What the model has before it anyway: messages by where they stand, and by their words where no id names them."""

    places: frozenset[MessagePlace]
    texts: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one search came to: hits (None if it could not be made), what is shown of them, what was missing."""

    hits: Hits | None
    shown: Recall
    degraded: dict[str, str]

    def decisions(self) -> dict[str, Any]:
        """Return what was decided: arms, ranks, scores, boosts and drops by id."""
        return {
            "trace_id": None if self.hits is None else self.hits.trace_id,
            "degraded": self.degraded,
            "hits": [explain(place, hit) for place, hit in enumerate(self.hits or (), 1)],
            "shown": list(self.shown.ids),
            "excerpted": list(self.shown.excerpted),
            "drops": _drops(self.shown),
            "tokens": self.shown.tokens,
        }


class Retrieve(MemoryNode):
    """The node that `retrieve` returns."""

    def __init__(
        self,
        *,
        limit: int,
        budget_tokens: int,
        deadline: float,
        include_shared: bool,
        strict: bool,
        scope: ScopeOf | None,
    ) -> None:
        super().__init__(scope)
        self._limit = limit
        self._budget = budget_tokens
        self._deadline = deadline
        self._include_shared = include_shared
        self._strict = strict

    async def run(self, state: NodeState, run: Run) -> dict[str, Any]:
        """Search for what the last user message is about."""
        messages = cast("Sequence[object]", state_value(state, "messages") or [])
        text = _question(messages)
        present = _Present(
            places(messages, run.thread_id),
            frozenset[str]() if run.keeps_messages else frozenset(message_text(one) for one in messages),
        )
        found = _Found(None, _NOTHING, {})

        async def search(_: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
            nonlocal found
            found = await self._search(text, present, run)
            return found.decisions()

        # A run of its own in the trace, with what was decided and why; ids only, the words are in no trace of ours.
        asked = {"limit": self._limit, "budget_tokens": self._budget, "deadline": self._deadline}
        decisions = await RunnableLambda(search, name="memgraph.retrieve").ainvoke(asked, run.config)
        run.write({"type": "memgraph.retrieve", **decisions})
        hits, shown = found.hits, found.shown
        update: dict[str, Any] = {
            "recalled": Recalled(
                text=shown.text,
                ids=list(shown.ids),
                degraded=found.degraded,
                trace_id="" if hits is None else hits.trace_id,
            )
        }
        if hits is not None:
            update["memory_seq"] = {hits.owner: hits.seq}
        return update

    async def _search(self, text: str, present: _Present, run: Run) -> _Found:
        """Search within the deadline. Whatever of the outside fails is named; an error of our own is raised."""
        memory = run.memory

        async def find() -> _Found:
            await memory.reads.check_thread(run.thread_id, run.scope, patience=self._deadline)
            hits, query = await memory.find(
                text,
                run.scope,
                self._limit,
                None,
                None,
                None,
                self._include_shared,
                self._deadline,
                present.places,
                present.texts,
            )
            shown = _NOTHING if query is None else recall(hits, query, self._budget)
            memory.reads.note_drops(hits.trace_id, _drops(shown))
            return _Found(hits, shown, hits.degraded)

        try:
            async with asyncio.timeout(self._deadline + _GRACE):
                found = await memory.live().call(find())
        except StoreClosed:
            raise  # used after close(): a mistake of the program, not of the outside
        except StoreError as error:
            if self._strict:
                raise
            return _Found(None, _NOTHING, dict.fromkeys(_ARMS, type(error).__name__))
        except TimeoutError:
            if self._strict:
                raise StoreBusy(f"memory gave no answer within {self._deadline + _GRACE:g} s") from None
            return _Found(None, _NOTHING, dict.fromkeys(_ARMS, "deadline"))
        why = found.degraded.get("dense", _PENDING)
        if self._strict and not why.startswith(_PENDING):
            raise EmbedderUnavailable(f"the embedder took no part in the recall: {why}")
        return found


def _question(messages: Sequence[object]) -> str:
    """Return the text of the last user message, "" if there is none."""
    for message in reversed(messages):
        # Without a reducer a state holds messages as they were handed in: pairs, dicts, strings.
        if said_by_user(convert_to_messages([cast(Any, message)])[0]):
            return message_text(message)
    return ""


def places(messages: Sequence[object], thread_id: str | None) -> frozenset[MessagePlace]:
    """Return where messages of a thread stand: the model has them before it, so that they need no recall."""
    ids = (getattr(message, "id", None) for message in messages)
    return frozenset(place_of(id, thread_id) for id in ids if id)


def _drops(shown: Recall) -> list[dict[str, Any]]:
    return [{"id": id, "reason": reason} for id, reason in shown.dropped.items()]


def retrieve(
    *,
    limit: int = 20,
    budget_tokens: int = 1_000,
    deadline: float = 0.5,
    include_shared: bool = False,
    strict: bool = False,
    scope: ScopeOf | None = None,
) -> Retrieve:
    """Make a node that recalls what bears on the last user message.

    It writes `recalled` for `with_memory` and never fails an agent for what is outside: a slow embedder, a locked file.
    What could not take part stands in `recalled["degraded"]`.

    Args:
        limit: Turns looked at, best first.
        budget_tokens: Room of the block, about 4 characters a token.
        deadline: Seconds for the search.
        include_shared: Search the team's memory too.
        strict: Raise what fails outside, and what is too slow, instead of going on with less.
        scope: Says whose memory, of LangGraph's runtime. Default: what the run itself says.

    Raises:
        InvalidInput: An argument is out of range.
    """
    return Retrieve(
        limit=positive("limit", limit),
        budget_tokens=positive("budget_tokens", budget_tokens),
        deadline=finite("deadline", deadline),
        include_shared=include_shared,
        strict=strict,
        scope=scope,
    )
