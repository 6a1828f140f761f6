"""What somebody says of themselves, told in the third person."""

from __future__ import annotations

import re
from typing import Final

_SHORT: Final = {
    **{"'m": " is", "'re": " is", "'ve": " has", "'ll": " will", " am": " is", " are": " is", " have": " has"},
    **{" were": " was", " don't": " doesn't", " haven't": " hasn't", " do": " does", " aren't": " isn't"},
    **{" weren't": " wasn't", " do not": " does not", " have not": " has not"},
}
_HEAD: Final = re.compile(
    r"'(?:m|re|ve|ll)\b| (?:(?:do|have) not|am|are|have|were|don't|haven't|do|aren't|weren't)(?!\w|')"
)
_ADVERBS: Final = re.compile(
    r"(?: (?:just|really|still|now|also|already|finally|recently|currently|actually|always|only|never|usually|often"
    r"|mostly|generally|even|truly|absolutely|officially|normally|sometimes|both|so|no longer|honestly|\w+ly))*"
)
_WORD: Final = re.compile(r" ([a-z]+)\b(?!')")
_UNCHANGED: Final = frozenset(
    "can could will would shall should must might may had was is has does did went ran swam met saw made won lost"
    " left quit got bought sold broke tore hurt flew drove gave took became spent sang taught led wrote read paid sent"
    " fell caught found built knew kept cut put set let hit felt thought told said came began chose drank ate slept"
    " spoke"
    " stood stuck threw wore grew held brought used been gone done hung rang rode shot stole struck swore cannot won't"
    " can't couldn't didn't didn rescued sewed rose woke beat bet burnt burst cost crept dealt dug fought forgot froze"
    " heard laid learnt lent lit meant sat shook shut spilt split spread sprang swept swung understood wound".split()
)
_AND: Final = re.compile(
    r"((?:,| and| but| or)(?: (?:then|also|never|always|just|still|often|usually|sometimes|even|now))*)"
    r" (say|go|get|eat|make|take|keep|give|know|think|bring|write|read|buy|sell|live|have|do|don't|want|listen"
    r"|carry|send"
    r"|pay|teach|learn|try|wear|bake|tell|ask|put|feel|spend|speak|meet|sit|leave|become|grow|believe|enjoy|prefer|own"
    r"|wake|commute|see|hear|am)\b(?! (?:of|and)\b)"
    r"|( but| and)"
    r" ((?:like|love|hate|need|drink|cook|play|walk|run|swim|drive|ride|use|help|watch|work|visit|paint|study)"
    r"(?= (?:the|a|an|my|our|no|some|it|them|him|her|two|three|every)\b)|(?<=but )(?:like|love|hate|need)\b)"
)
_INFINITIVE: Final = re.compile(
    r" (?:to(?! (?:the|a|an|my|our|your|his|her|their|every|each|work|school|town|bed|lunch|church|[A-Z]))|can"
    r"|could|will|would|should|must|might|may|let|lets|help|helps|make \w+|makes \w+|did|does|do|don't|didn't"
    r"|doesn't|cannot|can't|won't) "
)
_UNSOUND: Final = re.compile(
    r"\b(?:they|them|their) (?:am|is)\b|\b(?:is|has|was) (?:am|are|have)\b| (?:and|or|but) (?:am|'m|'ve|'ll)\b|\bI\b"
)
_NO_PAST: Final = frozenset("need feed speed bleed breed seed weed heed succeed proceed embed shed wed".split())
_PERSONAL: Final = (
    (re.compile(r"\bI'm\b|\bI am\b"), "they are"),
    (re.compile(r"\bI've\b"), "they have"),
    (re.compile(r"\bI'll\b"), "they will"),
    (re.compile(r"\bI\b"), "they"),
    (re.compile(r"\bwe're\b"), "they are"),
    (re.compile(r"\bwe\b"), "they"),
    (re.compile(r"\b(?:my|our)\b"), "their"),
    (re.compile(r"\b(?:My|Our)\b"), "Their"),
    (re.compile(r"\b(?:me|us)\b"), "them"),
    (re.compile(r"\b(?:mine|ours)\b"), "theirs"),
    (re.compile(r"\b(?:myself|ourselves)\b"), "themselves"),
)


def possessive(name: str) -> str:
    """Return "Maren's"."""
    return f"{name}'s"


def shown(subject: str) -> str:
    """Return how a subject is called in a sentence: one without a name is "The user"."""
    return "The user" if subject == "user" else subject


def personal(words: str) -> str:
    """Return words of a speaker with "my" as "their" and its like."""
    words = words.replace("\u2019", "'")
    for pattern, other in _PERSONAL:
        words = pattern.sub(other, words)
    return words


def told(subject: str, rest: str, *, first_person: bool) -> str:
    """Return what is said of a subject as a sentence without its stop.

    Args:
        subject: The name to tell it by.
        rest: What follows the subject in the turn, with its leading space or apostrophe.
        first_person: Whether the subject was "I" or "we", so that the verb changes.
    """
    rest = rest.replace("\u2019", "'")
    if first_person:
        rest = _conjugated(rest)
    return f"{shown(subject)}{personal(rest)}".strip()


def _conjugated(rest: str) -> str:
    """Turn the first verb into the third person."""
    adverbs = _ADVERBS.match(rest)
    at = adverbs.end() if adverbs else 0
    head = _HEAD.match(rest, at)
    if head:
        after = rest[head.end() :]
        plain = head.group().strip() not in ("do", "do not", "don't")
        return f"{rest[:at]}{_SHORT[head.group()]}{_joined(after) if plain else after}"
    word = _WORD.match(rest, at)
    if word is None:
        return rest
    verb = word[1]
    if verb in _UNCHANGED or (verb.endswith("ed") and verb not in _NO_PAST):
        return rest
    if verb.endswith(("s", "sh", "ch", "x", "o", "z")):
        verb += "es"
    elif verb.endswith("y") and verb[-2:-1] not in "aeiou":
        verb = f"{verb[:-1]}ies"
    else:
        verb += "s"
    return f"{rest[:at]} {verb}{_joined(rest[word.end() :])}"


def _joined(rest: str) -> str:
    """Turn the verbs that follow an "and" into the third person too: "carries two pens and says no"."""

    def turned(found: re.Match[str]) -> str:
        if _INFINITIVE.search(rest[: found.start() + 1]):
            return found.group()
        return f"{found[1] or found[3]}{_conjugated(f' {found[2] or found[4]}')}"

    return _AND.sub(turned, rest)


def sound(words: str) -> bool:
    """Tell whether a sentence in the third person holds together: no "I" is left that a verb still agrees with."""
    return _UNSOUND.search(words) is None
