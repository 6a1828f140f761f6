"""An agent that remembers across threads. Offline as it stands: `llm` only says what is written here.

Run it with `python examples/agent.py`; then `memgraph list --user ada` shows what it remembered.
"""

import asyncio

from langchain_core.language_models import FakeListChatModel
from langgraph.graph import START, StateGraph

from memgraph import Memory, MemoryContext, MemoryState, with_memory
from memgraph.nodes import remember, retrieve

llm = FakeListChatModel(responses=["Good luck with the boxes!", "In Lisbon, since last week."])


async def agent(state: MemoryState) -> dict:
    """Answer, and show what the model sees: in the second thread, what was said in the first."""
    messages = with_memory(state)
    answer = await llm.ainvoke(messages)
    print(*(message.text for message in [*messages, answer]), sep="\n", end="\n\n")
    return {"messages": [answer]}


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


asyncio.run(main())
