"""One implementation, two faces: async methods that run on a memory's own loop, and sync ones derived from them."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Concatenate, Final, ParamSpec, Protocol, Self, TypeVar, cast

from memgraph.errors import LoopBlocked, StoreClosed

P = ParamSpec("P")
T = TypeVar("T")

_CLOSED_MEANWHILE: Final = "this memory was closed while the call ran; what it was to write is there whole or not"


class Host:
    """A background thread with an event loop of its own.

    So one handle serves any number of loops and threads: async callers await a wrapped future, sync ones wait for it.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="memgraph-loop", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    @property
    def is_here(self) -> bool:
        """Whether the calling thread is the host's."""
        return threading.get_ident() == self._thread.ident

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start work on the loop.

        Raises:
            StoreClosed: It has stopped: what is handed to a loop that stands still would be waited for without end.
        """
        with self._lock:
            if not self._stopping:
                return asyncio.run_coroutine_threadsafe(work, self.loop)
        work.close()
        raise StoreClosed("this memory is closed; open it again")

    def wait(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run work on the loop and wait for it, in any thread but the loop's own.

        Raises:
            LoopBlocked: This is the loop's own thread.
            TimeoutError: It took longer than `timeout` seconds; the work is cancelled.
            StoreClosed: The host was stopped meanwhile.
        """
        if self.is_here:
            work.close()
            raise LoopBlocked("a sync call on memgraph's own loop would wait for itself; use the async method")
        future = self.submit(work)
        try:
            return future.result(timeout)
        except CancelledError:
            raise StoreClosed(_CLOSED_MEANWHILE) from None
        except BaseException:
            future.cancel()
            raise

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work on the loop and await it from any loop."""
        if self.is_here:
            return await work
        try:
            return await asyncio.wrap_future(self.submit(work))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise StoreClosed(_CLOSED_MEANWHILE) from None

    def stop(self, first: Coroutine[Any, Any, None], last: Coroutine[Any, Any, None]) -> None:
        """Take no more work, do `first`, cancel what runs, do `last`, and end the loop and its thread.

        Again: do nothing.

        Raises:
            LoopBlocked: This is the loop's own thread.
        """
        if self.is_here:
            first.close()
            last.close()
            raise LoopBlocked("a memory can't be closed on its own loop; use `aclose` or another thread")
        with self._lock:
            again, self._stopping = self._stopping, True
        if again:
            first.close()
            last.close()
            return
        try:
            asyncio.run_coroutine_threadsafe(self._end(first, last), self.loop).result()
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()

    async def _end(self, first: Coroutine[Any, Any, None], last: Coroutine[Any, Any, None]) -> None:
        await first
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        await last


class Hosted(Protocol):
    """What has a host."""

    def live(self) -> Host:
        """Return the host, reopened after a fork.

        Raises:
            StoreClosed: It was closed.
        """
        ...


S = TypeVar("S", bound=Hosted)


def hosted(
    method: Callable[Concatenate[S, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Make an async method run on its object's own loop, whatever loop awaits it."""

    @functools.wraps(method)
    async def face(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.live().call(method(self, *args, **kwargs))

    return face


def waiting(face: Callable[Concatenate[S, P], Coroutine[Any, Any, T]]) -> Callable[Concatenate[S, P], T]:
    """Derive the sync twin of a `hosted` method: the same body, waited for."""
    method = cast("Callable[Concatenate[S, P], Coroutine[Any, Any, T]]", face.__wrapped__)  # type: ignore[attr-defined]  # set by functools.wraps

    @functools.wraps(method)
    def sync(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.live().wait(method(self, *args, **kwargs))

    sync.__name__ = method.__name__.removeprefix("a")
    sync.__qualname__ = method.__qualname__.replace(method.__name__, sync.__name__)
    return sync


class Closing:
    """What is used in a `with` or `async with` block, which closes it."""

    def close(self) -> None:
        """Close it. Closing again does nothing."""
        raise NotImplementedError  # pragma: no cover  # an abstract method; the memory and the store have their own

    async def aclose(self) -> None:
        """Close without holding up the loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        """Return it, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    async def __aenter__(self) -> Self:
        """Return it, open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()
