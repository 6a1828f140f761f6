"""What holds only in part: in summer, on weekdays, half the year. It takes no other's place.

Who lives in Bergen in winter may well live in Oslo: a value that a sentence limits to a season, to days or to
occasions is no plain value of an attribute that has one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from memgraph.writing.clauses import Clause
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.remembered import of_turns

_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH: Final = any_of(
    "january february march april may june july august september october november december".replace(" may", "")
)
_SEASON: Final = any_of("spring summer autumn winter term semester season holidays vacation lent ramadan christmas")
_UNIT: Final = any_of("days? nights? evenings? mornings? afternoons? weeks? weekends? months? terms? seasons? times?")
_COUNT: Final = any_of(r"\d+ a an one two three four five six seven eight nine ten a_few a_couple_of several some most")
_AGAIN: Final = (
    rf"\b(?:once|twice|thrice|\w+ times) (?:a|an|per|each|every) (?:{_UNIT}|year)\b",
    rf"\bcome (?:{_SEASON}|{_MONTH}|(?-i:May))\b|\bby (?:day|night)\b|\bin my (?:spare|free) time\b",
    rf"\b(?:on|at|over|during) (?:the |most |some |alternate |my )?(?:week-?ends|week-?days|work-?days|{_DAY}s)\b"
    rf"|\bon (?:my )?(?:days off|race days|school days|holiday|vacation|odd days|even days)\b|\bat weekends\b"
    rf"|\b(?:every|each|most|alternate|some)(?: other| second| third| single)? (?:{_UNIT}|years?|{_SEASON}s?|{_DAY}s?"
    rf"|(?-i:{_MONTH.title()}|May)|now and (?:then|again)|so often)\b",
    r"\b(?:half|part|most|much|some|a third|two thirds|a quarter|the rest|one half)(?: of)? (?:the|each|every|my)"
    r" (?:time|year|week|month|day|summer|winter)\b",
    rf"\b{_COUNT} {_UNIT} (?:a|an|per|each|every|of the|of each|out of|in the) (?:{_UNIT}|years?|{_COUNT})\b",
    r"\b(?:on and off|off and on|from time to time|now and (?:then|again)|once in a while|back and forth|to and fro"
    r"|by turns|in turns|seasonally|whenever|wherever|at times|in parts?)\b",
    r"\b(?:(?:in|during|over) )?(?:the )?(?:springs|summers|autumns|winters)\b(?! (?:ago|back)\b)",
    rf"\b(?:from |between )?(?:{_DAY}s?|{_MONTH}|(?-i:May)) (?:to|through|till|until|and) (?:{_DAY}s?|{_MONTH}"
    rf"|(?-i:May))\b",
    r"\b(?:during|in|outside|out of) (?:the )?(?:week|term|term-time|working week|school (?:year|term|holidays)"
    r"|off[- ]season|high season|low season|season|academic year|day|daytime|night-?time)\b",
    r"\b(?:live|lives|living) (?:partly |half )?between\b|\bpartly\b|\bhalf and half\b|\bnot (?:only|just)\b",
)
_USUAL: Final = re.compile(
    r"\b(?:usually|mostly|mainly|often|occasionally|normally|generally|typically|sometimes|mostly|largely|chiefly"
    r"|primarily|always|tend to|tends to|in general|as a rule|for the most part|(?:some|many|most|half|few|none)"
    r" of (?:us|the|my|our))\b",
    re.IGNORECASE,
)
_ALWAYS: Final = re.compile("|".join(_AGAIN), re.IGNORECASE)
_WHILE: Final = compiled(
    r"\b(?:when|while|as long as|whenever|only when|except when) (?:i|we|he|she|they|it|the \w+|my \w+|our \w+|there)"
    r"(?:'m|'re|'s| am| are| is)? (?!moved|was|were|had|did|got|joined|left|became|started|married|met|finished|lost"
    r"|came|heard|found)(?:need|feed|\w+(?<!ed))\b",
)
_SEASONAL: Final = re.compile(
    r"\bduring (?:the|my|our|his|her|this|that) \w+|"
    rf"\b(?:in|over|during|for|through|throughout|all|at|before|after|around) (?:the |each |every )?(?:whole "
    rf"|early |late |mid-? ?)?"
    rf"(?:{_SEASON}|{_MONTH}|(?-i:May)|easter|weekend|week|mornings?|evenings?|afternoons?|nights?"
    rf"|(?:warm|cold|dry|wet|rainy|hot|dark|light) (?:months?|season|half|days))"
    rf"(?: (?:months?|season|time|holidays?|term|and (?:{_MONTH}|{_SEASON})))?\b"
    rf"(?!,? (?:of )?(?:19|20)\d\d| (?:job|school|house|shift))",
    re.IGNORECASE,
)
_AT: Final = re.compile(
    r"\b(?:on (?:stage|air|the radio)|online|in print|to (?:my|his|her) (?:friends|fans|family)|at (?:home|work"
    r"|school|parties|lunch|dinner|breakfast|restaurants)|abroad|in (?:public|private|company)"
    r"|(?:before|after|until) (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|noon|dark|work|lunch|dinner"
    r"|sunset)|on (?:holiday|planes|trips|tour)|for lunch|for breakfast|for dinner)\b",
    re.IGNORECASE,
)
_MORE: Final = compiled(r"[.!?;]|\b(?:and|but|so)\b")
_WHOLE: Final = compiled(
    r"[.!?;]|\b(?:and|but(?! (?:only|just|not|mostly|mainly)\b)|so|because|i|we|he|she|they|it|my|our|the|that"
    r"|this)\b(?! (?:summer|winter|week))"
)
_BEGAN: Final = re.compile(
    r"\b(?:(?!stayed|rented|visited|worked|lived|based|employed|retired|married|engaged|divorced|separated|widowed"
    r"|qualified|trained|need|tired|used|called|settled)\w{2,}ed"
    r"|became|become|quit|sold|left|gave|given|split|made|went|gone|got|let|began|bought|put|took|taken|came|woke"
    r"|found|won|lost|been (?:hired|made|promoted)|(?:have|has|'ve|'s) (?:been|lived|worked|settled|got))\b",
    re.IGNORECASE,
)


@of_turns
def partly(text: str, attribute: str = "", *, began: bool = False) -> re.Match[str] | None:
    """Find where words limit what they say to a part of the time: "in winter", "on weekdays", "every other week".

    Args:
        text: A clause or a sentence.
        attribute: Of which it speaks: who is vegan "at home" is so in part, who works at home isn't.
        began: Whether something is said to have begun, so that "in summer" tells when.
    """
    text = text.replace("\u2019", "'")
    if (found := _ALWAYS.search(text)) is not None:
        return found
    if attribute in ("diet", "religion", "marital_status", "name") and (found := _AT.search(text)) is not None:
        return found
    return None if began or _BEGAN.search(text) else _SEASONAL.search(text)


def rest_of(clause: Clause) -> str:
    """Return what follows a clause in its sentence, up to where somebody or something else is spoken of."""
    return _WHOLE.split(clause.after, maxsplit=1)[0]


def limit(clause: Clause, attribute: str) -> str:
    """Return the words by which a sentence limits what a clause of it says to a part of the time, "" without any."""
    found = within(replace(clause, before=_WHOLE.split(clause.before)[-1]), attribute)
    return found.group().strip() if found is not None else ""


def within(clause: Clause, attribute: str) -> re.Match[str] | None:
    """Find where a sentence limits what a clause of it says; what follows with a verb of its own may speak of more."""
    after = rest_of(clause)
    began = _BEGAN.search(clause.text) is not None
    found = (partly(part, attribute, began=began) for part in (clause.text, clause.before, after) if part)
    return next((one for one in found if one is not None), None)


def meanwhile(clause: Clause) -> bool:
    """Tell whether a sentence says something only for as long as something else goes on: "when I travel"."""
    before, after = _MORE.split(clause.before)[-1], _MORE.split(clause.after, maxsplit=1)[0]
    return _WHILE.search(before + clause.text + after) is not None


@of_turns
def usual(text: str) -> bool:
    """Tell whether words leave exceptions: "usually", "mostly"."""
    return _USUAL.search(text) is not None
