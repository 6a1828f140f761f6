"""Filters on turns and on facts: the one grammar over columns and metadata. Values are bound, keys checked.

What is plainly equal is compared by the engine; all else by the grammar's predicate, row by row, within the same query.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import apsw

from memgraph import grammar
from memgraph.errors import InvalidFilter, InvalidInput
from memgraph.grammar import is_list, is_object
from memgraph.records import KINDS, OPEN, ORIGINS, to_us


@dataclass(frozen=True, slots=True)
class _Column:
    """What a filter may name.

    Attributes:
        sql: Where it stands.
        given: Checks what a filter compares it with, and returns it as it is compared.
        stored: Returns what is stored as it is compared.
        equal: Returns what is stored where something plainly equals it; None if that is not for the engine to say.
    """

    sql: str
    given: Callable[[str, object], Any]
    stored: Callable[[Any], Any] = lambda value: value
    equal: Callable[[Any], Any] | None = None


def _text(key: str, value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value)):
        raise InvalidFilter(f"the value of filter {key} must be text, not {type(value).__name__}")
    return value


def _number(key: str, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise InvalidFilter(f"the value of filter {key} must be a number, not {type(value).__name__}")
    return value


def _time(key: str, value: object) -> int:
    if not isinstance(value, datetime):
        raise InvalidFilter(f"the value of filter {key} must be an aware datetime, not {type(value).__name__}")
    try:
        return to_us(key, value)
    except InvalidInput as error:
        raise InvalidFilter(str(error)) from None


def _end(key: str, value: object) -> int:
    return OPEN if value is None else _time(key, value)


def _anything(key: str, value: object) -> object:
    return value


def _of_text(sql: str) -> _Column:
    return _Column(sql, _text, equal=lambda value: value)


def _of_list(sql: str, listed: Sequence[str]) -> _Column:
    def given(key: str, value: object) -> object:
        if value not in listed:
            raise InvalidFilter(f"{key} must be one of {', '.join(listed)}")
        return value

    return _Column(sql, given, listed.__getitem__, listed.index)


_TURNS: Final = {
    "speaker": _of_text("t.speaker"),
    "role": _of_text("t.role"),
    "session_id": _of_text("p.session_id"),
    "thread_id": _of_text("p.thread_id"),
    "agent_id": _of_text("p.agent_id"),
    "message_id": _of_text("t.message_id"),
    "origin": _of_list("t.origin", ORIGINS),
    "said_at": _Column("t.said_at", _time),
    "metadata": _Column("t.metadata", _anything, json.loads),
}
_FACTS: Final = {
    "subject": _of_text("v.subject"),
    "attribute": _of_text("v.attribute"),
    "object": _of_text("v.object"),
    "agent_id": _of_text("f.agent_id"),
    "kind": _of_list("v.kind", KINDS),
    "origin": _of_list("v.origin", ORIGINS),
    "confidence": _Column("v.confidence", _number),
    "importance": _Column("v.importance", _number),
    "valid_from": _Column("v.valid_from", _time),
    "valid_to": _Column("v.valid_to", _end),
}
_SHORT: Final = {
    "said_after": ("said_at", "$gte"),
    "said_before": ("said_at", "$lt"),
    "began_after": ("valid_from", "$gte"),
    "began_before": ("valid_from", "$lt"),
}
"""Times that need no operator, by the column and the operator that they stand for."""

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
    """Return a filter's conditions on turns.

    Args:
        conditions: The grammar over `speaker`, `role`, `origin`, `session_id`, `thread_id`, `agent_id`, `message_id`
            (text), `said_at` (aware datetimes), `metadata` and `metadata.<path>` (JSON); also `said_after` (at or
            after) and `said_before` (before).

    Raises:
        InvalidFilter: An unknown key, an unknown operator, or a value of the wrong type.
    """
    return _compiled(conditions, _TURNS, ("said_after", "said_before"))


def of_facts(conditions: Mapping[str, Any] | None) -> Where:
    """Return a filter's conditions on facts.

    Args:
        conditions: The grammar over `subject`, `attribute`, `object`, `agent_id`, `kind`, `origin` (text),
            `confidence`, `importance` (numbers), `valid_from`, `valid_to` (aware datetimes); also `began_after` (at or
            after) and `began_before`.

    Raises:
        InvalidFilter: An unknown key, an unknown operator, or a value of the wrong type.
    """
    return _compiled(conditions, _FACTS, ("began_after", "began_before"))


class RowTest:
    """A predicate on rows: what the SQL function `matches` calls with a row's columns.

    Args:
        test: The predicate, of a dict by the columns' names.
        columns: The columns, in order.
    """

    def __init__(self, test: grammar.Predicate, columns: Mapping[str, _Column]) -> None:
        self._test = test
        self._columns = columns

    def __call__(self, *values: Any) -> bool:
        """Tell whether a row matches."""
        named = zip(self._columns.items(), values, strict=True)
        return self._test({name: column.stored(value) for (name, column), value in named if value is not None})


def register(connection: apsw.Connection) -> None:
    """Let a connection's queries call predicates."""

    def matches(test: RowTest, *values: Any) -> bool:
        return test(*values)

    connection.create_scalar_function("matches", matches)


