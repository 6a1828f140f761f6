"""The two channels, and the block before the last user message."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage

from memgraph import with_memory
from memgraph.errors import NoRecall
from memgraph.messages import BLOCK_MARK, read
from memgraph.state import MemoryState, Recalled, merge_marks, state_value
from support.fixtures import Say

Mark = dict[str, int] | None
MARKS = st.none() | st.dictionaries(st.sampled_from("abc"), st.integers(0, 9))


def state(text: str, *messages: BaseMessage) -> MemoryState:
    return {
        "messages": cast("list[AnyMessage]", [*messages]),
        "recalled": Recalled(text=text, ids=[], degraded={}, trace_id=""),
    }


def test_the_block_stands_directly_before_the_last_user_message() -> None:
    messages = [SystemMessage("s"), HumanMessage("one"), AIMessage("two"), HumanMessage("three")]
    shown = with_memory(state("what is known", *messages))
    assert [m.content for m in shown] == ["s", "one", "two", "what is known", "three"]
    assert isinstance(shown[3], HumanMessage)
    assert shown[3].additional_kwargs == {BLOCK_MARK: "recalled"}


def test_it_stays_there_while_tools_are_called() -> None:
    shown = with_memory(state("known", HumanMessage("do it"), AIMessage("calling")))
    assert [m.content for m in shown] == ["known", "do it", "calling"]


SUMMARY = HumanMessage("a summary", additional_kwargs={"lc_source": "summarization"})


def test_a_summary_is_no_user_message_unless_it_has_taken_its_place() -> None:
    messages = [HumanMessage("one"), AIMessage("two"), SUMMARY, AIMessage("three")]
    assert [m.content for m in with_memory(state("known", *messages))][:2] == ["known", "one"]
    assert [m.content for m in with_memory(state("known", *messages[1:]))] == ["two", "known", "a summary", "three"]


def test_nothing_recalled_adds_nothing() -> None:
    messages = [HumanMessage("one")]
    assert with_memory(state("", *messages)) == messages


def test_without_a_user_message_the_block_comes_last() -> None:
    assert [m.content for m in with_memory(state("known", AIMessage("two")))] == ["two", "known"]
    assert [m.content for m in with_memory(state("known"))] == ["known"]


def test_the_block_is_never_remembered() -> None:
    drafts, skipped = read(with_memory(state("known", HumanMessage("one"))))
    assert [draft.text for draft in drafts] == ["one"]
    assert [skip.reason for skip in skipped] == ["memory block"]


def test_the_state_itself_is_left_alone() -> None:
    before = state("known", HumanMessage("one"))
    with_memory(before)
    assert [m.content for m in before["messages"]] == ["one"]


@pytest.mark.parametrize("form", [dict, SimpleNamespace])
def test_a_state_may_be_an_object(form: Any) -> None:
    given_state = form(**state("known", HumanMessage("one")))
    assert [m.content for m in with_memory(given_state)] == ["known", "one"]
    assert state_value(given_state, "absent") is None


def test_messages_may_be_in_any_form_of_langchains() -> None:
    raw = {
        "messages": [("user", "one"), {"role": "assistant", "content": "two"}, "three"],
        "recalled": {"text": "k"},
    }
    assert [m.content for m in with_memory(raw)] == ["one", "two", "k", "three"]


@pytest.mark.parametrize("given_state", [{"messages": []}, SimpleNamespace(messages=[]), {"recalled": None}])
def test_without_a_recall_the_error_names_the_state_to_declare(given_state: Any, say: Say) -> None:
    with pytest.raises(NoRecall, match=r"no `recalled`.*retrieve\(\).*MemoryState"):
        with_memory(given_state)


@given(MARKS, MARKS, MARKS)
def test_marks_join_in_any_order(a: Mark, b: Mark, c: Mark) -> None:
    assert merge_marks(a, b) == merge_marks(b, a)
    assert merge_marks(merge_marks(a, b), c) == merge_marks(a, merge_marks(b, c))
    assert merge_marks(a, a) == (a or {})
    for owner, seq in (a or {}).items():
        assert merge_marks(a, b)[owner] == max(seq, (b or {}).get(owner, 0))
