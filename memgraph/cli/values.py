"""Reading what a user typed: times, key=value pairs. What can't be read is a usage error that shows the form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, NoReturn

import typer

Scalar = str | int | float | bool | None

TIME_HELP: Final = "2025-03-31 (its first moment in UTC), or with a time and its zone: 2025-03-31T18:05Z"


def moment(text: str | None, option: str) -> datetime | None:
    """Return a time as typed, None for none.

    Args:
        text: A date, or an ISO 8601 time with a zone.
        option: The option's name, for the message.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no date. Write {TIME_HELP}", param_hint=option) from None
    if found.utcoffset() is None:
        raise typer.BadParameter(f"`{text}` has no time zone: add Z for UTC, or +02:00", param_hint=option)
    return found


def pairs(texts: Sequence[str] | None, option: str = "--meta") -> dict[str, Scalar]:
    """Return key=value pairs: a number, true, false or null as such (`n=3`), anything else as text (`n="3"` too)."""
    found: dict[str, Scalar] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise typer.BadParameter("write it as key=value", param_hint=option)
        found[key] = _scalar(value)
    return found


def _scalar(text: str) -> Scalar:
    try:
        value: object = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text
    return value if value is None or isinstance(value, (str, int, float)) else text


def _refuse(name: str) -> NoReturn:
    """Leave NaN and the infinities, which JSON has not, to be text."""
    raise ValueError(name)
