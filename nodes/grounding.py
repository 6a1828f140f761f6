"""Whether words of a model stand in what was said."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

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
_UNSPACED: Final = "\u2e80"
_EMPTY: Final = frozenset(
    "the a an and or but of to in on at for from with by as is was are were be been being has have had does did do"
    " will would can could may might not no it its he she his her him they them their that this these those who which"
    " what when where how since until now than then there here very more most also about into over after before user"
    " person plan plans says said".split()
)


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


def grounded(words: str, said: Iterable[str], apart: str = "") -> bool:
    """Tell whether a statement shares a word that says something with what was said.

    Args:
        words: The statement.
        said: Texts.
        apart: Words that don't count: the name of whom it is about.

    Returns:
        True if one does, in any ending, or if the statement has no such word.
    """
    stems = _stems(words) - _stems(apart)
    return not stems or any(_has(stems, text) for text in said)


def _has(stems: frozenset[str], text: str) -> bool:
    folded = text.casefold()
    return any(stem in folded for stem in stems)


def _stems(text: str) -> frozenset[str]:
    """Return beginnings of words; of scripts without spaces, pairs of characters."""
    stems: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        if any(char >= _UNSPACED for char in word):
            stems.update(word[at : at + 2] for at in range(max(len(word) - 1, 1)))
        elif word not in _EMPTY and (len(word) > 2 or word.isdigit()):
            stems.add(word[:_STEM])
    return frozenset(stems)
