"""What a filter may name: how a value to compare it with is checked, how the engine compares it, how a row is read."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from memgraph.errors import InvalidFilter, InvalidInput
from memgraph.records import OPEN, to_us

EQUALITY: Final = ("$eq", "$ne")
MEMBERSHIP: Final = ("$in", "$nin")
ORDER: Final = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}

_TEXT: Final = "= 'text'"
_NUMBER: Final = "in ('integer', 'real')"
_AMONG: Final = "in (select value from json_each(?))"

_EXACT: Final = 2**63
"""Below, what the engine holds is the number itself; a larger one is rounded when it is read from JSON."""


class Sql(NamedTuple):
    """A condition that is true or false, never null: constant text, and the values bound to it."""

    text: str
    values: tuple[Any, ...]


def negated(sql: Sql) -> Sql:
    """Return the opposite."""
    return Sql(f"not ({sql.text})", sql.values)


def joined(word: str, several: Sequence[Sql]) -> Sql:
    """Return conditions joined by "and" or "or"."""
    text = f" {word} ".join(sql.text for sql in several)
    return Sql(f"({text})", tuple(value for sql in several for value in sql.values))


@dataclass(frozen=True, slots=True)
class Column(ABC):
    """One value of a row, null where there is none.

    Attributes:
        sql: Where it stands, read as what a filter compares it with.
    """

    sql: str

    def operand(self, key: str, operator: str, given: Any) -> Any:
        """Check what an operator is given, and return it as the column has it.

        Args:
            key: What the caller wrote for the column.
            operator: One of the grammar's comparisons.
            given: What stands behind it: a list for `$in` and `$nin`.

        Raises:
            InvalidFilter: The column has no such value.
        """
        if operator in MEMBERSHIP:
            return [self._equal(key, one) for one in given]
        if operator in EQUALITY:
            return self._equal(key, given)
        return self._value(key, given) if operator in ORDER else given

    def condition(self, operator: str, operand: Any) -> Sql | None:
        """Return an operator as the engine judges it; None if that is not for the engine to say."""
        if operator == "$exists":
            return Sql(f"{self.sql} is not null" if operand else f"{self.sql} is null", ())
        if operator in MEMBERSHIP:
            found = self._among(operand)
            return found if found is None or operator == "$in" else negated(found)
        if not _is_bindable(operand):
            return None
        if operator in ORDER:
            return Sql(f"ifnull({self.sql} {ORDER[operator]} ?, 0)", (operand,))
        return Sql(f"{self.sql} {'is' if operator == '$eq' else 'is not'} ?", (operand,))

    def read(self, stored: Any) -> Any:
        """Return what the engine hands over as the predicate takes it."""
        return stored

    @abstractmethod
    def _value(self, key: str, given: Any) -> Any:
        """Return what something may equal, or be more or less than."""

    def _equal(self, key: str, given: Any) -> Any:
        return None if given is None else self._value(key, given)

    def _among(self, several: Sequence[Any]) -> Sql | None:
        if not all(map(_is_bindable, several)):
            return None
        found = Sql(f"ifnull({self.sql} {_AMONG}, 0)", (_list(several),))
        return joined("or", [found, Sql(f"{self.sql} is null", ())]) if None in several else found


class Text(Column):
    """Text."""

    __slots__ = ()

    def _value(self, key: str, given: Any) -> Any:
        if not isinstance(given, str) or _has_surrogates(given):
            raise InvalidFilter(f"the value of filter {key} must be text, not {type(given).__name__}")
        return given


@dataclass(frozen=True, slots=True)
class OneOf(Text):
    """Text of a closed list: nothing else can equal it.

    Attributes:
        listed: All that there is.
    """

    listed: Collection[str]

    def _equal(self, key: str, given: Any) -> Any:
        if given is not None and (not isinstance(given, str) or given not in self.listed):
            raise InvalidFilter(f"{key} must be one of {', '.join(self.listed)}")
        return given


def numbered(sql: str, listed: Sequence[str]) -> OneOf:
    """Return a column that is stored as a place in a list."""
    cases = " ".join(f"when {number} then '{name}'" for number, name in enumerate(listed))
    return OneOf(f"case {sql} {cases} end", listed)


class Number(Column):
    """A number."""

    __slots__ = ()

    def _value(self, key: str, given: Any) -> Any:
        if not _is_number(given) or given != given:  # NaN, which is none
            raise InvalidFilter(f"the value of filter {key} must be a number, not {type(given).__name__}")
        return given


class Time(Column):
    """A time, in microseconds UTC."""

    __slots__ = ()

    def _value(self, key: str, given: Any) -> Any:
        if not isinstance(given, datetime):
            raise InvalidFilter(f"the value of filter {key} must be an aware datetime, not {type(given).__name__}")
        try:
            return to_us(key, given)
        except InvalidInput as error:
            raise InvalidFilter(str(error)) from None


def ended(sql: str) -> Time:
    """Return a column of times that is null where the end is open."""
    return Time(f"nullif({sql}, {OPEN})")


class Json(Column):
    """A JSON object: of any value in it, the predicate is the judge."""

    __slots__ = ()

    def condition(self, operator: str, operand: Any) -> Sql | None:
        """Leave everything to the predicate."""
        return None

    def read(self, stored: Any) -> Any:
        """Return the object."""
        return json.loads(stored)

    def _value(self, key: str, given: Any) -> Any:
        return given  # any JSON, which the grammar checks


@dataclass(frozen=True, slots=True)
class Member(Json):
    """One member of a JSON object: where it is compared with text, a number, a bool or None, the engine can tell.

    Attributes:
        path: Its place, as the engine has it.
    """

    path: str

    def condition(self, operator: str, operand: Any) -> Sql | None:
        """Return an operator as the engine judges it; None if that is not for the engine to say."""
        if operator == "$exists":
            return Sql(f"json_type({self.sql}, ?) is {'not ' if operand else ''}null", (self.path,))
        if operator in ORDER:
            return self._compared(f"{ORDER[operator]} ?", operand)
        found = self._among(operand) if operator in MEMBERSHIP else self._same(operand)
        return found if found is None or operator in ("$eq", "$in") else negated(found)

    def _same(self, value: object) -> Sql | None:
        if value is None:
            return Sql(f"ifnull(json_type({self.sql}, ?), 'null') = 'null'", (self.path,))
        if isinstance(value, bool):
            return Sql(f"json_type({self.sql}, ?) is ?", (self.path, str(value).lower()))
        return self._compared("= ?", value)

    def _among(self, several: Sequence[Any]) -> Sql | None:
        texts = [one for one in several if isinstance(one, str)]
        numbers = [one for one in several if _is_number(one)]
        if not all(map(_is_bindable, [*texts, *numbers])):
            return None
        found = [self._same(one) for one in several if not isinstance(one, str) and not _is_number(one)]
        found += [self._typed(kind, _AMONG, _list(some)) for kind, some in ((_TEXT, texts), (_NUMBER, numbers)) if some]
        known = [one for one in found if one is not None]
        return joined("or", known) if len(known) == len(found) else None

    def _compared(self, comparison: str, value: object) -> Sql | None:
        if value is None or not _is_bindable(value):
            return None
        return self._typed(_TEXT if isinstance(value, str) else _NUMBER, comparison, value)

    def _typed(self, kind: str, comparison: str, value: object) -> Sql:
        """Return a comparison with text or with a number: what is of another kind is neither more, less nor equal."""
        text = f"ifnull(json_type({self.sql}, ?) {kind} and json_extract({self.sql}, ?) {comparison}, 0)"
        return Sql(text, (self.path, self.path, value))


def _list(several: Sequence[Any]) -> str:
    """Return values as one that is bound, None left out."""
    return json.dumps([one for one in several if one is not None])


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_bindable(value: Any) -> bool:
    """Tell whether the engine takes a value for what it is: no large number, no half a character."""
    if isinstance(value, str):
        return not _has_surrogates(value)
    return value is None or (_is_number(value) and abs(value) < _EXACT)


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
