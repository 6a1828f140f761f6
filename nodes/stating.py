"""The form in which a model states facts, and what of them the turns' own words bear out."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, WrapValidator, field_validator

from memgraph.drafts import FactDraft, Kind, Mention, RelationDraft, SaidTurn
from memgraph.nodes.answers import Broken, kept
from memgraph.nodes.grounding import (
    Said,
    content,
    english,
    located,
    parts,
    refers_back,
    scripts,
    telling,
    widened,
)
from memgraph.records import to_us
from memgraph.writing.attributes import ATTRIBUTES, RELATIONS
from memgraph.writing.clauses import Clause, clauses
from memgraph.writing.persons import same, speaks_of
from memgraph.writing.remembered import forget_turns

MOST_FACTS: Final = 40
"""Facts taken of one batch of turns."""

_LONGEST: Final = {"text": 300, "object": 160, "subject": 80, "quote": 600}
_NAME: Final = 80
_MENTIONS: Final = 12
_MACHINE: Final = ("assistant", "tool", "system")
_UNTRUSTED: Final = ("tool", "document")
_SPEAKER: Final = frozenset(("i", "me", "user", "the user", "speaker", "the speaker", "myself"))
_TYPES: Final = ("person", "place", "organisation", "pet", "thing", "event", "other")
_YEARS: Final = (1900, 2200)
_UNCHECKED: Final = 0.4
"""Confidence at most, where words can't be held against what was said: below what is shown as unsure."""

_STATES: Final = ("marital_status", "diet")
"""Attributes whose values have names of their own: "We broke up" makes one single."""

_RELATED: Final = ("partner", "family", "friend", "colleague", "pet", "marital_status")
"""Attributes of a speaker that a sentence about somebody else may well state: "My wife is called Anna"."""

_REPORTED: Final = re.compile(
    r"\b(?:me|us|myself|ourselves|and I|says|said|thinks|confirm\w*|told|found|diagnos\w*|reckons?)\b"
)
"""Somebody else's act or word that may well be about the speaker: "My doctor says it's asthma"."""

MentionType = Literal["person", "place", "organisation", "pet", "thing", "event", "other"]


