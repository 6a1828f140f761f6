"""One handle on the file: a reader of its own for the loop thread, and the writer it shares with other handles."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar, TypeVarTuple

import apsw

from memgraph.errors import StoreBusy, StoreClosed
from memgraph.ledger import forking, schema
from memgraph.ledger.engine import Key, connect, translated
from memgraph.ledger.writer import Writer, acquire, release

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_RETRY_S: Final = 0.004


class Ledger:
    """Reads inline on the loop thread, writes through the file's writer.

    Args:
        path: The file; made if absent.
        key: Its key, None for plaintext.
        vfs: A file layer registered with the engine, None for the default.
    """

    def __init__(self, path: str, key: Key, *, vfs: str | None = None) -> None:
        self.path = os.path.realpath(path)
        self._vfs = vfs
        self._closed = False
        self._reader: apsw.Connection | None = None
        self.gate = threading.RLock()
        with forking.opening:
            self.writer: Writer = acquire(path, key, vfs)
            try:
                self.pepper = self.look(schema.pepper)
            except BaseException:
                release(self.writer)
                raise
            forking.register(self)

    @property
    def reader(self) -> apsw.Connection:
        """The connection of the loop thread; used there only."""
        if self._closed:
            raise StoreClosed(f"`{self.path}` was closed meanwhile")
        if self._reader is None:
            self._reader = connect(self.path, self.writer.key, vfs=self._vfs)
        return self._reader

    def disconnect(self) -> None:
        """Close the reader until it is used next."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def look(self, run: Callable[[apsw.Connection], T]) -> T:
        """Run a short read inline, once. On the loop's thread, or on the one that opens the file."""
        with self.gate, translated(self.path):
            return run(self.reader)

    async def read(self, run: Callable[[apsw.Connection, *Ts], T], *args: *Ts, patience: float = 5.0) -> T:
        """Run a short read inline; where the file is locked, try again without stalling the loop.

        Args:
            run: Gets the reader's connection, and `args`.
            args: Its further arguments.
            patience: Seconds to go on trying.

        Raises:
            StoreBusy: Still locked.
        """
        until = asyncio.get_running_loop().time() + patience
        while True:
            try:
                with self.gate, translated(self.path):
                    return run(self.reader, *args)
            except StoreBusy:
                if asyncio.get_running_loop().time() >= until:
                    raise
            await asyncio.sleep(_RETRY_S)

    async def write(
        self, run: Callable[[apsw.Connection, *Ts], T], *args: *Ts, durable: bool = False, alone: bool = False
    ) -> T:
        """Run an operation on the writer, in a transaction with what else waits.

        A cancelled caller does not undo it: what was queued is written or not, never half.
        """
        return await asyncio.shield(asyncio.wrap_future(self.submit(run, *args, durable=durable, alone=alone)))

    def submit(
        self, run: Callable[[apsw.Connection, *Ts], T], *args: *Ts, durable: bool = False, alone: bool = False
    ) -> Future[T]:
        """Queue an operation on the writer without waiting."""
        if self._closed:
            raise StoreClosed(f"`{self.path}` was closed meanwhile")
        return self.writer.submit(lambda connection: run(connection, *args), durable=durable, alone=alone)

    def rekey(self, new: Key) -> None:
        """Change, set or remove the file's key. Blocks.

        Raises:
            StoreBusy: Another handle or process has the file open.
        """
        if self.writer.handles > 1:
            raise StoreBusy(
                f"`{self.path}` is open in this process elsewhere: changing the key needs the file to itself"
            )
        with self.gate:
            self.disconnect()
        self.writer.rekey(new)

    def close(self) -> None:
        """Close the reader and give the writer back. On the reader's own thread."""
        self._closed = True
        with self.gate:
            self.disconnect()
        release(self.writer)
