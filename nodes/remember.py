"""`remember`: from messages to memory. The write path of everything: nodes, `Memory.add`, the command line."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict, cast

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import get_runtime

from memgraph.nodes.node import MemoryNode, Run, memory_of
from memgraph.records import Added
from memgraph.state import NodeState, state_value
from memgraph.writes import Request


class WriteState(TypedDict):
    """What passes through the write path."""

    request: NotRequired[Request]
    added: NotRequired[Added]


class _Stage(Runnable[WriteState, dict[str, Any]]):
    """A stage of the write path, in both faces."""

    async def run(self, state: WriteState, memory: Any) -> dict[str, Any]:
        raise NotImplementedError  # pragma: no cover  # an abstract method; both stages have their own

    def invoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        memory = memory_of(get_runtime().store)
        return memory.live().wait(self.run(input, memory))

    async def ainvoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> dict[str, Any]:
        memory = memory_of(get_runtime().store)
        return await memory.live().call(self.run(input, memory))


class Accept(_Stage):
    """Commit 1: the turns are on the disk, and found by their words."""

    async def run(self, state: WriteState, memory: Any) -> dict[str, Any]:
        """Store what is new of the request."""
        request = state["request"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # given by whoever runs the graph
        added = await memory.writes.accept(request)
        if request.background and added.job is not None:
            memory.drain.wake()
        return {"added": added}


class Index(_Stage):
    """The job: the turns get their vectors."""

    async def run(self, state: WriteState, memory: Any) -> dict[str, Any]:
        """Run the owner's jobs up to this one."""
        return {"added": await memory.writes.finish(state["added"])}  # pyright: ignore[reportTypedDictNotRequiredAccess]  # accept wrote it


def _after_accept(state: WriteState) -> str:
    request, added = state.get("request"), state.get("added")
    waits = request is not None and not request.background and added is not None and added.job is not None
    return "index" if waits else END


def _write_config(config: RunnableConfig) -> RunnableConfig:
    """Return a config in which the write path can run, whatever graph is around it.

    LangGraph hands a graph's durability to those inside it, and with "sync" one without a checkpointer fails: it waits
    for a checkpoint that it never put. How durable a write is the ledger decides.
    """
    return {**config, "configurable": {**config.get("configurable", {}), "__pregel_durability": "async"}}


def write_graph() -> StateGraph[WriteState, Any, WriteState, WriteState]:
    """Return the write path: accept -> index."""
    return (
        StateGraph(WriteState)
        .add_node("accept", Accept())
        .add_node("index", Index())
        .add_edge(START, "accept")
        .add_conditional_edges("accept", _after_accept, ["index", END])
        .add_edge("index", END)
    )


class Remember(MemoryNode):
    """The node that `remember` returns."""

    def __init__(self, *, background: bool) -> None:
        self._background = background
        self._graph = write_graph().compile(checkpointer=False, name="memgraph.remember")

    async def run(self, state: NodeState, run: Run) -> dict[str, Any]:
        """Store what is new among the state's messages."""
        request = Request(
            state_value(state, "messages") or [],
            run.scope,
            thread_id=run.thread_id,
            background=self._background,
            cause=run.cause,
        )
        result = cast(WriteState, await self._graph.ainvoke({"request": request}, _write_config(run.config)))
        added = result["added"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # accept wrote it
        run.write(
            {
                "type": "memgraph.remember",
                "ids": list(added.ids),
                "skipped": [[skip.index, skip.reason] for skip in added.skipped],
                "seq": added.seq,
                "pending": added.pending,
            }
        )
        return {"memory_seq": {added.owner: added.seq}}


def remember(*, background: bool = False) -> MemoryNode:
    """Make a node that remembers the state's messages.

    What is new among them becomes turns, word for word; what was remembered before, system messages, summaries and our
    own memory block are passed over. When the node returns, the turns are on the disk.

    Args:
        background: Return after that, and index the turns afterwards; they are found by their words at once.
    """
    return Remember(background=background)