class Named(BaseModel):
    """Somebody or something named."""

    name: str
    type: MentionType = "other"

    @field_validator("type", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if value in _TYPES else "other"


class Linked(BaseModel):
    """How two of the named stand to each other."""

    source: str
    type: str
    target: str


class Stated(BaseModel):
    """One statement."""

    subject: str
    attribute: str
    object: str
    text: str
    kind: Kind
    confidence: float
    importance: float
    since: str = Field("", alias="from")
    to: str = ""
    turns: list[int]
    quote: str
    entities: list[Named] = Field(default_factory=list[Named])
    relations: list[Linked] = Field(default_factory=list[Linked])

    @field_validator("since", "to", mode="before")
    @classmethod
    def _unsaid(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("entities", "relations", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return [] if value is None else value


class Facts(BaseModel):
    """The facts that the turns state."""

    facts: list[Annotated[Stated, WrapValidator(kept)]]


class _Refused(Exception):
    """A statement that is not taken, and why, without its words."""


class Reader:
    """Makes drafts of an answer, by the turns that it is about.

    Args:
        turns: Those that can be evidence.
        read: What was shown of each; words elsewhere in a turn can't be what the model means.
        before: Those shown with them. `heard`: what was shown of each.
    """

    def __init__(
        self, turns: Sequence[SaidTurn], read: Sequence[str], before: Sequence[SaidTurn], heard: Sequence[str]
    ) -> None:
        self.turns = {turn.index: turn for turn in turns}
        self.read = {turn.index: text for turn, text in zip(turns, read, strict=True)}
        both = zip((*turns, *before), (*read, *heard), strict=True)
        self.talk = [text for turn, text in both if turn.origin not in _UNTRUSTED]
        self.names = [turn.speaker for turn in (*turns, *before)]
        self._names_said = Said(self.names)
        self._heard: dict[tuple[int, ...], Said] = {}

    def faults(self, answer: Facts) -> list[str]:
        """Return what is wrong with an answer, as lines for the model."""
        found = [f"facts: more than {MOST_FACTS}"] if len(answer.facts) > MOST_FACTS else []
        for number, fact in enumerate(answer.facts[:MOST_FACTS]):
            try:
                self.draft(fact, strict=True)
            except _Refused as refused:
                found += [f"facts.{number}.{fault}" for fault in refused.args]
        return found

    def drafts(self, answer: Facts) -> tuple[list[FactDraft], int]:
        """Return the drafts that stand, each once, and the number of statements that do not."""
        kept: dict[tuple[object, ...], FactDraft] = {}
        dropped = max(len(answer.facts) - MOST_FACTS, 0)
        for fact in answer.facts[:MOST_FACTS]:
            try:
                draft = self.draft(fact)
            except _Refused:
                dropped += 1
            else:
                kept.setdefault((draft.subject, draft.attribute, draft.object, draft.valid_from, draft.valid_to), draft)
        forget_turns()
        return list(kept.values()), dropped

    def draft(self, fact: Stated | Broken, *, strict: bool = False) -> FactDraft:
        """Make a draft of a statement.

        Args:
            fact: What a model says.
            strict: Whether an unknown attribute is a fault, not "other", of which a subject may have many.

        Raises:
            _Refused: It has not the form, or no turn bears it out.
        """
        if isinstance(fact, Broken):
            raise _Refused(*fact.faults)
        texts = {field: _clean(field, getattr(fact, field)) for field in ("subject", "object", "text")}
        if fact.attribute not in ATTRIBUTES and strict:
            raise _Refused("attribute: not in the list")
        attribute = fact.attribute if fact.attribute in ATTRIBUTES else "other"
        cited = self._cited(fact.turns)
        sayer, quote = self._sayer(fact.quote, cited)
        if texts["subject"].casefold() in _SPEAKER and sayer.speaker and sayer.role not in _MACHINE:
            texts["subject"] = _clean("subject", sayer.speaker)
        self._may_say(texts["subject"], attribute, sayer, cited)
        sure = self._borne(texts, attribute, sayer, quote, cited)
        begins, ends = _interval(fact.since, fact.to)
        names = self._names(fact.entities, texts["subject"], cited)
        return FactDraft(
            **texts,
            attribute=attribute,
            kind=fact.kind,
            confidence=min(_share(fact.confidence, 0.8), 1.0 if sure else _UNCHECKED),
            importance=_share(fact.importance, 0.5),
            valid_from=begins,
            valid_to=ends,
            evidence=tuple(dict.fromkeys((sayer.index, *(turn.index for turn in cited)))),
            quote=quote,
            entities=names,
            relations=_relations(fact.relations, {mention.name for mention in names}),
        )

    def _cited(self, numbers: Sequence[int]) -> list[SaidTurn]:
        if not numbers or not all(number in self.turns for number in numbers):
            raise _Refused("turns: no such turn")
        return [self.turns[number] for number in dict.fromkeys(numbers)]

    def _sayer(self, quote: str, cited: Sequence[SaidTurn]) -> tuple[SaidTurn, str]:
        """Return the cited turn in which the quote stands, and the quote as it stands there."""
        if len(quote) > _LONGEST["quote"]:
            raise _Refused("quote: too long")
        for turn in cited:
            words = located(quote, self.read[turn.index])
            if words and words in turn.text:  # an excerpt has gaps, and words across one stand nowhere
                return turn, words
        raise _Refused("quote: not the words of a turn named")

    def _said(self, cited: Sequence[SaidTurn]) -> Said:
        """Return what was said, as far as it can bear a statement: the talk, and of the untrusted the turns cited."""
        untrusted = tuple(turn.index for turn in cited if turn.origin in _UNTRUSTED)
        if untrusted not in self._heard:
            self._heard[untrusted] = Said([*self.talk, *(self.read[index] for index in untrusted)])
        return self._heard[untrusted]

    def _may_say(self, subject: str, attribute: str, sayer: SaidTurn, cited: Sequence[SaidTurn]) -> None:
        """Check that those who said it can say it.

        Raises:
            _Refused: Its words are an assistant's of somebody else, or it is a standing instruction that a tool or a
                document gives.
        """
        if sayer.role == "assistant" and subject.casefold() != sayer.speaker.casefold():
            raise _Refused("turns: what an assistant says is no fact about others")
        if attribute == "preference" and any(turn.origin in _UNTRUSTED for turn in cited):
            raise _Refused("attribute: no preference comes from an untrusted turn")

    def _borne(
        self, texts: dict[str, str], attribute: str, sayer: SaidTurn, quote: str, cited: Sequence[SaidTurn]
    ) -> bool:
        """Check that the words quoted say it.

        The object stands by itself in the sentence quoted, in any ending, at least half of its words and the others
        elsewhere in what was said; or all of it there, where the sentence answers it or takes it up ("Yes", "We moved
        there"). No part of the text says something of its own that nobody said. And what a speaker says of another is
        no fact about the speaker.

        Where that can't be told, the statement is doubted rather than refused: the object stands elsewhere in what was
        said; the text has another word for one that was said; the turn isn't English, so that a word that does not
        stand in it may be a form or a translation of one that does; the value is the name of a state that people put
        in other words. But some word is shared always, unless the scripts differ.

        Returns:
            Whether it is sure.

        Raises:
            _Refused: No turn says so.
        """
        read, thing, text = self.read[sayer.index], texts["object"], texts["text"]
        sentence = widened(quote, read)
        said = self._said(cited)
        plain = english(read) or (refers_back(sentence) and any(map(english, self.talk)))
        here, there = Said([sentence]).share(thing) >= 0.5, said.share(thing) >= 0.5
        shared = there or said.any_of(f"{thing} {text}", texts["subject"])
        if not shared and (plain or scripts(thing) & scripts(sentence)):
            raise _Refused("text: no turn says so")
        if same(texts["subject"], sayer.speaker) and _of_another(sentence, attribute, texts, sayer.speaker):
            raise _Refused("subject: the words quoted are about another")
        named = not plain or attribute in _STATES
        if not (here or there or named):
            raise _Refused("object: not in the words quoted; use the turn's own words")
        known = Said([texts["subject"], attribute.replace("_", " "), thing if here or named else ""])
        beside = known.unsaid(telling(text))
        unsaid = said.unsaid(beside)
        if plain and (
            len(unsaid) > max(len(beside) // 2, 1)
            or any(_added(part, texts["subject"], unsaid) for part in parts(text))
        ):
            raise _Refused("text: says more than any turn")
        whole = 3 * len(said.unsaid(telling(thing))) <= len(telling(thing))
        return whole and 2 * len(unsaid) <= len(beside) and (here or (plain and there and refers_back(sentence)))

    def _names(self, named: Sequence[Named], subject: str, cited: Sequence[SaidTurn]) -> tuple[Mention, ...]:
        """Return those of the named that are: their names stand in the turns, or are the subject's or a speaker's."""
        sources = (self._said(cited), self._names_said, Said([subject]))
        mentions: dict[str, Mention] = {}
        for entry in named[:_MENTIONS]:
            try:
                name = _clean("name", entry.name)
            except _Refused:
                continue
            if name.casefold() not in _SPEAKER and any(source.any_of(name) for source in sources):
                mentions.setdefault(name, Mention(name, entry.type))
        return tuple(mentions.values())


def _added(part: str, subject: str, unsaid: Sequence[str]) -> bool:
    """Tell whether all that a part of a text tells of its subject is what nobody said."""
    told = Said([subject]).unsaid(telling(part))
    return bool(told) and all(word in unsaid for word in told)


def _of_another(sentence: str, attribute: str, texts: dict[str, str], speaker: str) -> bool:
    """Tell whether a sentence says of somebody else what a statement says of its speaker.

    It doesn't where the statement names who that is ("Ada's brother lives in Rome"), is about the two, or the sentence
    comes back to the speaker ("My boss promoted me").
    """
    where = None if attribute in _RELATED else _clause(sentence, texts["object"])
    if where is None:
        return False
    clause, at = where
    head = clause.text[:at]
    if not content(head) or _REPORTED.search(clause.text):
        return False
    if speaks_of(speaker, speaker, sentence, clause, clause.start + at, clause.start + at) != "other":
        return False
    own = Said([speaker, texts["object"]])
    stated = own.unsaid(telling(texts["text"]))
    return len(Said([head]).unsaid(stated)) == len(stated)


def _clause(sentence: str, value: str) -> tuple[Clause, int] | None:
    """Return the clause of a sentence in which a value stands, and where in it; None if it is in none as it stands."""
    for clause in clauses(sentence):
        at = clause.text.casefold().find(value.casefold())
        if at > 0:
            return clause, at
    return None


def _relations(linked: Sequence[Linked], names: set[str]) -> tuple[RelationDraft, ...]:
    """Return the links between two different names that are there, of an unknown type as `related_to`."""
    found = (
        RelationDraft(link.source, link.type if link.type in RELATIONS else "related_to", link.target)
        for link in linked[:_MENTIONS]
        if link.source != link.target and {link.source, link.target} <= names
    )
    return tuple(dict.fromkeys(found))


def _clean(field: str, text: str) -> str:
    """Return a text on one line in NFC.

    Raises:
        _Refused: It is empty, too long, or holds a control character or half of a surrogate pair.
    """
    most = _LONGEST.get(field, _NAME)
    if len(text) > most:
        raise _Refused(f"{field}: longer than {most} characters")
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if not text or len(text) > most:
        raise _Refused(f"{field}: empty or too long")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise _Refused(f"{field}: a control character")
    return text


def _share(value: float, otherwise: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else otherwise


def _interval(since: str, to: str) -> tuple[int | None, int | None]:
    """Return from when to when, the last day included, microseconds UTC.

    Raises:
        _Refused: A date that is none, one far off, or an end before the beginning.
    """
    begins = _moment("from", since)[0] if since.strip() else None
    ends = _moment("to", to)[1] if to.strip() else None
    if begins is not None and ends is not None and ends <= begins:
        raise _Refused("to: before from")
    return begins, ends


def _moment(field: str, text: str) -> tuple[int, int]:
    """Return the first instant of a day, month or year and the first after it; of a time, the time twice."""
    text = text.strip()
    try:
        if len(text) == 4:
            first, after = date(int(text), 1, 1), date(int(text) + 1, 1, 1)
        elif len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            after = (first + timedelta(days=31)).replace(day=1)
        elif len(text) == 10:
            first = date.fromisoformat(text)
            after = first + timedelta(days=1)
        else:
            exact = datetime.fromisoformat(text)
            exact = exact.replace(tzinfo=UTC) if exact.utcoffset() is None else exact.astimezone(UTC)
            first = after = exact.date()
            if _YEARS[0] <= first.year < _YEARS[1]:
                return to_us(field, exact), to_us(field, exact)
    except (ValueError, OverflowError):
        raise _Refused(f"{field}: no ISO date") from None
    if not _YEARS[0] <= first.year < _YEARS[1]:
        raise _Refused(f"{field}: out of range")
    begin, end = (to_us(field, datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in (first, after))
    return begin, end
