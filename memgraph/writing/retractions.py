"""Does a turn explicitly take back what a known fact says: a joke, a slip, something that never was?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from memgraph.drafts import KnownFact, SaidTurn
from memgraph.writing.clauses import LOOK, Clause, clauses, stems, unquoted
from memgraph.writing.endings import DENIAL, DOUBLED, Ending, ending
from memgraph.writing.patterns import Phrases, any_of, compiled
from memgraph.writing.persons import same, speaks_of
from memgraph.writing.phrases import own_words
from memgraph.writing.remembered import of_turns
from memgraph.writing.topics import covers

_RETRACTS: Final = Phrases(
    r"\b(?:was|were) (?:only |just |obviously |totally )?(?:joking|kidding|teasing|messing|lying|pulling your leg"
    r"|winding you up|making (?:it|that) up)\b",
    r"\b(?:was|were|is|'s|it's) (?:just |only |all )?(?:a )?(?:joke|lie|typo|prank|slip|wind-?up|fib)\b",
    r"\b(?:that|it|this|which)(?:'s| is| was|'s been) (?:not true|untrue|false|wrong|a mistake|a lie|not right"
    r"|incorrect)\b|\b(?:isn't|wasn't) (?:true|right|correct)\b",
    r"\bmade (?:that|it|her|him|them|the \w+) up\b|\bmade up (?:the|that|my|a|our)\b|\bi lied\b|\btypo\b"
    r"|\b(?:i )?meant\b|\bcorrection\b|\bscratch that\b|\bmy mistake\b|\bautocorrect\w*\b",
    r"\b(?:ignore|forget|disregard|strike|take back) (?:what|that|my|everything)\b|\bmis(?:spoke|remembered|read"
    r"|typed|heard|said|stated|counted)\b",
    r"\b(?:i|we) (?:was|were|got (?:it|that|this)|had (?:it|that)|said (?:it|that)|wrote|typed"
    r"|told you)(?: \w+){0,3} (?:wrong|mistaken|mixed up|muddled|confused)\b|\bmixed (?:it |them |that |things )?up\b",
    r"\b(?:i|we)(?:'ve| have)? (?:actually |really )?never (?:been|had|was|were|lived|worked|owned|said|liked|did"
    r"|studied|have|played|met|married|went)\b|\bnever (?:existed|happened)\b",
    r"\bthere (?:is|was|'s) no(?: such)?\b|\bnever was\b|\bnot? actually\b|\bfake\b|\binvented\b"
    r"|\b(?:i )?should have (?:said|written|typed|put)\b",
    r"\bfibb?(?:ed|ing)?\b|\b(?:having|had) (?:you|everyone|you all) on\b|\bdon't believe\b|\bnone of (?:it|that)\b"
    r"|\bhoax\b|\bspoof\b|\bi take (?:it|that) back\b",
    r"\bmistyped\b|\bwrong (?:date|name|number|town|city|address|day|month|year|one|word)\b|\bno,? wait\b"
    r"|\bnot (?:what|how) i (?:said|wrote)\b|\bby mistake\b|\bexaggerat\w+\b|\bshowing off\b|\b(?:i|we) pretended\b"
    r"|\bwasn't me\b|\b(?:wasn't|was not) serious\b|\b(?:doesn't|don't|does not|didn't|never) exist(?:ed)?\b"
    r"|\b(?:isn't|aren't|not|wasn't) real\b|\bfiction\b|\bmade-up\b|\bdream(?:ed|t) (?:\w+ ){1,3}up\b",
    r"\bwrong (?:chat|window|person|thread)\b|\bmeant for\b|\btest message\b|\bapril fool\w*|\b(?:for|as) a (?:laugh"
    r"|dare|joke|prank)\b|\btall tale\b|\bwhite lie\b",
    r"\bbluff\w*\b|\bwrong about\b|\bgot [\w ]{1,20} wrong\b|\bwine talking\b|\bnot a word of (?:it|that)\b"
    r"|\b(?:using my account|had my phone|hacked)\b|^\W*i (?:wrote|typed|put) [\w ]{1,20}$",
)
_MEANT: Final = compiled(
    r"\b(?:joking|kidding|teasing|messing|lying|joke|lie|typo|prank|slip|lied|fake|fiction|bluff)\b"
)
_PROVED: Final = any_of(
    "test tests doctor doctors diagnosis result results clinic gp allergist lab hospital nurse letter"
)
_DISPROVED: Final = Phrases(
    rf"\b{_PROVED}(?:'s|'d| was| were| is| are| has| had| have)? (?:been |got (?:it|that|this|me) |had (?:it|that"
    rf"|this) )?"
    rf"(?:all |just |simply |plain )?(?:wrong|mistaken|a mistake|mixed up|in error|incorrect|false)\b",
    r"\bmisdiagnos\w+|\bfalse (?:alarm|positive|result|diagnosis)\b|\bwrong diagnosis\b",
    r"\b(?:i|we|he|she|they)(?:'ve| have| has|'s)? never (?:was|were|been|had been|had|did)\b(?=\W*$|[.,;!])",
    r"\b(?:it|that|this)(?:'s| was| had been| has been) (?:all |just )?(?:a mistake|an error|wrong|never true|a mix-up"
    r"|a misdiagnosis|a misunderstanding)\b(?! to\b)",
)
"""By which what was believed turns out never to have been so."""
_ABOUT: Final = compiled(r"\bwrong about (?P<what>(?!(?:it|that|this|everything|all)\b).+)")
_NEVER: Final = compiled(r"\bnever (?:was|were|have|had|did|been|have been)\W*$")
_OVER_NOW: Final = compiled(r"\b(?:any ?more|no longer|any longer|these days|nowadays|now)\b")
_NEARBY: Final = 120
"""Characters after a denial in which its reason is looked for."""
_TRUE_THAT: Final = compiled(
    r"\b(?:true|right|correct|wrong|false|joking|kidding|messing|teasing) (?:that (?!i\b|we\b)|with\b|around\b)"
)
_IF: Final = compiled(r"\b(?:if|would|will|might|may|maybe|perhaps)\b|'ll\b")
_JUST_NOW: Final = compiled(
    r"\b(?:just|only) (?:joking|kidding|messing)\b|\b(?:i'm|i am) (?:joking|kidding)\b|\bnot really\b"
)


@of_turns
def _may_retract(text: str) -> bool:
    return any(_RETRACTS.stands_in(clause.text) for clause in clauses(text))


@of_turns
def _said(plain: str) -> frozenset[str]:
    return frozenset(stems(plain))


def retraction(turn: SaidTurn, fact: KnownFact, start: int = 0, stop: int | None = None) -> Ending | None:
    """Return where a turn explicitly takes back what a fact says, None where it doesn't."""
    if turn.role == "assistant" or turn.origin == "assistant":
        return None
    if fact.attribute == "allergy" and DENIAL.match(fact.object):
        return None  # what takes back an allergy says so again
    if (found := _disproved(turn, fact, start, stop)) is not None:
        return found
    if not _may_retract(turn.text[:LOOK]):
        return None
    plain = unquoted(turn.text)
    stop = len(plain) if stop is None else stop
    about = own_words(fact.object, fact.subject)
    said = _said(plain)
    if not any(word in said for word in about) and not any(covers(word, about) for word in said):
        return None
    if fact.kind == "event" and not all(word in said for word in about):
        return None  # "I never was" takes back no trip because "went" was said too
    told = same(fact.subject, turn.speaker)
    for number, clause in enumerate(clauses(turn.text)):
        # The value's own name is nobody who acts: "Basque wasn't true".
        clause = replace(
            clause,
            text=re.sub(
                r"\w+",
                lambda word: word.group().lower() if about & set(stems(word.group())) else word.group(),
                clause.text,
            ),
        )
        match = _RETRACTS.search(clause.text)
        if (
            match is None
            or clause.asked
            or not (start <= clause.start + match.start() and clause.start + match.end() <= stop)
        ):
            continue
        if _MEANT.search(match.group()) and DOUBLED.search(clause.text[: match.start()]):
            continue
        if (of := _ABOUT.search(clause.text)) and about.isdisjoint(stems(of["what"])) and stems(of["what"]):
            continue  # "wrong about my iron" is of the iron
        if _NEVER.search(clause.text) and about.isdisjoint(stems(plain[: clause.end])):
            continue  # "I never was" is of what was said before it
        # "Sold it. Just kidding!" takes back what the turn itself said, not what was said before.
        if _JUST_NOW.search(plain) and number > 0:
            continue
        if _IF.search(clause.before + clause.text):
            continue
        if (
            not told
            and speaks_of(fact.subject, turn.speaker, plain, clause, clause.end) == "other"
            and not _first(clause.text)
        ):
            continue
        if told and _TRUE_THAT.search(clause.text):
            continue
        if told and speaks_of(fact.subject, turn.speaker, plain, clause, clause.start + match.end()) == "other":
            continue
        return Ending(turn.text[clause.start : clause.end].strip(), about)
    return None


