"""Which texts stand for a turn in the indexes.

In talk of short turns the answer makes no sense without the question before it ("Yes, twice!"), so a short turn is
indexed together with the short turn before it. In talk with an assistant that context would drown the turn, so it is
gated by length (`memgraph.sittings`). A long message is embedded in passages, since an encoder reads only the beginning
of a text.
"""

from __future__ import annotations

import re
from typing import Final

from memgraph.writing.features import count_words

PASSAGE_WORDS: Final = 160
PASSAGE_OVERLAP: Final = 32
"""160 words are about 210 tokens, within the 256 of common small encoders; a fifth is repeated so that no sentence is
only ever seen cut."""

PASSAGE_LIMIT: Final = 64
"""Passages embedded of one message, about 8,000 words; the words index covers the whole text all the same."""

_PIECE: Final = re.compile(rf"\S{{1,{PASSAGE_WORDS}}}")
"""A word, or a piece of a long run without spaces: small enough to fit into a passage in any script."""

_END: Final = re.compile("[.!?\u3002\uff01\uff1f][\"'\u201d\u2019)*_]*$")


def pair_text(before: str | None, text: str) -> str:
    """Return the text that is embedded for a turn: itself, after the turn before it where that is its context.

    The vector of the pair (i-1, i) serves both: the vector of turn i is the mean of the pairs (i-1, i) and (i, i+1),
    or one of them alone where the other does not exist. So each turn costs one pass of the encoder. Speakers' names
    are left out: they are in the query's way (similarity is spent on the name), and ranking knows the speaker anyway.

    Args:
        before: Text of the turn before in the same sitting, if `sittings.is_context` says so, else None.
        text: Text of the turn.
    """
    return text if before is None else f"{before}\n{text}"


def passages(text: str) -> list[str]:
    """Cut a long text into overlapping passages, at ends of sentences where there are any.

    Args:
        text: Any text.

    Returns:
        The text itself where it is short enough, else at most `PASSAGE_LIMIT` passages in order.
    """
    return [text[start:end] for start, end in passage_spans(text)]


def passage_spans(text: str) -> list[tuple[int, int]]:
    """Return where the passages of a text begin and end; see `passages`."""
    spans: list[tuple[int, int]] = []
    sizes: list[int] = []
    for match in _PIECE.finditer(text):
        spans.append(match.span())
        sizes.append(count_words(match.group()))
        if len(spans) >= PASSAGE_LIMIT * PASSAGE_WORDS:
            break
    if sum(sizes) <= PASSAGE_WORDS:
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    first = 0
    while first < len(spans) and len(found) < PASSAGE_LIMIT:
        stop = _fill(sizes, first)
        if stop < len(spans):
            stop = _sentence_end(text, spans, first, stop)
        found.append((spans[first][0], spans[stop - 1][1]))
        if stop == len(spans):
            break
        first = max(first + 1, _back(sizes, first, stop))
    return found


def _fill(sizes: list[int], first: int) -> int:
    """Return where a passage that begins at word `first` is full."""
    total, stop = 0, first
    while stop < len(sizes) and (stop == first or total + sizes[stop] <= PASSAGE_WORDS):
        total += sizes[stop]
        stop += 1
    return stop


def _sentence_end(text: str, spans: list[tuple[int, int]], first: int, stop: int) -> int:
    """Move the end of a passage back to an end of sentence in its last quarter, if there is one."""
    for end in range(stop, first + (stop - first) * 3 // 4, -1):
        start, after = spans[end - 1]
        if _END.search(text[max(start, after - 8) : after]) or "\n" in text[after : spans[end][0]]:
            return end
    return stop


def _back(sizes: list[int], first: int, stop: int) -> int:
    """Return where the next passage begins, so that it repeats at most `PASSAGE_OVERLAP` words."""
    total, start = 0, stop
    while start > first + 1 and total + sizes[start - 1] <= PASSAGE_OVERLAP:
        start -= 1
        total += sizes[start]
    return start
