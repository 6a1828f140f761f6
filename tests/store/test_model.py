"""Random interleavings over adversarial namespaces, against a model of a few lines of plain Python."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.base import GetOp, Item, ListNamespacesOp, MatchCondition, Op, PutOp, SearchOp

from memgraph import LedgerStore
from memgraph.ledger import handle, items
from memgraph.store import reads
from support.memories import Clock

TWINS = [
    "a",
    "ab",
    "A",
    "*",
    "%",
    "_",
    "a*",
    "[a]",
    "?",
    "a\n",
    "\n",
    "\u00e9",
    "e\u0301",
    "a/b",
    "a,b",
    "'",
    "langgraph",
]
ENDS = ["a\x01", "\uffff", "\ud800", "\U0001f984"]
"""Prefix twins, cases, wildcards of SQL and of shells, separators, normal forms, the ends of UTF-8."""

label = st.sampled_from(TWINS + ENDS) | st.text(
    st.characters(exclude_characters=".\0", exclude_categories=()), min_size=1, max_size=3
)
namespace = st.lists(label, max_size=3).map(tuple)
key = st.sampled_from(["k", "K", "", "k\0", "k.", "\u00e9", "e\u0301"])
value = st.fixed_dictionaries({"n": st.integers(0, 3)}, optional={"s": st.sampled_from(["a", "b"])})
ttl = st.sampled_from([None, None, 1, 3])
page = {"limit": st.integers(0, 4), "offset": st.integers(0, 3)}
path = st.lists(label | st.just("*"), max_size=3).map(tuple)
condition = st.builds(MatchCondition, st.sampled_from(["prefix", "suffix"]), path)
filters = st.none() | st.sampled_from([{"n": 1}, {"n": {"$gt": 0}}, {"s": {"$ne": "a"}}, {"s": None}])
op: st.SearchStrategy[Op] = st.one_of(
    st.builds(PutOp, namespace, key, value, ttl=ttl),
    st.builds(PutOp, namespace, key, value, ttl=ttl),
    st.builds(PutOp, namespace, key, st.none()),
    st.builds(GetOp, namespace, key, st.booleans()),
    st.builds(SearchOp, namespace, filters, refresh_ttl=st.booleans(), **page),
    st.builds(
        ListNamespacesOp,
        st.lists(condition, max_size=2).map(tuple),
        st.none() | st.integers(0, 3),
        **page,
    ),
)
MINUTE = 60
step = st.one_of(st.lists(op, max_size=6), st.just("sweep"))
steps = st.lists(st.tuples(st.sampled_from([0, 1, 40, 2 * MINUTE]), step), max_size=8)


class Model:
    """What a store is: a dict."""

    def __init__(self, clock: Clock, omits: bool) -> None:
        self.clock, self.omits = clock, omits
        self.items: dict[tuple[Any, str], dict[str, Any]] = {}
        self.born = 0

    def batch(self, ops: list[Op]) -> list[Any]:
        self.used: list[dict[str, Any]] = []
        results = [self.read(op) for op in ops]
        for item in self.used:
            item["expires"] = self.clock() + item["ttl"]
        # Of one key the last put counts, at the place of the first.
        for (space, name), op in {(op.namespace, op.key): op for op in ops if isinstance(op, PutOp)}.items():
            self.put(space, name, op)
        return results

    def put(self, space: Any, name: str, op: PutOp) -> None:
        old = self.items.get((space, name))
        if op.value is None:
            self.items.pop((space, name), None)
            return
        if old is None:
            self.born += 1
        now, span = self.clock(), None if op.ttl is None else int(op.ttl * MINUTE * 1_000_000)
        gone = old is not None and self.omits and self.dead(old)
        self.items[space, name] = {
            "value": op.value,
            "created": now if old is None or gone else old["created"],
            "updated": now,
            "number": self.born if old is None else old["number"],
            "ttl": span,
            "expires": None if span is None else now + span,
        }

    def dead(self, item: dict[str, Any]) -> bool:
        return item["expires"] is not None and item["expires"] <= self.clock()

    def alive(self) -> dict[tuple[Any, str], dict[str, Any]]:
        return {at: item for at, item in self.items.items() if not (self.omits and self.dead(item))}

    def read(self, op: Op) -> Any:
        alive = self.alive()
        if isinstance(op, GetOp):
            found = {at: item for at, item in alive.items() if at == (op.namespace, op.key)}
            self.use(op, found)
            return next((told(at, item) for at, item in found.items()), None)
        if isinstance(op, SearchOp):
            under = {
                at: item
                for at, item in alive.items()
                if list(at[0][: len(op.namespace_prefix)]) == list(op.namespace_prefix)
                and met(op.filter, item["value"])
            }
            order = sorted(under, key=lambda at: (-under[at]["updated"], -under[at]["number"]))
            found = {at: under[at] for at in order[op.offset :][: op.limit]}
            self.use(op, found)
            return [told(at, item) for at, item in found.items()]
        if isinstance(op, ListNamespacesOp):
            spaces = {
                space[: len(space) if op.max_depth is None else op.max_depth]
                for space, _ in alive
                if all(fits(one, space) for one in op.match_conditions or ())
            }
            return sorted(spaces)[op.offset :][: op.limit]
        return None

    def use(self, op: GetOp | SearchOp, found: dict[Any, dict[str, Any]]) -> None:
        if op.refresh_ttl:
            self.used += [item for item in found.values() if item["ttl"] is not None]

    def sweep(self) -> int:
        dead = [at for at, item in self.items.items() if self.dead(item)]
        for at in dead:
            del self.items[at]
        return len(dead)


def told(at: tuple[Any, str], item: dict[str, Any]) -> tuple[Any, ...]:
    return (*at, item["value"], item["created"], item["updated"])


def met(conditions: dict[str, Any] | None, value: dict[str, Any]) -> bool:
    tests: dict[str, bool] = {
        "None": True,
        "{'n': 1}": value["n"] == 1,
        "{'n': {'$gt': 0}}": value["n"] > 0,
        "{'s': {'$ne': 'a'}}": value.get("s") != "a",
        "{'s': None}": "s" not in value,
    }
    return tests[str(conditions)]


def fits(one: MatchCondition, space: tuple[str, ...]) -> bool:
    pattern, labels = (one.path, space) if one.match_type == "prefix" else (one.path[::-1], space[::-1])
    return len(labels) >= len(pattern) and all(p in ("*", s) for p, s in zip(pattern, labels, strict=False))


def shown(result: Any) -> Any:
    """Write what our store returns as the model does."""
    if isinstance(result, Item):
        us = [round(at.timestamp() * 1_000_000) for at in (result.created_at, result.updated_at)]
        return (result.namespace, result.key, result.value, *us)
    if isinstance(result, list):
        return [shown(one) for one in result]  # pyright: ignore[reportUnknownVariableType]
    return result


@contextmanager
def read(how: str) -> Generator[None]:
    """Let reads inside the block be done at once, or in the smallest steps there are."""
    small = {
        (handle, "SHORT"): 0,
        (handle, "TURN"): 1,
        (items, "_ROWS"): 2,
        (reads, "_FEWEST"): 1,
        (reads, "_PATHS"): 1,
    }
    with ExitStack() as patches:
        for (module, name), value in small.items() if how == "in steps" else ():
            patches.enter_context(mock.patch.object(module, name, value))
        yield


@given(steps, st.booleans(), st.sampled_from(["at once", "in steps"]))
@settings(max_examples=200)
def test_any_interleaving_does_what_the_model_does(script: list[tuple[int, Any]], omits: bool, how: str) -> None:
    clock = Clock()
    model = Model(clock, omits)
    with read(how), LedgerStore.from_conn_string(":memory:", ttl={"omit_expired": omits}) as store:
        store.home.core.clock = clock
        for seconds, ops in script:
            clock.tick(seconds=seconds)
            if ops == "sweep":
                assert store.sweep_ttl() == model.sweep()
            else:
                assert [shown(one) for one in store.batch(ops)] == model.batch(ops)
        everything: list[Op] = [SearchOp((), limit=1_000), ListNamespacesOp(limit=1_000)]
        assert [shown(one) for one in store.batch(everything)] == model.batch(everything)


@given(st.lists(namespace, min_size=1, max_size=8, unique=True), st.data())
@settings(max_examples=60)
def test_no_prefix_reaches_a_neighbour(spaces: list[tuple[str, ...]], data: st.DataObject) -> None:
    prefix = data.draw(st.sampled_from(spaces) | namespace)
    under = sorted(space for space in spaces if space[: len(prefix)] == prefix)
    with LedgerStore.from_conn_string(":memory:") as store:
        store.batch([PutOp(space, "k", {}) for space in spaces])
        assert sorted(item.namespace for item in store.search(prefix, limit=99)) == under
        conditions = (MatchCondition("prefix", prefix),)
        if "*" not in prefix:
            assert store.batch([ListNamespacesOp(conditions)]) == [under]
        assert store.list_namespaces() == sorted(spaces)
        for space in spaces:
            store.delete(space, "k")
            assert store.get(space, "k") is None
        assert store.list_namespaces() == []


def test_each_twin_is_found_alone() -> None:
    labels = [*TWINS, *ENDS, *(f"{twin}{end}" for twin in TWINS for end in ENDS)]
    with LedgerStore.from_conn_string(":memory:") as store:
        store.batch([PutOp((label,), "k", {}) for label in labels])
        for label in labels:
            assert [item.namespace for item in store.search((label,))] == [(label,)]
            expected = sorted((one,) for one in labels) if label == "*" else [(label,)]
            assert store.list_namespaces(prefix=(label,), limit=999) == expected
            assert store.list_namespaces(suffix=(label,), limit=999) == expected
