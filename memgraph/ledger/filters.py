"""Filters on turns and on facts: the one grammar over columns and metadata. Values are bound, keys checked.

What the engine can judge is compiled to SQL; all else is left to the grammar's predicate, which gets the columns that
it names, row by row, within the same query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import apsw

from memgraph import grammar
from memgraph.errors import InvalidFilter
from memgraph.grammar import is_list, is_object
from memgraph.ledger.columns import (
    Column,
    Json,
    Member,
    Number,
    OneOf,
    Sql,
    Text,
    Time,
    ended,
    joined,
    negated,
    numbered,
)
from memgraph.records import KINDS, OPEN, ORIGINS

_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A key of metadata at its top."""

_LONGEST: Final = 12_000
"""Characters of SQL, so that an expression stays far from the thousand levels that the engine takes."""


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


def of_turns(conditions: Mapping[str, Any] | None) -> Where:
    """Return a filter's conditions on turns.

    Args:
        conditions: The grammar over `speaker`, `role`, `origin`, `session_id`, `thread_id`, `agent_id`, `message_id`
            (text), `said_at` (aware datetimes), `metadata` and `metadata.<path>` (JSON); also `said_after` (at or
            after) and `said_before` (before). Nothing in it is empty but the whole.

    Raises:
        InvalidFilter: An unknown key, an unknown operator, or a value of the wrong type.
    """
    return _TURNS.compiled(conditions)


def of_facts(conditions: Mapping[str, Any] | None, attributes: Collection[str]) -> Where:
    """Return a filter's conditions on facts.

    Args:
        conditions: The grammar over `subject`, `attribute`, `object`, `agent_id`, `kind`, `origin` (text),
            `confidence`, `importance` (numbers), `valid_from`, `valid_to` (aware datetimes, None for an open end); also
            `began_after` (at or after) and `began_before`. Nothing in it is empty but the whole.
        attributes: Every attribute that there is.

    Raises:
        InvalidFilter: An unknown key, an unknown operator, or a value of the wrong type.
    """
    return _facts(attributes).compiled(conditions)


class RowTest:
    """A predicate on rows: what a query calls with the columns that it names.

    Args:
        test: The predicate, of a dict by the columns' names.
        columns: The columns, in order.
    """

    def __init__(self, test: grammar.Predicate, columns: Mapping[str, Column]) -> None:
        self._test = test
        self._columns = columns

    def __call__(self, *values: Any) -> bool:
        """Tell whether a row matches."""
        named = zip(self._columns.items(), values, strict=True)
        try:
            row = {name: column.read(value) for (name, column), value in named if value is not None}
        except RecursionError:
            # Its metadata is nested deeper than the stack is long: nobody can say what is in it, so nothing is found.
            return False
        return self._test(row)


@dataclass(frozen=True, slots=True)
class _Condition:
    """What has to hold.

    Attributes:
        test: As a predicate on a row.
        names: The columns that the predicate looks at.
        sql: As the engine judges it; None if it can't.
    """

    test: grammar.Predicate
    names: frozenset[str]
    sql: Sql | None


