"""What of the hits is shown to a model within a budget of tokens.

Rank decides, with one exception: replies of an assistant and output of tools, long as they are, never take the room of
the user's own words. They are shown by the sentences that match the question, and get at most half of the room as long
as a user's words still wait for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from math import log
from typing import Final

from memgraph.projections.tokenizer import tokenize
from memgraph.ranking.query import Query
from memgraph.ranking.rendering import CLOSING, FOUND, GAP, HEADER, OPENING, Quotable, found, heading, line, render

EXCERPT_TOKENS: Final = 96
"""Room of a long text at first, about four sentences; what is left over at the end lets excerpts grow."""

LONG_TOKENS: Final = 160
"""A text up to this length is shown whole or not at all: nothing is gained by cutting three sentences to two."""

REPLY_SHARE: Final = 0.5
"""Of the budget, for what an assistant or a tool said, while the user's own words wait."""

_WORTH_GROWING: Final = 64
"""Quarters of a token left over, below which no excerpt grows: less is no sentence."""

_QUARTERS_OTHER: Final = 3
"""Quarters of a token for a character outside ASCII: scripts without spaces cost about that."""

_LOOK: Final = 20_000
"""Characters of a text in which an excerpt is looked for sentence by sentence; of a longer one only the surroundings of
the question's words are."""

_AROUND: Final = 1_000
"""Characters looked at on both sides of a word of the question in such a text."""

_SENTENCE: Final = re.compile(
    "[^.!?\u3002\uff01\uff1f\n]*(?:[.!?\u3002\uff01\uff1f]+[\"'\u201d)]*(?=\\s|$)|[\u3002\uff01\uff1f]|\n+|[.!?]+|$)"
)
_MACHINE: Final = ("assistant", "tool")


@dataclass(frozen=True, slots=True)
class Recall:
    """What a model gets to see.

    Attributes:
        text: The block, empty if nothing fits.
        ids: Hits that are in it, best first.
        dropped: Why each other hit is not in it, by id.
        excerpted: Those of `ids` of which only a part is shown.
        tokens: Size of `text`, at most the budget.
    """

    text: str
    ids: tuple[str, ...]
    dropped: dict[str, str]
    excerpted: tuple[str, ...]
    tokens: int


