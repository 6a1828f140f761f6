"""What an end is about: the phrase after "gave up" or before "died", measured against a known fact.

A phrase names a fact where it is the fact's object or a topic above it, and nothing narrower: "the caravan" is not
"the motorbike", "coffee on Mondays" is not "coffee".
"""

from __future__ import annotations

import re
from typing import Final

from memgraph.drafts import KnownFact, SaidTurn
from memgraph.writing.clauses import Clause, key, stem_set, stems
from memgraph.writing.enders import VERBS
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.persons import PERSON, same
from memgraph.writing.remembered import of_facts, of_turns
from memgraph.writing.topics import covers, names

_PREPOSITIONS: Final = any_of(
    "for at in with to on from by after before near during into onto outside inside behind beside over under about"
    " around behind until between every each"
)
BOUNDARY: Final = re.compile(
    rf"\s+(?:{_PREPOSITIONS}|put|because|so|and|but|or|when|since|if|last|this|these|yesterday|today|now|nowadays"
    rf"|any ?more|years?|months?"
    r"|weeks?|days?|instead|as|than|that|which|who|while|due|without|completely|altogether|entirely|forever|cold"
    r"|at all|either|again"
    r"|once|away|myself|ago|anyway|already|except|unless|only|though|long|back|early|for good)\b|[.!?,;:]",
    re.IGNORECASE,
)
_HAPPENED: Final = (
    r"(?:i|we|he|she|they|(?:my|our|the) \w+) (?:moved|married|retired|arrived|died|finished|turned|graduated|started"
    r"|joined|left|met|had|got|was born|came along|became|found out|fell pregnant|learned|learnt|heard|realised"
    r"|realized)\b"
)
"""What dates an end, where "when I travel" would leave some of it."""
_STILL_SOME: Final = compiled(
    r"\bon (?:\w+ )?(?:mon|tues|wednes|thurs|fri|satur|sun|week|work|school|race|rest|game|holi)\w*days\b"
    r"|\bon a \w+day\b|\bon (?:week|work|school)\w+s\b",
    r"\b(?:on|at) (?:the )?weekends?\b|\bin the (?:morning|evening|afternoon|night|winter|summer|shower|car|bath"
    r"|house)s?\b",
    r"\b(?:after|before|past) (?:\d|lunch|dinner|work|noon|dark|breakfast|midnight|bed|six|five|four|eight|nine|ten"
    r"|three|two|sunset)\w*",
    r"\b(?:at|in|from) (?:home|night|work|lunch|dinner|breakfast|bed|school|the office|the pub|restaurants?|public)\b"
    rf"|\bduring\b|\bwhen\b(?! {_HAPPENED})|\bwhile\b",
    r"\b(?:so|as|too|that|very|quite) (?:much|many|often|hard|far|late|long|early|a lot)\b|\b(?:except|unless|only"
    r"|just|apart from|other than)\b",
    r"\b(?:early|halfway|half-way|before the end)\b",
    r"\b(?:every day|daily|every week|each|between|alone|by myself|without|so much|as much|too much|too many|enough"
    r"|any old|that often)\b",
)
_WHERE: Final = re.compile(
    r"\s+(?:with\b|(?:in|at|on|from|to|into|near|along|by|under|around)\s+(?!(?:early |late |mid-?)?"
    rf"{any_of('january february march april may june july august september october november december')}\b"
    rf"|(?:the )?{any_of('spring summer autumn fall winter new_year end start beginning first last')}\b"
    r"|\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|christmas|easter|years|months|weeks|ages|days|a while|forever"
    r"|order|favou?r|protest|disgust|doctor|medical|advice|one go|my own|purpose))"
    r"(?P<where>[^.!?,;]*)",
    re.IGNORECASE,
)
_ANY_MORE: Final = compiled(r"\b(?:any ?more|any longer|these days|nowadays)\b")
_LEAD: Final = re.compile(
    rf"\s*(?:(?:{any_of('live living work working eat eating drink drinking play')}"
    rf"|(?:{any_of('playing go going belong')}|{any_of('belonging sing singing listen listening')}))"
    rf"|(?:{any_of('train training study studying teach teaching drive')}"
    rf"|{any_of('driving learn learning date dating allergic intolerant')})"
    rf"|(?:a |any )?{any_of('interest friends part member fan keen interested involved married engaged fond')})?"
    rf"(?:\s+to)?(?:\s*\b{_PREPOSITIONS}|\s+of)?(?=\s)",
    re.IGNORECASE,
)
_PRONOUN_LAST: Final = re.compile(r"\b(?:it|them|those|that|there|him|her|both)\W*$", re.IGNORECASE)
_PRONOUN: Final = re.compile(r"^\W*(?:it|them|those|that|there|him|her|both|all of (?:it|them))\W*$", re.IGNORECASE)
ANOTHERS: Final = re.compile(
    rf"\b(?:his|her|their|your|its)\b|\b(?:my|our|the|a|an)\s+(?:[\w-]+\s+)?{PERSON}'s?\s"
    rf"|\b(?P<name>(?-i:[A-Z][\w-]*))'s\s+\w",
    re.IGNORECASE,
)
NEUTRAL: Final = frozenset(
    stem
    for word in (
        "old whole entire damn damned bloody beloved poor last lovely dear good little big entire actual own trusty"
        " faithful really finally sadly"
        " unfortunately completely fully officially totally altogether entirely simply well yes also even still ever"
        " any every all both"
        " yesterday morning evening afternoon night week month year day monday tuesday wednesday thursday friday"
        " saturday sunday keys key"
        " habit habits thing things stuff kind sort news eventually honestly truth member fan now anymore more longer"
        " that's one ones"
        " happily guess turns out one two three four five six seven eight nine ten forever good new oh ok okay alas"
        " just so sorry"
    ).split()
    for stem in stems(word)
)
_GEAR: Final = frozenset(
    stems(
        "boots racket gloves lessons lesson practice sessions session classes class membership rehearsals training"
        " team account subscription app"
    )
)
VERB_STEMS: Final = {stem: attributes for verb, attributes in VERBS.items() for stem in stems(verb)}
TRAVEL: Final = frozenset(
    stems(
        "trip journey travel travelling flight fly flying holiday vacation visit visiting tour cruise train drive going"
    )
)
"""What a journey is called in general: "the Oslo trip" is "flying to Oslo"."""
_DENIALS: Final = frozenset(stems("no not longer"))
_OWN: Final = re.compile(r"\b(?:my|our|mine|ours)\b", re.IGNORECASE)


