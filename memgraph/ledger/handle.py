"""One handle on the file: readers of its own for the loop thread, and the writer it shares with other handles."""

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
from memgraph.ledger.engine import Key, connect, release_cursors, snapshot, translated
from memgraph.ledger.steps import SHORT, TURN, Steps, advance
from memgraph.ledger.writer import Writer, acquire, release

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_RETRY_S: Final = 0.004
_REST_S: Final = 0.0005
"""How long a long read rests between its steps. Other threads need the interpreter as the loop's own calls need the
loop: a get from one took 7 ms where the read did not rest, 2 where it does, and the read a third longer."""


class Ledger:
    """Reads on the loop thread, writes through the file's writer.

    Args:
        path: The file; made if absent.
        key: Its key, None for plaintext.
        vfs: A file layer registered with the engine, None for the default.

    Attributes:
        reading_long: Held by the long read that goes on, and by who needs that none does.
    """

    def __init__(self, path: str, key: Key, *, vfs: str | None = None) -> None:
        self.path = os.path.realpath(path)
        self._vfs = vfs
        self._closed = False
        self._reader: apsw.Connection | None = None
        self._long_reader: apsw.Connection | None = None
        self.reading_long = asyncio.Lock()
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
        if self._reader is None:
            self._reader = self._connected()
        return self._reader

    def _connected(self) -> apsw.Connection:
        if self._closed:
            raise StoreClosed(f"`{self.path}` was closed meanwhile")
        return connect(self.path, self.writer.key, vfs=self._vfs)

    def disconnect(self) -> None:
        """Close what reads until it is used next."""
        readers = self._reader, self._long_reader
        self._reader = self._long_reader = None
        for reader in readers:
            if reader is not None:
                reader.close()

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

    async def read_in_steps(self, begin: Callable[[apsw.Connection], Steps[T]], *, patience: float = 5.0) -> T:
        """Run a read of any length in one snapshot: a short one inline, a longer one a step at a time.

        Between its steps the loop serves others. One at a time does so, on a connection of its own.

        Args:
            begin: Gets a connection and returns the read. It is called again where the read has to begin anew.
            patience: Seconds to go on trying where the file is locked.

        Raises:
            StoreBusy: Still locked.
        """

        def at_once(connection: apsw.Connection) -> tuple[T] | None:
            with snapshot(connection):
                steps = begin(connection)
                done = advance(steps, SHORT)
                steps.close()
                return done

        done = await self.read(at_once, patience=patience)
        if done is not None:
            return done[0]
        async with self.reading_long:
            until = asyncio.get_running_loop().time() + patience
            while done is None:
                try:
                    done = await self._read_long(begin)
                except StoreBusy:
                    if asyncio.get_running_loop().time() >= until:
                        raise
                    await asyncio.sleep(_RETRY_S)
        return done[0]

    async def _read_long(self, begin: Callable[[apsw.Connection], Steps[T]]) -> tuple[T] | None:
        """Run a read in steps. Returns None where its connection was closed amid it: by a fork, or for another key."""
        with self.gate, translated(self.path):
            connection = self._long_reader = self._long_reader or self._connected()
            connection.execute("begin")
        steps = begin(connection)
        try:
            while True:
                with self.gate, translated(self.path):
                    if connection is not self._long_reader:
                        return None
                    if (done := advance(steps, TURN)) is not None:
                        return done
                await asyncio.sleep(_REST_S)
        except BaseException as error:
            release_cursors(error)
            raise
        finally:
            with self.gate, translated(self.path):
                steps.close()
                if connection is self._long_reader and connection.in_transaction:
                    connection.execute("commit")

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
        try:
            self.writer.rekey(new)
        finally:
            # Back into the log, before a long read begins anew: outside of it nobody writes until that has ended.
            self.writer.submit(lambda _: None).exception()

    def close(self) -> None:
        """Close the readers and give the writer back. On the readers' own thread."""
        self._closed = True
        with self.gate:
            self.disconnect()
        release(self.writer)
