"""What to do with a draft, without a model: by what is known and by rules on the turn's own words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from memgraph.drafts import Decision, FactDraft, KnownFact, SaidTurn
from memgraph.records import OPEN
from memgraph.writing.assertions import Assertion, asserts
from memgraph.writing.attributes import single
from memgraph.writing.clauses import key, stem_set, stems
from memgraph.writing.endings import ending
from memgraph.writing.gate import brings, corrected, denies, refines, why_not_changed
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.persons import same
from memgraph.writing.phrases import VERB_STEMS
from memgraph.writing.remembered import of_facts
from memgraph.writing.retractions import retraction
from memgraph.writing.topics import covers, reach, related

_WORK: Final = ("employer", "occupation")
_DAY: Final = 86_400_000_000
_NEGATIVE: Final = compiled(
    r"\b(?:no|not|never|none|neither|without|stop|stopped|quit|given up|gave up|packed in|free|former|ex|non)\b",
    r"n['\u2019]t\b",
)
_NOT_ENDED: Final = compiled(
    r"(?:\b(?:not|never|hardly)|n['\u2019]t)(?: \w+){0,2} (?:stop|stopped|quit|give up|given up|packed? in|given? it"
    r" up)\b"
)
_AGO: Final = re.compile(
    rf"\b(?:\d{{1,3}}|{any_of('a an one two three four five six seven eight nine ten some many few several')})"
    rf" {any_of('days? weeks? months? years?')} (?:ago|back)\b",
    re.IGNORECASE,
)


def fact_hash(draft: FactDraft | KnownFact) -> str:
    """Return a digest of what is stated: subject, attribute and object, however they are written."""
    return _hash(draft.subject, draft.attribute, draft.object)


@of_facts
def _hash(subject: str, attribute: str, thing: str) -> str:
    words = stems(thing)
    said = [word for word in words if word not in VERB_STEMS] or words
    parts = (key(subject), attribute, " ".join(said) or key(thing) or thing)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def candidates(draft: FactDraft, known: Sequence[KnownFact]) -> list[KnownFact]:
    """Return the facts that a draft could concern: those of its subject with its attribute, its words or its topic."""
    about = _reach(draft.object, draft.text, draft.subject)
    return [
        fact
        for fact in known
        if same(fact.subject, draft.subject)
        and (fact.attribute == draft.attribute or not about.isdisjoint(_reach(fact.object, fact.text, fact.subject)))
    ]


# Facts are read again with every batch; what they are about does not change.
@of_facts
def _reach(thing: str, text: str, subject: str) -> frozenset[str | int]:
    return reach((stem_set(thing) | stem_set(text)) - stem_set(subject))


def settled(draft: FactDraft, known: Sequence[KnownFact]) -> Decision | None:
    """Decide what needs neither model nor rules: the same statement is NOOP, what concerns nothing known is ADD."""
    if (again := _said_again(draft, known)) is not None:
        return again
    return None if candidates(draft, known) else Decision("ADD", reason="nothing known that it concerns")


def _said_again(draft: FactDraft, known: Sequence[KnownFact]) -> Decision | None:
    for fact in known:
        if fact.attribute != draft.attribute or not (fact.valid_to == OPEN or _past(draft, fact)):
            continue
        if same(fact.subject, draft.subject) and fact_hash(fact) == fact_hash(draft) and not _apart(draft, fact):
            return Decision("NOOP", target=fact.alias, reason="the same statement")
    return None


def propose(draft: FactDraft, turn: SaidTurn, known: Sequence[KnownFact]) -> Decision:
    """Decide by rules alone what to do with a draft. The gate still rules on it.

    Args:
        draft: What was extracted.
        turn: The turn that says it.
        known: What is known; facts of other subjects are left alone.

    Returns:
        The decision; its target is the first fact that it concerns.
    """
    concerned = [fact for fact in candidates(draft, known) if fact.valid_to == OPEN]
    for fact in concerned:
        found = retraction(turn, fact)
        if found is not None and not _attached(draft, fact, found.phrase):
            found = None
        if found is not None or (found := corrected(draft, turn, fact)) is not None:
            return Decision("DELETE", "retracted", fact.alias, "it was never true", found.quote)
    for fact in concerned:
        if why_not_changed(draft, turn, fact) == "":
            return Decision("UPDATE", "change", fact.alias, "another value of the same attribute")
    for fact in concerned:
        if (found := ending(turn, fact)) and _attached(draft, fact, found.phrase):
            replaced = (
                draft.attribute == fact.attribute
                and (single(fact.attribute) or fact.kind == "plan")
                and brings(draft, fact)
            )
            if replaced or (found.moves and draft.attribute == fact.attribute):
                return Decision("UPDATE", "change", fact.alias, "the turn says what took its place", found.quote)
            return Decision("DELETE", "ended", fact.alias, "the turn says that it ended", found.quote)
    if (again := _said_again(draft, known)) is not None:
        return again
    begins = turn.said_at if draft.valid_from is None else draft.valid_from
    if any(denies(fact, draft) and fact.valid_from > begins for fact in concerned):
        return Decision("NOOP", reason="what was said later denies it")
    said = asserts(draft, turn)
    ahead = said.mood == "plan" and single(draft.attribute)
    late = draft.valid_to is not None or (
        draft.valid_from is not None and any(draft.valid_from < fact.valid_from for fact in concerned)
    )
    doubted = said.doubted and not (said.mood == "negated" and _negative(draft) and not _denied(said))
    if draft.kind == "state" and not late and (doubted or ahead):
        return Decision("NOOP", reason=f"the turn does not say so ({said.mood})")
    for fact in concerned:
        if refines(draft, fact, turn):
            return Decision("UPDATE", "refine", fact.alias, "the same in more detail")
    return Decision("ADD", reason="nothing known says so" if concerned else "nothing known that it concerns")


def all_ended(draft: FactDraft, turn: SaidTurn, known: Sequence[KnownFact]) -> list[Decision]:
    """Return a decision for every fact that the turn ends by what a draft says: every dish of meat, not one."""
    return [
        Decision("DELETE", "ended", fact.alias, "the turn says that it ended", found.quote)
        for fact in (*candidates(draft, known), *_of_one_job(draft, known))
        if fact.valid_to == OPEN
        and (found := ending(turn, fact))
        and not found.moves
        and _attached(draft, fact, found.phrase)
    ]


def _of_one_job(draft: FactDraft, known: Sequence[KnownFact]) -> list[KnownFact]:
    """Return the occupations that a draft of an employer does not seem to concern: who quits a job is both no more."""
    if draft.attribute not in _WORK:
        return []
    near = {fact.alias for fact in candidates(draft, known)}
    return [
        fact
        for fact in known
        if fact.attribute in _WORK and fact.alias not in near and same(fact.subject, draft.subject)
    ]


def late_end(draft: FactDraft, turn: SaidTurn, known: Sequence[KnownFact]) -> int | None:
    """Return where late news ends by itself: at the beginning of the next newer value of the same single attribute.

    A fact that was closed where it began never held and ends nothing.

    Returns:
        Microseconds UTC; None where nothing newer is known, or the draft says itself when it ends.
    """
    begins = turn.said_at if draft.valid_from is None else draft.valid_from
    if draft.valid_to is not None:
        return None
    newer = [
        fact.valid_from
        for fact in known
        if begins < fact.valid_from < fact.valid_to and why_not_changed(draft, turn, fact) == "the news is older"
    ]
    return min(newer, default=None)


def over(draft: FactDraft, turn: SaidTurn) -> bool:
    """Tell whether a turn ends or takes back what a draft states as if it held: "I no longer work at X".

    "Eats no meat" and "stopped smoking" hold; an event has happened; what says itself that it is over may be kept.
    """
    if draft.kind == "event" or _NEGATIVE.search(draft.object):
        return False
    if draft.valid_to is not None and draft.valid_to <= turn.said_at:
        return False
    turn = replace(turn, text=_AGO.sub(lambda found: " " * len(found.group()), turn.text))
    fact = KnownFact("", draft.subject, draft.attribute, draft.object, "", draft.kind, min(0, turn.said_at))
    at = turn.text.find(draft.quote)
    start, stop = (at, at + len(draft.quote)) if draft.quote and at >= 0 else (0, None)
    if retraction(turn, fact, start, stop):
        return True
    found = ending(turn, fact, start, stop)
    if found is None:
        return False
    value = stem_set(draft.object)
    return (
        (not found.phrase and not asserts(draft, turn).plain)
        or not found.phrase.isdisjoint(value)
        or any(covers(word, value) for word in found.phrase)
        or any(not found.phrase.isdisjoint(stems(word)) for word in _before(draft.object, found.quote))
    )


def _before(thing: str, quote: str) -> list[str]:
    """Return the words that a value belongs to: "job" of "my job at Acme"."""
    return re.findall(rf"(\w+) (?:at|with|for|in|of|as) (?:the |a |an |my )?{re.escape(thing)}", quote, re.IGNORECASE)


def _negative(draft: FactDraft) -> bool:
    """Tell whether a draft's value is one that is said by a negation: "don't eat pork", what is disliked."""
    return draft.attribute == "dislikes" or _NEGATIVE.search(draft.object) is not None


