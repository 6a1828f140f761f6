"""What the tests of agents share: an agent of LangChain's with a scripted model, asked in either face."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from langchain.agents import create_agent  # pyright: ignore[reportUnknownVariableType]  # its context is of no type
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from memgraph import Memory, MemoryContext
from memgraph.messages import BLOCK_MARK
from support.fakes import ScriptedChatModel

FACES = ["invoke", "ainvoke"]
ADA_SAYS = MemoryContext("ada")

_numbers = itertools.count()


@tool
def harbour(city: str) -> str:
    """Tell what is in a harbour."""
    return f"Ships of {city}."


def call(name: str, **arguments: Any) -> AIMessage:
    """Return a model's answer that calls a tool, by an id of its own."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{next(_numbers):020}"}])


def make(memory: Memory, llm: ScriptedChatModel, *middleware: Any, tools: Any = (), **options: Any) -> Any:
    """Return an agent with memory."""
    options = {"checkpointer": memory.checkpointer, "context_schema": MemoryContext, **options}
    return create_agent(llm, tools=[*tools], middleware=[*middleware], store=memory.store, **options)


def ask(agent: Any, given: Any, thread: str = "t", face: str = "invoke", context: Any = ADA_SAYS) -> dict[str, Any]:
    """Say something to an agent (a text of the user's, or any input), and return the state it ends in."""
    if isinstance(given, str):
        given = {"messages": [("user", given)]}
    here = {"configurable": {"thread_id": thread}}
    if face == "ainvoke":
        state: dict[str, Any] = asyncio.run(agent.ainvoke(given, here, context=context))
    else:
        state = agent.invoke(given, here, context=context)
    return state


def events(agent: Any, given: Any, thread: str = "t", face: str = "invoke") -> list[dict[str, Any]]:
    """Say something to an agent, and return what memory tells of its work."""
    if isinstance(given, str):
        given = {"messages": [("user", given)]}
    options: Any = {"context": ADA_SAYS, "stream_mode": "custom"}
    here = {"configurable": {"thread_id": thread}}

    async def collected() -> list[dict[str, Any]]:
        return [event async for event in agent.astream(given, here, **options)]

    return list(agent.stream(given, here, **options)) if face == "invoke" else asyncio.run(collected())


def blocks(messages: list[Any]) -> list[int]:
    """Return where marked messages stand."""
    return [place for place, message in enumerate(messages) if message.additional_kwargs.get(BLOCK_MARK) == "recalled"]
