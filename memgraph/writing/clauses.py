"""Sentences and clauses of a turn, with what others said taken out.

Positions are those of the turn's own text: nothing here changes its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from memgraph.projections.tokenizer import tokenize
from memgraph.writing.patterns import any_of, compiled
from memgraph.writing.remembered import of_facts, of_turns

LOOK: Final = 20_000
"""Characters in which statements are looked for: beyond that a text is a document."""

_REMEMBERED: Final = 500
"""Characters of a text whose stems are remembered."""

_LONGEST: Final = 1_000
"""Characters of one sentence: a longer one says nothing plainly."""

_QUOTED: Final = re.compile(
    r"```.{0,20000}?```|\"[^\"\n]{1,2000}\"|\u201c[^\u201d\n]{1,2000}\u201d"
    r"|\u201e[^\u201c\u201d\n]{1,2000}[\u201c\u201d]"
    r"|\u00ab[^\u00bb\n]{1,2000}\u00bb|(?<![\w'])'(?=\w)[^\n]{1,500}?(?<=[\w.,!?])'(?!\w)|^[ \t]*>[^\n]*$",
    re.DOTALL | re.MULTILINE,
)
_UNCLOSED: Final = re.compile(r"[\"\u201c\u201e\u00ab][^\n]*")
_STRAIGHT: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201b": "'"})
_SENTENCE: Final = re.compile(
    r"(?:[^.!?\u2026\n]|(?<=\bMr)\.|(?<=\bMrs)\.|(?<=\bMs)\.|(?<=\bDr)\.|(?<=\bSt)\.|[.](?=\w))+[.!?\u2026]*"
)
_SUBJECTS: Final = any_of("i we he she they it you there my our his her their the a an this that")
_CLAUSE: Final = re.compile(
    r"\s*[,;:()\u2013\u2014]+\s*|\s+--?\s+"
    rf"|\s+(?:and|but|so|because|since(?! my last| his last| her last| i | we )|although|though|while|whereas|yet"
    rf"|which_means)\s+"
    rf"(?=(?:now|then|today|instead|since)\b|{_SUBJECTS}\b|(?-i:[A-Z][a-z]+\s+(?:and\s+I|ha[sd]|is|was|\w+ed)\b))",
    re.IGNORECASE,
)
# What is asked about a statement without putting it in doubt: what goes before or after it.
_FRAME: Final = compiled(
    rf"^\s*(?:and |so |oh,? |hey,? )?(?:did|have|had) i (?:ever |already |not"
    rf" )?{any_of('tell told mention mentioned say said')}"
    r"(?: to)?(?: you)?(?: all)?(?: yet)?(?: already)?(?: that)?\b",
    r"^\s*(?:guess what|you know what|did you (?:know|hear)|have you heard|remember)(?: that)?\b",
)
_TAG: Final = re.compile(
    rf"[,;\u2013\u2014-]\s*(?:{any_of('can_you would_you')} {any_of('believe imagine')} (?:it|that|this)"
    rf"|{any_of('right eh huh ok okay no yes remember you_know you_see who_knew')}"
    r"|(?:how|what) about (?:you|that)"
    rf"|{any_of('is do have did does are was were wo')}(?:n't)? (?:i|it|he|she|they|we|you)(?: think| know"
    rf"| not)?)\s*\?+\s*$",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing.

    Attributes:
        text: Its words; quoted words are blanks, curly apostrophes straight.
        start: Where it begins in the turn.
        before: What stands before it in its sentence.
        after: What stands after it in its sentence.
        asked: Whether its sentence is a question.
    """

    text: str
    start: int
    before: str
    after: str
    asked: bool

    @property
    def end(self) -> int:
        """Where it ends in the turn."""
        return self.start + len(self.text)


def unquoted(text: str) -> str:
    """Return the text with quoted words and pasted code blanked, of the same length up to `LOOK`."""
    return _unquoted(text[:LOOK])


@of_turns
def _unquoted(text: str) -> str:
    plain = text.translate(_STRAIGHT)
    for quoted in (_QUOTED, _UNCLOSED):
        plain = quoted.sub(lambda found: " " * len(found.group()), plain)
    return plain


def clauses(text: str) -> tuple[Clause, ...]:
    """Cut a turn into clauses, in order. Never raises."""
    return _clauses(text[:LOOK])


@of_turns
def _clauses(text: str) -> tuple[Clause, ...]:
    found: list[Clause] = []
    plain = unquoted(text)
    for sentence in _SENTENCE.finditer(plain):
        words = sentence.group()
        if len(words) > _LONGEST or not words.strip():
            continue
        asked = words.rstrip().endswith("?")
        if asked and (tag := _TAG.search(words)):
            words, asked = words[: tag.start()], False
        skip = 0
        if frame := _FRAME.match(words):
            skip, asked = frame.end(), False
        at = skip
        cuts = [(cut.start(), cut.end()) for cut in _CLAUSE.finditer(words, skip)]
        for stop, following in [*cuts, (len(words), len(words))]:
            if words[at:stop].strip():
                found.append(Clause(words[at:stop], sentence.start() + at, words[skip:at], words[stop:], asked))
            at = following
    return tuple(found)


def stems(text: str) -> list[str]:
    """Return the content words of a text, endings cut, ordinals as numbers ("the 6th" meets "6 August")."""
    return tokenize(_NUMBER.sub(r"\1", text))


def stem_set(text: str) -> frozenset[str]:
    """Return the content words of a text as a set. Those of short texts are remembered: facts are read again."""
    return _stem_set(text) if len(text) <= _REMEMBERED else frozenset(stems(text))


@of_facts
def _stem_set(text: str) -> frozenset[str]:
    return frozenset(stems(text))


def key(name: str) -> str:
    """Return a name as it is compared: case, articles, marks and spaces do not count."""
    return _key(name) if len(name) <= _REMEMBERED else _compared(name)


@of_facts
def _key(name: str) -> str:
    return _compared(name)


def _compared(name: str) -> str:
    words = re.findall(r"\w+", name.casefold())
    return " ".join(words[1:] if words[:1] == ["the"] and len(words) > 1 else words)
