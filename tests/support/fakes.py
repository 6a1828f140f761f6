"""Stand-ins for models: deterministic, offline, without patching. They keep what they were asked."""

from __future__ import annotations

import math
import re
import threading
import weakref
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import Stemmer
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.embeddings import Embeddings
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

_WORD = re.compile(r"\w+")
_stemmer = Stemmer.Stemmer("english")

SEEN: set[str] = set()
"""Every document text that a fake embedder was given in this test: the texts of memories, for the guard in conftest."""

_MOST_SEEN = 1_000
_waiting: weakref.WeakSet[BlockingEmbeddings] = weakref.WeakSet()


def hash_vector(text: str, dims: int) -> list[float]:
    """Return a unit vector: a signed hashed bag of stemmed words. Texts that share words are near."""
    vector = [0.0] * dims
    vector[0] = 0.1  # a text without words has a direction too
    for stem in _stemmer.stemWords(_WORD.findall(text.lower())):
        hashed = zlib.crc32(stem.encode("utf-8", "replace"))
        vector[1 + hashed % (dims - 1)] += 1.0 if hashed & 0x8000_0000 else -1.0
    length = math.sqrt(sum(x * x for x in vector))
    return [x / length for x in vector]


class HashEmbeddings(Embeddings):
    """A deterministic embedder that counts its calls.

    Attributes:
        documents: The batches that `embed_documents` was given.
        queries: The texts that `embed_query` was given.
    """

    def __init__(self, dims: int = 64, model: str = "hash") -> None:
        self.dims = dims
        self.model = model
        self.documents: list[list[str]] = []
        self.queries: list[str] = []

    @property
    def calls(self) -> int:
        """How often it was asked, for documents or for a query."""
        return len(self.documents) + len(self.queries)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents.append(list(texts))
        SEEN.update(texts[: max(0, _MOST_SEEN - len(SEEN))])
        return [hash_vector(text, self.dims) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        self.queries.append(text)
        return hash_vector(text, self.dims)


class FaultyEmbeddings(HashEmbeddings):
    """A `HashEmbeddings` that fails while `armed`, which it is from the beginning unless told otherwise."""

    def __init__(self, dims: int = 64, model: str = "hash", *, armed: bool = True) -> None:
        super().__init__(dims, model)
        self.armed = armed

    @contextmanager
    def disarmed(self) -> Generator[None]:
        """Work properly inside the block."""
        was, self.armed = self.armed, False
        try:
            yield
        finally:
            self.armed = was

    def fault(self, vector: list[float]) -> list[float]:
        """Return what is answered in place of `vector`, or don't."""
        raise NotImplementedError

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors = super().embed_documents(texts)
        return [self.fault(vector) for vector in vectors] if self.armed else vectors

    def embed_query(self, text: str) -> list[float]:
        vector = super().embed_query(text)
        return self.fault(vector) if self.armed else vector


class RaisingEmbeddings(FaultyEmbeddings):
    """Raises `error` while armed."""

    error: Exception = ConnectionError("the embedding service is down")

    def fault(self, vector: list[float]) -> list[float]:
        raise self.error


class NaNEmbeddings(FaultyEmbeddings):
    """Answers with vectors that hold NaN while armed."""

    def fault(self, vector: list[float]) -> list[float]:
        return [math.nan, *vector[1:]]


class WrongDimension(FaultyEmbeddings):
    """Answers with vectors that are one too long while armed."""

    def fault(self, vector: list[float]) -> list[float]:
        return [*vector, 0.5]


class BlockingEmbeddings(FaultyEmbeddings):
    """Blocks its thread while armed, until `release()`; conftest releases it when the test ends.

    Attributes:
        entered: Set once a call blocks.
    """

    def __init__(
        self, dims: int = 64, model: str = "hash", *, armed: bool = True, event: threading.Event | None = None
    ) -> None:
        super().__init__(dims, model, armed=armed)
        self.entered = threading.Event()
        self._free = event or threading.Event()
        _waiting.add(self)

    def release(self) -> None:
        """Let all calls go on, the waiting ones and those to come."""
        self._free.set()

    def fault(self, vector: list[float]) -> list[float]:
        self.entered.set()
        self._free.wait()
        return vector


def release_all() -> None:
    """Release every `BlockingEmbeddings` there is."""
    for embedder in list(_waiting):
        embedder.release()


Answer = str | AIMessage | Exception | Callable[[list[BaseMessage]], str | AIMessage]


class ScriptedChatModel(BaseChatModel):
    """A chat model with a queue of answers and a history of calls.

    An answer is a text, an `AIMessage` (with tool calls), an exception to raise, or a function of the messages.
    `with_structured_output` works: answer with an `AIMessage` that calls a tool of the schema's name.

    Attributes:
        answers: What is still to be said.
        otherwise: What is said when the queue is empty; None makes that an error.
        calls: The messages of each call.
        options: The keyword arguments of each call (`tools`, `tool_choice`, `stop`).
    """

    answers: list[Any] = Field(default_factory=list[Any])
    otherwise: str | None = None
    calls: list[list[BaseMessage]] = Field(default_factory=list[list[BaseMessage]])
    options: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])

    @classmethod
    def of(cls, *answers: Answer, otherwise: str | None = None) -> ScriptedChatModel:
        """Return a model that gives `answers` in turn, then `otherwise`."""
        return cls(answers=list(answers), otherwise=otherwise)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.calls.append(list(messages))
        self.options.append({**kwargs, "stop": stop})
        answer: Answer | None = self.answers.pop(0) if self.answers else self.otherwise
        if callable(answer):
            answer = answer(messages)
        if answer is None:
            raise AssertionError(f"call {len(self.calls)}: the script has no answer left")
        if isinstance(answer, Exception):
            raise answer
        message = AIMessage(answer) if isinstance(answer, str) else answer
        return ChatResult(generations=[ChatGeneration(message=message)])


def stated(quote: str = "I live in Oslo.", **changes: Any) -> AIMessage:
    """Return a model's answer to extraction: one fact, `quote` being what says it, with `changes` to its fields."""
    fact = {
        **{"subject": "Ada", "attribute": "residence", "object": "Oslo", "text": "Ada lives in Oslo.", "kind": "state"},
        **{"confidence": 0.9, "importance": 0.6, "from": "", "to": "", "turns": [1], "quote": quote},
        **{"entities": [], "relations": []},
    }
    return AIMessage("", tool_calls=[{"name": "Facts", "args": {"facts": [{**fact, **changes}]}, "id": "1"}])


def decided(**decision: Any) -> AIMessage:
    """Return a model's answer to consolidation: one decision, of the fields that it is asked for."""
    fields = {"draft": 0, "action": "add", "target": "", "quote": "", "reason": "beside", **decision}
    return AIMessage("", tool_calls=[{"name": "Decisions", "args": {"decisions": [fields]}, "id": "1"}])
