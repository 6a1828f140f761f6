"""Facts out of turns, by a chat model. What it says is believed as far as the turns' own words bear it out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import RunnableConfig

from memgraph.drafts import FactDraft, SaidTurn
from memgraph.nodes.prompting import Prompt, load
from memgraph.nodes.showing import CONTEXT_TOKENS, TURN_TOKENS, line, shown, size
from memgraph.nodes.stating import MOST_FACTS, Facts, Reader
from memgraph.nodes.structured import BUDGET, Sleep, Usage, ask, model_name
from memgraph.writing.attributes import ATTRIBUTES, RELATIONS

__all__ = ["MOST_FACTS", "MOST_TURNS", "Facts", "extract", "prompt", "shown_to"]

MOST_TURNS: Final = 100
"""Turns of one batch that are shown, the last of them: more would get too little room each."""

_CONTEXT_TURNS: Final = 8


def prompt() -> Prompt:
    """Return the instructions for extraction, with the lists of attributes and relations as they are now."""
    names = ", ".join(name + ("*" if entry.cardinality == "one" else "") for name, entry in ATTRIBUTES.items())
    return load("extract", attributes=names, relations=", ".join(RELATIONS))


async def extract(
    model: BaseChatModel,
    turns: Sequence[SaidTurn],
    context: Sequence[SaidTurn] = (),
    *,
    config: RunnableConfig | None = None,
    sleep: Sleep = asyncio.sleep,
) -> tuple[list[FactDraft], Usage]:
    """Ask a model what facts turns state.

    It is asked once more if its answer is faulty, unless the turns are too long to be shown whole: then what is right
    in the first answer is taken, so that extraction and decision stay two calls within `BUDGET`.

    Args:
        model: Any LangChain chat model.
        turns: Oldest first, each with an index of its own; the last `MOST_TURNS` are read.
        context: What was said before them, oldest first: shown to be understood, never evidence.
        config: For the run; None takes the surrounding run's.
        sleep: Waits between tries.

    Returns:
        At most `MOST_FACTS` drafts: each quotes the first turn of its evidence, word for word. And what it cost, with
        how many facts were dropped because they still were wrong after the repair.

    Raises:
        ModelUnavailable: The model raised.
        ModelOutputInvalid: It answered no such list, nor when asked again.
    """
    asked = prompt()
    if not turns:
        return [], Usage(model_name(model), asked.hash)
    text, reader = shown_to(turns, context)
    answer, usage = await ask(
        model,
        asked,
        text,
        Facts,
        check=reader.faults,
        config=config,
        name="memgraph.extract",
        partial=True,
        budget=BUDGET if size(turns) < TURN_TOKENS else 0,
        sleep=sleep,
    )
    drafts, dropped = reader.drafts(answer)
    return drafts, replace(usage, dropped=dropped)


def shown_to(turns: Sequence[SaidTurn], context: Sequence[SaidTurn]) -> tuple[str, Reader]:
    """Return what a model is shown, within `CONTEXT_TOKENS` and `TURN_TOKENS`, and what reads its answer by that."""
    before, turns = context[-_CONTEXT_TURNS:], turns[-MOST_TURNS:]
    heard, read = shown(before, CONTEXT_TOKENS), shown(turns, TURN_TOKENS)
    lines = [line(turn, text, number=False) for turn, text in zip(before, heard, strict=True)]
    lines += [line(turn, text) for turn, text in zip(turns, read, strict=True)]
    return "\n".join(lines), Reader(turns, read, before, heard)
