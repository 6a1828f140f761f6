"""Small helpers that keep patterns of words readable."""

from __future__ import annotations

import re


def any_of(words: str) -> str:
    """Return a group of a regular expression that matches any of the words.

    Args:
        words: Alternatives, separated by spaces; "_" stands for a space within one.
    """
    return f"(?:{'|'.join(words.split())})".replace("_", " ")


def compiled(*alternatives: str) -> re.Pattern[str]:
    """Compile alternatives into one pattern that ignores case."""
    return re.compile("|".join(alternatives), re.IGNORECASE)
