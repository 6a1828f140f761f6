"""`merge_graph`: what was decided becomes facts, entities and relations, in one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.runnables import RunnableConfig

from memgraph.nodes.job import JobNode
from memgraph.nodes.node import Run, ScopeOf
from memgraph.nodes.stage import Stage, WriteState, described, done, job_of
from memgraph.state import state_value

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.write_path.facts import Outcome


async def merged(memory: Memory, job: int) -> Outcome:
    """Apply a job's decision, and give what was applied its vectors."""
    outcome = await memory.facts.merge(job)
    if outcome.index is not None:
        await memory.indexing.finish_job(outcome.index)
    return outcome


class MergeStage(Stage):
    """The write path's last stage: commit 2."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Apply the job's decision."""
        job = job_of(state)
        if job is None or not state.get("open", True):
            return {"open": False}
        outcome = await merged(memory, job)
        return done(state, "merge_graph", job, outcome)


class MergeGraph(JobNode):
    """The node that `merge_graph` returns."""

    async def run(self, state: Any, run: Run) -> dict[str, Any]:
        """Apply the decision of the job that the state names."""
        job = state_value(state, "memory_job")
        if job is not None:
            memory = run.memory
            outcome = await memory.live().call(merged(memory, job))
            if outcome.open:
                memory.drain.wake()  # older turns came first, these are next
            run.write(described("merge_graph", job, outcome))
        return {"memory_job": None}


def merge_graph(*, scope: ScopeOf | None = None) -> JobNode:
    """Make a node that applies what `consolidate` decided: facts, the entities they name, the relations between them.

    Each step is an operation that `Memory.undo` takes back.

    Args:
        scope: Says whose memory, of LangGraph's runtime. Default: what the run itself says.
    """
    return MergeGraph(scope)
