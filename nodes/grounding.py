"""Whether words of a model stand in what was said.

A word stands there in any ending: its stem is there, or its first four letters. Of scripts without spaces, pairs of
characters are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from memgraph.projections.tokenizer import UNSPACED, tokenize

_WORD: Final = re.compile(r"\w+")
_FORMS: Final = {
    "'": "['\u2018\u2019`]",
    '"': '["\u201c\u201d]',
    "-": "[-\u2010-\u2014]",
    "...": "(?:\\.\\.\\.|\u2026)",
}
_SPLIT: Final = re.compile(r"\.\.\.|\u2026|\s+|.", re.DOTALL)
_EDGE: Final = " \t\n.,;:!?\u2026\"'\u201c\u201d\u2018\u2019"
_STEM: Final = 4
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_STOP: Final = re.compile("[.!?\u2026\n\u3002\uff01\uff1f]")
_AROUND: Final = 300
"""Characters on each side of a quote in which its sentence begins and ends."""

_EMPTY: Final = frozenset(
    "the a an and or but of to in on at for from with by as is was are were be been being has have had does did do"
    " will would can could may might not no it its he she his her him they them their that this these those who which"
    " what when where how since until now than then there here very more most also into about over after before user"
    " person plan plans says said".split()
)
_LIGHT: Final = frozenset(
    "get gets got getting live lives lived living reside resides work works worked working like likes liked love loves"
    " loved enjoy enjoys enjoyed prefer prefers hate hates dislikes want wants wanted need needs own owns keep keeps"
    " named called name known goes going went gone come comes came move moves moved moving make makes made take takes"
    " took give gives gave use uses used start started stop stopped quit began become became feel feels think thinks"
    " believes told intend intends intending planning hopes wants eat eats drink drinks play plays visit visits based"
    " drive drives run runs ride rides wear wears speak speaks learn learns study studies attend attends suffers"
    " belongs stay stays spend spends see sees meet meets met turns turned celebrates travels recently"
    " located currently previously formerly former longer anymore never always often usually sometimes regularly"
    " one some any every each because while during someone people years year old month week weekend day days date today"
    " january february march april may june july august september october november december monday tuesday wednesday"
    " thursday friday saturday sunday".split()
)
"""Words of a sentence that tell how, not what: a model may choose them."""

_NUMBERS: Final = dict(
    enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
        " seventeen eighteen nineteen twenty".split()
    )
) | {30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
_ENGLISH: Final = re.compile(r"\bI\b|\b(?i:my|we|the|and|with|is|are|have|she|they|you|our|this|from|lives|i'm)\b")
_BACK: Final = re.compile(
    r"\b(?:it|its|he|she|him|her|his|they|them|their|there|here|that|this|those|these|one|ones|both|same|so|too|yes"
    r"|yeah|yep|no|nope|not|did|do|does|am|correct|exactly|right)\b",
    re.IGNORECASE,
)
_JOINS: Final = re.compile(r"[,;:]|\b(?:and|but|because|since|while|who|which|when|so|y|et|und|og|och|\u0438)\b")


def located(quote: str, text: str) -> str:
    """Return the slice of a text that a quote means: alike but for case, spacing, and the forms of quotes and dashes.

    Returns:
        The words as they stand there; "" if they don't, or if the quote has no word.
    """
    if _WORD.search(quote) is None:
        return ""
    if quote in text:
        return quote
    quote = quote.strip(_EDGE)
    for curly, straight in (("\u2018", "'"), ("\u2019", "'"), ("`", "'"), ("\u201c", '"'), ("\u201d", '"')):
        quote = quote.replace(curly, straight)
    pieces = (_form(match.group()) for match in _SPLIT.finditer(quote))
    found = re.search("".join(pieces), text, re.IGNORECASE)
    return found.group() if found else ""


def _form(piece: str) -> str:
    if piece.isspace():
        return r"\s+"
    return _FORMS.get("..." if piece == "\u2026" else piece) or re.escape(piece)


def widened(quote: str, text: str) -> str:
    """Return a quote with the rest of the sentence, or sentences, in which it first stands."""
    at = max(text.find(quote), 0)
    before = text[max(at - _AROUND, 0) : at]
    ends = [match.end() for match in _STOP.finditer(before)]
    after = text[at + len(quote) : at + len(quote) + _AROUND]
    stop = None if _STOP.search(quote[-1:]) else _STOP.search(after)
    rest = after[: stop.end()] if stop else "" if _STOP.search(quote[-1:]) else after
    return before[ends[-1] if ends else 0 :] + quote + rest


def english(text: str) -> bool:
    """Tell whether a text is likely English: only then is a word that doesn't stand in it a word that nobody said."""
    return _ENGLISH.search(text[:20_000].replace("\u2019", "'")) is not None


