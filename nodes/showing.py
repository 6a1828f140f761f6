"""Turns as a model is shown them: each quoted as one JSON string, long ones by excerpts, within a room of tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from memgraph.drafts import SaidTurn
from memgraph.ranking.budget import count_tokens
from memgraph.ranking.rendering import GAP, quoted
from memgraph.records import from_us

TURN_TOKENS: Final = 4_000
"""Room for the turns of a batch that are read. `CONTEXT_TOKENS`: for those before them."""

CONTEXT_TOKENS: Final = 600

_LEAST: Final = 16
"""Tokens below which an excerpt says nothing."""

_PER_TURN: Final = 16
"""Tokens of a line beside its quotation: number, date, speaker, origin; a name may take more and is cut."""

_SELF: Final = re.compile(r"\b(?:I|I'm|I've|my|My|we|We|our|Our)\b")
_ENDS: Final = re.compile(r"[.!?\n\u3002\uff01\uff1f]")
_SENTENCE: Final = 240
"""Characters looked at around a salient word."""

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def line(turn: SaidTurn, text: str, *, number: bool = True) -> str:
    """Return the line that quotes `text`, all or part of a turn; without a number it can't be named as evidence."""
    day = from_us(turn.said_at)
    label = f"Turn {turn.index}" if number else "before"
    notes = {"assistant": " (assistant)", "tool": " (tool, untrusted)", "document": " (document, untrusted)"}
    note = notes.get(turn.origin, "") or (" (assistant)" if turn.role == "assistant" else "")
    return f"{label}, {_DAYS[day.weekday()]} {day:%Y-%m-%d}, {quoted(turn.speaker[:40])}{note}: {quoted(text)}"


def shown(turns: Sequence[SaidTurn], tokens: int) -> list[str]:
    """Return what of each turn fits.

    Args:
        turns: In any order.
        tokens: Room for all lines.

    Returns:
        One text a turn: the whole, an excerpt, or nothing where the room is too small for so many. Short turns leave
        their share to long ones.
    """
    room = tokens - _PER_TURN * len(turns)
    costs = [_cost(turn.text, room) for turn in turns]
    texts = [""] * len(turns)
    order = sorted(range(len(turns)), key=costs.__getitem__)
    for place, index in enumerate(order):
        share = room // (len(order) - place)
        if costs[index] <= share:
            texts[index] = turns[index].text
        elif share >= _LEAST:
            texts[index] = excerpt(turns[index].text, share)
        room -= _cost(texts[index], room)
    return texts


def size(turns: Sequence[SaidTurn]) -> int:
    """Return the tokens that showing turns takes, `TURN_TOKENS` at most: more than that is shown by excerpts."""
    return min(sum(_PER_TURN + _cost(turn.text, TURN_TOKENS) for turn in turns), TURN_TOKENS)


def excerpt(text: str, tokens: int) -> str:
    """Return the head, the tail and the sentences between that speak of the speaker, within `tokens` when quoted.

    What stands between two gaps is a verbatim slice of the text. One that fits is returned whole.
    """
    if _cost(text, tokens) <= tokens:
        return text
    head = _cut(text, tokens * 2 // 5)
    tail = _cut(text[len(head) :], tokens // 5, end=True)
    middle = _salient(text, len(head), len(text) - len(tail), tokens - _cost(head, tokens) - _cost(tail, tokens) - 8)
    return f" {GAP} ".join([head, *middle, tail])


def around(text: str, quote: str, tokens: int) -> str:
    """Return the surroundings of a quote, within `tokens` when quoted; the beginning where the quote is not in it."""
    if _cost(text, tokens) <= tokens:
        return text
    at = max(text.find(quote), 0)
    before = _cut(text[:at], tokens // 3, end=True)
    after = _cut(text[at:], tokens - _cost(before, tokens) - 4)
    return f"{GAP} {before}{after} {GAP}" if before else f"{after} {GAP}"


def _salient(text: str, start: int, end: int, tokens: int) -> list[str]:
    """Return sentences of a stretch in which somebody speaks of themselves, spread over all of it."""
    found = [match.start() for match in _SELF.finditer(text, start, end)]
    most = max(tokens // 12, 1)
    chosen: list[str] = []
    reached = start
    for at in found[:: -(-len(found) // most) or 1]:
        if at < reached:
            continue
        ends = [match.end() for match in _ENDS.finditer(text, max(reached, at - _SENTENCE), at)]
        first = ends[-1] if ends else max(reached, at - _SENTENCE)
        stop = _ENDS.search(text, at, min(end, at + _SENTENCE))
        reached = stop.end() if stop else min(end, at + _SENTENCE)
        sentence = text[first:reached].strip()
        if (cost := _cost(sentence, tokens) + 2) > tokens:
            break
        tokens -= cost
        chosen.append(sentence)
    return chosen


def _cut(text: str, tokens: int, *, end: bool = False) -> str:
    """Return as much of the beginning, or the end, as costs at most `tokens`."""
    length = min(len(text), max(tokens, 0) * 4)
    while length > 0:
        part = text[-length:] if end else text[:length]
        if (cost := _cost(part, tokens)) <= tokens:
            return part
        length = min(length - 1, length * tokens // cost)
    return ""


def _cost(text: str, most: int) -> int:
    """Return the tokens of a text as it is quoted; of one far above `most`, a lower bound that is above it too."""
    if len(text) > max(most, 1) * 8:
        return len(text) // 4
    return count_tokens(quoted(text))