@of_turns
def cut_phrase(tail: str) -> str:
    """Return what ended, from what follows the words that end it: "working for X because" gives "working for X"."""
    lead = _LEAD.match(tail)
    at = lead.end() if lead else 0
    found = BOUNDARY.search(tail, at)
    return tail[: found.start()] if found else tail


def named_phrase(
    text: str, fact: KnownFact, turn: SaidTurn, before: Clause | None, *, verb: bool
) -> frozenset[str] | None:
    """Return the stems of a phrase if it names the fact's object or topic and nothing narrower, else None."""
    told = same(fact.subject, turn.speaker)
    if any(told or found["name"] is None and found.group().lower() not in ("his", "her", "their")
           for found in _others(text) if not _of_subject(found, fact)):  # fmt: skip
        return None
    if not told and _OWN.search(text):
        return None
    words = _words(text)
    subject = stem_set(fact.subject)
    about, core = about_of(fact), core_of(fact)
    while verb and words and words[0] in VERB_STEMS and words[0] not in core:
        if fact.attribute not in VERB_STEMS[words[0]].split() and fact.attribute != "other" and words[0] not in about:
            return None
        if len(words) == 1 and not _PRONOUN_LAST.search(text):
            break
        words = words[1:]
    content = [word for word in words if word not in NEUTRAL and word not in subject]
    if fact.attribute in ("plan", "event", "goal"):
        content = [word for word in content if word not in TRAVEL or word in about or TRAVEL.isdisjoint(about)]
    if not content:
        pronoun = _PRONOUN.match(
            re.sub(
                r"^.*\b(?:\w+ing|for|at|in|with|of|on|live|work|to|eat|drink|have|like|own|drive|play|use"
                r"|mind)\s+(?=\w+\W*$)",
                "",
                text,
            )
        )
        if pronoun is None or before is None:
            return None
        named = frozenset(stems(before.text))
        return frozenset() if named & core or any(covers(word, core) for word in named) else None
    if fact.attribute in ("hobby", "habit", "skill", "language", "study", "likes"):
        content = [word for word in content if word not in _GEAR or word in about]
    if not all(_near(word, about) or covers(word, core) or names(word, fact.attribute) for word in content):
        return None
    if not any(_near(word, core) or covers(word, core) or names(word, fact.attribute) for word in content):
        return None
    return frozenset(content)


