"""An open file: its parts, the loop that they are used on, and how both begin and end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable

from memgraph.core import Core
from memgraph.errors import StoreClosed
from memgraph.faces import Closing, Host


class OpenFile(Closing):
    """A file with a host of its own: closed once, and opened again in a child process after a fork.

    Args:
        path: The file, made if absent, or ":memory:" for one that is gone after `close`.
        opened: Opens the file at a path.

    Attributes:
        core: Its parts, used on the host's loop.
        host: The host. `live` returns one that works.
    """

    core: Core
    host: Host

    def __init__(self, path: str | os.PathLike[str], opened: Callable[[str], Core]) -> None:
        at = os.fspath(path)
        self._folder = tempfile.mkdtemp(prefix="memgraph-") if at == ":memory:" else None
        self._opener = os.getpid()
        self._closed = False
        try:
            self._begin(opened(at if self._folder is None else os.path.join(self._folder, "memory.db")))
        except BaseException:
            self._remove()
            raise

    def _begin(self, core: Core) -> None:
        """Take the parts of the file, opened or opened again."""
        self.core = core
        self.host = Host()

    async def _finish(self) -> None:
        """Do what must not be cut short, on the host's loop."""

    async def _end(self) -> None:
        """Do what is last, on the host's loop."""
        self.core.cache.held.clear()
        self.core.ledger.close()

    def live(self) -> Host:
        """Return the host, reopened in a child process after a fork.

        Raises:
            StoreClosed: The file was closed.
        """
        if self._closed:
            raise StoreClosed(f"`{self.core.ledger.path}` is closed; open it again")
        if self.host.pid != os.getpid():
            self._inherited = (self.core, self.host)  # the parent's: neither used nor closed here
            self._begin(self.core.reopened())
        return self.host

    def close(self) -> None:
        """Stop background work (it goes on at the next open) and close the file. Closing again does nothing.

        What was given up on its way to the disk is waited for, ten seconds at most.
        """
        if self._closed:
            return
        if self.host.pid == os.getpid():
            self.host.stop(self._finish(), self._end())
        self._closed = True
        if self._opener == os.getpid():  # a forked child leaves its parent's files
            self._remove()

    def _remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __repr__(self) -> str:
        """Return path and state."""
        return f"{type(self).__name__}({self.core.ledger.path!r}{', closed' if self._closed else ''})"
