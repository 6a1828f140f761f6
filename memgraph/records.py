"""What a memory is made of, as plain frozen records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar, cast

from memgraph.errors import InvalidInput

Origin = Literal["user", "assistant", "tool", "document"]
"""Where the words came from. Trust only degrades: what came from a tool or a document stays untrusted."""

Kind = Literal["state", "event", "plan"]
"""What a fact is: something that holds, something that happened, something intended."""

KINDS: Final[tuple[Kind, ...]] = ("state", "event", "plan")

Operation = Literal["ADD", "UPDATE", "DELETE", "NOOP"]
Mode = Literal["refine", "change", "ended", "retracted"]
"""How a fact is updated or deleted: more detail; became another; came to an end; was never true."""

ORIGINS: Final[tuple[Origin, ...]] = ("user", "assistant", "tool", "document")

OPEN: Final = 2**63 - 1
"""The stored form of an open end: the largest integer, so that an interval is one comparison."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


DEEPEST: Final = 100
"""Levels of a JSON value that is kept: of thousands, one could be written that no stack is long enough to read."""


def is_deep(value: object, levels: int = DEEPEST) -> bool:
    """Tell whether a value has lists or dicts within each other beyond a number of levels."""
    if isinstance(value, Mapping):
        inner: Iterable[object] = cast("Mapping[object, object]", value).values()
    elif isinstance(value, (list, tuple)):
        inner = cast("Sequence[object]", value)
    else:
        return False
    return levels == 0 or any(is_deep(one, levels - 1) for one in inner)