@dataclass(frozen=True, slots=True)
class _Rows:
    """What a filter is on.

    Attributes:
        columns: What it may name.
        short: Times that need no operator: the column and the operator that they stand for.
    """

    columns: Mapping[str, Column]
    short: Mapping[str, tuple[str, str]]

    def compiled(self, conditions: Mapping[str, Any] | None) -> Where:
        """Return a filter's conditions."""
        if conditions is not None and not isinstance(conditions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidFilter(f"a filter is a dict, not {type(conditions).__name__}")
        _refuse_empty(conditions or {}, 0)
        result = Where()
        left: list[_Condition] = []
        for one in self._conditions(conditions or {}):
            if one.sql is not None and len(result.text) + len(one.sql.text) <= _LONGEST:
                result.add(one.sql.text, *one.sql.values)
            else:
                left.append(one)
        if left:
            every = _all(left)
            named = {name: column for name, column in self.columns.items() if name in every.names}
            given = ", ".join(column.sql for column in named.values())
            result.add(f"matches(?, {given})", apsw.pyobject(RowTest(every.test, named)))
        return result

    def _conditions(self, conditions: Mapping[Any, Any]) -> list[_Condition]:
        """Return what all has to hold."""
        found: list[_Condition] = []
        for key, operand in conditions.items():
            if key in grammar.LOGIC:
                found += _logic(key, operand, self._conditions)
            elif key in self.short:
                name, operator = self.short[key]
                found.append(_compared(name, self.columns[name], operator, operand, key))
            else:
                found += _of_column(key, self._column(key), operand)
        return found

    def _column(self, key: Any) -> Column:
        if key in self.columns:
            return self.columns[key]
        name, dot, label = key.partition(".") if isinstance(key, str) else ("", "", "")
        column = self.columns.get(name)
        if dot and isinstance(column, Json):
            return Member(column.sql, f'$."{label}"') if _LABEL.fullmatch(label) else column
        paths = [f"{name}.<path>" for name, column in self.columns.items() if isinstance(column, Json)]
        known = ", ".join([*self.columns, *self.short, *paths])
        raise InvalidFilter(f"Invalid filter key {ascii(key)}; accepted: {known}")


_TURNS: Final = _Rows(
    {
        "speaker": Text("t.speaker"),
        "role": Text("t.role"),
        "session_id": Text("p.session_id"),
        "thread_id": Text("p.thread_id"),
        "agent_id": Text("p.agent_id"),
        "message_id": Text("t.message_id"),
        "origin": numbered("t.origin", ORIGINS),
        "said_at": Time("t.said_at"),
        "metadata": Json("ifnull(t.metadata, '{}')"),
    },
    {"said_after": ("said_at", "$gte"), "said_before": ("said_at", "$lt")},
)


def _facts(attributes: Collection[str]) -> _Rows:
    return _Rows(
        {
            "subject": Text("v.subject"),
            "attribute": OneOf("v.attribute", attributes),
            "object": Text("v.object"),
            "agent_id": Text("f.agent_id"),
            "kind": numbered("v.kind", KINDS),
            "origin": numbered("v.origin", ORIGINS),
            "confidence": Number("v.confidence"),
            "importance": Number("v.importance"),
            "valid_from": Time("v.valid_from"),
            "valid_to": ended("v.valid_to"),
        },
        {"began_after": ("valid_from", "$gte"), "began_before": ("valid_from", "$lt")},
    )


def _of_column(key: str, column: Column, operand: Any) -> list[_Condition]:
    """Return what has to hold of a column."""
    if not is_object(operand):
        return [_compared(key, column, "$eq", operand, key)]
    if operand and all(isinstance(name, str) and name.startswith("$") for name in operand):
        found: list[_Condition] = []
        for name, value in operand.items():
            if name in grammar.LOGIC:
                found += _logic(name, value, lambda one: _of_column(key, column, one))
            else:
                found.append(_compared(key, column, name, value, key))
        return found
    if not isinstance(column, Json) or not (operand or "." in key):  # every row's metadata is an object
        raise InvalidFilter(f"the value of filter {key} must be one value, or a dict of operators")
    return [_Condition(grammar.predicate({key: operand}), _named(key), None)]


def _compared(name: str, column: Column, operator: str, given: Any, key: str) -> _Condition:
    """Return one comparison of a column, for which the caller wrote `key`."""
    operand = column.operand(key, operator, given)
    test = grammar.predicate({name: {operator: operand}})
    return _Condition(test, _named(name), column.condition(operator, operand))


def _named(key: str) -> frozenset[str]:
    return frozenset([key.partition(".")[0]])


def _logic(name: str, operand: Any, conditions: Callable[[Any], list[_Condition]]) -> list[_Condition]:
    """Return what `$and`, `$or` or `$not` has to hold."""
    if name == "$not":
        return [_not(_all(conditions(operand)))]
    each = [conditions(one) for one in operand]
    return [one for several in each for one in several] if name == "$and" else [_any([*map(_all, each)])]


def _all(several: Sequence[_Condition]) -> _Condition:
    return several[0] if len(several) == 1 else _join("and", all, several)


def _any(several: Sequence[_Condition]) -> _Condition:
    return _join("or", any, several)


def _join(word: str, met: Callable[[Any], bool], several: Sequence[_Condition]) -> _Condition:
    tests = [one.test for one in several]
    known = [one.sql for one in several if one.sql is not None]
    return _Condition(
        lambda row: met(test(row) for test in tests),
        frozenset(name for one in several for name in one.names),
        joined(word, known) if len(known) == len(several) else None,
    )


def _not(one: _Condition) -> _Condition:
    return _Condition(lambda row: not one.test(row), one.names, None if one.sql is None else negated(one.sql))


def _refuse_empty(conditions: Mapping[Any, Any], depth: int) -> None:
    """Refuse what names nothing on some branch: it lets everything through, and an erasure takes a filter too."""
    if depth >= grammar.DEPTH:
        raise InvalidFilter(f"a filter has at most {grammar.DEPTH} levels")
    for key, operand in conditions.items():
        inner: Sequence[Any] = []
        if key == "$not":
            inner = [operand]
        elif key in grammar.LOGIC:
            inner = operand if is_list(operand) else inner
        else:
            if key in ("$in", "$nin") and not (is_list(operand) and operand):
                raise InvalidFilter(f"{key} takes a list of at least one value")
            if is_object(operand) and key not in grammar.COMPARISONS:
                _refuse_empty(operand, depth + 1)
            continue
        if not inner or not all(is_object(one) and one for one in inner):
            takes = "a dict of conditions" if key == "$not" else "a list of dicts of conditions"
            raise InvalidFilter(f"{key} takes {takes}, none of them empty")
        for one in inner:
            _refuse_empty(one, depth + 1)


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
    result = of_turns(conditions)
    result.extend(agent_sees(agent_id))
    result.extend(believed(known_at, as_of))
    return result
