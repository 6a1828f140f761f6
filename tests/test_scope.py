"""Who a memory belongs to: ids are refused, not repaired, and no two owners meet."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memgraph import Memory, MemoryContext, Scope
from memgraph.errors import InvalidScope, ScopeDenied
from memgraph.scope import FIELDS, MAX_ID, as_scope, check_id, identify
from support.fixtures import OpenMemory
from support.memories import ADA, texts

NASTY_BUT_FINE = [
    "*",
    "%",
    "_",
    "..",
    ".",
    "/",
    "\\",
    ":",
    "'",
    '"',
    "`",
    "a b",
    "__proto__",
    "None",
    "default",
    "ada@example.org",
    "\u0430da",  # a Cyrillic letter that looks like another: another user
    "\U0001f600",
    "\u5f20\u4f1f",
    "x" * MAX_ID,
]
REFUSED = [
    None,
    "",
    " ",
    " ada",
    "ada ",
    "ada\n",
    "\u00a0ada",
    "a\0b",
    "a\tb",
    "a\u200bb",
    "a\u202eb",
    "a\ud800b",
    "a\u2028b",
    "e\u0301",
    "\u212b",
    "x" * (MAX_ID + 1),
    "x" * 10_000,
    7,
    True,
    1.5,
    b"ada",
    ["ada"],
    {"id": "ada"},
]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=12)


def accepted(value: str) -> bool:
    """Whether an id is of the accepted form, said without the code."""
    return (
        0 < len(value) <= MAX_ID
        and value == value.strip()
        and unicodedata.is_normalized("NFC", value)
        and not any(unicodedata.category(c)[0] == "C" or unicodedata.category(c) in {"Zl", "Zp"} for c in value)
    )


@pytest.fixture(scope="module")
def shared_memory() -> Iterator[Memory]:
    with Memory.open(":memory:", embedder=None) as memory:
        yield memory


@pytest.mark.parametrize("value", NASTY_BUT_FINE)
def test_an_odd_id_is_taken_as_it_is(value: str) -> None:
    assert Scope(value).user_id == value
    assert check_id("user_id", value) is value


@pytest.mark.parametrize("value", REFUSED, ids=lambda value: ascii(value)[:24])
@pytest.mark.parametrize("kind", [Scope, MemoryContext])
@pytest.mark.parametrize("field", FIELDS)
def test_an_id_of_another_form_is_refused(value: Any, kind: Any, field: str) -> None:
    if value is None and (field in {"agent_id", "session_id"} or (kind, field) == (MemoryContext, "user_id")):
        assert getattr(kind(**{"user_id": "ada", field: None}), field) is None
        return
    with pytest.raises(InvalidScope, match=field) as caught:
        kind(**{"user_id": "ada", field: value})
    if isinstance(value, str):
        assert f"1 to {MAX_ID} characters, NFC" in str(caught.value)  # the accepted form is shown


def test_what_was_refused_is_shown_escaped() -> None:
    with pytest.raises(InvalidScope, match=r"'a\\u202eb'"):
        Scope("a\u202eb")


def test_a_missing_user_says_what_to_do() -> None:
    with pytest.raises(InvalidScope, match=r"user_id is missing.*Scope\.shared"):
        Scope(None)
    with pytest.raises(InvalidScope, match=r"user_id is missing.*Scope\.shared"):
        as_scope(MemoryContext())


@given(ANY_TEXT)
@example("ada")
@example("\u00e5")
def test_an_id_is_taken_unchanged_or_refused(value: str) -> None:
    if accepted(value):
        assert Scope(value).user_id == value
    else:
        with pytest.raises(InvalidScope):
            Scope(value)


IDS = st.text(st.sampled_from("ab%_*./\\'\" \u00e5\u0430"), min_size=1, max_size=4).filter(accepted)
OWNERS = st.builds(Scope, IDS, IDS, IDS) | st.builds(Scope.shared, IDS, IDS)


@given(OWNERS, OWNERS)
@example(Scope("c", "ab", "x"), Scope("c", "a", "bx"))
@example(Scope.shared("a", "b"), Scope("b", "a", "b"))
def test_two_different_owners_never_share_data(shared_memory: Memory, one: Scope, other: Scope) -> None:
    core = shared_memory.core
    assert (core.owner_key(one) == core.owner_key(other)) is (one.owner == other.owner)
    said = f"{one.owner!r} said so"
    shared_memory.add({"role": "user", "content": said}, one, idempotency_key="once")
    assert said in texts(shared_memory, one)
    if one.owner != other.owner:
        assert said not in texts(shared_memory, other)
        assert all(hit.text != said for hit in shared_memory.search("who said so", other, limit=1_000))


def test_the_default_organisation_and_project() -> None:
    assert Scope("ada").owner == ("default", "default", "ada")
    assert Scope.shared().owner == ("default", "default", None)
    assert MemoryContext("ada") == MemoryContext(user_id="ada", org_id="default", project_id="default")


def test_a_scope_is_immutable_and_hashable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        ADA.user_id = "bob"  # type: ignore[misc]  # that it can't be is the test
    assert len({Scope("ada"), Scope("ada"), Scope("bob")}) == 2


def test_a_shared_scope() -> None:
    team = Scope.shared("acme", "web", agent_id="bot", session_id="s1")
    assert team.is_shared
    assert team.owner == ("acme", "web", None)
    assert (team.agent_id, team.session_id) == ("bot", "s1")
    assert Scope("ada", "acme", "web", "bot", "s1").team() == team
    assert not ADA.is_shared
    for field in ("org_id", "project_id", "agent_id", "session_id"):
        with pytest.raises(InvalidScope, match=field):
            Scope.shared(**{field: " "})


def test_a_context_is_accepted_wherever_a_scope_is(open_memory: OpenMemory) -> None:
    memory = open_memory()
    context = MemoryContext(user_id="ada", agent_id="bot")
    added = memory.add("I live in Lisbon.", context)
    [hit] = memory.search("where is home in Lisbon", context)
    assert memory.get(hit.id, context).agent_id == "bot"
    assert texts(memory, context) == ["I live in Lisbon."]
    assert memory.trace(memory.search("Lisbon", context).trace_id, context).hits
    assert memory.forget(added.ids[0], context) == memory.search("Lisbon", context).seq > added.seq
    assert memory.erase("everything", context).turns == 1
    assert as_scope(context) == Scope("ada", agent_id="bot")


@pytest.mark.parametrize("scope", [None, "ada", {"user_id": "ada"}, ("ada",), SimpleNamespace(user_id="ada")])
def test_what_is_no_scope_is_refused_by_every_method(scope: Any, open_memory: OpenMemory) -> None:
    memory = open_memory()
    for call in (
        lambda: memory.add("x", scope),
        lambda: memory.search("x", scope),
        lambda: memory.get("x", scope),
        lambda: memory.list(scope),
        lambda: memory.forget("x", scope),
        lambda: memory.erase("everything", scope),
        lambda: memory.trace("x", scope),
    ):
        with pytest.raises(InvalidScope, match=r"must be a Scope or a MemoryContext, not \w+"):
            call()


# Who says who the user is


def claim(authenticated: str | None = None, context: object = None, **configurable: Any) -> Scope:
    return identify(authenticated=authenticated, context=context, configurable=configurable)


@pytest.mark.parametrize("context", [MemoryContext("ada"), {"user_id": "ada"}, SimpleNamespace(user_id="ada"), ADA])
def test_any_context_with_a_user_will_do(context: object) -> None:
    assert claim(context=context) == ADA


def test_each_source_alone_names_the_user() -> None:
    assert claim("ada") == claim(context=MemoryContext("ada")) == claim(user_id="ada") == ADA


def test_sources_that_agree_are_one() -> None:
    assert claim("ada", MemoryContext("ada"), user_id="ada", thread_id="t") == ADA


@pytest.mark.parametrize(
    ("authenticated", "context", "configurable"),
    [
        ("ada", MemoryContext("bob"), {}),
        ("ada", None, {"user_id": "bob"}),
        (None, MemoryContext("ada"), {"user_id": "bob"}),
        ("ada", MemoryContext("ada"), {"user_id": "bob"}),
        (None, MemoryContext("ada", org_id="acme"), {"org_id": "other"}),
        (None, MemoryContext("ada", agent_id="a"), {"agent_id": "b"}),
        (None, Scope.shared("acme"), {"org_id": "other"}),
    ],
)
def test_a_second_different_claim_is_denied(
    authenticated: str | None, context: object, configurable: dict[str, Any]
) -> None:
    with pytest.raises(ScopeDenied, match="must agree"):
        identify(authenticated=authenticated, context=context, configurable=configurable)


def test_a_weaker_source_fills_what_a_stronger_one_leaves_open() -> None:
    assert claim("ada", {"org_id": "acme"}, session_id="s1") == Scope("ada", "acme", session_id="s1")


def test_nobody_names_a_user() -> None:
    contexts: list[object] = [None, {}, SimpleNamespace(other=1)]
    for context in contexts:
        with pytest.raises(InvalidScope, match=r"no user_id: .*context_schema=MemoryContext.*configurable"):
            claim(context=context, thread_id="t")


@pytest.mark.parametrize("user", ["", " ada", 7])
def test_a_malformed_claim_is_refused(user: Any) -> None:
    with pytest.raises(InvalidScope, match="user_id"):
        claim(user_id=user)
    with pytest.raises(InvalidScope, match="user_id"):
        claim(context={"user_id": user})


def test_a_team_may_be_the_context() -> None:
    assert claim(context=Scope.shared("acme", "web")) == Scope.shared("acme", "web")
