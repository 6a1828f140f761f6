"""Filters on turns and on facts: equality on named columns and on metadata. Every value is bound, every key checked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from memgraph.errors import InvalidFilter, InvalidInput
from memgraph.records import KINDS, OPEN, ORIGINS, to_us

_COLUMNS: Final = {
    "speaker": "t.speaker = ?",
    "role": "t.role = ?",
    "session_id": "p.session_id = ?",
    "thread_id": "p.thread_id = ?",
    "agent_id": "p.agent_id = ?",
    "message_id": "t.message_id = ?",
}
_TIMES: Final = {"said_after": "t.said_at >= ?", "said_before": "t.said_at < ?"}
_OF_FACTS: Final = {
    "subject": "v.subject = ?",
    "attribute": "v.attribute = ?",
    "object": "v.object = ?",
    "agent_id": "f.agent_id = ?",
}
_LISTED_OF_FACTS: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "kind": ("v.kind = ?", KINDS),
    "origin": ("v.origin = ?", ORIGINS),
}
_TIMES_OF_FACTS: Final = {"began_after": "v.valid_from >= ?", "began_before": "v.valid_from < ?"}
_METADATA_KEY: Final = re.compile(r"metadata\.[A-Za-z0-9_-]{1,64}")
_NUMBER = "json_type(t.metadata, ?) in ('integer', 'real') and json_extract(t.metadata, ?) = ?"
_TEXT = "json_type(t.metadata, ?) = 'text' and json_extract(t.metadata, ?) = ?"
_TYPE_ONLY = "json_type(t.metadata, ?) = ?"


@dataclass(slots=True)
class Where:
    """Conditions as constant SQL, and the values bound to them."""

    sql: list[str] = field(default_factory=list[str])
    values: list[Any] = field(default_factory=list[Any])

    def add(self, sql: str, *values: Any) -> None:
        """Add a condition."""
        self.sql.append(sql)
        self.values.extend(values)

    def extend(self, other: Where) -> None:
        """Add another's conditions."""
        self.sql.extend(other.sql)
        self.values.extend(other.values)

    @property
    def text(self) -> str:
        """The conditions joined, true if there are none."""
        return " and ".join(self.sql) or "1"


def where(conditions: Mapping[str, Any] | None) -> Where:
    """Return a filter's conditions.

    Args:
        conditions: `speaker`, `role`, `origin`, `session_id`, `thread_id`, `agent_id`, `message_id` (text),
            `said_after` (at or after) and `said_before` (before; aware datetimes), `metadata.<key>` (a JSON scalar).

    Raises:
        InvalidFilter: An unknown key, or a value of the wrong type.
    """
    result = Where()
    for key, value in _checked(conditions).items():
        if key in _COLUMNS:
            result.add(_COLUMNS[key], _text(key, value))
        elif key == "origin":
            result.add("t.origin = ?", _listed(key, value, ORIGINS))
        elif key in _TIMES:
            result.add(_TIMES[key], _time(key, value))
        elif isinstance(key, str) and _METADATA_KEY.fullmatch(key):  # pyright: ignore[reportUnnecessaryIsInstance]
            _metadata(result, key, value)
        else:
            known = ", ".join([*_COLUMNS, "origin", *_TIMES, "metadata.<key>"])
            raise InvalidFilter(f"Invalid filter key {ascii(key)}; accepted: {known}")
    return result


def of_facts(conditions: Mapping[str, Any] | None) -> Where:
    """Return the conditions of a filter on facts.

    Args:
        conditions: `subject`, `attribute`, `object`, `agent_id` (text), `kind`, `origin`, `began_after` (at
            or after) and `began_before` (aware datetimes).

    Raises:
        InvalidFilter: An unknown key, or a value of the wrong type.
    """
    result = Where()
    for key, value in _checked(conditions).items():
        if key in _OF_FACTS:
            result.add(_OF_FACTS[key], _text(key, value))
        elif key in _LISTED_OF_FACTS:
            sql, listed = _LISTED_OF_FACTS[key]
            result.add(sql, _listed(key, value, listed))
        elif key in _TIMES_OF_FACTS:
            result.add(_TIMES_OF_FACTS[key], _time(key, value))
        else:
            known = ", ".join([*_OF_FACTS, *_LISTED_OF_FACTS, *_TIMES_OF_FACTS])
            raise InvalidFilter(f"Invalid filter key {ascii(key)} for facts; accepted: {known}")
    return result


def _checked(conditions: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if conditions is not None and not isinstance(conditions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidFilter(f"a filter is a dict, not {type(conditions).__name__}")
    return conditions or {}


def _listed(key: str, value: object, listed: Sequence[str]) -> int:
    if value not in listed:
        raise InvalidFilter(f"{key} must be one of {', '.join(listed)}")
    return listed.index(str(value))


def _text(key: str, value: object) -> str:
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        raise InvalidFilter(f"the value of filter {key} must be text, not {type(value).__name__}")
    return value


def _time(key: str, value: object) -> int:
    if not isinstance(value, datetime):
        raise InvalidFilter(f"the value of filter {key} must be an aware datetime, not {type(value).__name__}")
    try:
        return to_us(key, value)
    except InvalidInput as error:
        raise InvalidFilter(str(error)) from None


def _metadata(result: Where, key: str, value: object) -> None:
    path = f'$."{key.removeprefix("metadata.")}"'
    if value is None or isinstance(value, bool):
        result.add(_TYPE_ONLY, path, "null" if value is None else str(value).lower())
    elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        result.add(_NUMBER, path, path, value if abs(value) < OPEN else float(value))
    elif isinstance(value, str):
        result.add(_TEXT, path, path, _text(key, value))
    else:
        raise InvalidFilter(f"the value of filter {key} must be text, a finite number, a boolean or None")


def believed(known_at: int | None, as_of: int | None) -> Where:
    """Return the conditions for what is (or was) believed and had been said."""
    result = Where()
    if known_at is None:
        result.add("t.superseded_at = ?", OPEN)
    else:
        result.add("t.recorded_at <= ? and t.superseded_at > ?", known_at, known_at)
    if as_of is not None:
        result.add("t.said_at <= ?", as_of)
    return result


def agent_sees(agent_id: str | None) -> Where:
    """Return the condition of a read that names an agent: its rows and those of none."""
    result = Where()
    if agent_id is not None:
        result.add("(p.agent_id is null or p.agent_id = ?)", agent_id)
    return result


def visible(
    conditions: Mapping[str, Any] | None, agent_id: str | None, as_of: int | None, known_at: int | None
) -> Where:
    """Return a read's conditions: its filter, what its agent sees, what is believed."""
    result = where(conditions)
    result.extend(agent_sees(agent_id))
    result.extend(believed(known_at, as_of))
    return result