def to_us(name: str, moment: datetime) -> int:
    """Return an aware datetime as integer microseconds UTC.

    Args:
        name: What the time is called, for the message.
        moment: The time.

    Raises:
        InvalidInput: It is not a datetime, or has no time zone.
    """
    if not isinstance(moment, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise InvalidInput(f"{name} must be an aware datetime, not {type(moment).__name__}")
    if moment.utcoffset() is None:
        raise InvalidInput(f"{name} `{moment.isoformat()}` has no time zone; say which, e.g. tzinfo=datetime.UTC")
    return (moment - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Return microseconds UTC as an aware datetime."""
    return _EPOCH + timedelta(microseconds=us)


def from_us_or_open(us: int) -> datetime | None:
    """Return microseconds UTC as an aware datetime, None for an open end."""
    return None if us == OPEN else from_us(us)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message read at the door, checked, not yet a turn.

    Attributes:
        text: The words, code point for code point (lone surrogates replaced, then `altered`).
        index: Its place in the list that was handed in.
        said_at: Microseconds UTC, None for now.
    """

    text: str
    role: str
    speaker: str
    origin: Origin
    index: int
    said_at: int | None = None
    message_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    parts: Sequence[Mapping[str, str]] = ()
    altered: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One message as it was said: the primary record, never rewritten.

    Attributes:
        id: UUIDv7.
        text: The words, whole.
        role: "user", "assistant", "tool" or what the caller wrote.
        speaker: Who said it: the message's name, else its role.
        origin: Where the words came from.
        said_at: When it was said, aware UTC.
        recorded_at: When memgraph stored it.
        superseded_at: When it stopped being believed (replaced or forgotten), None while it is.
        replaces: Id of the turn whose message was edited into this one.
        parts: Other content of the message by reference: `type`, `mime_type`, and `uri` or `digest`.
        altered: Whether lone surrogates were replaced in `text`.
        seq: The commit of its owner that brought it.
    """

    id: str
    text: str
    role: str
    speaker: str
    origin: Origin
    said_at: datetime
    recorded_at: datetime
    superseded_at: datetime | None
    replaces: str | None
    thread_id: str | None
    session_id: str | None
    agent_id: str | None
    message_id: str | None
    metadata: Mapping[str, Any]
    parts: Sequence[Mapping[str, str]]
    altered: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A message that is no turn.

    Attributes:
        index: Its place in the list that was handed in.
        reason: "empty", "system", "removal", "summary", "memory block", "known", "erased" or, in a graph, "malformed".
    """

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Added:
    """What became of messages that were handed in. Returned once the turns are committed.

    Attributes:
        ids: Ids of the new turns, in order.
        skipped: The messages that brought nothing new, and why.
        owner: Label of the owner, the key of the mark.
        seq: The owner's commit number; unchanged if nothing was new.
        job: Number of the job that indexes the turns, None if there is nothing to do.
        facts: Number of the job that makes facts of them, None once it is done or if there is nothing to do.
        pending: How many turns still wait for their vectors or failed to get them.
    """

    ids: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    owner: str
    seq: int
    job: int | None = None
    pending: int = 0
    facts: int | None = None


@dataclass(frozen=True, slots=True)
class ArmScore:
    """Where one arm placed a hit: rank from 1, and the arm's own score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Fact:
    """One atomic statement made of turns, as it is or was believed.

    Attributes:
        id: UUID.
        subject: Whom or what it is about, by name.
        attribute: One of the closed list (`writing.attributes.ATTRIBUTES`).
        object: The value: "Plymouth", "hazelnuts".
        text: One self-contained sentence.
        confidence: 0 to 1, as sure as the words were.
        importance: 0 to 1.
        valid_from: Since when it is true in the world, aware UTC.
        valid_to: Until when; None while it holds.
        recorded_at: Since when this version is believed.
        superseded_at: Until when this version was believed; None while it is.
        version: From 1.
        evidence: Ids of the turns that say it.
        origin: The least trusted origin of its evidence. What came from a tool or a document stays untrusted.
        agent_id: The agent it belongs to, None if it is of none.
        conflicts: Ids of believed facts that contradict it, none of which could be closed.
        seq: The commit of its owner that brought this version.
    """

    id: str
    subject: str
    attribute: str
    object: str
    text: str
    kind: Kind
    confidence: float
    importance: float
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime
    superseded_at: datetime | None
    version: int
    evidence: tuple[str, ...]
    origin: Origin
    agent_id: str | None
    conflicts: tuple[str, ...]
    seq: int

    @property
    def untrusted(self) -> bool:
        """Whether it came from a tool or a document."""
        return self.origin in ("tool", "document")


@dataclass(frozen=True, slots=True)
class MemoryOperation:
    """One step by which memory became what it is.

    Attributes:
        id: UUID; `Memory.undo` takes it.
        operation: ADD, UPDATE, DELETE, NOOP on a fact; MERGE of two entities; UNDO of another operation.
        mode: Of UPDATE: "refine" or "change"; of DELETE: "ended" or "retracted"; else None.
        fact: Id of the fact that says it now; None where none does.
        target: Id of the fact that was refined, closed or confirmed (of a MERGE: of the entity), None of an ADD.
        gate: "a" or "b" where the closing gate let it close, "none" where nothing was to be closed, "caller" where
            the caller asked for it, else "refused: " and why.
        reason: Why, in the words of a rule or of the caller.
        evidence: Ids of the turns that say so.
        model: Name of the model that extracted or decided, None where rules did.
        prompt: Content hashes of the prompts, hex, joined by "+"; None without a model.
        prompt_tokens: Tokens asked and `answer_tokens` answered, of the batch it is part of; None without a model.
        at: When it was applied.
        seq: The owner's commit.
        undoes: Id of the operation that this one undoes. `undone_by`: of the one that undid it.
    """

    id: str
    operation: Literal["ADD", "UPDATE", "DELETE", "NOOP", "MERGE", "UNDO"]
    mode: Mode | None
    fact: str | None
    target: str | None
    gate: str
    reason: str | None
    evidence: tuple[str, ...]
    model: str | None
    prompt: str | None
    prompt_tokens: int | None
    answer_tokens: int | None
    at: datetime
    seq: int
    undoes: str | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """Why a fact is believed, or no longer is.

    Attributes:
        fact: As it is now, or was last.
        versions: All versions, oldest first.
        operations: What brought and changed it, oldest first.
        turns: The turns that say it or that an operation names, word for word, in the order they were said; also those
            that were forgotten since.
    """

    fact: Fact
    versions: tuple[Fact, ...]
    operations: tuple[MemoryOperation, ...]
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that facts are about.

    Attributes:
        type: person, place, organisation, pet, thing, event or other.
        aliases: Other names it goes by.
        merges: Ids of the MERGE operations that joined others into it.
    """

    id: str
    name: str
    type: str
    aliases: tuple[str, ...]
    merges: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """How two entities stand to each other, because a fact says so.

    Attributes:
        source: Id of an entity. `target`: of another.
        type: One of a closed list (`writing.attributes.RELATIONS`).
        fact: Id of the fact that says it; its validity is the relation's.
        evidence: Ids of the turns that say so.
    """

    source: str
    type: str
    target: str
    fact: str
    valid_from: datetime
    valid_to: datetime | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """A part of the graph: entities, and the relations between them."""

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found, and why: a turn, or a fact that turns state.

    Attributes:
        kind: "turn" or "fact". A fact's `text` is its sentence; speaker, role, thread and `said_at` are those of the
            turn in whose place it stands.
        score: Fused score; comparable within one search only.
        valid_from: Since when it is true; of a turn: when it was said. `valid_to`: until when, None while it holds.
        evidence: Ids of the turns that say it, oldest first.
        arms: Rank and score by arm (dense, lexical, time, fact, graph).
        boosts: What was added to the score and why.
        subject: Of a fact, as `attribute`, `object` and `confidence` (0 to 1): None of a turn.
        quote: Of a fact: the words of its turn that say it.
        conflicts: Ids of believed facts that contradict it, or what the turn states.
        path: Ids of entities and facts, in turn, by which the graph came to the fact; `route`: the entities' names.
        contradictions: For each of `conflicts`: its sentence, and since when it is true.
        ended: For each fact that the turn states and that is over: its sentence ("" where the turn states no other),
            and since when.
    """

    id: str
    kind: Literal["turn", "fact"]
    text: str
    speaker: str
    role: str
    origin: Origin
    said_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    score: float
    evidence: tuple[str, ...]
    thread_id: str | None
    session_id: str | None
    agent_id: str | None
    message_id: str | None
    arms: Mapping[str, ArmScore]
    boosts: Mapping[str, float]
    subject: str | None = None
    attribute: str | None = None
    object: str | None = None
    confidence: float | None = None
    quote: str = ""
    conflicts: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    contradictions: tuple[tuple[str, datetime], ...] = ()
    ended: tuple[tuple[str, datetime], ...] = ()


class Hits(list[Hit]):
    """Hits, best first.

    Attributes:
        trace_id: Key of the search's trace.
        degraded: What could not take part, by arm, and why; empty when all did.
        seq: The owner's commit number that was read.
    """

    def __init__(
        self, hits: Sequence[Hit], *, trace_id: str, degraded: Mapping[str, str], owner: str, seq: int
    ) -> None:
        super().__init__(hits)
        self.trace_id = trace_id
        self.degraded = dict(degraded)
        self.owner = owner
        self.seq = seq


ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """One page of a list. `cursor` fetches the next; None after the last."""

    items: tuple[ItemT, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure removed, counted, and how it was checked.

    Attributes:
        turns: Turns removed.
        rows: Rows removed by table.
        rebuilt: Index parts of neighbours that held erased text and were rebuilt.
        seq: The owner's commit that erased.
        at: When.
        verified: "queries": every table was asked again and held nothing of what was erased.
    """

    turns: int
    rows: Mapping[str, int]
    rebuilt: int
    seq: int
    at: datetime
    verified: Literal["queries"] = "queries"


@dataclass(frozen=True, slots=True)
class Trace:
    """How one search came to its hits: ids, ranks and scores only, never text.

    Attributes:
        id: The trace's id.
        at: When the search ran.
        arms: By arm: how many turns it scored.
        degraded: By arm: why it could not take part (wholly or for some turns).
        hits: For each hit: id, rank, score, arms, boosts.
        drops: For each candidate left out: id and reason.
    """

    id: str
    at: datetime
    arms: Mapping[str, int]
    degraded: Mapping[str, str]
    hits: Sequence[Mapping[str, Any]]
    drops: Sequence[Mapping[str, Any]]
