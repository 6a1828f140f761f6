"""What one message may cost: two calls and 8,000 prompt tokens over both stages, whatever is in it or answered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from memgraph import Memory, Scope
from memgraph.ranking.budget import count_tokens
from support.fakes import ScriptedChatModel

ADA = Scope("ada")
LIKED = "tea coffee wine beer bread fish rice pasta soup cake jam milk figs nuts kale leek plum pear lime corn".split()
HEAD = " ".join(f"I like {thing} with honey and cheese." for thing in LIKED)
TAILS = [
    "My friend lives in Oslo and I like cheese. ",
    "The tide came in. ",
    "\u6211\u559c\u6b22\u8336\u3002",
    "x",
    "\x01\n",
]


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "name": "Ada", "content": text}


def fact(thing: str, **changes: Any) -> dict[str, Any]:
    words = f"{thing} with honey and cheese"
    fields = {"subject": "Ada", "attribute": "likes", "object": words, "text": f"Ada likes {words}.", "kind": "state"}
    return {**fields, "confidence": 0.9, "importance": 0.5, "turns": [1], "quote": f"I like {words}", **changes}


def facts(*found: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "Facts", "args": {"facts": list(found)}, "id": "1"}])


def tokens(model: ScriptedChatModel) -> list[int]:
    """Return the prompt tokens of each call, the schema as it is sent included."""
    return [
        sum(count_tokens(message.text) for message in messages) + count_tokens(json.dumps(options.get("tools")))
        for messages, options in zip(model.calls, model.options, strict=True)
    ]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (facts(*map(fact, LIKED)), 2),
        (facts(*map(fact, LIKED), fact("gold"), fact("tea", turns=[9])), 2),
        (facts(*[{"x": "y" * 10_000}] * 100), 1),
        ("I found no facts, sorry. " * 10_000, 1),
        ('{"facts": [{"subject": "' + "x" * 100_000, 1),
    ],
    ids=["well-formed", "with faults", "of another form", "prose", "cut short"],
)
def test_a_megabyte_takes_two_calls_and_8000_tokens_over_both_stages(answer: Any, calls: int, tail: str) -> None:
    model = ScriptedChatModel.of(otherwise="prose")
    with Memory.open(":memory:", embedder=None, model=model) as memory:
        for start in range(0, 30, 10):
            known = [f"cheese number {n} with honey" for n in range(start, start + 10)]
            model.answers.append(facts(*(fact("", object=it, text=f"Ada likes {it}.", quote=it) for it in known)))
            model.answers.append(
                AIMessage("", tool_calls=[{"name": "Decisions", "args": {"decisions": []}, "id": "1"}])
            )
            memory.add(said(" ".join(f"I like {it}." for it in known)), ADA)
        assert len(memory.list(ADA, kind="fact").items) == 30
        model.calls.clear()
        model.options.clear()
        model.answers[:] = [answer]
        memory.add(said(f"{HEAD} {tail * (1_000_000 // len(tail.encode()))}"), ADA)
    assert len(model.calls) == calls
    assert sum(tokens(model)) <= 8_000
