"""The filter grammar, by examples and against an evaluator written another way."""

from __future__ import annotations

import json
import math
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.errors import InvalidFilter
from memgraph.grammar import needed, predicate

ADA: dict[str, Any] = {
    "name": "Ada",
    "age": 10,
    "height": 1.5,
    "tall": False,
    "nick": None,
    "tags": ["a", "b"],
    "home": {"city": "Oslo", "at": {"floor": 3}},
    "a.b": "literal",
    "9-x": "it's",
}

MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"name": "Ada"}, True),
    ({"name": "ada"}, False),
    ({"age": 10.0}, True),
    ({"age": "10"}, False),
    ({"age": {"$gt": 9}}, True),
    ({"age": {"$gt": "9"}}, False),
    ({"age": {"$gte": 10, "$lt": 10.5}}, True),
    ({"age": {"$lte": 9}}, False),
    ({"name": {"$gt": "Abe"}}, True),
    ({"age": {"$gt": -math.inf, "$lt": math.inf}}, True),
    ({"age": {"$lt": 10**400}}, True),
    ({"age": math.nan}, False),
    ({"age": {"$gt": math.nan}}, False),
    ({"zz": {"$gt": 1}}, False),
    ({"zz": {"$lt": None}}, False),
    ({"tall": False}, True),
    ({"tall": 0}, False),
    ({"tall": {"$gte": False}}, False),
    ({"nick": None}, True),
    ({"zz": None}, True),
    ({"zz": {"$ne": 1}}, True),
    ({"zz": {"$nin": [1, 2]}}, True),
    ({"zz": {"$nin": [None]}}, False),
    ({"nick": {"$exists": True}}, True),
    ({"zz": {"$exists": False}}, True),
    ({"zz": {"$exists": True}}, False),
    ({"tags": ["a", "b"]}, True),
    ({"tags": ["b", "a"]}, False),
    ({"tags": {"$in": [["a", "b"], 1]}}, True),
    ({"age": {"$in": [9, 10]}}, True),
    ({"age": {"$in": []}}, False),
    ({"home": {"city": "Oslo"}}, True),
    ({"home": {"at": {"floor": {"$gt": 2}}}}, True),
    ({"home": {"zip": {"$gt": 2}}}, False),
    ({"home": {"$eq": {"city": "Oslo"}}}, False),
    ({"home": {}}, True),
    ({"name": {}}, False),
    ({"home.city": "Oslo"}, True),
    ({"home.at.floor": {"$lte": 3}}, True),
    ({"home.city.x": {"$gt": 1}}, False),
    ({"a.b": "literal"}, True),
    ({"9-x": "it's"}, True),
    ({"$and": [{"name": "Ada"}, {"age": {"$gt": 9}}]}, True),
    ({"$or": [{"name": "Bob"}, {"age": {"$gt": 9}}]}, True),
    ({"$or": [{"name": "Bob"}, {"age": 9}], "name": "Ada"}, False),
    ({"$not": {"name": "Ada"}}, False),
    ({"age": {"$not": {"$gt": 10}}}, True),
    ({"zz": {"$not": {"$gt": 10}}}, True),
    ({"age": {"$or": [{"$lt": 5}, {"$gte": 10}]}}, True),
    ({"home": {"$or": [{"city": "Oslo"}, {"zip": 1}], "city": {"$exists": True}}}, True),
]


@pytest.mark.parametrize(("conditions", "expected"), MATCHES)
def test_examples(conditions: dict[str, Any], expected: bool) -> None:
    assert predicate(conditions)(ADA) is expected


def test_none_lets_everything_through() -> None:
    assert predicate(None)({})


@pytest.mark.parametrize(
    "key",
    ["", " ", "a b", "a'b", 'a"b', "a\n", "a;b", "a..b", ".a", "a.", "a[0]", "a\0", "\u00e4", "') or 1=1 --", "a$b", 7],
)
def test_an_unsafe_key_is_a_value_error(key: Any) -> None:
    for conditions in ({key: 1}, {"a": {key: 1}}, {"$or": [{key: 1}]}):
        with pytest.raises(ValueError, match="Invalid filter key"):
            predicate(conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        "a",
        {"a": {"$regex": "x"}},
        {"$gt": 1},
        {"$or": [{"$gt": 1}]},
        {"$or": []},
        {"$or": {"a": 1}},
        {"$and": ["a"]},
        {"$not": [1]},
        {"a": {"$not": 1}},
        {"a": {"$in": "abc"}},
        {"a": {"$nin": 1}},
        {"a": {"$exists": 1}},
        {"a": {"$gt": 1, "b": 2}},
        {"a": object()},
        {"a": {"$gt": b"x"}},
        {"a": {"$in": [{"b": {1, 2}}]}},
    ],
)
def test_what_can_not_be_meant_is_refused(conditions: Any) -> None:
    with pytest.raises(InvalidFilter):
        predicate(conditions)


@pytest.mark.parametrize("leaf", [1, [[[1]]]])
def test_a_filter_as_deep_as_a_stack_is_refused(leaf: Any) -> None:
    deep: Any = leaf
    for _ in range(5_000):
        deep = {"a": deep}
    with pytest.raises(InvalidFilter, match="levels"):
        predicate(deep)
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(InvalidFilter, match="levels"):
        predicate({"a": deep})


# --- an evaluator written another way: it interprets, over the JSON text of values, and knows of no classes

Any_ = st.SearchStrategy[Any]

