"""Every file comes to the newest schema by the same steps, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from memgraph.errors import StoreTooNew
from memgraph.ledger import items, schema
from memgraph.ledger.engine import APPLICATION_ID, connect
from support.memories import in_threads

SLOTS = {"tier", "parts", "last_used_at", "use_count", "archived_at", "expires_at", "metadata"}
OWNED = ("places", "turns", "turn_keys", "postings", "vectors", "commits", "tombstones", "traces")


@pytest.fixture
def connection(tmp_path: Path) -> apsw.Connection:
    return connect(str(tmp_path / "m.db"), None, writer=True)


def test_a_new_file_gets_every_step(connection: apsw.Connection) -> None:
    schema.migrate(connection, "m.db")
    assert connection.pragma("user_version") == len(schema.MIGRATIONS)
    assert connection.pragma("application_id") == APPLICATION_ID
    assert len(schema.pepper(connection)) == 32
    schema.migrate(connection, "m.db")  # again changes nothing
    connection.close()


def test_the_slots_that_are_filled_later_are_there(connection: apsw.Connection) -> None:
    schema.migrate(connection, "m.db")
    columns = {row[1] for row in connection.execute("select * from pragma_table_info('turns')").fetchall()} | {
        row[0] for row in connection.execute("select name from pragma_table_info('turns')").fetchall()
    }
    assert columns >= SLOTS
    connection.close()


@pytest.mark.parametrize("table", OWNED)
def test_an_owners_tables_are_keyed_by_its_integer_first(connection: apsw.Connection, table: str) -> None:
    schema.migrate(connection, "m.db")
    [first] = connection.execute(
        f"select name, type from pragma_table_info('{table}') where pk = 1"  # a name of the list above
    ).fetchall()
    assert first == ("owner", "INTEGER") or first == ("owner", "integer")
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.migrate(connection, "m.db")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "create table half(x); create table turns(x)"))
    with pytest.raises(apsw.SQLError, match="turns"):
        schema.migrate(connection, "m.db")
    assert connection.pragma("user_version") == len(schema.MIGRATIONS) - 1
    assert connection.execute("select count(*) from sqlite_schema where name = 'half'").get == 0
    assert not connection.in_transaction
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS[:-1], "create table whole(x)"))
    schema.migrate(connection, "m.db")
    assert connection.pragma("user_version") == len(schema.MIGRATIONS)
    connection.close()


def test_a_newer_file_is_refused(connection: apsw.Connection) -> None:
    connection.pragma("user_version", len(schema.MIGRATIONS) + 1)
    with pytest.raises(StoreTooNew, match="upgrade"):
        schema.migrate(connection, "m.db")
    connection.close()


def test_two_who_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    path = str(tmp_path / "m.db")

    def work(_: int) -> bytes:
        connection = connect(path, None, writer=True)
        schema.migrate(connection, path)
        pepper = schema.pepper(connection)
        connection.close()
        return pepper

    assert len(set(in_threads(4, work))) == 1


def test_items_of_before_they_were_counted_are_counted(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", every[:3])
    schema.migrate(connection, "m.db")
    connection.execute("insert into namespaces values (1, x'6100'), (2, x'6200')")
    connection.execute(
        "insert into items(namespace, key, created_at, updated_at, value)"
        " values (1, x'31', 1, 1, x'7b7d'), (1, x'32', 1, 1, x'7b7d'), (2, x'31', 1, 1, x'7b7d')"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", every)
    schema.migrate(connection, "m.db")
    assert [items.state(connection, prefix) for prefix in [("a",), ("b",), ()]] == [(2, 0), (1, 0), (3, 0)]
    connection.close()
