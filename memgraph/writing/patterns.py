"""Small helpers that keep patterns of words readable, and quick where their words do not stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

from memgraph.writing.remembered import of_turns

_FREQUENT: Final = frozenset(
    "a an the my our his her their its to of in on at for with and or is are was be been have has it i we he she they"
    " you 's 'm 're 've m s re ve as by from that this me us am t".split()
)
_RUN: Final = re.compile(r"[a-z0-9']+")
_ODD: Final = str.maketrans({"\u0130": "i", "\u0131": "i", "\u017f": "s"})
"""What `re.IGNORECASE` takes for letters of ASCII and `str.lower` does not: the other i's, and the long s."""
_LAID_BARE: Final = (
    (re.compile(r"\(\?<?![^()]*\)"), " "),  # what must not stand there
    (re.compile(r"\\[wdS](?:[+*?]|\{[^}]*\})*"), "~"),
    (re.compile(r"\[[^\]]*\](?:[+*?]|\{[^}]*\})*"), "~"),
    (re.compile(r"\\u[0-9a-f]{4}|\\."), " "),
    (re.compile(r"\(\?:((?: [^()|]*\|)* [^()|]*|(?:[^()|]* \|)*[^()|]* )\)[?*]"), " "),  # a word that may stand there
    (re.compile(r"\(\?:[^()]*\)[?*]|[^)][?*]"), "~"),
    (re.compile(r"\((?:\?(?:[a-z-]+:|P<\w+>|:|<?=))?"), "<"),
    (re.compile(r"\)[?*]"), ">~"),
    (re.compile(r"\)"), ">"),
    (re.compile(r"\+|\{[^}]*\}"), "~"),
)
"""Steps by which a pattern is laid bare: "~" for what letters may stand there, "<" and ">" about a group."""


def any_of(words: str) -> str:
    """Return a group of a regular expression that matches any of the words.

    Args:
        words: Alternatives, separated by spaces; "_" stands for a space within one.
    """
    return f"(?:{'|'.join(words.split())})".replace("_", " ")


def compiled(*alternatives: str) -> re.Pattern[str]:
    """Compile alternatives into one pattern that ignores case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


def unodd(text: str) -> str:
    """Return a text with the letters that a pattern which ignores case takes for those of ASCII written as these."""
    return text if text.isascii() else text.translate(_ODD)


def lowered(text: str) -> str:
    """Return a text in small letters, character for character: those that a pattern which ignores case takes them for.

    A pattern that need not ignore case is several times as quick on it.
    """
    return unodd(text).lower()


def needed(pattern: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return of what every match of a pattern has one: words, or parts of words, in lower case.

    They are all that the pattern spells out, but for what is optional and the most frequent words: each of its
    alternatives must spell out another one, and begin and end where a word does.
    """
    for step, bare in _LAID_BARE:
        pattern = step.sub(bare, pattern)
    pattern = pattern.lower()
    grown = re.search(r"[a-z0-9'~]<|>[a-z0-9'~]", pattern) is not None
    words: set[str] = set()
    parts: set[str] = set()
    for found in _RUN.finditer(pattern):
        part = grown or "~" in (pattern[found.start() - 1 : found.start()], pattern[found.end() : found.end() + 1])
        (parts if part else words).add(found.group())
    return frozenset(words - _FREQUENT), tuple(sorted(parts - _FREQUENT - {"'"}))


@of_turns
def words_of(text: str) -> frozenset[str]:
    """Return the words of a text in lower case, and the parts of those with an apostrophe."""
    words = frozenset(_RUN.findall(text.lower()))
    return words.union(part for word in words if "'" in word for at in _parts(word) for part in at)


def _parts(word: str) -> Iterator[tuple[str, str]]:
    return ((word[:at], word[at + start :]) for at, char in enumerate(word) if char == "'" for start in (0, 1))


class Phrases:
    """Patterns of words, compiled when first needed, each looked for only where one of its words stands.

    Args:
        alternatives: Each is compiled by itself: the finer they are cut, the fewer are tried. See `needed`.
        also: What stands in the matches of those that spell out nothing else.
    """

    def __init__(self, *alternatives: str, also: tuple[str, ...] = ()) -> None:
        self.parts: Final = tuple(_Part(one, also) for one in alternatives)

    @cached_property
    def _index(self) -> Index:
        return Index((self,))

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Find every match of every pattern in a text."""
        for _, part in self._index.standing(text):
            yield from part.pattern.finditer(text)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the first match of any pattern in a text."""
        standing = self._index.standing(text)
        found = (match for _, part in standing if (match := part.pattern.search(text)))
        return min(found, key=lambda match: match.start(), default=None)

    def stands_in(self, text: str) -> bool:
        """Tell whether any pattern matches in a text."""
        return any(part.pattern.search(text) for _, part in self._index.standing(text))


class Index:
    """Several phrases by what their patterns need, so that a text is asked about its words and not for each of them."""

    def __init__(self, phrases: Sequence[Phrases]) -> None:
        self._all: Final = [(at, part) for at, one in enumerate(phrases) for part in one.parts]
        words: defaultdict[str, list[int]] = defaultdict(list)
        parts: defaultdict[str, list[int]] = defaultdict(list)
        for number, (_, part) in enumerate(self._all):
            for needs, where in zip(part.needs, (words, parts), strict=True):
                for need in needs:
                    where[need].append(number)
        self._words: Final = dict(words)
        self._parts: Final = tuple(parts.items())

    def standing(self, text: str) -> list[tuple[int, _Part]]:
        """Return the patterns that may match in a text, each with the number of its phrases, in order."""
        lower = text.lower()
        found = {number for word in words_of(text) for number in self._words.get(word, ())}
        for part, numbers in self._parts:
            if part in lower:
                found.update(numbers)
        return [self._all[number] for number in sorted(found)]


class _Part:
    """One pattern, compiled when first needed."""

    def __init__(self, source: str, also: tuple[str, ...]) -> None:
        self._source, self._also = source, also

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._source, re.IGNORECASE)

    @cached_property
    def needs(self) -> tuple[frozenset[str], tuple[str, ...]]:
        words, parts = needed(self._source)
        return words, (*parts, *self._also)
