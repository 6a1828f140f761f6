"""`extract`: from new turns to drafts of facts, by a model or by rules."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables import RunnableConfig

from memgraph.drafts import FactDraft, SaidTurn
from memgraph.errors import ModelUnavailable
from memgraph.ledger.operations import Origin
from memgraph.nodes import extraction
from memgraph.nodes.job import JobNode
from memgraph.nodes.node import Run, ScopeOf
from memgraph.nodes.stage import Stage, WriteState, calling, described, done, job_of
from memgraph.nodes.structured import Usage
from memgraph.state import state_value
from memgraph.write_path.acceptance import Request
from memgraph.writing.extractor import PatternExtractor
from memgraph.writing.salience import salient

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.write_path.facts import Extractor

CALL_S: Final = 60.0
"""Seconds that a model has for one answer: then the turns wait for a later try."""

_INLINE: Final = 4_000
"""Characters that the rules read on the loop; more go to a thread, so that other users' searches don't wait."""


def origin_of(usage: Usage) -> Origin:
    """Return what is kept with each operation of who made it."""
    return Origin(usage.model, usage.prompt, usage.prompt_tokens, usage.answer_tokens)


def extractor_of(memory: Memory, config: RunnableConfig) -> Extractor:
    """Return what makes drafts of turns: the memory's model, or rules where it has none."""
    model = memory.model

    async def by_rules(turns: Sequence[SaidTurn], context: Sequence[SaidTurn]) -> tuple[list[FactDraft], Origin]:
        rules = PatternExtractor()
        if sum(len(turn.text) for turn in turns) <= _INLINE:
            return rules.extract(turns), Origin()
        return await asyncio.to_thread(rules.extract, turns), Origin()

    async def by_model(turns: Sequence[SaidTurn], context: Sequence[SaidTurn]) -> tuple[list[FactDraft], Origin]:
        assert model is not None
        if not any(salient(turn) for turn in turns):
            return [], Origin()
        try:
            async with asyncio.timeout(CALL_S):
                drafts, usage = await extraction.extract(model, turns, context, config=calling(config))
        except TimeoutError:
            raise ModelUnavailable(f"the model gave no answer within {CALL_S:.0f} s") from None
        return drafts, origin_of(usage)

    return by_rules if model is None else by_model


class ExtractStage(Stage):
    """The write path's second stage: drafts are stored with the job."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Make drafts of the job's turns."""
        job = job_of(state)
        if job is None:
            return {"open": False}
        outcome = await memory.facts.extract(job, extractor_of(memory, config), strict=state.get("strict", False))
        return done(state, "extract", job, outcome)


class Extract(JobNode):
    """The node that `extract` returns."""

    def __init__(self, *, strict: bool, scope: ScopeOf | None) -> None:
        super().__init__(scope)
        self._strict = strict

    async def run(self, state: Any, run: Run) -> dict[str, Any]:
        """Store the state's new messages as turns, and make drafts of them."""
        request = Request(state_value(state, "messages") or [], run.scope, thread_id=run.thread_id, cause=run.cause)
        memory = run.memory

        async def work() -> tuple[dict[str, Any], dict[str, Any] | None]:
            added = await memory.writes.accept(request)
            if added.job is not None:
                memory.drain.wake()
            update = {"memory_job": added.facts, "memory_seq": {added.owner: added.seq}}
            if added.facts is None:
                return update, None
            extractor = extractor_of(memory, run.config)
            outcome = await memory.facts.extract(added.facts, extractor, strict=self._strict)
            if outcome.open:
                memory.facts.expect(added.facts)
            return update, described("extract", added.facts, outcome)

        with memory.facts.attended(request):
            update, event = await memory.live().call(work())
        if event is not None:
            run.write(event)
        return update


def extract(*, strict: bool = False, scope: ScopeOf | None = None) -> JobNode:
    """Make a node that extracts facts from the state's new messages.

    New messages become turns first, on the disk before anything is asked of a model. The drafts are kept with the job,
    whose number goes into the state as `memory_job` for `consolidate` and `merge_graph`. Where those do not follow
    within a minute, the memory goes on with it in the background.

    Args:
        strict: Raise if the model fails, instead of going on without facts of these turns for now.
        scope: Says whose memory, of LangGraph's runtime. Default: what the run itself says.
    """
    return Extract(strict=strict, scope=scope)
