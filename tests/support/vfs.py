"""A file layer that fails, watches and remembers: what a disk does to a memory, done on purpose.

SQLite calls it in place of the system's own (`unix`), below the ciphers. Every write, sync and truncate is a crossing;
the n-th since `arm` can be made to fail, all bytes can be searched, and the state of the files at any moment can be
rebuilt, as a kill or a power cut would have left them.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import apsw

from memgraph import Memory
from memgraph.core import Core
from memgraph.embedding import Embedder
from memgraph.ledger.handle import Ledger
from memgraph.projections.cache import IndexCache
from support.fakes import HashEmbeddings

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Crossing = Literal["write", "sync", "truncate"]


@dataclass(frozen=True, slots=True)
class Event:
    """What reached the files: a crossing, or the removal of a file.

    Attributes:
        offset: Of a write; the new size of a truncate.
    """

    kind: Crossing | Literal["delete"]
    path: str
    offset: int = 0
    data: bytes = b""


class FaultLayer(apsw.VFS):
    """The layer. Register it by making one; open files through it by `vfs`; `unregister` it in the end.

    Attributes:
        crossings: Counted since `arm` or the beginning.
        log: Kinds of these crossings, with the ending of the file's name.
        events: All that reached the files, while `recording`.
        acknowledged: (number of events, what) as noted by `acknowledge`.
        forbidden: Bytes that must reach no file; `found` has the files that they reached.
        broken: While set, every crossing fails with it.
    """

    def __init__(self) -> None:
        self.name = f"faulty-{uuid.uuid4().hex[:8]}"
        super().__init__(self.name, base="unix")
        self.crossings = 0
        self.log: list[str] = []
        self.recording = False
        self.events: list[Event] = []
        self.acknowledged: list[tuple[int, str]] = []
        self.forbidden: Sequence[bytes] = ()
        self.found: list[str] = []
        self.watched = 0
        self.broken: type[apsw.Error] | None = None
        self._fail_at: int | None = None
        self._error: type[apsw.Error] = apsw.IOError

    @property
    def vfs(self) -> str:
        """What to open files by: this layer below the ciphers (over any other base, a keyed WAL would be plaintext)."""
        return f"multipleciphers-{self.name}"

    def arm(self, at: int, error: type[apsw.Error]) -> None:
        """Let the `at`-th crossing from now on fail, once."""
        self.crossings, self._fail_at, self._error = 0, at, error
        self.log.clear()

    def disarm(self) -> bool:
        """Let everything pass. Returns whether the armed crossing was reached."""
        reached = self._fail_at is not None and self.crossings >= self._fail_at
        self._fail_at = None
        return reached

    def acknowledge(self, what: str) -> None:
        """Note that the caller was told so, after the events so far."""
        self.acknowledged.append((len(self.events), what))

    def cross(self, event: Event) -> None:
        """Pass a crossing, or fail."""
        self.crossings += 1
        if not self.recording:
            self.log.append(f"{event.kind} {event.path[-8:]}")
        if self.broken is not None:
            raise self.broken("made to fail")
        if self.crossings == self._fail_at:
            raise self._error("made to fail")
        if any(word in event.data for word in self.forbidden):
            self.found.append(f"{event.kind} {event.path}")
        self.watched += len(event.data)
        if self.recording:
            self.events.append(event)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        if self.recording:
            self.events.append(Event("delete", filename))

    def excepthook(self, *_: Any) -> None:
        """Say nothing of errors that SQLite takes no notice of: they are ours."""

    def state(self, events: int, *, power_cut: bool, torn: bool = False) -> dict[str, bytes]:
        """Return the files as they would be if it all had ended after so many events, by path.

        Args:
            events: How many.
            power_cut: Whether what was not synced is lost (the worst case); a kill loses nothing.
            torn: Whether the last write got only half through.
        """
        whole: dict[str, bytearray] = {}
        synced: dict[str, bytes] = {}
        for number, event in enumerate(self.events[:events], 1):
            if event.kind == "delete":
                whole.pop(event.path, None)
                synced.pop(event.path, None)
                continue
            file = whole.setdefault(event.path, bytearray())
            if event.kind == "write":
                data = event.data[: len(event.data) // 2] if torn and number == events else event.data
                file.extend(bytes(max(0, event.offset - len(file))))
                file[event.offset : event.offset + len(data)] = data
            elif event.kind == "truncate":
                del file[event.offset :]
            else:
                synced[event.path] = bytes(file)
        return synced if power_cut else {path: bytes(file) for path, file in whole.items()}


class _File(apsw.VFSFile):
    def __init__(self, layer: FaultLayer, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._layer = layer
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else name or "(temporary)"
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._layer.cross(Event("write", self._path, offset, bytes(data)))
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._layer.cross(Event("sync", self._path))
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:
        self._layer.cross(Event("truncate", self._path, newsize))
        super().xTruncate(newsize)


@contextmanager
def layer() -> Generator[FaultLayer]:
    """Register a layer for the block."""
    made = FaultLayer()
    try:
        yield made
    finally:
        made.unregister()


def open_through(
    made: FaultLayer,
    path: str | os.PathLike[str],
    *,
    key: str | bytes | None = None,
    embedder: Embeddings | None = None,
) -> Memory:
    """Open a memory whose files lie behind a layer; by default with a `HashEmbeddings`."""

    def opened(file: str) -> Core:
        ledger = Ledger(file, key, vfs=made.vfs)
        try:
            core = Core(ledger, IndexCache(256 << 20))
            core.adopt(Embedder(embedder or HashEmbeddings(), "hash", None))
            return core
        except BaseException:
            ledger.close()
            raise

    return Memory(path, opened, model=None, consolidation_model=None)


def put(state: dict[str, bytes], folder: Path) -> None:
    """Write the files of a state into another folder, by their names."""
    for path, content in state.items():
        (folder / Path(path).name).write_bytes(content)
