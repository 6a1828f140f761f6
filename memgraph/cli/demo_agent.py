"""The demo's agent: a real graph with our nodes, and a small script in place of a language model."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import START, StateGraph

from memgraph import MemoryContext, MemoryState, with_memory
from memgraph.nodes import remember, retrieve

if TYPE_CHECKING:
    from memgraph import Memory

USER: Final = "maren"

SHOWN: Final = 4
"""Turns that the agent is shown for a question: few, so that the demo fits a screen."""

ROOM: Final = 450
"""Tokens of the block, for the same reason."""

PATIENCE_S: Final = 30.0
"""Deadline of the search. The nodes' own is half a second, which loading the embedder for the first time exceeds."""

NOTHING: Final = "I find nothing about that in my memory."


class Question(NamedTuple):
    """A question, and the words by which a reader would know the answer when they see it."""

    text: str
    answered_by: tuple[str, ...]


QUESTIONS: Final = (
    Question("How did my job interview in Plymouth go?", ("take it apart", "best interview")),
    Question("What did the doctors find at Derriford?", ("hazelnut came up", "not a flicker")),
    Question("How long did you tell me to keep the cat indoors after the move?", ("indoors for three weeks",)),
    Question("What happened in the first week of October 2025?", ("5 october", "fifty-one minutes")),
)


class Replies(BaseChatModel):
    """A model that says what was written for it, in turn."""

    replies: list[AIMessage]

    @property
    def _llm_type(self) -> str:
        return "replies"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.replies.pop(0))])


class Quoter(BaseChatModel):
    """A model that answers by quoting the memory block it was given, and knows nothing else.

    It stands for a language model's reading: for each question of the demo it knows by which words the answer is
    recognised. If they are not in the block, because they were not recalled, it has no answer.
    """

    @property
    def _llm_type(self) -> str:
        return "quoter"

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        asked = messages[-1].text
        wanted = next((question.answered_by for question in QUESTIONS if question.text == asked), ())
        block = messages[-2].text if len(messages) > 1 else ""
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer(block, wanted)))])


_LINE: Final = re.compile(r"- \d\d:\d\d (?P<speaker>\w+)(?: \([^)]*\))?: (?P<quoted>\".*\")")
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")


def answer(block: str, wanted: Sequence[str]) -> str:
    """Return the sentences of a memory block that hold the wanted words, with the day on which they were said."""
    day = ""
    for line in block.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            day = line
            continue
        sentences = _SENTENCE.split(json.loads(match["quoted"]))
        found = [one for one in sentences if any(words in one.lower() for words in wanted)]
        if found:
            who = {"Maren": "you", "Assistant": "I"}.get(match["speaker"], match["speaker"])
            return f"On {day}, {who} said: \u201c{' '.join(found)}\u201d"
    return NOTHING


def agent_graph(memory: Memory, model: BaseChatModel) -> Any:
    """Return the agent: recall, answer, remember."""

    async def agent(state: MemoryState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(with_memory(state))]}

    builder: Any = StateGraph(MemoryState, context_schema=MemoryContext)
    builder.add_sequence(
        [
            ("retrieve", retrieve(limit=SHOWN, budget_tokens=ROOM, deadline=PATIENCE_S)),
            ("agent", agent),
            ("remember", remember()),
        ]
    )
    builder.add_edge(START, "retrieve")
    return builder.compile(store=memory.store, checkpointer=memory.checkpointer)


def listener_graph(memory: Memory) -> Any:
    """Return a graph that only listens: one node, `remember`."""
    builder: Any = StateGraph(MemoryState, context_schema=MemoryContext)
    builder.add_node("remember", remember())
    builder.add_edge(START, "remember")
    return builder.compile(store=memory.store, checkpointer=memory.checkpointer)
