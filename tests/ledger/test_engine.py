"""Connections, and the engine's errors in our words."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from memgraph.errors import (
    AgentMemoryError,
    NotAMemoryFile,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreUnreadable,
)
from memgraph.ledger import codec, engine
from memgraph.ledger.handle import Ledger
from support.memories import RAW_KEY


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (apsw.BusyError, StoreBusy),
        (apsw.LockedError, StoreBusy),
        (apsw.FullError, StoreFull),
        (apsw.NotADBError, NotAMemoryFile),
        (apsw.CorruptError, StoreCorrupt),
        (apsw.IOError, StoreUnreadable),
        (apsw.ReadOnlyError, StoreUnreadable),
        (apsw.CantOpenError, StoreUnreadable),
        (apsw.PermissionsError, StoreUnreadable),
        (apsw.SQLError, StoreError),
    ],
)
def test_each_error_of_the_engine_is_one_of_ours(error: type[Exception], ours: type[AgentMemoryError]) -> None:
    with pytest.raises(ours, match="the.db") as caught, engine.translated("the.db"):
        raise error("what the engine says")
    assert "what the engine says" not in str(caught.value)
    assert isinstance(caught.value.__cause__, error)


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), engine.translated("the.db"):
        raise ZeroDivisionError


def test_what_a_connection_is_set_to(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "m.db"), RAW_KEY)
    reader = ledger.reader
    assert reader.pragma("application_id") == engine.APPLICATION_ID
    assert reader.pragma("journal_mode") == "wal"
    assert reader.pragma("secure_delete") == 1
    assert reader.pragma("trusted_schema") == 0
    assert reader.pragma("temp_store") == 2  # no temporary file beside a keyed one
    assert reader.pragma("busy_timeout") == 0  # a locked file never stalls the loop
    ledger.close()


def test_an_empty_file_is_no_memory_to_read(tmp_path: Path) -> None:
    (tmp_path / "m.db").touch()
    with pytest.raises(StoreError, match="is empty"):
        engine.connect(str(tmp_path / "m.db"), None)


def test_new_files_are_the_users_alone(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path / "m.db"), None)
    ledger.submit(lambda c: c.execute("insert into meta values ('x', 1)")).result()
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    ledger.close()
    assert modes == {"m.db": 0o600, "m.db-wal": 0o600, "m.db-shm": 0o600}


def test_a_passphrase_is_no_notation_of_the_engine(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")
    Ledger(path, "raw:" + "00" * 32).close()
    with pytest.raises(NotAMemoryFile):
        Ledger(path, bytes(32))
    Ledger(path, "raw:" + "00" * 32).close()


@pytest.mark.parametrize("text", ["", "plain", "\0\ufffd\U0010ffff e\u0301"])
def test_the_codec_is_a_round_trip(text: str) -> None:
    assert codec.decode(codec.encode(text)) == text