def some_left(tail: str, fact: KnownFact) -> bool:
    """Tell whether what follows leaves some of it: "on Fridays", "so much"; not where the fact itself says so."""
    about = about_of(fact)
    return any(not words or not words <= about for words in _left(tail))


@of_turns
def _left(tail: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(stems(found.group())) for found in _STILL_SOME.finditer(tail))


@of_turns
def _others(phrase: str) -> tuple[re.Match[str], ...]:
    return tuple(ANOTHERS.finditer(phrase))


@of_turns
def _words(phrase: str) -> tuple[str, ...]:
    return tuple(stems(phrase))


def narrowed(rest: str, fact: KnownFact) -> bool:
    """Tell whether what follows narrows what ended: "swimming in the indoor pool", "tennis with Tom"."""
    if fact.attribute not in ("habit", "hobby", "likes", "dislikes", "diet", "skill", "preference"):
        return False
    found = _WHERE.match(rest)
    if found is None:
        return False
    where = _ANY_MORE.sub("", found["where"])
    return not frozenset(stems(where or "x")) <= about_of(fact) | stem_set(fact.object) | stem_set(fact.text)


def about_of(fact: KnownFact) -> frozenset[str]:
    """Return every content stem of a fact."""
    return _about(fact.object, fact.text, fact.subject)


@of_facts
def _about(thing: str, text: str, subject: str) -> frozenset[str]:
    return (own_words(thing, subject) | own_words(text, subject)) - _DENIALS


def core_of(fact: KnownFact) -> frozenset[str]:
    """Return the stems of what a fact is about, without place and time: "10 km" of "10 km before breakfast"."""
    if fact.attribute == "allergy":  # of two in one sentence each is its own
        return own_words(fact.object, fact.subject) - _DENIALS or about_of(fact)
    if fact.attribute in ("health", "pet", "possession", "plan", "partner", "residence", "friend", "family"):
        return about_of(fact)
    return _core(fact.object, fact.text, fact.subject)


@of_facts
def _core(thing: str, text: str, subject: str) -> frozenset[str]:
    about = _about(thing, text, subject)
    said = thing + " . " + re.sub(rf"^\W*{re.escape(subject)}\W+", "", text)
    parts = [re.split(rf"\s(?:{_PREPOSITIONS})\s", part, maxsplit=1)[0] for part in (thing, *said.split(" . ")[1:])]
    return (frozenset(stem for part in parts for stem in stems(part)) & about) or about


def own_words(text: str, subject: str) -> frozenset[str]:
    """Return the content stems of a text, without the subject's name."""
    return stem_set(text) - stem_set(subject) - NEUTRAL


def _near(word: str, about: frozenset[str]) -> bool:
    """Tell whether a stem is among others, or begins as one does: "anaemic" and "anaemia"."""
    return word in about or (
        len(word) > 4 and any(len(one) > 4 and (one.startswith(word) or word.startswith(one)) for one in about)
    )


def _of_subject(found: re.Match[str], fact: KnownFact) -> bool:
    """Tell whether a possessive names the subject itself, or stands in the object's own name."""
    name = found["name"]
    return name is not None and (key(name) in key(fact.subject).split() or key(name) in key(fact.object).split())
