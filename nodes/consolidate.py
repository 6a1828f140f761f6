"""`consolidate`: what becomes of drafts, beside what is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig

from memgraph.drafts import Decision, FactDraft, KnownFact, SaidTurn
from memgraph.errors import ModelUnavailable
from memgraph.ledger.operations import Origin
from memgraph.nodes import deciding
from memgraph.nodes.extract import CALL_S, origin_of
from memgraph.nodes.job import JobNode
from memgraph.nodes.node import Run, ScopeOf
from memgraph.nodes.stage import Stage, WriteState, calling, described, done, job_of
from memgraph.state import state_value
from memgraph.writing.consolidation import questions, shown

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.write_path.facts import Decider, Outcome


def decider_of(memory: Memory, config: RunnableConfig) -> Decider | None:
    """Return what decides about drafts that concern something known: a model, or None for rules."""
    model = memory.consolidation_model or memory.model
    if model is None:
        return None

    async def decide(
        drafts: Sequence[FactDraft], turns: Sequence[SaidTurn], known: Sequence[KnownFact]
    ) -> tuple[Mapping[int, Decision], Origin]:
        said = {turn.index: turn for turn in turns}
        asked = [
            (index, drafts[index], said[drafts[index].evidence[0]], shown(drafts[index], known))
            for index in questions(drafts, turns, known)
        ]
        if not asked:
            return {}, Origin()
        try:
            async with asyncio.timeout(CALL_S):
                decisions, usage = await deciding.decide(model, asked, turns, config=calling(config))
        except TimeoutError:
            raise ModelUnavailable(f"the model gave no answer within {CALL_S:.0f} s") from None
        return decisions, origin_of(usage)

    return decide


class ConsolidateStage(Stage):
    """The write path's third stage: the decision is stored before anything is applied."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Decide about the job's drafts."""
        job = job_of(state)
        if job is None or not state.get("open", True):
            return {"open": False}
        outcome = await memory.facts.consolidate(job, decider_of(memory, config), strict=state.get("strict", False))
        return done(state, "consolidate", job, outcome)


class Consolidate(JobNode):
    """The node that `consolidate` returns."""

    def __init__(self, *, strict: bool, scope: ScopeOf | None) -> None:
        super().__init__(scope)
        self._strict = strict

    async def run(self, state: Any, run: Run) -> dict[str, Any]:
        """Decide about the drafts of the job that the state names."""
        job = state_value(state, "memory_job")
        if job is not None:
            memory = run.memory
            decider = decider_of(memory, run.config)

            async def work() -> Outcome:
                outcome = await memory.facts.consolidate(job, decider, strict=self._strict)
                if outcome.open:
                    memory.facts.expect(job)
                return outcome

            outcome = await memory.live().call(work())
            run.write(described("consolidate", job, outcome))
        return {"memory_job": job}


def consolidate(*, strict: bool = False, scope: ScopeOf | None = None) -> JobNode:
    """Make a node that decides what becomes of the drafts that `extract` left: added, an update, an end, nothing new.

    What may be closed is ruled by the closing gate, whatever a model says. The decision is stored with the job.

    Args:
        strict: Raise if the model fails, instead of leaving the job for a later try.
        scope: Says whose memory, of LangGraph's runtime. Default: what the run itself says.
    """
    return Consolidate(strict=strict, scope=scope)
