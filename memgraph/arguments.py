"""What callers hand in, checked before anything is read or written."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from memgraph.errors import InvalidInput
from memgraph.ledger import filters
from memgraph.messages import plain
from memgraph.records import OPEN, to_us
from memgraph.write_path.corrections import Correction
from memgraph.write_path.maintenance import Selection
from memgraph.writing.attributes import ATTRIBUTES

MAX_LIMIT: Final = 1_000
"""Hits or items asked for at once: more is read by pages."""

MAX_HOPS: Final = 4

_LONGEST: Final = {"text": 1_000, "object": 300, "reason": 1_000, "name": 300}
"""Characters that a caller may write: several times what is ever extracted."""

Kind = Literal["turn", "fact"]
Listed = Literal["turn", "fact", "operation"]
"""What a list is of; a cursor says of which."""


def identity(given: str) -> str:
    """Return an id."""
    if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise InvalidInput(f"an id is text, not {type(given).__name__}")
    return given


def ids(given: str | Sequence[str]) -> list[str]:
    """Return one or several ids as a list."""
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, Collection) or not all(isinstance(one, str) for one in found):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput("ids must be text, one or a list of them")
    return [*found]


def limit(given: int) -> int:
    """Return how many are wanted."""
    return _whole("limit", given, MAX_LIMIT)


def hops(given: int) -> int:
    """Return how far from a name a graph may reach."""
    return _whole("hops", given, MAX_HOPS)


def _whole(name: str, given: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{name} must be 1 to {most}, not {given!r}")
    return given


def kind(given: Kind | None) -> Kind | None:
    """Return what is wanted, None for both."""
    if given not in (None, "turn", "fact"):
        raise InvalidInput('kind must be "turn", "fact" or None for both')
    return given


def listed(given: Kind) -> Kind:
    """Return what is to be listed."""
    if given not in ("turn", "fact"):
        raise InvalidInput('kind must be "turn" or "fact"')
    return given


def moment(name: str, given: datetime | None) -> int | None:
    """Return a time as microseconds UTC, None for none."""
    return None if given is None else to_us(name, given)


def name(given: str | None) -> str | None:
    """Return the name around which a graph is wanted, None for none."""
    return None if given is None else _words("name", given)


def _words(what: str, given: str) -> str:
    if not isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{what} must be text, not {type(given).__name__}")
    if not given.strip():
        raise InvalidInput(f"{what} is empty: write something, or leave it out")
    if len(given) > _LONGEST[what]:
        raise InvalidInput(f"{what} has {len(given):,} characters; at most {_LONGEST[what]:,} are accepted")
    if plain(given)[1]:
        raise InvalidInput(f"{what} has lone surrogates, which no text has")
    if len(given.splitlines()) > 1 or any(character < " " or character == "\x7f" for character in given):
        raise InvalidInput(f"{what} is one line, without control characters")
    return given


def _share(what: str, given: float) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= 1 or math.isnan(given):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"{what} must be a number from 0 to 1, not {given!r}")
    return float(given)


def correction(
    *,
    text: str | None,
    object: str | None,
    confidence: float | None,
    importance: float | None,
    valid_from: datetime | None,
    valid_to: datetime | Literal["open"] | None,
    reason: str | None,
) -> Correction:
    """Return what is to be changed of a fact."""
    found = Correction(
        text=None if text is None else _words("text", text),
        object=None if object is None else _words("object", object),
        confidence=None if confidence is None else _share("confidence", confidence),
        importance=None if importance is None else _share("importance", importance),
        valid_from=moment("valid_from", valid_from),
        valid_to=_end(valid_to),
        reason=None if reason is None else _words("reason", reason),
    )
    if all(value is None for value in (text, object, confidence, importance, valid_from, valid_to)):
        raise InvalidInput(
            "nothing to change: give text, object, confidence, importance, valid_from or valid_to; "
            "to withdraw a fact call `forget`"
        )
    return found


def _end(given: datetime | Literal["open"] | None) -> int | None:
    if isinstance(given, str):
        if given != "open":
            raise InvalidInput('valid_to must be an aware datetime, or "open" for a fact that holds again')
        return OPEN
    return moment("valid_to", given)


def of_facts(conditions: Mapping[str, Any] | None) -> filters.Where:
    """Return a filter on facts.

    Raises:
        InvalidFilter: It names an unknown key, or a value that can't be.
    """
    return filters.of_facts(conditions, ATTRIBUTES)


def selection(what: str | Sequence[str] | Mapping[str, Any]) -> Selection:
    """Return which turns are to be erased."""
    if what == "everything":
        return Selection(None, filters.Where())
    if isinstance(what, Mapping):
        if not what:
            raise InvalidInput('an empty filter would erase everything; if that is meant, say "everything"')
        return Selection(None, filters.of_turns(what))
    return Selection(ids(what), filters.Where())


_INITIALS: Final[Mapping[Listed, str]] = {"turn": "r", "fact": "f", "operation": "o"}


def cursor(of: Listed, number: int) -> str:
    """Return a place in a list, to go on from."""
    return base64.urlsafe_b64encode(f"{_INITIALS[of]}{number}".encode()).decode()


def position(of: Listed, given: str | None) -> int | None:
    """Return the number of the last item of the page before, None for the beginning."""
    if given is None:
        return None
    try:
        text = base64.b64decode(given.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, AttributeError, binascii.Error):
        text = ""
    if not (text.startswith(_INITIALS[of]) and text[1:].isdecimal() and len(text) < 20):
        raise InvalidInput(f"the cursor is none that a list of {of}s gave out")
    return int(text[1:])