def _compiled(conditions: Mapping[str, Any] | None, columns: Mapping[str, _Column], short: Sequence[str]) -> Where:
    if conditions is not None and not isinstance(conditions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidFilter(f"a filter is a dict, not {type(conditions).__name__}")
    result = Where()
    further: list[Mapping[str, Any]] = []
    for one in _translated(conditions or {}, columns, short, 0):
        [(key, value)] = one.items()
        if not _plain(result, columns, key, value):
            further.append(one)
    if further:
        test = RowTest(grammar.predicate({"$and": further}), columns)
        named = ", ".join(column.sql for column in columns.values())
        result.add(f"matches(?, {named})", apsw.pyobject(test))
    return result


def _plain(result: Where, columns: Mapping[str, _Column], key: str, value: object) -> bool:
    """Add a condition that the engine can judge by itself: this text, this number. Returns whether it can."""
    if key in columns:
        equal = columns[key].equal
        if equal is None or not isinstance(value, str):
            return False
        result.add(f"{columns[key].sql} = ?", equal(value))
        return True
    if not _METADATA_KEY.fullmatch(key):
        return False
    path = f'$."{key.removeprefix("metadata.")}"'
    if isinstance(value, bool):
        result.add(_TYPE_ONLY, path, str(value).lower())
    elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        result.add(_NUMBER, path, path, value if abs(value) < OPEN else float(value))
    elif isinstance(value, str) and _text(key, value):
        result.add(_TEXT, path, path, value)
    else:
        return False
    return True


def _translated(
    conditions: Mapping[Any, Any], columns: Mapping[str, _Column], short: Sequence[str], depth: int
) -> list[dict[str, Any]]:
    """Return conditions one by one, with every value checked and as it is compared."""
    if depth >= grammar.DEPTH:
        raise InvalidFilter(f"a filter has at most {grammar.DEPTH} levels")
    found: list[dict[str, Any]] = []
    for key, operand in conditions.items():
        if key in grammar.LOGIC:
            found.append({key: _logic(key, operand, lambda one: _translated(one, columns, short, depth + 1))})
        elif key in short:
            name, comparison = _SHORT[key]
            found.append({name: {comparison: _time(key, operand)}})
        elif isinstance(key, str) and key.split(".")[0] in columns and (key in columns or key.startswith("metadata.")):
            found.append({key: _operand(key, operand, columns.get(key, columns.get("metadata")), depth + 1)})
        else:
            known = ", ".join([*columns, *short, *(["metadata.<path>"] if "metadata" in columns else [])])
            raise InvalidFilter(f"Invalid filter key {ascii(key)}; accepted: {known}")
    return found


def _logic(name: str, operand: Any, translated: Callable[[Any], list[dict[str, Any]]]) -> Any:
    """Return what `$and`, `$or` or `$not` joins, translated; what is malformed is left for the grammar to refuse."""
    if name == "$not":
        return {"$and": translated(operand)} if is_object(operand) and operand else operand
    return [_logic("$not", one, translated) for one in operand] if is_list(operand) else operand


def _operand(key: str, operand: Any, column: _Column | None, depth: int) -> Any:
    """Return what a column is compared with."""
    assert column is not None
    if depth >= grammar.DEPTH:
        raise InvalidFilter(f"a filter has at most {grammar.DEPTH} levels")
    if column.given is _anything:
        return operand
    if not is_object(operand):
        return column.given(key, operand)
    found: dict[Any, Any] = {}
    for name, value in operand.items():
        if name in grammar.LOGIC:
            found[name] = _logic(str(name), value, lambda one: [_operand(key, one, column, depth + 1)])
        elif name in ("$in", "$nin") and is_list(value):
            found[name] = [column.given(key, one) for one in value]
        elif name in grammar.COMPARISONS:
            found[name] = column.given(key, value)
        elif isinstance(name, str) and name.startswith("$"):
            found[name] = value  # `$exists`, or what the grammar refuses
        else:
            raise InvalidFilter(f"the value of filter {key} must be one value, or a dict of operators")
    return found


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