def _denied(said: Assertion) -> bool:
    """Tell whether a clause denies the very negation: "haven't stopped eating meat"."""
    return said.clause is not None and _NOT_ENDED.search(said.clause.text) is not None


def _apart(draft: FactDraft, fact: KnownFact) -> bool:
    """Tell whether the same words speak of another time: an event of another day, a state that was over before."""
    if draft.valid_to is not None and draft.valid_to <= fact.valid_from:
        return True
    return draft.kind == "event" and draft.valid_from is not None and abs(draft.valid_from - fact.valid_from) > _DAY


def _past(draft: FactDraft, fact: KnownFact) -> bool:
    """Tell whether a draft speaks of the time of a fact that is over: an event stays one, a state if it is dated so."""
    if draft.kind == fact.kind == "event":
        return True
    dated = draft.valid_from is not None and draft.valid_to is not None
    return dated and fact.valid_from <= (draft.valid_from or 0) and (draft.valid_to or OPEN) <= fact.valid_to


def _attached(draft: FactDraft, fact: KnownFact, phrase: frozenset[str]) -> bool:
    """Tell whether an end that the turn speaks of is what this draft is about, not another sentence's matter."""
    about = frozenset(stems(f"{draft.object} {draft.text}"))
    return (
        draft.attribute == fact.attribute
        or bool(phrase & about)
        or related(phrase, about - frozenset(stems(draft.subject)))
    )
