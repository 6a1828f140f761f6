"""The demo's first half: a year of talk goes through the graph, session by session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from pydantic import BaseModel, ConfigDict

from memgraph import MemoryContext
from memgraph.cli.demo_agent import USER, Replies, agent_graph, listener_graph
from memgraph.evals import load

if TYPE_CHECKING:
    from memgraph import Memory
    from memgraph.evals.dialogs import DialogTurn, Session

_DATA: Final = "harbour.json"
_GAP: Final = timedelta(minutes=1)


class Talk(BaseModel):
    """A session that was taken in.

    Attributes:
        thread: The LangGraph thread it ran in.
        partner: With whom Maren talked: a friend, or the agent.
        turns: How many turns it has.
        runs: How many runs of a graph it took.
        opening: Its first words.
    """

    model_config = ConfigDict(frozen=True)

    thread: str
    began_at: datetime
    partner: str
    turns: int
    runs: int
    opening: str


async def talk(memory: Memory) -> AsyncIterator[Talk]:
    """Let the sessions of our own conversation happen, and yield each when it is over."""
    with as_file(files("memgraph") / "datasets" / _DATA) as path:
        [sample] = load(path).samples
    for session in sample.conversation.sessions:
        with_agent = any(turn.role == "assistant" for turn in session.turns)
        runs = await (_with_agent if with_agent else _among_friends)(memory, session)
        others = {turn.speaker for turn in session.turns} - {"Maren"}
        yield Talk(
            thread=_thread(session),
            began_at=session.started_at,
            partner="the agent" if with_agent else " and ".join(sorted(others)),
            turns=len(session.turns),
            runs=runs,
            opening=session.turns[0].text,
        )


async def _with_agent(memory: Memory, session: Session) -> int:
    """Run the agent once for each thing that Maren says; its replies were written beforehand."""
    messages = _messages(session)
    graph = agent_graph(memory, Replies(replies=[message for message in messages if isinstance(message, AIMessage)]))
    # Her last word is left without a reply where the conversation has none: it goes to the listener.
    answered = sum(isinstance(message, AIMessage) for message in messages)
    asked = [message for message in messages if isinstance(message, HumanMessage)]
    for message in asked[:answered]:
        await _run(graph, session, [message])
    if asked[answered:]:
        await _run(listener_graph(memory), session, asked[answered:])
    return len(asked[:answered]) + bool(asked[answered:])


async def _among_friends(memory: Memory, session: Session) -> int:
    """Hand a chat between people to a graph that only listens."""
    await _run(listener_graph(memory), session, _messages(session))
    return 1


async def _run(graph: Any, session: Session, messages: list[Any]) -> None:
    config = {"configurable": {"thread_id": _thread(session)}}
    context = MemoryContext(USER, session_id=f"session-{session.number}")
    await graph.ainvoke({"messages": messages}, config, context=context)


def _thread(session: Session) -> str:
    return f"{session.started_at:%B-%d}".lower()


def _messages(session: Session) -> list[AnyMessage]:
    return [_message(turn, session.started_at + place * _GAP) for place, turn in enumerate(session.turns)]


def _message(turn: DialogTurn, said_at: datetime) -> AnyMessage:
    make = AIMessage if turn.role == "assistant" else HumanMessage
    return make(
        turn.content,
        name=turn.speaker,
        id=f"harbour-2025-{turn.dia_id}",
        additional_kwargs={"said_at": said_at.isoformat()},
    )