def count_tokens(text: str) -> int:
    """Return about how many tokens a text has: 4 characters of ASCII, or 4/3 of another script, are one."""
    return -(-_quarters(text) // 4)


def _quarters(text: str) -> int:
    if text.isascii():
        return len(text)
    other = len(text) - len(text.encode("ascii", "ignore"))
    return len(text) + (_QUARTERS_OTHER - 1) * other


def recall(hits: Sequence[Quotable], query: Query, budget_tokens: int) -> Recall:
    """Choose what fits and render it.

    Args:
        hits: What was found, best first, each id once.
        query: The question; its terms choose the sentences of an excerpt.
        budget_tokens: Room for the whole block, as `count_tokens` counts.

    Returns:
        The block, and what became of each hit: every id is either in `ids` or in `dropped`.
    """
    plan = _Plan(query, budget_tokens * 4)
    waiting: list[Quotable] = []
    held = query.wants_assistant or all(hit.origin in _MACHINE for hit in hits)
    allowance = plan.room if held else int(plan.room * REPLY_SHARE)
    for hit in hits:
        if hit.origin in _MACHINE:
            before = plan.room
            if not plan.take(hit, most=allowance):
                waiting.append(hit)
            allowance -= before - plan.room
        elif not plan.take(hit):
            waiting.append(hit)
    dropped = [hit for hit in waiting if not plan.take(hit)]
    plan.grow()
    shown = {hit.id: (hit, text) for hit, text in plan.shown.values()}
    text = render(shown.values())
    ids = tuple(hit.id for hit in hits if hit.id in shown)
    return Recall(
        text=text,
        ids=ids,
        dropped={hit.id: "budget" for hit in dropped},
        excerpted=tuple(id for id in ids if shown[id][1] != shown[id][0].text),
        tokens=count_tokens(text),
    )


def answer(hits: Sequence[Quotable], query: Query, budget_tokens: int) -> str:
    """Return what a search found for a model that asked, best first: quoted and dated like the block, with ids.

    Args:
        hits: What was found, best first.
        query: The question; its terms choose the sentences of an excerpt.
        budget_tokens: Room; what no longer fits is left out.

    Returns:
        One text, empty if nothing was found or nothing fits.
    """
    terms = Counter(query.terms)
    lines = [OPENING, FOUND]
    room = 4 * budget_tokens - _quarters("\n".join([*lines, CLOSING]))
    for hit in hits:
        shown = found(hit, _brief(hit.text, terms))
        cost = _quarters(shown) + 1
        if cost <= room:
            room -= cost
            lines.append(shown)
    return "\n".join([*lines, CLOSING]) if len(lines) > 2 else ""


def _brief(text: str, terms: Counter[str]) -> str:
    """Return a text, or of a long one an excerpt."""
    return text if _quarters(text) <= 4 * LONG_TOKENS else excerpt(text, terms, EXCERPT_TOKENS)


class _Plan:
    """Quotations chosen so far, and the room that is left, in quarters of a token.

    The size of the block is the sum of its lines, so room is kept account of without rendering again.
    """

    def __init__(self, query: Query, room: int) -> None:
        self.shown: dict[str, tuple[Quotable, str]] = {}
        self.room = room - _quarters("\n".join([OPENING, HEADER, CLOSING]))
        self._terms = Counter(query.terms)
        self._headings: set[tuple[object, ...]] = set()

    def take(self, hit: Quotable, most: int | None = None) -> bool:
        """Show a hit if it fits into the room, or into `most`, whole if it is short and else by an excerpt."""
        room = self.room if most is None else min(self.room, most)
        key = (hit.said_at.astimezone(UTC).date(), hit.session_id, hit.thread_id)
        above = 0 if key in self._headings else _quarters(heading(hit, again=True)) + 2
        text = _brief(hit.text, self._terms)
        cost = above + _quarters(line(hit, text)) + 1
        if cost > room:
            return False
        self._headings.add(key)
        self.shown[hit.id] = hit, text
        self.room -= cost
        return True

    def grow(self) -> None:
        """Let excerpts grow into what room is left, the best hit's first."""
        for id, (hit, text) in self.shown.items():
            if text == hit.text or self.room < _WORTH_GROWING:
                continue
            own = _quarters(line(hit, text))
            for wanted in (_quarters(hit.text), (own + self.room) * 9 // 10, (own + self.room) * 3 // 5):
                longer = hit.text if wanted >= _quarters(hit.text) else excerpt(hit.text, self._terms, wanted // 4)
                cost = _quarters(line(hit, longer))
                if own < cost <= own + self.room:
                    self.room -= cost - own
                    self.shown[id] = hit, longer
                    break


def excerpt(text: str, terms: Counter[str], tokens: int) -> str:
    """Return the sentences of a text that match a question best, in their order, with a mark for what is left out.

    Args:
        text: The text.
        terms: Index terms of the question. Without a match the text's beginning is taken.
        tokens: Room; at least the beginning of one sentence is returned.
    """
    sentences = [
        (match.start(), match.end())
        for start, end in _regions(text, terms)
        for match in _SENTENCE.finditer(text, start, end)
        if match.group().strip()
    ]
    if not sentences:
        return _cut(text.strip(), tokens)
    found = [set(tokenize(text[start:end])) & terms.keys() for start, end in sentences]
    seen = Counter(term for these in found for term in these)
    gain = [sum(log(1 + len(sentences) / seen[term]) for term in these) for these in found]
    # A sentence beside a match explains it; of equals the earlier.
    around = zip([0.0, *gain], gain, [*gain[1:], 0.0], strict=False)
    near = [own + 0.3 * max(before, after) for before, own, after in around]
    order = sorted(range(len(sentences)), key=lambda i: (-near[i], i))
    room = 4 * tokens
    chosen: set[int] = set()
    for i in order:
        cost = _quarters(text[sentences[i][0] : sentences[i][1]].strip()) + 2 + 2 * _QUARTERS_OTHER
        if cost <= room:
            chosen.add(i)
            room -= cost
        elif not chosen:
            start, end = sentences[i]
            return (GAP + " " if text[:start].strip() else "") + _cut(text[start:end].strip(), tokens)
        else:
            break
    parts: list[str] = []
    shown = 0
    for start, end in (sentences[i] for i in sorted(chosen)):
        if text[shown:start].strip():
            parts.append(GAP)
        parts.append(text[start:end].strip())
        shown = end
    if text[shown:].strip():
        parts.append(GAP)
    return " ".join(parts)


def _regions(text: str, terms: Counter[str]) -> list[tuple[int, int]]:
    """Return where sentences are to be looked for: everywhere, or in a very long text around the question's words.

    Stemming cuts and changes the end of a word, so it is looked for without the last letter of its term.
    """
    if len(text) <= _LOOK:
        return [(0, len(text))]
    places: dict[str, list[int]] = {}
    for term in terms:
        stem = re.escape(term[:-1] if len(term) > 3 else term)
        places[term] = [match.start() for match in re.finditer(rf"\b{stem}", text, re.IGNORECASE)]
    rare_first = sorted((found for found in places.values() if found), key=len)
    hits = [place for found in rare_first for place in found][: _LOOK // (2 * _AROUND)]
    regions: list[tuple[int, int]] = []
    for hit in sorted(hits) or [0]:
        start, end = max(0, hit - _AROUND), hit + _AROUND
        if regions and start < regions[-1][1]:
            start = regions.pop()[0]
        regions.append((start, min(end, len(text))))
    return regions


def _cut(text: str, tokens: int) -> str:
    """Return the beginning of a text, cut at a space if there is one."""
    if _quarters(text) <= 4 * tokens:
        return text
    kept = text[: 4 * tokens]
    while _quarters(kept) > 4 * tokens:
        kept = kept[: len(kept) * 3 // 4]
    return (kept.rsplit(None, 1)[0] if " " in kept else kept) + " " + GAP
