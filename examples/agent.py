"""An agent that remembers across threads. Offline as it stands; put a real chat model in the place of `llm`.

python examples/agent.py        and again: the second run remembers the first
"""

import asyncio

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import START, StateGraph

from memgraph import Memory, MemoryContext, MemoryState, with_memory
from memgraph.nodes import remember, retrieve

llm = FakeListChatModel(responses=["Noted.", "You told me: see what I was shown."])


async def agent(state: MemoryState) -> dict:
    """Answer with what was recalled before the last message."""
    shown = with_memory(state)
    print(*(message.content for message in shown), sep="\n", end="\n\n")
    return {"messages": [await llm.ainvoke(shown)]}


async def main() -> None:
    """Say something in one thread and ask for it in another."""
    async with Memory.open("memory.db") as memory:
        graph = (
            StateGraph(MemoryState, context_schema=MemoryContext)
            .add_sequence([("retrieve", retrieve()), ("agent", agent), ("remember", remember())])
            .add_edge(START, "retrieve")
            .compile(store=memory.store, checkpointer=memory.checkpointer)
        )
        for thread, text in (("monday", "I moved from Oslo to Lisbon last week."), ("friday", "Where do I live now?")):
            config = {"configurable": {"thread_id": thread}}
            await graph.ainvoke({"messages": [("user", text)]}, config, context=MemoryContext(user_id="ada"))
        for hit in await memory.asearch("where does Ada live", MemoryContext(user_id="ada")):
            print(f"{hit.score:.2f}", hit.said_at.date(), hit.speaker, hit.text, sep="  ")


asyncio.run(main())
