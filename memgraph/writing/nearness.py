"""Which names look alike enough to be compared: what `entities.candidates` does, over an index of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple, Protocol

from memgraph.writing.names import SMALL, WORD, Name, folded, parse
from memgraph.writing.nicknames import FORMS
from memgraph.writing.remembered import of_facts

_ALIKE: Final = 0.25
"""Share of trigrams in common from which two names are compared."""
_MOST: Final = 10
"""Entities compared with one name."""
_CALLS: Final = frozenset(
    "nee born formerly aka known called alias short stands nicknamed renamed rebranded goes abbreviated calls call "
    "name used full signs writes trading passport".split()
)
"""A context with one of these words may give another name."""


class Known(Protocol):
    """An entity that is known, with whatever was merged into it."""

    @property
    def row(self) -> int:
        """Its row."""
        ...

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def type(self) -> str:
        """Its kind, or that of the first merged into it that has one."""
        ...

    @property
    def aliases(self) -> tuple[str, ...]:
        """All its other names, and those of the entities merged into it."""
        ...

    @property
    def context(self) -> str:
        """What was said of it."""
        ...

    @property
    def recent(self) -> int:
        """Row of the newest fact that names it."""
        ...


class _Look(NamedTuple):
    """What of a name is compared."""

    name: Name
    key: str
    words: tuple[str, ...]
    letters: tuple[str, ...]
    grams: frozenset[str]
    marks: frozenset[str]
    """What it has in common with any name that it may be compared with: a first letter, a word, letters."""


class Near:
    """Names by what they have in common.

    Args:
        entries: (row, names, context) of each entity.
    """

    def __init__(self, entries: Iterable[tuple[int, Sequence[str], str]]) -> None:
        self._keys: dict[str, list[int]] = {}
        self._words: dict[str, list[tuple[int, _Look]]] = {}
        self._firsts: dict[str, list[int]] = {}
        self._letters: dict[str, list[int]] = {}
        self._told: dict[str, list[int]] = {}
        self._heads: dict[str, list[tuple[int, _Look]]] = {}
        for row, names, context in entries:
            self.add(row, names, context)

    def add(self, row: int, names: Sequence[str], context: str) -> None:
        """Take in names of an entity, and the words that may give it another."""
        for text in names:
            look = _look(text)
            if not look.key:
                continue
            rows = self._keys.setdefault(look.key, [])
            if row in rows:
                continue
            rows.append(row)
            self._firsts.setdefault(look.name.tokens[0], []).append(row)
            entry = (row, look)
            self._heads.setdefault(look.key[0], []).append(entry)
            for word in look.words:
                self._words.setdefault(word, []).append(entry)
            for letters in look.letters:
                self._letters.setdefault(letters, []).append(row)
        for word in _telling(context) if context else ():
            self._told.setdefault(word, []).append(row)

    def named(self, key: str) -> list[int]:
        """Return the entities that have this very name, normalised."""
        return list(self._keys.get(key, ()))

    def find(self, name: str, kind: str, context: str) -> list[int]:
        """Return the entities to compare with a name, most alike first, those that have it included.

        Args:
            name: As it was said.
            kind: The entity's type: of people, those of one family are many, and told apart by their first names.
            context: What was said of it: it may give another name.
        """
        look = _look(name)
        if not look.key:
            return []
        scores: dict[int, float] = {}
        # No rule takes two spellings for one whose first letters differ.
        for row, other in self._heads.get(look.key[0], ()):
            common = len(look.grams & other.grams)
            score = common / (len(look.grams) + len(other.grams) - common)
            if score >= _ALIKE and score > scores.get(row, 0.0):
                scores[row] = score
        first = look.name.tokens[0]
        for word in look.words:
            for row, other in self._words.get(word, ()):
                if kind != "person" or _in_part(look.name, other.name):
                    scores[row] = max(scores.get(row, 0.0), 0.8)
        for one in (*_short_forms().get(first, ()), *self._prefixed(first)):
            for row in self._firsts.get(one, ()):
                scores[row] = max(scores.get(row, 0.0), 0.8)
        for rows in (self._letters.get(look.key, ()), *(self._keys.get(one, ()) for one in look.letters)):
            scores.update(dict.fromkeys(rows, 1.0))
        scores.update(dict.fromkeys(self._keys.get(look.key, ()), 1.0))
        for word in _telling(context):
            for row, _ in self._words.get(word, ()):
                scores.setdefault(row, _ALIKE)
        for row in self._told.get(first, ()):
            scores.setdefault(row, _ALIKE)
        return [row for row, _ in sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:_MOST]]

    def _prefixed(self, first: str) -> list[str]:
        """Return the first words that begin like this one or that it begins with: "Sol" and "Solveig"."""
        if len(first) < 3:
            return []
        found = [first[:end] for end in range(3, len(first) - 1) if first[:end] in self._firsts]
        found += {
            start
            for _, other in self._heads.get(first[0], ())
            if (start := other.name.tokens[0]).startswith(first) and start != first
        }
        return found


def wanted(name: str, context: str) -> set[str]:
    """Return the marks of which any name that it is to be compared with has one."""
    look = _look(name)
    if not look.key:
        return set()
    return {*look.marks, *_short_forms().get(look.name.tokens[0], ()), *_telling(context)}


def marked(names: Sequence[str], marks: set[str]) -> bool:
    """Tell whether any of some names has one of the marks."""
    for name in names:
        if not _look(name).marks.isdisjoint(marks):
            return True
    return False


def _in_part(name: Name, other: Name) -> bool:
    """Tell whether two names of people that share a word may be one's: the family's name alone is not enough."""
    if len(name.tokens) == 1 or len(other.tokens) == 1 or name.tokens[0][0] == other.tokens[0][0]:
        return True
    return name.tokens[0] in other.tokens or other.tokens[0] in name.tokens


@of_facts
def _look(name: str) -> _Look:
    parsed = parse(name)
    key = parsed.key
    padded = f"  {key} "
    grams = frozenset(padded[at : at + 3] for at in range(len(padded) - 2))
    words = tuple(dict.fromkeys(word for word in parsed.tokens if word not in SMALL))
    letters = {"".join(word[0] for word in parsed.tokens), "".join(word[0] for word in words)}
    initials = tuple(sorted(letters - {""})) if len(parsed.tokens) > 1 else ()
    return _Look(parsed, key, words, initials, grams, frozenset((*key[:1], *words, *initials, key)))


@cache
def _short_forms() -> dict[str, frozenset[str]]:
    """Return the first names that are forms of one another, both ways."""
    forms: defaultdict[str, set[str]] = defaultdict(set)
    for full, short in FORMS.items():
        for name in short:
            forms[full].add(name)
            forms[name].add(full)
    return {name: frozenset(others) for name, others in forms.items()}


@of_facts
def _telling(context: str) -> frozenset[str]:
    """Return the words of a context that may give another name, none where it gives none."""
    words = frozenset(WORD.findall(folded(context)))
    return words - SMALL - _CALLS if "(" in context or not words.isdisjoint(_CALLS) else frozenset()
