"""Calling an embedder that belongs to somebody else: off the loop, within a deadline, its answers checked."""

from __future__ import annotations

import asyncio
import hashlib
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memgraph.errors import EmbedderUnavailable

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Floats = NDArray[np.float32]

_KEEP: Final = 2_048
"""Vectors kept by content hash: about 3 MB at 384 dimensions."""


_DOCUMENTS_S: Final = 120.0
"""Seconds for one call with documents: longer than any remote model takes, so that one that blocks is noticed."""


_STUCK: Final = 4
"""Threads of a lane that may hang in the model at once; beyond that a call is refused until one comes back."""


_Calls = queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]]


class _Lane:
    """A daemon thread that runs calls one after another. One that blocks for ever holds up nothing: not even the exit.

    A call that is given up while it runs leaves its thread to it, and the lane goes on with another.
    """

    def __init__(self, name: str) -> None:
        self._calls: _Calls = queue.SimpleQueue()
        self._name = name
        self._thread: threading.Thread | None = None
        self._given_up: list[Future[Any]] = []

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._given_up = [stuck for stuck in self._given_up if not stuck.done()]
        if len(self._given_up) >= _STUCK:
            future.set_exception(TimeoutError())
            return future
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(self._calls,), name=self._name, daemon=True)
            self._thread.start()
        self._calls.put((call, future))
        return future

    def give_up(self, future: Future[Any]) -> None:
        """Wait no longer for a call: one that waits is taken out, one that runs keeps its thread to itself."""
        if not future.cancel() and not future.done():
            self._given_up.append(future)
            self._calls, self._thread = queue.SimpleQueue(), None

    @staticmethod
    def _run(calls: _Calls) -> None:
        while True:
            call, future = calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:  # noqa: BLE001  # handed to whoever waits
                    future.set_exception(error)


class Asked(NamedTuple):
    """A question that was handed over: its vector, or the call that makes it."""

    key: bytes
    vector: Floats | Future[Any]


class Embedder:
    """An embedder with a lane for questions and one for documents, so that a long batch delays no search.

    Args:
        model: Any LangChain embeddings. Its sync methods are called, in a thread of ours: they always exist, and an
            async client is bound to the loop that it was first used on.
        name: The name stored with the data.
        dims: Dimension of the vectors stored, None until the first ones are made.
    """

    def __init__(self, model: Embeddings, name: str, dims: int | None) -> None:
        self.model = model
        self.name = name
        self.dims = dims
        self._questions = _Lane("memgraph-embed-query")
        self._documents = _Lane("memgraph-embed-documents")
        self._kept: OrderedDict[bytes, Floats] = OrderedDict()

    def ask(self, text: str) -> Asked:
        """Hand over a question; the model begins at once, `answer` waits for it."""
        key = _key("query", text)
        kept = self._get(key)
        return Asked(key, self._questions.submit(lambda: [self.model.embed_query(text)]) if kept is None else kept)

    async def answer(self, asked: Asked, *, timeout: float) -> Floats:
        """Return the unit vector of a question.

        Raises:
            EmbedderUnavailable: It failed, took longer than `timeout` seconds, or gave no usable vector.
        """
        if not isinstance(asked.vector, Future):
            return asked.vector
        vector: Floats = self._checked(await self._answer(self._questions, asked.vector, timeout), 1)[0]
        self._put(asked.key, vector)
        return vector

    async def documents(self, texts: Sequence[str]) -> list[Floats]:
        """Return the unit vectors of texts, in order; each different text is embedded once.

        Raises:
            EmbedderUnavailable: It failed or gave no usable vectors.
        """
        keys = [_key("document", text) for text in texts]
        found = {key: kept for key in keys if (kept := self._get(key)) is not None}
        lacking = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if lacking:
            wanted = list(lacking.values())
            future = self._documents.submit(lambda: self.model.embed_documents(wanted))
            vectors = self._checked(await self._answer(self._documents, future, _DOCUMENTS_S), len(wanted))
            found |= dict(zip(lacking, vectors, strict=True))
            for key, vector in zip(lacking, vectors, strict=True):
                self._put(key, vector)
        return [found[key] for key in keys]

    def forget(self) -> None:
        """Drop the kept vectors: they are made of texts that may have been erased."""
        self._kept.clear()

    async def _answer(self, lane: _Lane, future: Future[Any], timeout: float) -> Any:
        try:
            if not future.done():  # a fast model's answer is there by now: no round through the loop
                waiter = asyncio.wrap_future(future)
                waiter.add_done_callback(_seen)
                await asyncio.wait({waiter}, timeout=timeout)
            if not future.done():
                lane.give_up(future)
                raise EmbedderUnavailable("deadline")
            return future.result()
        except EmbedderUnavailable:
            raise
        except Exception as error:
            # Somebody else's code may raise anything; its message may quote the text, so only its class is kept.
            raise EmbedderUnavailable(type(error).__name__) from None

    def _checked(self, answer: Any, count: int) -> Floats:
        try:
            vectors = np.asarray(answer, dtype=np.float32)
        except (TypeError, ValueError):
            raise EmbedderUnavailable("no numbers") from None
        if vectors.ndim != 2 or len(vectors) != count:
            raise EmbedderUnavailable(f"{len(vectors) if vectors.ndim else 0} vectors for {count} texts")
        if self.dims is not None and vectors.shape[1] != self.dims:
            raise EmbedderUnavailable(f"dimension {vectors.shape[1]}, expected {self.dims}")
        if not np.isfinite(vectors).all():
            raise EmbedderUnavailable("not finite")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths[lengths == 0] = 1
        unit: Floats = (vectors / lengths).astype(np.float32, copy=False)
        return unit

    def _get(self, key: bytes) -> Floats | None:
        vector = self._kept.get(key)
        if vector is not None:
            self._kept.move_to_end(key)
        return vector

    def _put(self, key: bytes, vector: Floats) -> None:
        self._kept[key] = vector
        if len(self._kept) > _KEEP:
            self._kept.popitem(last=False)


def _seen(waiter: asyncio.Future[Any]) -> None:
    """Take note of an error, so that nobody is told that it went unnoticed; it is raised from the call itself."""
    if not waiter.cancelled():
        waiter.exception()


def _key(kind: str, text: str) -> bytes:
    return hashlib.blake2b(f"{kind}\0{text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
