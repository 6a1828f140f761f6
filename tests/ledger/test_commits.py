"""Commits are numbered without a gap, owner by owner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgraph.errors import ScopeDenied
from memgraph.ledger import commits, owners
from memgraph.ledger.handle import Ledger
from memgraph.ledger.turns import by_id, carray


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    Ledger(str(tmp_path / "m.db"), None).close()
    opened = apsw.Connection(str(tmp_path / "m.db"))
    yield opened
    opened.close()


@given(st.lists(st.integers(1, 2**40)))
def test_rows_are_packed_sorted_and_once(rows: list[int]) -> None:
    assert commits.unpack(commits.pack(rows)) == sorted(set(rows))


def test_numbers_grow_by_one_for_each_owner(connection: apsw.Connection) -> None:
    ada, bob = (owners.ensure(connection, key).owner for key in (b"ada", b"bob"))
    seqs = [commits.record(connection, who, at=0, kind="turns", touched=[n]) for n, who in enumerate((ada, bob, ada))]
    assert seqs == [1, 1, 2]
    assert commits.since(connection, b"ada", 0) == (ada, 2, [("turns", [0]), ("turns", [2])])
    assert commits.since(connection, b"ada", 1) == (ada, 2, [("turns", [2])])
    assert commits.since(connection, b"ada", 2) == (ada, 2, [])
    assert commits.since(connection, b"nobody", 0) is None
    assert owners.head(connection, b"ada") == (ada, 2)


def test_owners_are_made_once(connection: apsw.Connection) -> None:
    first = owners.ensure(connection, b"ada")
    assert owners.ensure(connection, b"ada") == first
    assert owners.find(connection, b"nobody") is None
    assert owners.head(connection, b"nobody") is None
    assert owners.every(connection) == [first.owner]
    assert len(first.secret) == 32


def test_a_carray_of_nothing_matches_nothing(connection: apsw.Connection) -> None:
    owner = owners.ensure(connection, b"ada").owner
    assert connection.execute("select count(*) from owners where owner in carray(?)", (carray([]),)).get == 0
    assert connection.execute("select count(*) from owners where owner in carray(?)", (carray([owner]),)).get == 1


def test_ids_that_are_none_are_left_out(connection: apsw.Connection) -> None:
    owner = owners.ensure(connection, b"ada").owner
    assert by_id(connection, owner, ["", "x", "\ud800", "0193f2c4-7b1e-7c3a-9d52-0b6f2f0a1b2c"]) == {}


def test_a_foreign_thread_is_denied() -> None:
    owners.deny_foreign_thread(None, None)
    owners.deny_foreign_thread(None, 1)
    owners.deny_foreign_thread(1, 1)
    for mine in (None, 2):
        with pytest.raises(ScopeDenied):
            owners.deny_foreign_thread(1, mine)
