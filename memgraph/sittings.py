"""Which turns belong together: a sitting, and the turn before as context."""

from __future__ import annotations

from typing import Final

SITTING_US: Final = 6 * 3600 * 1_000_000
"""A longer pause (six hours, in microseconds) ends a sitting: what was said before it is no context any more."""

CONTEXT_BEFORE_WORDS: Final = 60
CONTEXT_TURN_WORDS: Final = 100
"""A turn of at most 100 words takes the turn before as context if that has at most 60: both are short talk. Ungated it
costs 2 to 15 points of recall where an assistant answers at length."""


def context_gate(before_words: int, words: int) -> bool:
    """Tell whether a turn of `words` words is indexed together with the turn before it, of `before_words`."""
    return before_words <= CONTEXT_BEFORE_WORDS and words <= CONTEXT_TURN_WORDS


def is_context(before_said_at: int, before_words: int, said_at: int, words: int) -> bool:
    """Tell whether the turn before is context: said shortly before, in the same sitting, and both are short."""
    return 0 <= said_at - before_said_at <= SITTING_US and context_gate(before_words, words)