def _disproved(turn: SaidTurn, fact: KnownFact, start: int, stop: int | None) -> Ending | None:
    """Return where a fact is denied because it was wrong all along: "I'm not allergic to nuts, the test was wrong"."""
    plain = unquoted(turn.text)
    if fact.kind != "state" or not _DISPROVED.stands_in(plain):
        return None
    found = ending(turn, fact, start, stop)
    if found is None or not found.phrase or _OVER_NOW.search(found.quote):
        return None
    clause = next((one for one in clauses(turn.text) if turn.text[one.start : one.end].strip() == found.quote), None)
    if clause is None:
        return None
    after = plain[clause.end : clause.end + max(_NEARBY, len(clause.after))]
    return found if _DISPROVED.stands_in(clause.before) or _DISPROVED.stands_in(after) else None


def correction(turn: SaidTurn, said: Clause) -> Ending | None:
    """Return where the sentence of a clause takes back what was said before: "I misread it: it ends in 77".

    Args:
        turn: The turn.
        said: The clause that plainly says another value of the same single attribute, which is what is taken back.
    """
    if turn.role == "assistant" or turn.origin == "assistant" or _JUST_NOW.search(unquoted(turn.text)):
        return None
    plain = unquoted(turn.text)
    first, last = said.start - len(said.before), said.end + len(said.after)
    for clause in clauses(turn.text):
        match = _RETRACTS.search(clause.text) if first <= clause.start < last and clause.start != said.start else None
        if match is None or clause.asked or _IF.search(clause.before + clause.text) or _TRUE_THAT.search(clause.text):
            continue
        # What others took back is not what was said here.
        who = speaks_of(turn.speaker, turn.speaker, plain, clause, clause.start + match.end())
        if who != "other" and not DOUBLED.search(clause.text[: match.start()]):
            return Ending(turn.text[clause.start : clause.end].strip(), frozenset())
    return None


def _first(text: str) -> bool:
    return re.search(r"\bi\b", text, re.IGNORECASE) is not None
