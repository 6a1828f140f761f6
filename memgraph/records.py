"""What a memory is made of, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar

from memgraph.errors import InvalidInput

Origin = Literal["user", "assistant", "tool", "document"]
"""Where the words came from. Trust only degrades: what came from a tool or a document stays untrusted."""

ORIGINS: Final[tuple[Origin, ...]] = ("user", "assistant", "tool", "document")

OPEN: Final = 2**63 - 1
"""The stored form of an open end: the largest integer, so that an interval is one comparison."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


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
        reason: "empty", "system", "removal", "summary", "memory block", "known" or "erased".
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
        pending: How many turns still wait for their vectors or failed to get them.
    """

    ids: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    owner: str
    seq: int
    job: int | None = None
    pending: int = 0


@dataclass(frozen=True, slots=True)
class ArmScore:
    """Where one arm placed a hit: rank from 1, and the arm's own score."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing found, and why.

    Attributes:
        kind: "turn".
        score: Fused score; comparable within one search only.
        valid_from: When it was said. `valid_to`: None while it holds.
        evidence: Ids of the turns that say it.
        arms: Rank and score by arm (dense, lexical, time).
        boosts: What was added to the score and why.
    """

    id: str
    kind: Literal["turn"]
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
