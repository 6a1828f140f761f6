"""The records that an evaluation is about: conversations, and questions with known evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Role = Literal["user", "assistant"]

CATEGORIES: Final = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""The meaning of each category, as LOCOMO's own scorer has it; copies in circulation swap 1 and 4."""

ADVERSARIAL: Final = 5
"""Its evidence is the turn that a false premise was made from: finding that is finding the trap, no merit."""


@dataclass(frozen=True, slots=True)
class DialogTurn:
    """One message of a conversation.

    Attributes:
        dia_id: Its id, unique within the conversation: "D<session>:<turn>".
        speaker: Who said it.
        text: What was said.
        caption: What a shared image shows, as described by a machine; None without an image.
        role: "user" or "assistant"; None where two people talk.
    """

    dia_id: str
    speaker: str
    text: str
    caption: str | None = None
    role: Role | None = None

    @property
    def content(self) -> str:
        """The text, with the image's caption where there is one."""
        return self.text if self.caption is None else f"{self.text} [shares image: {self.caption}]"

    @property
    def rendered(self) -> str:
        """The content with its speaker before it, as plain systems index it."""
        return f"{self.speaker}: {self.content}"


@dataclass(frozen=True, slots=True)
class Session:
    """One sitting: the turns said one after the other from `started_at` on."""

    number: int
    started_at: datetime
    turns: tuple[DialogTurn, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a system under test is given: everything said, and none of the questions.

    Attributes:
        id: The data's `sample_id`.
        speakers: Names of the two participants.
        sessions: In order of time.
    """

    id: str
    speakers: tuple[str, str]
    sessions: tuple[Session, ...]

    @property
    def turns(self) -> tuple[DialogTurn, ...]:
        """All turns in the order they were said."""
        return tuple(turn for session in self.sessions for turn in session.turns)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one conversation, with what its author says answers it.

    Attributes:
        id: "<conversation>:q<n>", n counted from 1 in the file's order.
        text: The question.
        category: A key of `CATEGORIES`.
        evidence: Ids of the turns that answer it (the gold), repaired, each once. Empty: no retrieval score exists.
        dropped: Pieces of the data's evidence that name no turn.
        answer: The answer as text; None in most of category 5.
        trap: The answer that a misled system gives; category 5 only.
    """

    id: str
    text: str
    category: int
    evidence: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    answer: str | None = None
    trap: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A conversation and the questions asked about it."""

    conversation: Conversation
    questions: tuple[Question, ...]
