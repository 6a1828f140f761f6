"""What people hand in becomes drafts: text kept code point for code point, or a typed error."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from memgraph.errors import InvalidInput
from memgraph.messages import BLOCK_MARK, check_metadata, finite, message_text, plain, read
from memgraph.records import Draft, to_us
from support.fixtures import Say

SAID_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)


def one(message: object) -> Draft:
    drafts, skipped = read(message)
    assert skipped == []
    [draft] = drafts
    return draft


def reason(message: object) -> str:
    drafts, skipped = read([message])
    assert drafts == []
    assert skipped[0].index == 0
    return skipped[0].reason


@pytest.mark.parametrize(
    ("message", "role", "speaker", "origin"),
    [
        ("hello", "user", "user", "user"),
        (("user", "hello"), "user", "user", "user"),
        (("human", "hello"), "user", "user", "user"),
        (("ai", "hello"), "assistant", "assistant", "assistant"),
        ({"role": "user", "content": "hello", "name": "Ada"}, "user", "Ada", "user"),
        ({"role": "assistant", "content": "hello"}, "assistant", "assistant", "assistant"),
        ({"role": "tool", "content": "hello", "tool_call_id": "c"}, "tool", "tool", "tool"),
        ({"role": "function", "content": "hello"}, "function", "function", "tool"),
        ({"role": "document", "content": "hello"}, "document", "document", "document"),
        ({"role": "user", "content": "hello", "origin": "document"}, "user", "user", "document"),
        (HumanMessage("hello"), "user", "user", "user"),
        (HumanMessage("hello", name="Ada"), "user", "Ada", "user"),
        (HumanMessageChunk(content="hello"), "user", "user", "user"),
        (AIMessage("hello"), "assistant", "assistant", "assistant"),
        (AIMessageChunk(content="hello"), "assistant", "assistant", "assistant"),
        (ToolMessage("hello", tool_call_id="c"), "tool", "tool", "tool"),
        (FunctionMessage(content="hello", name="f"), "function", "f", "tool"),
        (ChatMessage(content="hello", role="narrator"), "narrator", "narrator", "user"),
        (ChatMessage(content="hello", role="assistant"), "assistant", "assistant", "assistant"),
    ],
)
def test_every_accepted_form(message: object, role: str, speaker: str, origin: str) -> None:
    draft = one(message)
    assert (draft.text, draft.role, draft.speaker, draft.origin) == ("hello", role, speaker, origin)
    assert draft.message_id is None
    assert not draft.altered


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (SystemMessage("be kind"), "system"),
        ({"role": "system", "content": "be kind"}, "system"),
        ({"role": "developer", "content": "be kind"}, "system"),
        (("system", "be kind"), "system"),
        (ChatMessage(content="be kind", role="system"), "system"),
        (RemoveMessage(id="m1"), "removal"),
        (HumanMessage("block", additional_kwargs={BLOCK_MARK: "recalled"}), "memory block"),
        ({"role": "user", "content": "block", "additional_kwargs": {BLOCK_MARK: "recalled"}}, "memory block"),
        (HumanMessage("summary", additional_kwargs={"lc_source": "summarization"}), "summary"),
        ("", "empty"),
        (" \n\t", "empty"),
        (HumanMessage(""), "empty"),
        (HumanMessage([]), "empty"),
        (AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c"}]), "empty"),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]}, "empty"),
        (AIMessage([{"type": "tool_use", "id": "c", "name": "f", "input": {}}]), "empty"),
        (AIMessage([{"type": "reasoning", "reasoning": "hm"}]), "empty"),
    ],
)
def test_what_is_no_turn_is_passed_over_with_its_reason(message: object, why: str) -> None:
    assert reason(message) == why


def test_the_order_of_a_list_is_told_by_index() -> None:
    drafts, skipped = read(["one", "", SystemMessage("s"), "two"])
    assert [(draft.text, draft.index) for draft in drafts] == [("one", 0), ("two", 3)]
    assert [(skip.index, skip.reason) for skip in skipped] == [(1, "empty"), (2, "system")]


def test_a_list_of_two_texts_is_two_messages_and_a_pair_is_one() -> None:
    assert [d.text for d in read(["user", "hello"])[0]] == ["user", "hello"]
    assert [d.text for d in read(("user", "hello"))[0]] == ["hello"]
    assert [d.text for d in read([("user", "hello"), ("ai", "yes")])[0]] == ["hello", "yes"]


@given(ANY_TEXT)
def test_text_is_kept_code_point_for_code_point(text: str) -> None:
    drafts, _ = read(text)
    surrogates = any("\ud800" <= c <= "\udfff" for c in text)
    if not text.strip():
        assert drafts == []
        return
    [draft] = drafts
    assert draft.text == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    assert draft.altered is surrogates
    assert plain(draft.text) == (draft.text, False)


def test_parts_are_kept_by_reference_and_never_fetched() -> None:
    data = "aGVsbG8="
    digest = f"sha256:{hashlib.sha256(data.encode()).hexdigest()}"
    content: list[Any] = [
        "first",
        {"type": "text", "text": "second"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_url", "image_url": "https://example.org/b.png"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
        {"type": "image", "source_type": "base64", "mime_type": "image/jpeg", "data": data},
        {"type": "image", "url": "https://example.org/c.png", "mime_type": "image/png"},
        {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-7"}},
        {"type": "video", "base64": data, "mime_type": "video/mp4"},
        {"type": "output_text", "text": "third"},
        {"type": "reasoning", "reasoning": "hm"},
    ]
    draft = one(HumanMessage(content))
    assert draft.text == "first\nsecond\nthird"
    assert list(draft.parts) == [
        {"type": "image", "uri": "https://example.org/a.png"},
        {"type": "image", "uri": "https://example.org/b.png"},
        {"type": "image", "mime_type": "image/png", "digest": digest},
        {"type": "image", "mime_type": "image/jpeg", "digest": digest},
        {"type": "image", "mime_type": "image/png", "uri": "https://example.org/c.png"},
        {"type": "audio", "mime_type": "wav", "digest": digest},
        {"type": "file", "uri": "file-7"},
        {"type": "video", "mime_type": "video/mp4", "digest": digest},
    ]


def test_a_document_of_plain_text_is_not_lost() -> None:
    block = {"type": "text-plain", "text": "The whole contract.", "mime_type": "text/plain", "title": "contract"}
    draft = one(HumanMessage(["see this", block]))
    [part] = draft.parts
    assert part["type"] == "text-plain"
    assert part["digest"].startswith("sha256:")


def test_bytes_and_surrogates_in_parts() -> None:
    part = {"type": "image", "data": b"\x89PNG", "mime_type": "image/\ud800"}
    draft = one({"role": "user", "content": [part, {"type": "file", "url": "x\ud800"}]})
    assert draft.parts[0]["digest"] == f"sha256:{hashlib.sha256(bytes.fromhex('89504e47')).hexdigest()}"
    assert draft.parts[0]["mime_type"] == "image/\ufffd"
    assert draft.parts[1] == {"type": "file", "uri": "x\ufffd"}


def test_a_message_of_parts_alone_is_a_turn() -> None:
    draft = one({"role": "user", "content": [{"type": "image", "url": "https://example.org/a.png"}]})
    assert (draft.text, len(draft.parts)) == ("", 1)


@pytest.mark.parametrize("value", [SAID_AT, SAID_AT.isoformat(), "2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00"])
def test_a_message_says_when_it_was_said(value: Any) -> None:
    expected = to_us("said_at", SAID_AT)
    assert one({"role": "user", "content": "x", "said_at": value}).said_at == expected
    assert one(HumanMessage("x", additional_kwargs={"said_at": value})).said_at == expected


@pytest.mark.parametrize("value", [datetime(2026, 3, 1), "2026-03-01", "yesterday", 7, datetime(2026, 3, 1).date()])
def test_another_time_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"message 0: said_at"):
        read({"role": "user", "content": "x", "said_at": value})


@pytest.mark.parametrize(
    "message",
    [
        None,
        7,
        b"bytes",
        object(),
        {"content": "no role"},
        {"role": "user"},
        {"role": 7, "content": "x"},
        {"role": "", "content": "x"},
        {"role": "r" * 65, "content": "x"},
        {"role": "\ud800", "content": "x"},
        {"role": "user", "content": 7},
        {"role": "user", "content": "x", "id": 7},
        {"role": "user", "content": "x", "id": "\ud800" * 20},
        {"role": "user", "content": "x", "name": 7},
        {"role": "user", "content": "x", "name": "n" * 257},
        {"role": "user", "content": "x", "origin": "hearsay"},
        {"role": "user", "content": "x", "origin": ["user"]},
        {"role": "user", "content": "x", "metadata": {"a'b": 1}},
        ("user", "a", "b"),
        ("user", 7),
        HumanMessage,
        ["a list in a list"],
    ],
    ids=lambda value: type(value).__name__ if type(value) is object else ascii(value)[:48],
)
def test_what_cannot_be_taken_is_a_typed_error(message: Any, say: Say) -> None:
    with pytest.raises(InvalidInput):
        read([say("a good one"), message])


@pytest.mark.parametrize("key", ["", "a b", "a.b", 'a"b', "a'b", "a]", "\u00e4", "k" * 65, 7])
def test_a_metadata_key_is_plain(key: Any) -> None:
    with pytest.raises(InvalidInput, match="metadata key"):
        check_metadata({key: 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"x", "\ud800", datetime(2026, 1, 1)])
def test_a_metadata_value_is_json(value: Any) -> None:
    with pytest.raises(InvalidInput, match="JSON values only"):
        check_metadata({"key": value})


def test_metadata_has_a_limit() -> None:
    assert check_metadata({"key": "x" * 16_000})
    with pytest.raises(InvalidInput, match="16384"):
        check_metadata({"key": "x" * 16_384})


def test_a_messages_metadata_goes_over_the_calls() -> None:
    [draft] = read({"role": "user", "content": "x", "metadata": {"a": 1, "b": 2}}, metadata={"b": 0, "c": 3})[0]
    assert draft.metadata == {"a": 1, "b": 2, "c": 3}


def test_the_text_of_a_message_of_any_form() -> None:
    assert message_text("hello") == "hello"
    assert message_text(("user", "hello")) == "hello"
    assert message_text({"role": "user", "content": "hello"}) == "hello"
    assert message_text(HumanMessage(["hello", {"type": "image", "url": "u"}])) == "hello"
    assert message_text(object()) == ""


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "1", None])
def test_a_number_above_zero(value: Any) -> None:
    with pytest.raises(InvalidInput, match="deadline must be a number above 0"):
        finite("deadline", value)
    assert finite("deadline", 2) == 2.0
