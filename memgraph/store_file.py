"""What a store lives in: an open memory, or a file that is open for it alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Protocol

from memgraph.core import Core
from memgraph.errors import InvalidInput, StoreClosed
from memgraph.faces import Host
from memgraph.ledger.handle import Ledger
from memgraph.projections.cache import IndexCache


class Home(Protocol):
    """What a store lives in: an open memory, or a file of its own."""

    core: Core

    def live(self) -> Host:
        """Return the host, reopened after a fork.

        Raises:
            StoreClosed: It was closed.
        """
        ...


class StoreFile:
    """A file with a host of its own.

    Args:
        path: The file, made if absent, or ":memory:" for one that is gone after `close`.
        key: Its key, None for plaintext.

    Raises:
        InvalidInput: The path names a server.
        StoreError: It can't be opened.
    """

    def __init__(self, path: str, key: str | bytes | None) -> None:
        if "://" in path:
            raise InvalidInput(
                f'a store opens a file, or ":memory:": no server is spoken to by `{path.split(":")[0]}:`'
            )
        self._folder = tempfile.mkdtemp(prefix="memgraph-") if path == ":memory:" else None
        try:
            ledger = Ledger(path if self._folder is None else os.path.join(self._folder, "store.db"), key)
        except BaseException:
            self._remove()
            raise
        self._opener = os.getpid()
        self._closed = False
        self.core = Core(ledger, IndexCache(0))
        self.host = Host()

    def live(self) -> Host:
        """Return the host, reopened in a child process after a fork.

        Raises:
            StoreClosed: The store was closed.
        """
        if self._closed:
            raise StoreClosed("this store is closed; open it again")
        if self.host.pid != os.getpid():
            self._inherited = (self.core, self.host)  # the parent's: neither used nor closed here
            ledger = self.core.ledger
            self.core = Core(Ledger(ledger.path, ledger.writer.key), IndexCache(0), clock=self.core.clock)
            self.host = Host()
        return self.host

    def close(self) -> None:
        """Close the file. Closing again does nothing."""
        if self._closed:
            return
        if self.host.pid == os.getpid():
            self.host.stop(self._end())
        self._closed = True
        if self._opener == os.getpid():  # a forked child leaves its parent's files
            self._remove()

    async def _end(self) -> None:
        self.core.ledger.close()

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
