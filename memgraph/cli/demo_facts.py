"""The demo's second part: three sessions in which things change, and what memory makes of them by rules alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, ConfigDict

from memgraph import MemoryContext
from memgraph.cli.demo_agent import listener_graph

if TYPE_CHECKING:
    from memgraph import Memory
    from memgraph.records import Why

USER: Final = "ada"

SESSIONS: Final = (
    (
        datetime(2024, 5, 14, 18, tzinfo=UTC),
        ("I live in Sheffield, above a bakery.", "I love strong coffee."),
    ),
    (
        datetime(2025, 2, 9, 20, tzinfo=UTC),
        (
            "I've lived in Plymouth since 1 February.",
            "My sister Solveig is married to Jonas.",
            "I'm flying to Bergen on 17 May to see them.",
        ),
    ),
    (
        datetime(2025, 6, 21, 9, tzinfo=UTC),
        ("I don't like coffee any more, I prefer tea.", "I still live in Plymouth."),
    ),
)

HOME: Final = "Where does Ada live?"
EARLIER: Final = datetime(2025, 1, 1, tzinfo=UTC)
FAR: Final = "Where does Solveig's sister live?"

_GAP: Final = timedelta(minutes=1)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Statement(_Record):
    """A fact as it is shown: what it says of whom, and since and until when it is true."""

    id: str
    subject: str
    attribute: str
    object: str
    text: str
    kind: str
    valid_from: datetime
    valid_to: datetime | None


class Step(_Record):
    """An operation, and what it was done to.

    Attributes:
        said: The words that it rests on.
        fact: What says it now, None where nothing does.
        target: What was closed, refined or confirmed.
    """

    operation: str
    mode: str | None
    gate: str
    reason: str | None
    said: str
    fact: Statement | None
    target: Statement | None


class Told(_Record):
    """A session: what was said in it, and what became of it."""

    began_at: datetime
    said: tuple[str, ...]
    steps: tuple[Step, ...]


class Change(_Record):
    """A question whose answer is another one today."""

    question: str
    as_of: datetime
    then: Statement
    today: Statement


class Path(_Record):
    """A question that one fact alone does not answer.

    Attributes:
        rank: Of the answer among the hits.
        route: Names of people and things, and the facts between them, in turn; the answer last.
    """

    question: str
    rank: int
    route: tuple[str, ...]
    ids: tuple[str, ...]


async def tell(memory: Memory) -> AsyncIterator[Told]:
    """Let the sessions go through a graph with `remember`, and yield each with the operations that it led to."""
    context = MemoryContext(USER)
    graph = listener_graph(memory)
    for began, said in SESSIONS:
        messages = [
            HumanMessage(text, name="Ada", additional_kwargs={"said_at": (began + place * _GAP).isoformat()})
            for place, text in enumerate(said)
        ]
        known = {done.id for done in (await memory.aoperations(context, limit=1000)).items}
        await graph.ainvoke(
            {"messages": messages}, {"configurable": {"thread_id": f"ada-{began:%Y-%m-%d}"}}, context=context
        )
        done = (await memory.aoperations(context, limit=1000)).items
        steps = [
            Step(
                operation=one.operation,
                mode=one.mode,
                gate=one.gate,
                reason=one.reason,
                said=(await memory.aget(one.evidence[0], context)).text,
                fact=await _statement(memory, one.fact) if one.fact else None,
                target=await _statement(memory, one.target) if one.target else None,
            )
            for one in reversed(done)
            if one.id not in known and one.operation != "MERGE"
        ]
        yield Told(began_at=began, said=said, steps=tuple(steps))


async def change(memory: Memory) -> Change:
    """Ask where she lives: as of a day before the move, and today."""
    then, today = [
        (await memory.asearch(HOME, MemoryContext(USER), kind="fact", as_of=as_of, limit=1))[0].id
        for as_of in (EARLIER, None)
    ]
    return Change(
        question=HOME, as_of=EARLIER, then=await _statement(memory, then), today=await _statement(memory, today)
    )


async def path(memory: Memory) -> Path:
    """Ask what only the graph connects, and tell by which facts the best hit was reached that took more than one."""
    hits = await memory.asearch(FAR, MemoryContext(USER), kind="fact")
    rank, hit = [(rank, hit) for rank, hit in enumerate(hits, 1) if len(hit.route) > 1][0]
    facts = [await memory.aget(id, MemoryContext(USER), kind="fact") for id in hit.path[1::2]]
    route = [step for name, fact in zip(hit.route, facts, strict=True) for step in (name, fact.text)]
    return Path(question=FAR, rank=rank, route=tuple(route), ids=hit.path)


async def reasons(memory: Memory, fact: Statement) -> Why:
    """Ask why a fact is believed as it is."""
    return await memory.awhy(fact.id, MemoryContext(USER))


async def _statement(memory: Memory, id: str) -> Statement:
    fact = await memory.aget(id, MemoryContext(USER), kind="fact")
    return Statement(
        id=id,
        subject=fact.subject,
        attribute=fact.attribute,
        object=fact.object,
        text=fact.text,
        kind=fact.kind,
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
    )