KEYS: Any_ = st.sampled_from(["a", "b", "c"])
SCALARS: Any_ = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.sampled_from([0.5, 1.0, 10.0, math.inf]),
    st.sampled_from(["", "9", "10", "a"]),
)
VALUES: Any_ = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
ITEMS: Any_ = st.dictionaries(KEYS, VALUES, max_size=3)
PATHS: Any_ = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
COMPARISONS: Any_ = st.dictionaries(
    st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), VALUES, min_size=1
) | st.one_of(
    st.fixed_dictionaries({"$in": st.lists(VALUES, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(VALUES, max_size=3)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)


def _below(inner: Any_) -> Any_:
    return st.one_of(
        st.dictionaries(PATHS, inner, max_size=2),
        st.fixed_dictionaries({"$not": inner}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=2)}),
    )


FILTERS: Any_ = st.dictionaries(
    PATHS, st.one_of(SCALARS, COMPARISONS, st.recursive(COMPARISONS, _below, max_leaves=4)), max_size=3
)


def _above(inner: Any_) -> Any_:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"$not": inner}),
        st.fixed_dictionaries({"$or": several}, optional={"a": SCALARS}),
        st.fixed_dictionaries({"$and": several}),
    )


ROOTS: Any_ = st.recursive(
    FILTERS,
    _above,
    max_leaves=4,
)


def _text(value: Any) -> str:
    """Write a value so that equal ones, and no others, are written the same."""
    return json.dumps(value, sort_keys=True) if isinstance(value, bool) or value is None else _canonical(value)


def _canonical(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_text(one)}" for key, one in sorted(cast("dict[str, Any]", value).items())) + "}"
    return f"s{value}" if isinstance(value, str) else f"n{float(value)}"


def _ordered(value: Any, bound: Any, signs: tuple[int, ...]) -> bool:
    for kind in (str, (int, float)):
        if all(isinstance(one, kind) and type(one) is not bool for one in (value, bound)):
            return (value > bound) - (value < bound) in signs
    return False


def naive(conditions: Any, present: list[Any]) -> bool:
    """Evaluate; `present` holds the value, or nothing where there is none."""
    value = present[0] if present else None
    if not isinstance(conditions, dict):
        return _text(value) == _text(conditions)
    verdicts = [_holds(key, operand, value, present) for key, operand in cast("dict[str, Any]", conditions).items()]
    return (isinstance(value, dict) or bool(verdicts)) and all(verdicts)


def _holds(key: str, operand: Any, value: Any, present: list[Any]) -> bool:
    match key:
        case "$and":
            return False not in [naive(one, present) for one in operand]
        case "$or":
            return True in [naive(one, present) for one in operand]
        case "$not":
            return not naive(operand, present)
        case "$exists":
            return bool(present) is operand
        case "$eq" | "$ne":
            return (_text(value) == _text(operand)) is (key == "$eq")
        case "$in" | "$nin":
            return (_text(value) in [_text(one) for one in operand]) is (key == "$in")
        case "$gt" | "$gte" | "$lt" | "$lte":
            signs = {"$gt": (1,), "$gte": (0, 1), "$lt": (-1,), "$lte": (-1, 0)}[key]
            return bool(present) and _ordered(value, operand, signs)
        case _:
            found: list[Any] = list(present)
            for label in key.split("."):
                found = [one[label] for one in found if isinstance(one, dict) and label in one]
            return isinstance(value, dict) and naive(operand, found)


@given(ITEMS, ROOTS)
def test_it_agrees_with_the_other_evaluator(item: dict[str, Any], conditions: dict[str, Any]) -> None:
    assert predicate(conditions)(item) is naive(conditions, [item])


@given(ITEMS, ROOTS)
def test_not_is_the_opposite(item: dict[str, Any], conditions: dict[str, Any]) -> None:
    assert predicate({"$not": conditions})(item) is not predicate(conditions)(item)


@given(ITEMS, ROOTS, st.booleans())
def test_what_it_needs_stands_in_all_that_it_lets_through(
    item: dict[str, Any], conditions: dict[str, Any], ascii_only: bool
) -> None:
    if predicate(conditions)(item):
        text = json.dumps(item, ensure_ascii=ascii_only)
        assert all(one in text for one in needed(conditions))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (None, []),
        ({"name": "Ada"}, ['"Ada"']),
        ({"name": {"$eq": 'a "b" \\'}}, [r'"a \"b\" \\"']),
        ({"home": {"city": "Oslo", "$and": [{"floor": "3"}, {"$not": {"door": "4"}}]}}, ['"Oslo"', '"3"']),
        ({"$and": [{"name": "Ada"}, {"$or": [{"age": "1"}, {"age": "2"}]}]}, ['"Ada"']),
        ({"a": {"$ne": "x", "$gt": "x", "$in": ["x"], "$exists": True}}, []),
        ({"a": {"$eq": {"b": "c"}}, "b": ["c"], "c": None, "d": 1}, []),
        ({"a": "\u00e9", "b": "\x7f", "c": "\n"}, []),  # spelled in more than one way, or hard to tell
    ],
)
def test_it_needs_the_texts_that_it_names(conditions: dict[str, Any] | None, expected: list[str]) -> None:
    assert needed(conditions) == expected


@given(VALUES, FILTERS)
def test_it_never_raises_whatever_it_is_asked_of(value: Any, conditions: dict[str, Any]) -> None:
    assert predicate(conditions)(value) in (True, False)
