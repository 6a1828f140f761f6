"""The one writer of a file in this process: a thread that groups what waits into one transaction."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import apsw

from memgraph.errors import AgentMemoryError, StoreBusy
from memgraph.ledger import forking
from memgraph.ledger.engine import Key, check_encrypted, check_key, check_not_emptied, connect, translated
from memgraph.ledger.rekeying import change_key, drop_spare
from memgraph.ledger.schema import migrate

T = TypeVar("T")

_GROUP: Final = 256
"""Operations a transaction takes at most: one fsync (4 ms) serves all that wait, and no lock is held for long."""


@dataclass(slots=True)
class _Operation:
    run: Callable[[apsw.Connection], Any]
    durable: bool
    alone: bool
    future: Future[Any]


class Writer:
    """Runs operations on its own connection and thread, in order.

    Handles on one file in one process share one writer; `acquire` and `release` count them.
    """

    def __init__(self, path: str, key: Key, vfs: str | None) -> None:
        check_key(key)
        existed = os.path.exists(path) and os.path.getsize(path) > 0
        if existed:
            check_encrypted(path, key)
        else:
            check_not_emptied(path)
        self.path = path
        self.key = key
        self.vfs = vfs
        self.handles = 0
        self.pid = os.getpid()
        if not existed:
            # Before the engine opens it: the log and its index take the file's mode when they are made.
            with suppress(OSError):  # the engine says what is wrong with the path
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                os.chmod(path, 0o600)
        connection = connect(path, key, vfs=vfs, writer=True)
        try:
            with translated(path):
                migrate(connection, path)
            check_encrypted(path, key)
            drop_spare(path)
        except BaseException:
            connection.close()
            raise
        self._connection: apsw.Connection | None = connection
        self.gate = threading.RLock()
        forking.register(self)
        self._queue: queue.SimpleQueue[_Operation | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="memgraph-writer", daemon=True)
        self._thread.start()

    def submit(self, run: Callable[[apsw.Connection], T], *, durable: bool = False, alone: bool = False) -> Future[T]:
        """Queue an operation.

        Args:
            run: Gets the connection inside a transaction; what it returns is the future's result.
            durable: Whether its commit reaches the disk before the future is done (`synchronous=FULL`).
            alone: Whether it runs outside any transaction (VACUUM, a change of key).
        """
        future: Future[T] = Future()
        self._queue.put(_Operation(run, durable, alone, future))
        return future

    def stop(self) -> None:
        """Finish what is queued and close the connection."""
        self._queue.put(None)
        self._thread.join()
        with self.gate, translated(self.path):
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection until it is used next."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> apsw.Connection:
        if self._connection is None:
            self._connection = connect(self.path, self.key, vfs=self.vfs, writer=True)
        return self._connection

    def _loop(self) -> None:
        stopping = False
        while not stopping:
            waiting = [self._queue.get()]
            while len(waiting) < _GROUP and not self._queue.empty():
                waiting.append(self._queue.get())
            stopping = None in waiting
            with self.gate:
                self._run_all([operation for operation in waiting if operation is not None])

    def _run_all(self, operations: list[_Operation]) -> None:
        group: list[_Operation] = []
        for operation in operations:
            if operation.alone:
                self._run_group(group)
                group = []
                self._run_alone(operation)
            else:
                group.append(operation)
        self._run_group(group)

    def _run_alone(self, operation: _Operation) -> None:
        if not operation.future.set_running_or_notify_cancel():
            return
        try:
            with translated(self.path):
                result = operation.run(self._connected())
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            operation.future.set_exception(error)
        else:
            operation.future.set_result(result)

    def _run_group(self, group: list[_Operation]) -> None:
        group = [operation for operation in group if operation.future.set_running_or_notify_cancel()]
        if not group:
            return
        results: list[tuple[_Operation, Any]] = []
        try:
            with translated(self.path):
                connection = self._connected()
                connection.pragma("synchronous", "full" if any(o.durable for o in group) else "normal")
                connection.execute("begin immediate")
                try:
                    for operation in group:
                        self._run_one(connection, operation, results)
                    connection.execute("commit")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("rollback")
                    raise
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            for operation in group:
                if not operation.future.done():
                    operation.future.set_exception(error)
            return
        for operation, result in results:
            operation.future.set_result(result)

    def _run_one(
        self, connection: apsw.Connection, operation: _Operation, results: list[tuple[_Operation, Any]]
    ) -> None:
        """Run one of a group in a savepoint, so that its failure takes nothing else with it."""
        connection.execute("savepoint one")
        try:
            result = operation.run(connection)
        except (apsw.FullError, apsw.IOError, apsw.CorruptError, apsw.NoMemError):
            raise  # the engine may have rolled back everything: fail the whole group, nobody was told yet
        except BaseException as error:  # noqa: BLE001  # handed to whoever waits
            if not connection.in_transaction:
                raise
            connection.execute("rollback to one; release one")
            operation.future.set_exception(_ours(self.path, error))
            return
        connection.execute("release one")
        results.append((operation, result))

    def rekey(self, new: Key) -> None:
        """Change, set or remove the file's key. Runs on the writer's thread, outside a transaction.

        Raises:
            StoreBusy: Somebody else has the file open.
        """
        check_key(new)

        def change(connection: apsw.Connection) -> None:
            try:
                change_key(connection, self.path, self.key, new, self.vfs)
                self.key = new
            finally:
                # The next operation connects anew, and returns to the log.
                self._connection = None
                connection.close()

        self.submit(change, alone=True).result()
        check_encrypted(self.path, new)


def _ours(path: str, error: BaseException) -> BaseException:
    if isinstance(error, AgentMemoryError) or not isinstance(error, apsw.Error):
        return error
    try:
        with translated(path):
            raise error
    except AgentMemoryError as ours:
        return ours


_writers: dict[str, Writer] = {}

# In a forked child the parent's writers have no thread: a new one is made for each file.
os.register_at_fork(after_in_child=_writers.clear)


def acquire(path: str, key: Key, vfs: str | None = None) -> Writer:
    """Return the writer of a file, the one that is there if there is one.

    Raises:
        NotAMemoryFile: It is open in this process with another key.
    """
    real = os.path.realpath(path)
    with forking.opening:
        writer = _writers.get(real)
        if writer is None:
            writer = _writers[real] = Writer(real, key, vfs)
        elif writer.key != key:
            # The engine would say the same of a wrong key; a reader proves it for a first handle.
            connect(real, key, vfs=vfs).close()
            raise StoreBusy(f"`{real}` is open in this process with another key")
        writer.handles += 1
        return writer


def release(writer: Writer) -> None:
    """Give a writer back; the last one out stops it."""
    if writer.pid != os.getpid():
        return  # a parent's, inherited by fork: its thread is not here
    with forking.opening:
        writer.handles -= 1
        if writer.handles > 0:
            return
        if _writers.get(writer.path) is writer:
            del _writers[writer.path]
        writer.stop()
