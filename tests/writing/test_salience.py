from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.drafts import SaidTurn
from memgraph.records import Origin
from memgraph.writing.salience import salient


def turn(text: str, role: str = "user", origin: Origin = "user") -> SaidTurn:
    return SaidTurn(0, "Ada", role, origin, text, 1_755_900_000_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "I moved to Braga last week.",
        "Thanks! By the way, my sister is getting married.",
        "What's the weather like? I'm off to Leeds tomorrow.",
        "Still a vet nurse in Leeds.",
        "Always answer in French.",
        "Gwenda Pascoe handed me a pump.",
        "20 September, in a barn.",
        "Did I tell you that we bought a boat?",
        "hola, I don\u2019t eat meat",
    ],
)
def test_something_to_extract(text: str) -> None:
    assert salient(turn(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n ",
        "Hi!",
        "Thanks so much!",
        "OK, got it, thanks.",
        "Good morning! Cheers.",
        "I see. I agree!",
        "Where is the nearest pharmacy?",
        "How do I sort a list? And a tuple?",
        "Write a poem about the sea.",
        "Summarise this in one line.",
        "That sounds lovely!",
        "```python\nmy_name = 'I live in Rome'\n```",
        "def f(x):\n    return x\nclass A:\n    pass\nimport os",
        "https://example.org/i/live/in/rome",
        "\U0001f600\U0001f600",
        "...",
    ],
)
def test_nothing_to_extract(text: str) -> None:
    assert not salient(turn(text))


@pytest.mark.parametrize(("role", "origin"), [("assistant", "assistant"), ("tool", "tool"), ("user", "tool")])
def test_what_an_assistant_or_a_tool_says_is_left(role: str, origin: Origin) -> None:
    assert not salient(turn("I live in Rome and my name is Ada.", role, origin))


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    assert salient(turn(text)) in (True, False)


def test_a_megabyte_is_read_in_part() -> None:
    assert salient(turn("I live in Rome. " * 60_000))
    assert not salient(turn(" " * 1_000_000))


@pytest.mark.parametrize("name", ["harbour", "kiln"])
def test_few_turns_with_a_fact_are_held_back(name: str) -> None:
    data = files("memgraph") / "datasets"
    conversation: dict[str, Any] = json.loads((data / f"{name}.json").read_text(encoding="utf-8"))[0]["conversation"]
    labels = [json.loads(line) for line in (data / f"{name}-facts.jsonl").read_text(encoding="utf-8").splitlines()]
    telling = {turn_id for label in labels if label["pattern"] for turn_id in label["evidence"]}
    sessions: list[list[dict[str, Any]]] = [part for part in conversation.values() if isinstance(part, list)]
    said = [one for session in sessions for one in session]
    own: list[str] = [one["text"] for one in said if one["dia_id"] in telling and one.get("role", "user") == "user"]
    kept = sum(salient(turn(text)) for text in own)
    assert kept >= 0.95 * len(own)
