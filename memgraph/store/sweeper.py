"""What removes a store's expired items, again and again, in the background."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from memgraph.core import log
from memgraph.errors import AgentMemoryError
from memgraph.faces import Host
from memgraph.ledger import items
from memgraph.open_file import OpenFile


class Sweeper:
    """One background task on a store's host.

    Args:
        home: What the store lives in.
    """

    def __init__(self, home: OpenFile) -> None:
        self._home = home
        self._running: tuple[Host, Future[None]] | None = None

    async def sweep(self) -> int:
        """Remove the items whose time has passed. Returns how many there were."""
        return await self._home.core.ledger.write(items.sweep, self._home.core.clock())

    def start(self, seconds: float) -> Future[None]:
        """Sweep every so often, unless it is being done already. Returns what ends with it."""
        host = self._home.live()
        if self._running is None or self._running[0] is not host or self._running[1].done():
            self._running = host, host.submit(self._go_on(seconds))
        return self._running[1]

    def stop(self, timeout: float | None) -> bool:
        """Stop. Returns whether it has ended, within `timeout` seconds."""
        if self._running is None:
            return True
        host, future = self._running
        if self._home.live() is not host:  # a parent's, inherited by fork
            return True
        future.cancel()
        try:
            host.wait(asyncio.sleep(0), timeout)  # behind what the loop was told to cancel
        except TimeoutError:
            return False
        return True

    async def _go_on(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.sweep()
            except AgentMemoryError as error:  # locked by another process, or a full disk: the next round may do
                log.warning("expired items were not removed: %s", type(error).__name__)
