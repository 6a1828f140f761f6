"""A store's operations, checked: what a batch is to do, before any of it is done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchOp,
    validate_op_namespace,
)

from memgraph import grammar
from memgraph.errors import InvalidInput
from memgraph.records import DEEPEST, is_deep
from memgraph.store.index import paths

_MINUTE: Final = 60_000_000
_MOST: Final = 1 << 62
"""More than any store has: two of them can be added where the engine counts."""

_MOST_MINUTES: Final = 1e9
"""Two thousand years: more minutes than that are a mistake, and would not fit where times are kept."""

Namespace = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Get:
    """Read one item."""

    namespace: Namespace
    key: str
    refresh: bool


@dataclass(frozen=True, slots=True)
class Search:
    """Read the items under a prefix, those that match, the best first.

    Attributes:
        needed: What stands in the JSON text of each that matches.
    """

    prefix: Namespace
    matches: grammar.Predicate | None
    needed: Sequence[str]
    limit: int
    offset: int
    query: str | None
    refresh: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Read namespaces."""

    conditions: tuple[MatchCondition, ...]
    depth: int | None
    limit: int
    offset: int

    @property
    def prefix(self) -> Namespace:
        """The labels that each namespace listed begins with, as far as the conditions spell them."""
        best: Namespace = ()
        for condition in self.conditions:
            if condition.match_type == "prefix":
                path = condition.path
                literal = path[: path.index("*")] if "*" in path else path
                best = max(best, tuple(literal), key=len)
        return best

    def listed(self, namespaces: Iterable[Namespace]) -> list[Namespace]:
        """Return what is listed of namespaces: it may be the same of several."""
        return [one[: self.depth] for one in namespaces if all(_matches(wanted, one) for wanted in self.conditions)]

    def page(self, listed: Iterable[Namespace]) -> list[Namespace]:
        """Return the page of what is listed of namespaces in ascending order: cut at one depth, they are so still."""
        return [*dict.fromkeys(listed)][self.offset : self.offset + self.limit]


@dataclass(frozen=True, slots=True)
class Put:
    """Write one item, or delete it.

    Attributes:
        value: JSON text, None to delete.
        ttl: Microseconds, None for ever.
        fields: What it is indexed by, None for the store's own fields.
    """

    namespace: Namespace
    key: str
    value: str | None
    ttl: int | None
    fields: Sequence[str] | None


def checked(op: Op, *, min_prefix: int = 0) -> Get | Search | Listing | Put:
    """Return an operation, checked.

    Raises:
        InvalidNamespaceError: A label is empty, no text, or has a dot or NUL.
        InvalidFilter: The filter is malformed.
        InvalidInput: Another argument is, or the value is no JSON.
    """
    if isinstance(op, GetOp):
        return Get(_namespace(op, op.namespace), _text("key", op.key), op.refresh_ttl)
    if isinstance(op, SearchOp):
        prefix = _namespace(op, op.namespace_prefix)
        _long_enough(prefix, min_prefix)
        matches = grammar.predicate(op.filter) if op.filter else None
        query = _text("query", op.query) if op.query else None
        needed = grammar.needed(op.filter)
        limit, offset = count("limit", op.limit), count("offset", op.offset)
        return Search(prefix, matches, needed, limit, offset, query, op.refresh_ttl)
    if isinstance(op, ListNamespacesOp):
        listing = Listing(
            tuple(_condition(op, condition) for condition in op.match_conditions or ()),
            None if op.max_depth is None else count("max_depth", op.max_depth),
            count("limit", op.limit),
            count("offset", op.offset),
        )
        _long_enough(listing.prefix, min_prefix)
        return listing
    if isinstance(op, PutOp):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers are not all typed
        namespace, key = _namespace(op, op.namespace), _text("key", op.key)
        if op.value is None:
            return Put(namespace, key, None, None, ())
        ttl = None if op.ttl is None else round(minutes("ttl", op.ttl) * _MINUTE)
        fields = None if op.index is None else () if op.index is False else paths(op.index)
        return Put(namespace, key, _json(op.value), ttl, fields)
    raise InvalidInput(f"a store has no operation `{type(op).__name__}`")


def count(name: str, value: object) -> int:
    """Return a number of things.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput(f"{name} must be a number from 0 on, not {value!r}")
    return min(value, _MOST)


def minutes(name: str, value: object) -> float:
    """Return a span of minutes.

    Raises:
        InvalidInput: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST_MINUTES:
        raise InvalidInput(f"{name} must be a number of minutes from 0 on, not {value!r}")
    return float(value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"a {name} must be text, not {type(value).__name__}")
    return value


def _namespace(op: Op, labels: object) -> Namespace:
    if not isinstance(labels, (tuple, list)):
        raise InvalidInput(f"a namespace is a tuple of texts, not {type(labels).__name__}")
    validate_op_namespace(op)
    path = tuple(cast("Sequence[str]", labels))
    if any("\0" in label for label in path):  # the end of a label where it is stored; LangGraph 4.3.0 lets it pass
        raise InvalidNamespaceError("a label of a namespace must have no NUL")
    return path


def _condition(op: Op, condition: MatchCondition) -> MatchCondition:
    if not isinstance(condition, MatchCondition):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(f"namespaces are matched by MatchConditions, not by a {type(condition).__name__}")
    if condition.match_type not in ("prefix", "suffix"):
        raise InvalidInput(f"namespaces are matched by prefix or suffix, not {ascii(condition.match_type)}")
    return MatchCondition(condition.match_type, _namespace(op, condition.path))


def _long_enough(prefix: Namespace, least: int) -> None:
    if len(prefix) < least:
        raise InvalidInput(f"this store asks for a prefix of at least {least} labels, not {len(prefix)}")


def _matches(condition: MatchCondition, namespace: Namespace) -> bool:
    path = condition.path
    if len(namespace) < len(path):
        return False
    part = namespace[: len(path)] if condition.match_type == "prefix" else namespace[len(namespace) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))


def _json(value: object) -> str:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"a value is a dict, not {type(value).__name__}")
    if is_deep(cast("object", value)):
        raise InvalidInput(f"a value has at most {DEEPEST} levels")
    try:
        text = json.dumps(value, ensure_ascii=False, default=_as_dict)
        if not text.isascii():
            text.encode()  # lone surrogates have no bytes of their own: they are written as escapes
    except UnicodeEncodeError:
        return json.dumps(value, default=_as_dict)
    except (TypeError, ValueError, RecursionError) as error:
        # Not its words: they may quote the value.
        raise InvalidInput(f"a value must be JSON: {type(error).__name__}") from None
    return text


def _as_dict(value: object) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    raise TypeError
