"""memgraph itself as a system under test: through the nodes, as a user's graph runs them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import START, StateGraph

from memgraph.evals.report import OURS, WITHOUT_FACTS
from memgraph.evals.systems import Ranking
from memgraph.memory import Memory
from memgraph.nodes import remember, retrieve
from memgraph.scope import MemoryContext
from memgraph.state import MemoryState

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.runnables import RunnableConfig

    from memgraph.evals.dialogs import Conversation, DialogTurn, Session

LIMIT: Final = 50
"""Hits asked for unless more are needed. More than a report's ks: the ranking is measured, not a cut."""

UNBOUNDED_TOKENS: Final = 1_000_000
"""No block is this large: a budget would cut a ranking by the length of its turns."""

UNHURRIED: Final = 600.0
"""Seconds. A deadline would measure the machine."""

_PAGE: Final = 500
"""Turns listed at once: a conversation takes one or two pages."""

_TURN_GAP: Final = timedelta(seconds=1)
"""Turns of a session carry no time of their own; a second each keeps their order within the session's minute."""


class _Graph(Protocol):
    """What is used of a compiled graph; LangGraph's own type leaves parameters open."""

    async def ainvoke(self, input: object, config: RunnableConfig, *, context: MemoryContext) -> dict[str, Any]: ...


class MemgraphSystem:
    """One database for all conversations, one owner a conversation, one graph run a session and one a question.

    Every turn is a message with its speaker as `name` and its time as `said_at`. A question is asked in a thread that
    nothing was said in, so what comes back comes from memory.
    """

    def __init__(
        self, path: Path, embedder: Embeddings | str | None, *, limit: int = LIMIT, facts: bool = True
    ) -> None:
        """Open a memory.

        Args:
            path: Of the database file, which must not hold another run's conversations.
            embedder: As `Memory.open` takes it.
            limit: Hits asked for; the largest k that can be ranked.
            facts: Whether facts are made of the turns, by rules; without them turns alone are ranked.
        """
        self.name = OURS if facts else WITHOUT_FACTS
        self._memory = Memory.open(path, embedder=embedder, facts=facts)
        self._ingest = self._compile("remember", remember())
        self._ask = self._compile("retrieve", retrieve(limit=limit, budget_tokens=UNBOUNDED_TOKENS, deadline=UNHURRIED))
        self._context: MemoryContext | None = None
        self._dia_ids: dict[str, str] = {}
        self._asked = 0
        self._limit = limit

    async def prepare(self, conversation: Conversation) -> None:
        """Run one graph a session over the conversation's turns, then learn which stored turn is which."""
        for session in conversation.sessions:
            await self._ingest.ainvoke(
                {"messages": _messages(conversation.id, session)},
                _thread(f"{conversation.id}/session_{session.number}"),
                context=MemoryContext(conversation.id, session_id=f"session_{session.number}"),
            )
        self._context = MemoryContext(conversation.id)
        self._dia_ids = await self._stored(self._context)

    async def rank(self, question: str, k: int) -> Ranking:
        """Run `retrieve` on the question in a fresh thread.

        Raises:
            ValueError: More turns are asked for than the limit, or no conversation is prepared.
        """
        if self._context is None or k > self._limit:
            raise ValueError(f"k is {k}; it can be up to {self._limit}, after a conversation was prepared")
        self._asked += 1
        state = await self._ask.ainvoke(
            {"messages": [HumanMessage(question)]},
            _thread(f"{self._context.user_id}/question_{self._asked}"),
            context=self._context,
        )
        recalled = state["recalled"]
        trace = await self._memory.atrace(recalled["trace_id"], self._context) if recalled["trace_id"] else None
        # A fact counts as the turns that say it, each once.
        says = {} if trace is None else {hit["id"]: hit.get("evidence", [hit["id"]]) for hit in trace.hits}
        turns = dict.fromkeys(turn for name in recalled["ids"] for turn in says.get(name, [name]))
        return Ranking(tuple(self._dia_ids[turn] for turn in turns)[:k], tuple(recalled["degraded"]))

    async def close(self) -> None:
        """Close the memory."""
        await self._memory.aclose()

    def _compile(self, name: str, node: Any) -> _Graph:
        builder: Any = StateGraph(MemoryState, context_schema=MemoryContext)
        builder.add_node(name, node)
        builder.add_edge(START, name)
        graph: _Graph = builder.compile(store=self._memory.store, checkpointer=self._memory.checkpointer)
        return graph

    async def _stored(self, context: MemoryContext) -> dict[str, str]:
        """Return the dia_id of every stored turn by the turn's id."""
        found: dict[str, str] = {}
        cursor: str | None = None
        while True:
            page = await self._memory.alist(context, limit=_PAGE, cursor=cursor)
            found |= {turn.id: (turn.message_id or "").removeprefix(f"{context.user_id}:") for turn in page.items}
            cursor = page.cursor
            if cursor is None:
                return found


def _messages(conversation: str, session: Session) -> list[AnyMessage]:
    return [_message(conversation, session, n, turn) for n, turn in enumerate(session.turns)]


def _message(conversation: str, session: Session, place: int, turn: DialogTurn) -> AnyMessage:
    make = AIMessage if turn.role == "assistant" else HumanMessage
    said_at = session.started_at + place * _TURN_GAP
    return make(
        turn.content,
        name=turn.speaker,
        id=f"{conversation}:{turn.dia_id}",
        additional_kwargs={"said_at": said_at.isoformat()},
    )


def _thread(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}
