"""The demo's second half, run as a process of its own: a new thread asks, and memory answers.

    python -m memgraph.cli.demo_recall FILE EMBEDDER

It prints one JSON line an answer.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from datetime import datetime
from typing import Any, Final

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from memgraph import Memory, MemoryContext
from memgraph.cli import output
from memgraph.cli.command import FAILED, INTERRUPTED
from memgraph.cli.demo_agent import QUESTIONS, USER, Quoter, agent_graph
from memgraph.cli.opening import embedder_argument
from memgraph.errors import AgentMemoryError
from memgraph.records import Turn

THREAD: Final = "later"


class Found(BaseModel):
    """A turn or a fact that the agent was shown, and why: rank and score by arm, what was added to the score."""

    model_config = ConfigDict(frozen=True)

    id: str
    rank: int
    said_at: datetime
    speaker: str
    text: str
    thread: str | None
    score: float
    arms: dict[str, dict[str, float]]
    boosts: dict[str, float]


class Answer(BaseModel):
    """A question, its answer, and what the answer rests on.

    Attributes:
        block: What `with_memory` put before the question.
        degraded: By arm: why it could not take part.
        seconds: From question to answer.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str
    block: str
    found: list[Found]
    degraded: dict[str, str]
    seconds: float


async def recall(path: str, embedder: str) -> None:
    """Ask the demo's questions in a thread in which nothing was said before."""
    context = MemoryContext(USER)
    async with Memory.open(path, embedder=embedder_argument(embedder)) as memory:
        graph = agent_graph(memory, Quoter())
        for question in QUESTIONS:
            began = time.perf_counter()
            state = await graph.ainvoke(
                {"messages": [HumanMessage(question.text, name="Maren")]},
                {"configurable": {"thread_id": THREAD}},
                context=context,
            )
            seconds = time.perf_counter() - began
            recalled = state["recalled"]
            answer = Answer(
                question=question.text,
                answer=state["messages"][-1].text,
                block=recalled["text"],
                found=await _found(memory, context, recalled),
                degraded=recalled["degraded"],
                seconds=seconds,
            )
            print(answer.model_dump_json(), flush=True)


async def _found(memory: Memory, context: MemoryContext, recalled: Any) -> list[Found]:
    """Return what was shown, best first, with the reasons that the search's trace keeps."""
    if not recalled["ids"]:
        return []
    trace = await memory.atrace(recalled["trace_id"], context)
    reasons = {hit["id"]: hit for hit in trace.hits}
    found: list[Found] = []
    for id in recalled["ids"]:
        item, why = await memory.aget(id, context), reasons[id]
        # A fact stands in the place of a turn that says it.
        turn = item if isinstance(item, Turn) else await memory.aget(item.evidence[0], context, kind="turn")
        found.append(
            Found(
                id=id,
                rank=why["rank"],
                said_at=turn.said_at,
                speaker=turn.speaker,
                text=item.text,
                thread=turn.thread_id,
                score=why["score"],
                arms=why["arms"],
                boosts=why["boosts"],
            )
        )
    return found


def main(path: str, embedder: str) -> int:
    """Run the half as a program; returns its exit code. What could go wrong was said by the other half already."""
    logging.getLogger("memgraph").addHandler(logging.NullHandler())
    try:
        asyncio.run(recall(path, embedder))
    except AgentMemoryError as error:
        output.error(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
