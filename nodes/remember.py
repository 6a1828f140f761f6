"""`remember`: from messages to memory. The write path of everything: nodes, `Memory.add`, the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.graph import END, START, StateGraph

from memgraph.messages import said_by_user
from memgraph.nodes.consolidate import ConsolidateStage
from memgraph.nodes.extract import ExtractStage
from memgraph.nodes.merge_graph import MergeStage
from memgraph.nodes.node import MemoryNode, Run, ScopeOf
from memgraph.nodes.stage import Stage, WriteState, job_of
from memgraph.records import Added
from memgraph.state import NodeState, state_value
from memgraph.write_path.acceptance import Request

if TYPE_CHECKING:
    from memgraph.memory import Memory

STEPS: Final = 1_000_000
"""Steps that a run of the write path may take: four a batch of turns, and a whole history may be handed in at once."""


class Accept(Stage):
    """Commit 1: the turns are on the disk, and found by their words."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Store what is new of the request."""
        request = state["request"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # given by whoever runs the graph
        added = await memory.writes.accept(request)
        if request.background and added.job is not None:
            memory.drain.wake()
        return {"added": added}


class Index(Stage):
    """The turns get their vectors."""

    async def run(self, state: WriteState, memory: Memory, config: RunnableConfig) -> dict[str, Any]:
        """Run the owner's jobs up to this one."""
        added = await memory.indexing.finish(state["added"])  # pyright: ignore[reportTypedDictNotRequiredAccess]  # accept wrote it
        return {"added": added, "open": added.facts is not None}


def _begin(state: WriteState) -> str:
    return "accept" if state.get("request") is not None else "extract"


def _after_accept(state: WriteState) -> str:
    request, added = state.get("request"), state.get("added")
    if request is None or request.background or added is None or (added.job, added.facts) == (None, None):
        return END
    return "index"


def _going_on(following: str) -> Callable[[WriteState], str]:
    def goes_on(state: WriteState) -> str:
        return following if state.get("open") and job_of(state) is not None else END

    return goes_on


class _Route(Runnable[WriteState, str]):
    """A route, asked at once in both faces: a function LangChain would look through and trace, 0.2 ms each time."""

    def __init__(self, choose: Callable[[WriteState], str]) -> None:
        self.name = choose.__name__
        self._choose = choose

    def invoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the name of the next stage."""
        return self._choose(input)

    async def ainvoke(self, input: WriteState, config: RunnableConfig | None = None, **kwargs: Any) -> str:
        """Return the name of the next stage."""
        return self._choose(input)


def _write_config(config: RunnableConfig) -> RunnableConfig:
    """Return a config in which the write path can run, whatever graph is around it.

    LangGraph hands a graph's durability to those inside it, and with "sync" one without a checkpointer fails: it waits
    for a checkpoint that it never put. How durable a write is the ledger decides. An agent's name makes a graph that
    runs in it one of its subagents, for those who stream them.
    """
    configurable = {**config.get("configurable", {}), "__pregel_durability": "async"}
    metadata = {**config.get("metadata", {}), "lc_agent_name": None}
    return {**config, "configurable": configurable, "metadata": metadata, "recursion_limit": STEPS}


def write_graph() -> StateGraph[WriteState, Any, WriteState, WriteState]:
    """Return the write path: accept -> index -> extract -> consolidate -> merge_graph.

    The last three go round until the turns' job is done: what earlier turns left comes first. Begun with a `job`
    instead of a `request`, only they run, as in the background.
    """
    return (
        StateGraph(WriteState)
        .add_node("accept", Accept())
        .add_node("index", Index())
        .add_node("extract", ExtractStage())
        .add_node("consolidate", ConsolidateStage())
        .add_node("merge_graph", MergeStage())
        .add_conditional_edges(START, _Route(_begin), ["accept", "extract"])
        .add_conditional_edges("accept", _Route(_after_accept), ["index", END])
        .add_conditional_edges("index", _Route(_going_on("extract")), ["extract", END])
        .add_conditional_edges("extract", _Route(_going_on("consolidate")), ["consolidate", END])
        .add_conditional_edges("consolidate", _Route(_going_on("merge_graph")), ["merge_graph", END])
        .add_conditional_edges("merge_graph", _Route(_going_on("extract")), ["extract", END])
    )


class Remember(MemoryNode):
    """The node that `remember` returns."""

    def __init__(self, *, background: bool, strict: bool, scope: ScopeOf | None) -> None:
        super().__init__(scope)
        self._background = background
        self._strict = strict
        self._graph = write_graph().compile(checkpointer=False, name="memgraph.remember")

    async def run(self, state: NodeState, run: Run) -> dict[str, Any]:
        """Store what is new among the state's messages."""
        added = await self.store(state_value(state, "messages") or [], run)
        return {"memory_seq": {added.owner: added.seq}}

    async def accept(self, messages: object, run: Run) -> None:
        """Put what is new among messages on the disk, and leave the rest to whatever is stored next."""
        await run.memory.live().call(run.memory.writes.accept(_request(messages, run, background=True)))

    def leave(self, messages: object, run: Run) -> None:
        """Have what is new among messages stored, and wait for nothing."""
        run.memory.live().submit(run.memory.writes.leave(_request(messages, run, background=True)))

    async def store(self, messages: object, run: Run, *, idempotency_key: str | None = None) -> Added:
        """Store what is new among messages, and tell who streams."""
        request = _request(messages, run, background=self._background, idempotency_key=idempotency_key)
        begin: WriteState = {"request": request, "strict": self._strict}
        with run.memory.facts.attended(request):
            result = cast(WriteState, await self._graph.ainvoke(begin, _write_config(run.config)))
        added = result["added"]  # pyright: ignore[reportTypedDictNotRequiredAccess]  # accept wrote it
        for event in result.get("events", ()):
            run.write(event)
        run.write(
            {
                "type": "memgraph.remember",
                "ids": list(added.ids),
                "skipped": [[skip.index, skip.reason] for skip in added.skipped],
                "seq": added.seq,
                "pending": added.pending,
            }
        )
        return added


def _request(messages: object, run: Run, *, background: bool, idempotency_key: str | None = None) -> Request:
    return Request(
        messages,
        run.scope,
        thread_id=run.thread_id,
        idempotency_key=idempotency_key,
        background=background,
        begins=_begins(messages, run),
        lenient=True,
        cause=run.cause,
    )


def _begins(messages: object, run: Run) -> int | None:
    """Return where history ends in a run whose messages no checkpointer keeps, None in one with a checkpointer.

    A caller without one hands in the whole talk each time, and LangGraph gives each message another id each time. What
    stands before the last reply that was handed in is history.
    """
    if run.keeps_messages or not isinstance(messages, list):
        return None
    talk = cast("list[object]", messages)
    asked = [place for place, one in enumerate(talk) if isinstance(one, BaseMessage) and said_by_user(one)]
    replies = [place for place, one in enumerate(talk[: asked[-1] if asked else 0]) if getattr(one, "type", "") == "ai"]
    return replies[-1] + 1 if replies else 0


def remember(*, background: bool = False, strict: bool = False, scope: ScopeOf | None = None) -> Remember:
    """Make a node that remembers the state's messages.

    What is new among them becomes turns, word for word; what was remembered before, system messages, summaries and our
    own memory block are passed over. When the node returns, the turns are on the disk and facts were made of them, or
    the reason why not is kept with their job.

    Args:
        background: Return once the turns are on the disk; they are found by their words at once, and their vectors and
            facts follow.
        strict: Raise if the model that makes facts fails. The turns are on the disk all the same.
        scope: Says whose memory, of LangGraph's runtime. Default: what the run itself says.
    """
    return Remember(background=background, strict=strict, scope=scope)