def scripts(text: str) -> frozenset[str]:
    """Return the scripts of a text's letters, by the first word of their names in Unicode; those of Japan as one."""
    names = {unicodedata.name(char, "").partition(" ")[0] for char in set(text[:2_000]) if char.isalpha()}
    return frozenset("CJK" if name in ("HIRAGANA", "KATAKANA") else name for name in names)


def refers_back(sentence: str) -> bool:
    """Tell whether a sentence answers, or takes up, what was said before it: "Yes, at last", "We moved there"."""
    return _BACK.search(sentence) is not None


class Said:
    """Words that were said, to be asked for others.

    Args:
        texts: What was said.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._text = "\n".join(_folded(text) for text in texts)
        self._words = set(_WORD.findall(self._text))
        self._beginnings = {word[:_STEM] for word in self._words if len(word) >= _STEM}
        self._short = {word[:3] for word in self._words if 3 <= len(word) <= 5}
        self._stems = set(tokenize(self._text))

    def any_of(self, words: str, apart: str = "") -> bool:
        """Tell whether a word that says something stands here, but for those of `apart`; True if there is none."""
        asked = [word for word in content(words) if word not in content(apart)]
        return not asked or any(self._has(word) for word in asked)

    def share(self, words: str) -> float:
        """Return which share of the words of a value stands here: of all of them if none says something."""
        asked = content(words) or _WORD.findall(_folded(words))
        return sum(self._has(word) for word in asked) / len(asked) if asked else 1.0

    def unsaid(self, words: Iterable[str]) -> list[str]:
        """Return those of the words that don't stand here; of short ones the first three letters are enough."""
        return [word for word in words if not self._has(word) and not (len(word) <= 5 and word[:3] in self._short)]

    def _has(self, word: str) -> bool:
        if word in self._words or (len(word) >= _STEM and word[:_STEM] in self._beginnings):
            return True
        if _UNSPACED.search(word):
            return word in self._text
        if word.isdecimal():
            return len(word) < 3 and _NUMBERS.get(int(word)) in self._words
        part = word if word.isascii() else word[:_STEM]  # of a compound, or after what some languages put before a word
        return (len(part) >= _STEM and part in self._text) or not self._stems.isdisjoint(tokenize(word))


def content(text: str) -> list[str]:
    """Return the words that say something, each once; of scripts without spaces, pairs of characters."""
    return list(dict.fromkeys(_content(_folded(text))))


def telling(text: str) -> list[str]:
    """Return the words of a sentence that say what it says: neither numbers nor verbs that any sentence may have."""
    return [word for word in content(text) if word not in _LIGHT and not word.isdecimal() and len(word) > 2]


def parts(text: str) -> list[str]:
    """Return the parts of a sentence that can each say something of its own."""
    return [part for part in _JOINS.split(text) if part.strip()]


def _content(folded: str) -> Iterator[str]:
    for word in _WORD.findall(folded):
        if _UNSPACED.search(word):
            yield from (word[at : at + 2] for at in range(max(len(word) - 1, 1)))
        elif word not in _EMPTY and (len(word) > 2 or word.isdecimal()):
            yield word


def _folded(text: str) -> str:
    """Return a text in small letters without accents."""
    text = text.casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFC", text)
    return "".join(char if char >= "\u0e00" else unicodedata.normalize("NFD", char)[0] for char in parts)
