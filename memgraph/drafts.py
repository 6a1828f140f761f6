"""What passes through extraction and consolidation: drafts of facts, what is known, what is decided."""

from __future__ import annotations

from dataclasses import dataclass

from memgraph.records import OPEN, Kind, Mode, Operation, Origin

__all__ = [
    "Decision",
    "FactDraft",
    "Kind",
    "KnownFact",
    "Mention",
    "Mode",
    "Operation",
    "RelationDraft",
    "Ruling",
    "SaidTurn",
    "Step",
]


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody or something that is named.

    Attributes:
        type: person, place, organisation, pet, thing, event or other.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class RelationDraft:
    """How two mentions stand to each other.

    Attributes:
        source: Name of a mention.
        type: One of a closed list (`writing.attributes.RELATIONS`).
        target: Name of a mention.
    """

    source: str
    type: str
    target: str


@dataclass(frozen=True, slots=True)
class FactDraft:
    """One atomic statement, extracted, not yet believed.

    Attributes:
        subject: Whom or what it is about, by name; of "I" it is the turn's speaker.
        attribute: One of the closed list (`writing.attributes.ATTRIBUTES`).
        object: The value: "Plymouth", "hazelnuts".
        text: One self-contained sentence in the third person, with absolute dates.
        confidence: 0 to 1, as sure as the words are.
        importance: 0 to 1.
        valid_from: Microseconds UTC; None: since it was said.
        valid_to: Microseconds UTC; None: open.
        evidence: Indices of the turns that say it.
        quote: The words of the turn that say it, verbatim.
    """

    subject: str
    attribute: str
    object: str
    text: str
    kind: Kind = "state"
    confidence: float = 0.8
    importance: float = 0.5
    valid_from: int | None = None
    valid_to: int | None = None
    evidence: tuple[int, ...] = ()
    quote: str = ""
    entities: tuple[Mention, ...] = ()
    relations: tuple[RelationDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """What extraction sees of a turn.

    Attributes:
        index: Its alias: the number by which a draft names it as evidence.
        said_at: Microseconds UTC.
    """

    index: int
    speaker: str
    role: str
    origin: Origin
    text: str
    said_at: int


@dataclass(frozen=True, slots=True)
class KnownFact:
    """What consolidation sees of a fact that is believed.

    Attributes:
        alias: The short name by which a decision names it ("f1").
        valid_from: Microseconds UTC.
        valid_to: Microseconds UTC, `OPEN` while it holds.
        untrusted: Whether it came from a tool or a document.
    """

    alias: str
    subject: str
    attribute: str
    object: str
    text: str
    kind: Kind
    valid_from: int
    valid_to: int = OPEN
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is proposed for a draft, by rules or by a model.

    Attributes:
        target: Alias of the fact it concerns, None for ADD.
        quote: The words of the new turn that end or negate the old state, verbatim.
    """

    operation: Operation
    mode: Mode | None = None
    target: str | None = None
    reason: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate makes of a decision.

    Attributes:
        decision: What is applied.
        closes: Whether the target's validity ends.
        close_at: When, microseconds UTC.
        conflicts: Aliases that get a `conflicts_with` link instead of being closed.
        gate: "a" or "b" where it closes, "none" where nothing was to be closed, else "refused: " and why.
    """

    decision: Decision
    closes: bool = False
    close_at: int | None = None
    conflicts: tuple[str, ...] = ()
    gate: str = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a plan, ready to be applied.

    Attributes:
        draft: Index of the draft that it is about.
        target: Alias of the fact that is refined, closed, withdrawn or confirmed: a known one's, or "n" and the index
            of a draft that an earlier step of the same plan adds.
        adds: Whether the draft becomes a fact, to be named "n" and its index by later steps.
        close_at: Where the target's validity ends, microseconds UTC; None leaves it.
        valid_to: Where the added fact's own validity ends; None: open.
        conflicts: Aliases of facts that get a `conflicts_with` link to the added one.
        quote: The words of the turn that end or negate the target, verbatim.
    """

    draft: int
    operation: Operation
    mode: Mode | None = None
    target: str | None = None
    adds: bool = False
    close_at: int | None = None
    valid_to: int | None = None
    conflicts: tuple[str, ...] = ()
    gate: str = "none"
    reason: str = ""
    quote: str = ""
