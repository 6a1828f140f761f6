"""The contract of a store, over ours (alone and a memory's) and over LangGraph's own, by both faces."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchItem,
    SearchOp,
)

from memgraph.errors import InvalidFilter, InvalidInput, ReadOnlyNamespace
from memgraph.store import operations
from support.stores import Faced, clock


def keys(found: list[SearchItem]) -> set[str]:
    return {item.key for item in found}


# --- get, put, delete


def test_what_is_put_can_be_got(store: Faced) -> None:
    value: dict[str, Any] = {
        "text": "a",
        "n": 1,
        "f": 1.5,
        "t": True,
        "none": None,
        "list": [1, {"x": []}],
        "o": {"p": {}},
    }
    store.put(("users", "ada"), "k", value)
    item = store.get(("users", "ada"), "k")
    assert type(item) is Item
    assert (item.namespace, item.key, item.value) == (("users", "ada"), "k", value)


def test_what_is_not_there_is_none(store: Faced) -> None:
    store.put(("a", "b"), "k", {})
    assert [store.get(ns, key) for ns, key in [(("a", "b"), "x"), (("a",), "k"), (("a", "b", "c"), "k")]] == [None] * 3


def test_a_put_replaces_the_whole_value(store: Faced) -> None:
    store.put(("a",), "k", {"x": 1, "y": 1})
    store.put(("a",), "k", {"x": 2})
    assert store.get(("a",), "k").value == {"x": 2}
    assert len(store.search(("a",))) == 1


def test_what_is_deleted_is_gone_and_deleting_nothing_is_no_error(store: Faced) -> None:
    store.put(("a",), "k", {"x": 1})
    for _ in range(2):
        store.delete(("a",), "k")
    assert store.get(("a",), "k") is None
    assert store.search(("a",)) == []
    # LangGraph's lists a namespace that is empty by now.
    assert store.list_namespaces() == ([] if store.is_ours else [("a",)])


def test_created_at_survives_updates_and_times_are_aware(store: Faced) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    store.put(("a",), "k", {"x": 1})
    first = store.get(("a",), "k")
    store.put(("a",), "k", {"x": 2})
    second = store.get(("a",), "k")
    assert first.created_at.utcoffset() == second.updated_at.utcoffset() == timedelta(0)
    assert before <= first.created_at <= second.updated_at <= datetime.now(UTC)
    if store.is_ours:  # LangGraph's takes an update for a new item
        assert first.created_at == first.updated_at == second.created_at


@pytest.mark.parametrize(
    "text",
    ["Zürich", "日本語のテキスト", "🦄", "e\u0301", "\u00e9", "a'b\"c\\d", "%_*?[", "a\nb\t", "\ud800", "\x00", ""],
)
def test_any_text_is_kept_code_point_for_code_point(text: str, store: Faced) -> None:
    store.put(("a",), text, {"text": text, f"k{text}": 1})
    item = store.get(("a",), text)
    assert (item.key, item.value) == (text, {"text": text, f"k{text}": 1})


def test_any_mapping_is_a_value(store: Faced) -> None:
    store.put(("a",), "k", MappingProxyType({"x": 1}))
    assert store.get(("a",), "k").value == {"x": 1}


def test_any_number_of_json_is_kept(ours: Faced) -> None:
    ours.put(("a",), "k", {"big": 10**40, "inf": math.inf, "nan": math.nan, "tuple": (1, MappingProxyType({"a": 1}))})
    value = ours.get(("a",), "k").value
    assert (value["big"], value["inf"], value["tuple"]) == (10**40, math.inf, [1, {"a": 1}])
    assert math.isnan(value["nan"])


def test_a_value_is_no_longer_the_callers(ours: Faced) -> None:
    value: dict[str, Any] = {"x": [1]}
    ours.put(("a",), "k", value)
    value["x"].append(2)
    ours.get(("a",), "k").value["x"].append(3)
    assert ours.get(("a",), "k").value == {"x": [1]}


def _circle() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["x"] = value
    return value


def test_a_value_deeper_than_can_be_read_again_is_refused(ours: Faced) -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(levels):
            value = {"in": [value]}
        return value

    ours.put(("a",), "k", nested(49))
    assert ours.get(("a",), "k").value == nested(49)
    for levels in (51, 5_000):
        with pytest.raises(InvalidInput, match="levels"):
            ours.put(("a",), "k", nested(levels))


@pytest.mark.parametrize(
    "value",
    [{"x": object()}, {"x": {1}}, {"x": b"y"}, {("a",): 1}, _circle(), [1], "text", 1],
    ids=lambda v: type(v).__name__,
)
def test_a_value_that_is_no_json_is_refused(value: Any, ours: Faced) -> None:
    with pytest.raises(InvalidInput, match=r"^a value "):
        ours.batch([PutOp(("a",), "good", {}), PutOp(("a",), "bad", value)])
    assert ours.search(()) == []


# --- batch


def test_reads_of_a_batch_see_the_state_before_its_puts(store: Faced) -> None:
    store.put(("a",), "k", {"x": 1})
    results = store.batch(
        [
            PutOp(("a",), "k", {"x": 2}),
            PutOp(("b",), "new", {"x": 2}),
            GetOp(("a",), "k"),
            SearchOp(()),
            ListNamespacesOp(),
            PutOp(("a",), "k", None),
            GetOp(("b",), "new"),
        ]
    )
    assert results[:2] == [None, None]
    assert results[2].value == {"x": 1}
    assert [item.value for item in results[3]] == [{"x": 1}]
    assert results[4:] == [[("a",)], None, None]
    assert store.get(("a",), "k") is None
    assert store.get(("b",), "new").value == {"x": 2}


def test_of_one_key_the_last_put_of_a_batch_wins(store: Faced) -> None:
    store.batch([PutOp(("a",), "k", {"x": n}) for n in range(3)])
    assert store.get(("a",), "k").value == {"x": 2}
    store.batch(
        [PutOp(("a",), "k", None), PutOp(("a",), "k", {"x": 9}), PutOp(("a",), "z", {}), PutOp(("a",), "z", None)]
    )
    assert [item.value for item in store.search(("a",))] == [{"x": 9}]


def test_results_align_with_the_operations(store: Faced) -> None:
    store.batch([PutOp(("a",), str(n), {"n": n}) for n in range(5)])
    results = store.batch([GetOp(("a",), str(n)) for n in (3, 0, 7, 4, 3)])
    assert [None if one is None else one.value["n"] for one in results] == [3, 0, None, 4, 3]
    assert store.batch([]) == []
    assert store.batch(iter([GetOp(("a",), "1")]))[0].value == {"n": 1}


def test_a_batch_that_is_wrong_somewhere_does_nothing(ours: Faced) -> None:
    wrong: list[Any] = [
        GetOp(("a", ""), "k"),
        PutOp(("a.b",), "k", {}),
        SearchOp(("a",), filter={"a b": 1}),
        SearchOp(("a",), limit=-1),
        SearchOp(("a",), offset=-1),
        SearchOp(("a",), query=7),  # type: ignore[arg-type]
        SearchOp("abc"),  # type: ignore[arg-type]
        GetOp(("a",), 7),  # type: ignore[arg-type]
        ListNamespacesOp(max_depth=-1),
        ListNamespacesOp(limit=True),
        ListNamespacesOp((MatchCondition("infix", ("a",)),)),  # type: ignore[arg-type]
        PutOp(("a",), "k", {}, ttl=math.nan),
        PutOp(("a",), "k", {}, ttl=-1),
        PutOp(("a",), "k", {}, index="text"),  # type: ignore[arg-type]
        ("put", "a"),
    ]
    for op in wrong:
        with pytest.raises(ValueError):
            ours.batch([PutOp(("a",), "k", {"x": 1}), op])
    assert ours.search(()) == []


# --- namespaces

BAD_LABELS: list[Any] = ["", "a.b", ".", "a\0", 7, None]


@pytest.mark.parametrize("label", BAD_LABELS)
def test_a_label_that_could_be_taken_for_another_is_refused(label: Any, store: Faced) -> None:
    bad = ("a", label)
    calls: list[Callable[[], Any]] = [
        lambda: store.put(bad, "k", {}),
        lambda: store.get(bad, "k"),
        lambda: store.delete(bad, "k"),
        lambda: store.search(bad),
        lambda: store.list_namespaces(prefix=bad),
        lambda: store.list_namespaces(suffix=bad),
    ]
    for call in calls:
        with pytest.raises(InvalidNamespaceError):
            call()


@pytest.mark.parametrize("label", BAD_LABELS)
def test_it_is_refused_in_raw_batches_too(label: Any, ours: Faced) -> None:
    bad: Any = ("a", label)
    for op in (
        PutOp(bad, "k", {}),
        PutOp(bad, "k", None),
        GetOp(bad, "k"),
        SearchOp(bad),
        ListNamespacesOp((MatchCondition("prefix", bad),)),
        ListNamespacesOp((MatchCondition("suffix", bad),)),
    ):
        with pytest.raises(InvalidNamespaceError):
            ours.batch([op])


def test_a_nul_is_refused_where_langgraph_lets_it_pass(monkeypatch: pytest.MonkeyPatch, ours: Faced) -> None:
    monkeypatch.setattr(operations, "validate_op_namespace", lambda op: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  # as in LangGraph 4.3.0
    ours.batch([PutOp(("a", "b"), "k", {})])
    for op in (
        PutOp(("a\0b",), "k", {}),
        GetOp(("a\0b",), "k"),
        SearchOp(("a\0b",)),
        ListNamespacesOp((MatchCondition("prefix", ("a\0b",)),)),
    ):
        with pytest.raises(InvalidNamespaceError, match="NUL"):
            ours.batch([op])


def test_put_refuses_the_empty_namespace_and_langgraphs_own_root_which_a_batch_may_use(store: Faced) -> None:
    for namespace in [(), ("langgraph", "x")]:
        with pytest.raises(InvalidNamespaceError):
            store.put(namespace, "k", {})
        store.batch([PutOp(namespace, "k", {"x": 1})])
        assert store.get(namespace, "k").value == {"x": 1}
    assert store.list_namespaces() == [(), ("langgraph", "x")]
    assert len(store.search(())) == 2


def test_a_prefix_matches_whole_labels(store: Faced) -> None:
    for namespace in [("foo",), ("foo", "x"), ("foobar",), ("fo",), ("x", "foo"), ("Foo",), ("foo\n",)]:
        store.put(namespace, "k", {})
    assert {item.namespace for item in store.search(("foo",))} == {("foo",), ("foo", "x")}
    assert {item.namespace for item in store.search(("foo", "x"))} == {("foo", "x")}
    assert store.search(("f",)) == []
    assert store.list_namespaces(prefix=("foo",)) == [("foo",), ("foo", "x")]
    assert store.list_namespaces(suffix=("foo",)) == [("foo",), ("x", "foo")]


def test_an_empty_prefix_is_no_constraint(store: Faced) -> None:
    for namespace in [("a",), ("a", "b"), ("c",)]:
        store.put(namespace, "k", {})
    assert len(store.search(())) == 3
    assert store.list_namespaces() == store.list_namespaces(prefix=(), suffix=()) == [("a",), ("a", "b"), ("c",)]


SPACES = [("a",), ("a", "b"), ("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("b", "b", "c"), ("b",)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, sorted(SPACES)),
        ({"prefix": ("a", "b")}, [("a", "b"), ("a", "b", "c"), ("a", "b", "d")]),
        ({"prefix": ("a", "*", "c")}, [("a", "b", "c"), ("a", "x", "c")]),
        ({"prefix": ("*", "b")}, [("a", "b"), ("a", "b", "c"), ("a", "b", "d"), ("b", "b", "c")]),
        ({"suffix": ("c",)}, [("a", "b", "c"), ("a", "x", "c"), ("b", "b", "c")]),
        ({"suffix": ("b", "*")}, [("a", "b", "c"), ("a", "b", "d"), ("b", "b", "c")]),
        ({"prefix": ("a",), "suffix": ("c",)}, [("a", "b", "c"), ("a", "x", "c")]),
        ({"max_depth": 1}, [("a",), ("b",)]),
        ({"max_depth": 2}, [("a",), ("a", "b"), ("a", "x"), ("b",), ("b", "b")]),
        ({"max_depth": 0}, [()]),
        ({"prefix": ("a",), "max_depth": 2, "limit": 1, "offset": 1}, [("a", "b")]),
        ({"limit": 2, "offset": 5}, [("b",), ("b", "b", "c")]),
        ({"limit": 0}, []),
        ({"offset": 99}, []),
        ({"prefix": ("a", "b", "c", "d")}, []),
        ({"prefix": ("B",)}, []),
    ],
)
def test_namespaces_are_listed(options: dict[str, Any], expected: list[tuple[str, ...]], store: Faced) -> None:
    for namespace in SPACES:
        store.put(namespace, "k", {})
    assert store.list_namespaces(**options) == expected


def test_several_conditions_hold_together(store: Faced) -> None:
    for namespace in SPACES:
        store.put(namespace, "k", {})
    conditions = (
        MatchCondition("prefix", ("a",)),
        MatchCondition("prefix", ("*", "b")),
        MatchCondition("suffix", ("d",)),
    )
    assert store.batch([ListNamespacesOp(conditions)]) == [[("a", "b", "d")]]


# --- search without a question


def test_pages_of_a_search_are_disjoint_and_whole(store: Faced) -> None:
    for n in range(7):
        store.put(("a", str(n % 2)), str(n), {"n": n})
    for conditions in (None, {"n": {"$gte": 0}}):
        pages = [store.search(("a",), filter=conditions, limit=3, offset=offset) for offset in (0, 3, 6, 9)]
        assert [len(page) for page in pages] == [3, 3, 1, 0]
        assert {item.key for page in pages for item in page} == {str(n) for n in range(7)}
    assert len(store.search(("a",))) == 7
    assert store.search(("a",), limit=0) == []


def test_the_last_written_comes_first(ours: Faced) -> None:
    now = clock(ours.store)
    for key in "abca":
        now.tick()
        ours.put(("n",), key, {"x": 1})
    assert [item.key for item in ours.search(())] == ["a", "c", "b"]
    assert [item.key for item in ours.search((), filter={"x": 1})] == ["a", "c", "b"]


def test_without_an_index_a_question_is_ignored(store: Faced) -> None:
    store.put(("a",), "k", {"text": "cats"})
    store.put(("a",), "l", {"text": "dogs"}, index=["text"])
    found = store.search(("a",), query="dogs", filter={"text": "cats"})
    assert keys(found) == {"k"}
    assert type(found[0]) is SearchItem
    assert found[0].score == (0 if store.kind == "memory" else None)  # a memory without an embedder goes by words
    assert keys(store.search(("a",), query="nothing like it")) == {"k", "l"}


FILTERED = {
    "nine": {"n": 9, "s": "b", "tags": ["a"], "on": True, "m": {"x": 9}},
    "ten": {"n": 10, "s": "a", "tags": ["a", "b"], "on": False, "m": {"x": 10, "y": 1}},
    "hundred": {"n": 100, "s": "it's", "m": {"x": "9"}, "none": None},
}


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"n": 9}, {"nine"}),
    ({"n": {"$eq": 9}}, {"nine"}),
    ({"n": {"$ne": 9}}, {"ten", "hundred"}),
    ({"n": {"$gt": 9}}, {"ten", "hundred"}),
    ({"n": {"$gte": 10, "$lt": 100}}, {"ten"}),
    ({"n": {"$lte": 9.5}}, {"nine"}),
    ({"n": {"$lt": math.inf, "$gt": -math.inf}}, {"nine", "ten", "hundred"}),
    ({"n": {"$lt": 10**100}}, {"nine", "ten", "hundred"}),
    ({"n": math.nan}, set()),
    ({"tags": ["a"]}, {"nine"}),
    ({"on": True}, {"nine"}),
    ({"s": "it's"}, {"hundred"}),
    ({"m": {"x": 9}}, {"nine"}),
    ({"m": {"x": 10, "y": 1}}, {"ten"}),
    ({"zz": None}, {"nine", "ten", "hundred"}),
    ({"zz": {"$ne": 1}}, {"nine", "ten", "hundred"}),
    ({"n": 9, "s": "a"}, set()),
    ({}, {"nine", "ten", "hundred"}),
]


@pytest.mark.parametrize(("conditions", "expected"), FILTERS)
def test_filters(conditions: dict[str, Any], expected: set[str], store: Faced) -> None:
    for key, value in FILTERED.items():
        store.put(("a",), key, value)
    assert keys(store.search(("a",), filter=conditions)) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"on": {"$gt": 0}}, set[str]()),  # LangGraph's reads True as 1.0, and raises where the key is missing
        ({"zz": {"$gt": 1}}, set[str]()),
        ({"s": {"$gt": "a"}}, {"nine", "hundred"}),
        ({"m.x": 9}, {"nine"}),
        ({"m.x": {"$gt": 9}}, {"ten"}),
        ({"n": {"$in": [9, 100]}}, {"nine", "hundred"}),
        ({"n": {"$nin": [9]}}, {"ten", "hundred"}),
        ({"none": {"$exists": True}}, {"hundred"}),
        ({"$or": [{"n": 9}, {"m.y": 1}]}, {"nine", "ten"}),
        ({"$and": [{"n": {"$gt": 9}}, {"$not": {"s": "a"}}]}, {"hundred"}),
    ],
)
def test_what_our_filters_can_do_beside(conditions: dict[str, Any], expected: set[str], ours: Faced) -> None:
    for key, value in FILTERED.items():
        ours.put(("a",), key, value)
    assert keys(ours.search(("a",), filter=conditions)) == expected


def test_a_filter_that_can_not_be_meant_is_a_value_error(ours: Faced) -> None:
    wrong: list[dict[str, Any]] = [{"a') or 1=1 --": 1}, {"a": {"$regex": "x"}}, {"$or": []}]
    for conditions in wrong:
        with pytest.raises(InvalidFilter):
            ours.search((), filter=conditions)


# --- what is ours alone


def test_min_prefix_asks_searches_and_listings_for_labels(stores: Any) -> None:
    store = stores.open("alone", min_prefix=2)
    store.put(("a", "b"), "k", {})
    store.put(("a",), "k", {})
    assert keys(store.search(("a", "b"))) == {"k"}
    assert store.list_namespaces(prefix=("a", "b")) == store.list_namespaces(prefix=("a", "b", "*")[:2]) == [("a", "b")]
    calls: list[Callable[[], Any]] = [
        lambda: store.search(()),
        lambda: store.search(("a",)),
        lambda: store.list_namespaces(),
        lambda: store.list_namespaces(prefix=("a", "*")),
        lambda: store.list_namespaces(prefix=("*", "b")),
        lambda: store.list_namespaces(suffix=("a", "b")),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match="prefix of at least 2 labels"):
            call()


@pytest.mark.parametrize("value", [-1, True, 1.5, "1"])
def test_a_min_prefix_is_a_number(value: Any, stores: Any) -> None:
    with pytest.raises(InvalidInput, match="min_prefix"):
        stores.open("alone", min_prefix=value)


def test_nothing_is_put_where_facts_are_shown(ours: Faced) -> None:
    with pytest.raises(ReadOnlyNamespace, match=r"memory\.add.*memory\.update"):
        ours.batch([PutOp(("a",), "k", {}), PutOp(("memgraph-facts", "x"), "k", {})])
    assert ours.search(()) == []


def test_any_number_may_be_asked_for(ours: Faced) -> None:
    ours.put(("a",), "k", {})
    for options in ({"limit": 10**30}, {"limit": 10**30, "filter": {"x": None}}):
        assert len(ours.search(("a",), **options)) == 1
    assert ours.search(("a",), offset=2**63) == []
    assert ours.list_namespaces(limit=10**30) == [("a",)]


def test_a_condition_that_is_none_is_refused(ours: Faced) -> None:
    bad: Any = ("a",)
    with pytest.raises(InvalidInput, match="MatchCondition"):
        ours.batch([ListNamespacesOp(match_conditions=(bad,))])
