"""Small helpers that keep patterns of words readable, and quick where their words do not stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

_OPTIONAL: Final = re.compile(
    r"\(\?:[^()]*\)[?*]|\(\?<?![^()]*\)|\[[^\]]*\]|\\.|\(\?(?:[a-z-]+:|P<\w+>|:|<?=)|\{[^}]*\}|[a-z][?*]"
)
"""What need not stand in a match, or stands for no letter of its own."""
_RUNS: Final = re.compile(r"[a-z0-9']+")
_FREQUENT: Final = frozenset(
    "a an the my our his her their its to of in on at for with and or is are was be been have has it i we he she"
    " they you"
    " 's 'm 're 've m s re ve as by from that this me us am".split()
)


def any_of(words: str) -> str:
    """Return a group of a regular expression that matches any of the words.

    Args:
        words: Alternatives, separated by spaces; "_" stands for a space within one.
    """
    return f"(?:{'|'.join(words.split())})".replace("_", " ")


def compiled(*alternatives: str) -> re.Pattern[str]:
    """Compile alternatives into one pattern that ignores case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)


def needed(pattern: str) -> frozenset[str]:
    """Return runs of letters of which every match of a pattern has one, in lower case.

    All that the pattern spells out, but for what is optional and the most frequent words: each of its alternatives must
    spell out another word.
    """
    while (rest := _OPTIONAL.sub(" ", pattern)) != pattern:
        pattern = rest
    return frozenset(_RUNS.findall(pattern.lower())) - _FREQUENT - {"'"}


class Phrases:
    """Patterns of words, compiled when first needed, each looked for only where one of its words stands.

    Args:
        alternatives: Each is compiled by itself: the finer they are cut, the fewer are tried. See `needed`.
        also: What stands in the matches of those that spell out nothing else.
    """

    def __init__(self, *alternatives: str, also: tuple[str, ...] = ()) -> None:
        self._parts = tuple(_Part(one, also) for one in alternatives)

    @property
    def words(self) -> frozenset[str]:
        """Of which words each match has one."""
        return frozenset(word for part in self._parts for word in part.words)

    def among(self, lower: str) -> Iterator[re.Pattern[str]]:
        """Yield the patterns that may match a text, given in lower case."""
        for part in self._parts:
            for word in part.words:
                if word in lower:
                    yield part.pattern
                    break

    def standing(self, lower: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
        """Return the patterns that may match in parts of a text, each with those of its words that the text has."""
        return tuple(
            (part.pattern, words)
            for part in self._parts
            if (words := tuple(word for word in part.words if word in lower))
        )

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Find every match of every pattern in a text."""
        for pattern in self.among(text.lower()):
            yield from pattern.finditer(text)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the first match of any pattern in a text."""
        found = (match for pattern in self.among(text.lower()) if (match := pattern.search(text)))
        return min(found, key=re.Match.start, default=None)

    def stands_in(self, text: str) -> bool:
        """Tell whether any pattern matches in a text."""
        return any(pattern.search(text) for pattern in self.among(text.lower()))


class _Part:
    """One pattern, compiled when first needed."""

    def __init__(self, source: str, also: tuple[str, ...]) -> None:
        self._source, self._also = source, also

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(self._source, re.IGNORECASE)

    @cached_property
    def words(self) -> tuple[str, ...]:
        return tuple(sorted({*needed(self._source), *self._also}, key=len))
