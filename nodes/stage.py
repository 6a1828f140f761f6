"""What the stages of the write path have in common, and the state that passes through them."""

from __future__ import annotations

from dataclasses import replace
from operator import add
from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import ensure_config
from langgraph.runtime import get_runtime

from memgraph.nodes.node import memory_of
from memgraph.records import Added
from memgraph.write_path.acceptance import Request

if TYPE_CHECKING:
    from memgraph.memory import Memory
    from memgraph.write_path.facts import Outcome


class WriteState(TypedDict):
    """What passes through the write path.

    Attributes:
        request: What is to be remembered; absent where only a job is to be done.
        added: What became of it.
        job: Number of the job that makes facts, absent without one.
        open: Whether that job, or one before it, still has a stage to go.
        strict: Whether a model's failure is raised.
        events: What the stages did, for who streams: ids, no words.
    """

    request: NotRequired[Request]
    added: NotRequired[Added]
    job: NotRequired[int | None]
    open: NotRequired[bool]
    strict: NotRequired[bool]
    events: NotRequired[Annotated[list[dict[str, Any]], add]]


class Stage(Runnable[WriteState, dict[str, Any]]):
    """A stage of the write path, in both faces: one async body that runs on the memory's own loop."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Do the stage's work. Returns what to write into the state."""
        raise NotImplementedError  # pragma: no cover  # an abstract method; each stage has its own

    def invoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Run the stage and wait for it, in any thread."""
        memory = memory_of(get_runtime().store)
        return memory.live().wait(self.run(input, memory, ensure_config(config)))

    async def ainvoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        """Run the stage."""
        memory = memory_of(get_runtime().store)
        return await memory.live().call(self.run(input, memory, ensure_config(config)))


def calling(config: RunnableConfig) -> RunnableConfig:
    """Return the part of a run's config that a model's run nests by: callbacks, tags, metadata."""
    return {key: config[key] for key in ("callbacks", "tags", "metadata") if key in config}  # type: ignore[return-value]  # a subset of RunnableConfig's keys


def described(stage: str, job: int, outcome: Outcome) -> dict[str, Any]:
    """Return what a stage did as an event: ids, operations, hashes and counts, no words of anybody."""
    event: dict[str, Any] = {"type": f"memgraph.{stage}", "job": job, "drafts": outcome.drafts}
    if outcome.error is not None:
        event["error"] = outcome.error
    if outcome.origin.model is not None:
        made = outcome.origin
        event |= {"model": made.model, "prompt": made.prompt, "tokens": [made.prompt_tokens, made.answer_tokens]}
    if outcome.operations:
        event["operations"] = [
            {
                "id": done.id,
                "operation": done.operation,
                "mode": done.mode,
                "fact": done.fact,
                "target": done.target,
                "reason": done.reason,
                "gate": done.gate,
                "model": done.model,
                "prompt": done.prompt,
                "tokens": [done.prompt_tokens, done.answer_tokens],
            }
            for done in outcome.operations
        ]
    return event


def done(state: WriteState, stage: str, job: int, outcome: Outcome) -> dict[str, Any]:
    """Return what a stage writes into the state."""
    update: dict[str, Any] = {"open": outcome.open, "events": [described(stage, job, outcome)]}
    added = state.get("added")
    if added is not None and not outcome.open and outcome.error is None:
        update["added"] = replace(added, facts=None)
    return update


def job_of(state: WriteState) -> int | None:
    """Return the job that a stage is to go on with."""
    added = state.get("added")
    return state.get("job") if added is None else added.facts
