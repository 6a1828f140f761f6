"""One grammar of filters on JSON values: nested dicts, compiled once to a predicate that never raises.

    {"city": "Oslo"}                            equal; also lists, and None for a key that is null or missing
    {"age": {"$gte": 18, "$lt": 65}}            all of them hold
    {"home": {"city": "Oslo"}}                  an object with this in it
    {"home.city": "Oslo"}                       the same by a dotted path; a key spelled with the dot goes first
    {"$or": [{"age": {"$gt": 9}}, {"$not": {"city": {"$in": ["Oslo", "Bergen"]}}}]}

Comparison is typed: numbers with numbers, text with text (10 > 9, and "10" is no number), anything else is false. True
is not 1. A missing key is null to `$eq`, `$ne`, `$in` and `$nin`, has no order, and only `$exists` tells the two apart.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeGuard

from memgraph.errors import InvalidFilter

Predicate = Callable[[object], bool]
"""Whether a JSON value matches."""

DEPTH: Final = 32
"""Levels of a filter: far more than anybody writes, far fewer than the interpreter's stack has."""

_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_MISSING: Final = object()
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
COMPARISONS: Final = ("$eq", "$ne", *_ORDER)
LOGIC: Final = ("$and", "$or", "$not")
OPERATORS: Final = (*COMPARISONS, "$in", "$nin", "$exists", *LOGIC)
"""Every operator there is."""


def predicate(conditions: Mapping[str, Any] | None) -> Predicate:
    """Compile a filter.

    Args:
        conditions: As above; None and {} let everything through.

    Raises:
        InvalidFilter: An unsafe key, an unknown operator, or an operand that it can't take.
    """
    if conditions is None:
        return lambda value: True
    if not isinstance(conditions, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        raise InvalidFilter(f"a filter is a dict, not {type(conditions).__name__}")
    return _conditions(conditions, 0, root=True)


def needed(conditions: Mapping[str, Any] | None) -> list[str]:
    """Return texts that stand in the JSON text of every object that a filter lets through: those that it names equal.

    To read a text takes fifty times as long as to look for these in it. The filter is one that `predicate` took.
    """
    found: list[str] = []
    for key, operand in (conditions or {}).items():
        if key == "$and":
            found += [text for one in operand for text in needed(one)]
        elif key != "$eq" and not key.startswith("$") and is_object(operand):
            found += needed(operand)
        elif (key == "$eq" or not key.startswith("$")) and isinstance(operand, str):
            # What is not plain is spelled in more than one way.
            found += [json.dumps(operand)] if operand.isascii() and operand.isprintable() else []
    return found


def same(one: object, other: object) -> bool:
    """Return whether two JSON values are equal: 1 is 1.0, but not True; NaN is nothing."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if _is_number(one) or isinstance(one, str):
        return _comparable(one, other) and one == other
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return is_list(one) and is_list(other) and len(one) == len(other) and all(map(same, one, other))


def _conditions(conditions: Mapping[Any, Any], depth: int, *, root: bool = False) -> Predicate:
    """Compile what has to hold of one value: of its fields, of itself, or both by `$and`, `$or`, `$not`."""
    if depth >= DEPTH:
        raise InvalidFilter(f"a filter has at most {DEPTH} levels")
    tests: list[Predicate] = []
    fields = comparisons = 0
    for key, operand in conditions.items():
        if not isinstance(key, str):
            raise InvalidFilter(f"Invalid filter key: it must be text, not {type(key).__name__}")
        if key in LOGIC:
            tests.append(_logic(key, operand, depth + 1, root=root))
        elif key.startswith("$"):
            comparisons += 1
            tests.append(_comparison(key, operand, depth + 1))
        else:
            fields += 1
            tests.append(_field(key, operand, depth + 1))
    if comparisons and (fields or root):
        raise InvalidFilter("a filter's $ comparisons stand alone below a field: {'age': {'$gt': 9}}")
    if fields or not tests:
        return lambda value: is_object(value) and all(test(value) for test in tests)
    return lambda value: all(test(value) for test in tests)


def _logic(name: str, operand: object, depth: int, *, root: bool) -> Predicate:
    if name == "$not":
        if not is_object(operand):
            raise InvalidFilter("$not takes a dict of conditions")
        test = _conditions(operand, depth, root=root)
        return lambda value: not test(value)
    if not is_list(operand) or not operand or not all(map(is_object, operand)):
        raise InvalidFilter(f"{name} takes a list of at least one dict of conditions")
    tests = [_conditions(one, depth, root=root) for one in operand]
    met = all if name == "$and" else any
    return lambda value: met(test(value) for test in tests)


def _field(key: str, operand: Any, depth: int) -> Predicate:
    if not _KEY.fullmatch(key):
        raise InvalidFilter(f"Invalid filter key {ascii(key)}: letters, digits, _ and -, joined by dots")
    if is_object(operand):
        test = _conditions(operand, depth)
    else:
        test = _comparison("$eq", operand, depth)
    path = key.split(".")
    return lambda value: test(_at(value, key, path))


def _at(value: object, key: str, path: Sequence[str]) -> object:
    if is_object(value) and key in value:
        return value[key]
    for label in path:
        if not is_object(value) or label not in value:
            return _MISSING
        value = value[label]
    return value


def _ordered(compare: Callable[[Any, Any], bool], bound: Any) -> Predicate:
    def test(value: Any) -> bool:
        return _comparable(value, bound) and compare(value, bound)

    return test


def _comparison(name: str, operand: Any, depth: int) -> Predicate:
    """Compile one operator. What a predicate holds is the caller's own value: it is not changed while it is in use."""
    if name == "$exists":
        if not isinstance(operand, bool):
            raise InvalidFilter("$exists takes True or False")
        return lambda value: (value is not _MISSING) == operand
    if name in _ORDER:
        _check(operand, depth)
        return _ordered(_ORDER[name], operand)
    if name in ("$eq", "$ne"):
        _check(operand, depth)
        wanted = name == "$eq"
        return lambda value: same(_null(value), operand) == wanted
    if name in ("$in", "$nin"):
        if not is_list(operand):
            raise InvalidFilter(f"{name} takes a list of values")
        _check(operand, depth)
        wanted, several = name == "$in", operand
        return lambda value: any(same(_null(value), one) for one in several) == wanted
    raise InvalidFilter(f"Invalid filter operator {ascii(name)}; accepted: {', '.join(OPERATORS)}")


def _null(value: object) -> object:
    return None if value is _MISSING else value


def is_object(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value is a JSON object."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether a value is a JSON list."""
    return isinstance(value, (list, tuple))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _comparable(one: object, other: object) -> bool:
    return (_is_number(one) and _is_number(other)) or (isinstance(one, str) and isinstance(other, str))


def _check(value: Any, depth: int) -> None:
    """Refuse an operand that is no JSON: nothing stored could ever equal it."""
    if depth >= DEPTH:
        raise InvalidFilter(f"a filter has at most {DEPTH} levels")
    if is_list(value):
        for one in value:
            _check(one, depth + 1)
    elif is_object(value):
        for one in value.values():
            _check(one, depth + 1)
    elif value is not None and not isinstance(value, (str, int, float)):
        raise InvalidFilter(f"a filter's value must be JSON, not {type(value).__name__}")
