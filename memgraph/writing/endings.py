"""Does a turn itself say that a known fact ended?

The words that end something must stand inside the quote, plainly, about the fact's subject; and what they end must be
the fact's object or its topic, nothing narrower: who sold the caravan keeps the motorbike, who gave up coffee on
Mondays drinks it on Tuesdays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from memgraph.drafts import Kind, KnownFact, SaidTurn
from memgraph.writing.assertions import mood_of
from memgraph.writing.clauses import LOOK, Clause, clauses, stem_set, stems, unquoted
from memgraph.writing.enders import ENDERS, Ender
from memgraph.writing.moods import cited, joking, older
from memgraph.writing.partly import partly
from memgraph.writing.patterns import Index, compiled
from memgraph.writing.persons import same, speaks_of
from memgraph.writing.phrases import (
    ANOTHERS,
    BOUNDARY,
    NEUTRAL,
    about_of,
    core_of,
    cut_phrase,
    named_phrase,
    narrowed,
    some_left,
)
from memgraph.writing.remembered import of_turns
from memgraph.writing.topics import IMPLIED, covers, names

_SINCE_THEN: Final = compiled(
    r"\b(?:now|these days|nowadays|after all|by now|meanwhile|grown to|come to|warmed to|won over|hooked|sick of)\b"
)
_UNDONE: Final = compiled(
    r"\b(?:no|not|quit|quits|gave up|given up|gives up|stopped|without|never|free|avoids?|cut out|former|ex|sober"
    r"|teetotal|doesn't|abstains?)\b|n't\b"
)
_AGAIN: Final = compiled(r"\b(?:again|back|resumed|restarted|relapsed)\b")
_ON_A_DAY: Final = compiled(r"\bon (?:mon|tues|wednes|thurs|fri|satur|sun)day\b")
_TEMPORAL: Final = compiled(
    r"\b(?:any ?more|any longer|these days|nowadays|now|no longer|currently|at all|since \w+|at present|either"
    r"|after all)\b"
)
_MARKED: Final = compiled(r"\b(?:no|not any) longer\b|\bnever\b|(?:have|has|'ve|'s)(?:n't| not)\b")
_PARTICIPLE: Final = re.compile(
    r"^\W*(?:touched|eaten|drunk|smoked|played|had|been|worn|used|driven|seen|gone)\b.*\b(?:since|in|for)\b",
    re.IGNORECASE,
)
DOUBLED: Final = compiled(r"\b(?:not|never|no|hardly|can't|cannot|without)\b|n't\b")
_LOUDER: Final = compiled(
    r"\b(?:i|we) (?:\w+ly |just |absolutely )?(?:love|adore|worship|crave|live for|breathe|inhale|devour|am obsessed"
    r"|'m obsessed|'m addicted"
    r"|am addicted|need|bloody love|\w+ing love)\b|\benough of\b|\bwithout (?:it|them)\b"
)
_NO_MORE: Final = re.compile(
    r"\W*((?:not|no) (?:any ?more|any longer|longer|now|these days|for me)(?: now)?)\W*", re.IGNORECASE
)
DENIAL: Final = re.compile(r"(?:not|no|never|(?:do|does|is|are|ca)n['\u2019]t|(?:do|does) not)\b", re.IGNORECASE)
_HOURS: Final = compiled(
    r"\b(?:nights|weekends|evenings|mornings|shifts?|overtime|full[- ]time|part[- ]time|from home)\b"
)
_BEFORE: Final = 40
"""Characters before a clause that may limit it: "in winter, I don't"."""
_NOT_ALL: Final = compiled(r"\b(?<!at )(?:all|every|each|most|many|both|only|just|strictly|strict)\b")
_AT: Final = re.compile(
    r"\s*(?:(?:at|with)|as (?:a |an |the )?\w+ (?:of|at|for|in))\s+(?!once|last|least|\d|the (?:end|start"
    r"|beginning|moment|weekend|age|office|place)\b"
    r"|christmas|easter"
    r"|a\b|an\b|my\b|no\b|immediate)(?:the )?(?P<where>[\w'&-]+(?: (?-i:[A-Z])[\w'&-]*)*)",
    re.IGNORECASE,
)
_OWN: Final = re.compile(r"\b(?:my|our|mine|ours)\b", re.IGNORECASE)
_BECAME: Final = re.compile(
    r"(?:\b(?:gone|went|turned|became|become)\b|(?:'m|\bam|'s|\bis|\bbeen)\b(?=.*\b(?:sober|teetotal)\b)"
    r"(?=.*\b(?:now|since|these days|for)\b))"
    rf"(?: \w+ly| a| now| full| completely| been)* (?P<what>{'|'.join(IMPLIED)})\b",
    re.IGNORECASE,
)
"""Who became vegetarian says that a habit ended; who is one may still love the smell of bacon."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a turn says that a fact ended.

    Attributes:
        quote: The clause that says it, verbatim.
        phrase: The stems of what it says ended; empty where only a pronoun or nothing is said.
        moves: Whether only a date was moved.
    """

    quote: str
    phrase: frozenset[str]
    moves: bool = False


_Hits = tuple[tuple[Ender, tuple[re.Match[str], ...]], ...]


@cache
def _index() -> Index:
    return Index([ender.pattern for ender in ENDERS])


@of_turns
def _all_found(clause: str) -> _Hits:
    """Return what in a clause could end any fact."""
    standing = _index().standing(clause)
    return tuple((ENDERS[at], hits) for at, part in standing if (hits := tuple(part.pattern.finditer(clause))))


@of_turns
def _found(clause: str, attribute: str, kind: Kind) -> _Hits:
    """Return what in a clause could end a fact of such an attribute and kind."""
    return tuple(
        (ender, hits)
        for ender, hits in _all_found(clause)
        if (kind != "event" or {"plan", "event"} & ender.attributes)
        and (
            attribute in ender.attributes
            or (kind == "plan" and "plan" in ender.attributes)
            or (attribute == "other" and ender.form != "self")
        )
    )


@of_turns
def _may_end(text: str, attribute: str, kind: Kind) -> tuple[tuple[Clause | None, Clause], ...]:
    """Return the clauses in which a fact of such an attribute and kind could end, each after the one before it."""
    parts = clauses(text)
    found = tuple(
        (before, clause)
        for before, clause in zip((None, *parts), parts, strict=False)
        if _found(clause.text, attribute, kind) or _short(clause.text)
    )
    return () if found and (joking(text) or cited(text)) else found


@of_turns
def _short(clause: str) -> bool:
    return _BECAME.search(clause) is not None or _NO_MORE.fullmatch(clause) is not None


def ending(turn: SaidTurn, fact: KnownFact, start: int = 0, stop: int | None = None) -> Ending | None:
    """Return where a turn plainly says that a fact's state ended or is negated, None where it doesn't.

    Args:
        turn: The turn.
        fact: The fact.
        start: Where in the turn the words that end it may begin.
        stop: Where in the turn they must be over; None for its end.
    """
    if turn.role == "assistant" or turn.origin == "assistant":
        return None
    stirred = _may_end(turn.text[:LOOK], fact.attribute, fact.kind)
    if not stirred:
        return None
    plain = unquoted(turn.text)
    stop = len(plain) if stop is None else stop
    for before, clause in stirred:
        for ender, match in _matches(clause, fact, start, stop):
            phrase = _ended(turn, fact, plain, clause, before, ender, match)
            if phrase is not None:
                return Ending(turn.text[clause.start : clause.end].strip(), phrase, ender.moves)
        if (
            (found := _became(turn, fact, plain, clause))
            and start <= clause.start + found.start()
            and clause.start + found.end() <= stop
        ):
            return Ending(
                turn.text[clause.start : clause.end].strip(), frozenset(stems(IMPLIED.get(found["what"].lower(), "")))
            )
        if (
            before is not None
            and (short := _NO_MORE.fullmatch(clause.text))
            and (start <= clause.start + short.start(1) and clause.start + short.end(1) <= stop)
        ):
            named = frozenset(stems(before.text)) - NEUTRAL
            if (
                before.asked
                and named
                and named <= about_of(fact)
                and named & core_of(fact)
                and same(fact.subject, turn.speaker)
            ):
                return Ending(turn.text[clause.start : clause.end].strip(), named)
    return None


def _matches(clause: Clause, fact: KnownFact, start: int, stop: int) -> Iterator[tuple[Ender, re.Match[str]]]:
    """Yield the words in a clause that could end such a fact and stand inside the quote."""
    # Who says that they are divorced is not divorced no longer.
    own = stem_set(fact.object) if fact.attribute == "marital_status" else frozenset[str]()
    for ender, matches in _found(clause.text, fact.attribute, fact.kind):
        for match in matches:
            inside = start <= clause.start + match.start() and clause.start + match.end() <= stop
            if inside and own.isdisjoint(stems(match.group())):
                yield ender, match


def _ended(
    turn: SaidTurn,
    fact: KnownFact,
    plain: str,
    clause: Clause,
    before: Clause | None,
    ender: Ender,
    match: re.Match[str],
) -> frozenset[str] | None:
    """Return the stems of what a clause plainly says ended if that is the fact, else None."""
    phrase = _named(turn, fact, plain, clause, before, ender, match)
    return phrase if phrase is not None and _spoken(turn, fact, clause, match) else None


def _named(
    turn: SaidTurn,
    fact: KnownFact,
    plain: str,
    clause: Clause,
    before: Clause | None,
    ender: Ender,
    match: re.Match[str],
) -> frozenset[str] | None:
    """Return the stems of what a clause says ended, in whatever mood, if that is the fact, else None."""
    head, tail = clause.text[: match.start()], clause.text[match.end() :]
    if ender.form != "negation" and DOUBLED.search(head) and not re.search(r"\bnot only\b", head):
        return None
    told = same(fact.subject, turn.speaker)
    about_it = speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + match.start()) == "subject"
    if ender.form == "object":
        cut = cut_phrase(tail)
        mine = (
            told
            and fact.attribute in ("plan", "possession", "pet", "health")
            and re.match(r"\s*(?:my|our|the cast|the stitches)\b", tail, re.IGNORECASE)
        )
        if not (about_it or mine) or some_left(tail, fact) or narrowed(tail[len(cut) :], fact):
            return None
        if fact.attribute in ("employer", "occupation") and _elsewhere(tail[len(cut) :], fact):
            return None
        return named_phrase(cut, fact, turn, before, verb=True)
    if ender.form == "opposite":
        marked = _SINCE_THEN.search(clause.text) is not None
        return (
            named_phrase(cut_phrase(tail), fact, turn, before, verb=True)
            if about_it and marked and not some_left(tail, fact)
            else None
        )
    if ender.form == "back":
        undone = (
            _UNDONE.search(f"{fact.object} {fact.text}") is not None and _AGAIN.search(match.group() + tail) is not None
        )
        return (
            named_phrase(cut_phrase(tail), fact, turn, before, verb=True)
            if about_it and undone and not some_left(tail, fact)
            else None
        )
    if ender.form == "taken":
        return named_phrase(cut_phrase(tail), fact, turn, before, verb=False) if told and _OWN.search(tail) else None
    if ender.form == "free":
        return (
            named_phrase(head.split()[-1] if head.split() else "", fact, turn, None, verb=False) if about_it else None
        )
    if ender.form == "negation":
        return _negated(turn, fact, plain, clause, before, match) if about_it else None
    if ender.form == "self":
        rest = BOUNDARY.split(f" {tail}", maxsplit=1)[0]
        free = frozenset(stems(rest)) - NEUTRAL <= about_of(fact) and not re.match(
            r"\s*(?:to|from|as|with|at|by)\b", tail
        )
        return frozenset() if about_it and free else None
    return _thing(turn, fact, plain, clause, head, ender, about_it)


def _elsewhere(rest: str, fact: KnownFact) -> bool:
    """Tell whether what ended was with another than the fact says: "my job at the bakery" of who works at the bank."""
    found = _AT.match(rest)
    if found is None:
        return False
    about = about_of(fact)
    return not any(
        word in NEUTRAL
        or names(word, "employer")
        or word in about
        or any(len(one) > 3 and len(word) > 3 and (word in one or one in word) for one in about)
        for word in stems(found["where"])
    )


def _spoken(turn: SaidTurn, fact: KnownFact, clause: Clause, match: re.Match[str]) -> bool:
    """Tell whether a clause speaks plainly, and not of a time before the fact began."""
    why = mood_of(clause, fact.subject, turn.speaker)
    if why == "temporary" and match.group().lower().endswith("longer"):
        # "no longer at my aunt's": what ended was for a time, the end is not.
        rest = clause.text[match.end() :].removeprefix(cut_phrase(clause.text[match.end() :]))
        why = mood_of(replace(clause, text=clause.text[: match.end()] + rest), fact.subject, turn.speaker)
    if why in ("temporary", "plan") and fact.kind == "plan":
        why = ""  # "we cancelled the trip": the plan itself is for a time
    return why == "" and not older(clause, turn.said_at, fact.valid_from)


def _negated(
    turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause, before: Clause | None, match: re.Match[str]
) -> frozenset[str] | None:
    """Read "no longer X", "don't X any more" and, where nothing follows that narrows it, "don't X"."""
    if DENIAL.match(fact.object):
        return None  # said again, not ended
    tail = clause.text[match.end() :]
    longer = match.group().lower().endswith("longer")
    marked = longer or _TEMPORAL.search(tail) is not None
    perfect = _MARKED.search(match.group()) is not None and not longer and match.group().lower() != "never"
    if (match.group().lower() == "never" and not marked) or (
        perfect and not re.search(r"\bgot\b", tail) and not match.group().lower().endswith(" no")
    ):
        if not _PARTICIPLE.match(tail + clause.after):
            return None
        tail = re.sub(r"^\W*\w+", "", tail)
        marked = True
    if (
        DOUBLED.search(clause.text[: match.start()])
        or some_left(tail, fact)
        or _ON_A_DAY.search(tail)
        or _LOUDER.search(plain[clause.end : clause.end + 60])
    ):
        return None
    tail = re.sub(r"^\W*got\b", "", tail)
    cut = cut_phrase(tail)
    if partly(f"{clause.before[-_BEFORE:]}{clause.text[: match.start()]}") is not None:
        return None  # "in winter I don't play"
    if fact.attribute in ("employer", "occupation") and _HOURS.search(tail):
        return None
    if _NOT_ALL.search(cut) or (not marked and some_left(clause.text[: match.start()], fact)):
        return None
    if narrowed(tail[len(cut) :], fact):
        return None
    if not marked:
        rest = tail[len(cut) :]
        if re.search(r"\w", rest) or re.match(
            r"\W*(?:just|only|merely|even|really|always|mean|think|know|believe)\b", tail
        ):
            return None
    return named_phrase(cut, fact, turn, before, verb=True)


def _thing(
    turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause, head: str, ender: Ender, about_it: bool
) -> frozenset[str] | None:
    """Read "Biscuit died", "the wedding is off", "they let me go", "Luca and I have split up"."""
    told = same(fact.subject, turn.speaker)
    head = re.sub(r"^.*\b(?:says|said|confirmed|reckons|thinks)(?: that)?\b", "", head, flags=re.IGNORECASE)
    words = re.sub(
        r"\b(?:and|but|so|then|me|i|we|us|have|has|had|'ve|'s|is|are|was|both)\b", " ", head, flags=re.IGNORECASE
    )
    if ender.form == "both":
        with_me = re.search(r"\b(?:i|we|me and|and me)\b", head, re.IGNORECASE) is not None
        others = frozenset(stems(words)) - NEUTRAL - frozenset(stems(fact.subject))
        involved = with_me if told else frozenset(stems(fact.subject)) <= frozenset(stems(head))
        if not involved or ANOTHERS.search(head):
            return None
        if not others:
            return frozenset() if fact.attribute in ("partner", "marital_status") else None
        return (
            others
            if others <= about_of(fact) | frozenset(stems("husband wife partner boyfriend girlfriend"))
            and (others & about_of(fact) or fact.attribute in ("partner", "marital_status"))
            else None
        )
    if ender.form == "me":
        if not told:
            return None
        if re.fullmatch(
            r"\W*(?:and |so |but |well )*(?:they|he|she|the company|my boss|my company|the firm)(?:'ve| have|'s"
            r"| has)?\W*",
            head,
            re.IGNORECASE,
        ):
            return frozenset()
        return named_phrase(words, fact, turn, None, verb=False)
    if not told and not about_it and not frozenset(stems(fact.subject)) & frozenset(stems(head)):
        return None
    if re.search(r"\b(?:i|we)\b", re.sub(r"^.*\bthat\b", "", head), re.IGNORECASE):
        return None
    return named_phrase(words, fact, turn, None, verb=False)


def _became(turn: SaidTurn, fact: KnownFact, plain: str, clause: Clause) -> re.Match[str] | None:
    """Find "went vegan" and its like, by which a taste for cheese ended."""
    if fact.attribute not in ("likes", "habit") or fact.kind == "event":
        return None
    found = _BECAME.search(clause.text)
    if found is None or DOUBLED.search(clause.text):
        return None
    if not _spoken(turn, fact, clause, found):
        return None
    if speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + found.start()) != "subject":
        return None
    about = core_of(fact)
    return found if any(covers(word, about) for word in stems(IMPLIED.get(found["what"].lower(), ""))) else None
