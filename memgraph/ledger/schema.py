"""The tables, and how a file comes to have them."""

from __future__ import annotations

import os
from typing import Final

import apsw

from memgraph.ledger.engine import APPLICATION_ID, refuse_newer, schema_version

# Every table of an owner's data has a key that begins with the owner's integer, matched by equality, then a row
# number: 10,000 turns take 2.6 MB so, 14.5 keyed by digests and UUID text. WITHOUT ROWID keeps an owner's rows
# together, so that opening one of 1,000 owners reads their pages and no others. Long texts come last in a row: their
# overflow pages are not touched by what reads the columns before them.
# Traces have a rowid: their key then is an index of its own, and finding the thousandth newest reads no bodies.
_V1: Final = """
create table meta(name text primary key, value any) without rowid;
create table owners(
    owner integer primary key, key blob not null unique, secret blob not null,
    seq integer not null default 0, last_row integer not null default 0, last_place integer not null default 0);
create table places(
    owner integer not null, place integer not null, thread_id text, session_id text, agent_id text,
    primary key(owner, place)) without rowid;
create unique index places_by_name
    on places(owner, ifnull(thread_id, x''), ifnull(session_id, x''), ifnull(agent_id, x''));
create table turns(
    owner integer not null, row integer not null, id blob not null, version integer not null default 1,
    seq integer not null, place integer not null, said_at integer not null, recorded_at integer not null,
    superseded_at integer not null, role text not null, speaker text not null, origin integer not null,
    altered integer not null default 0, replaces integer, tier integer not null default 0,
    last_used_at integer, use_count integer not null default 0, archived_at integer, expires_at integer,
    message_id text, metadata text, parts text, text blob not null,
    primary key(owner, row)) without rowid;
create index turns_by_place on turns(owner, place, row);
create unique index turns_by_id on turns(owner, id);
create table turn_keys(
    owner integer not null, key blob not null, row integer, primary key(owner, key)) without rowid;
create table postings(
    owner integer not null, row integer not null, part integer not null, version integer not null,
    recipe integer not null, before integer, words integer not null, flags integer not null, terms blob not null,
    primary key(owner, row, part)) without rowid;
create table vectors(
    owner integer not null, row integer not null, part integer not null, version integer not null,
    recipe integer not null, before integer, vector blob not null,
    primary key(owner, row, part)) without rowid;
create table commits(
    owner integer not null, seq integer not null, at integer not null, kind text not null, cause text,
    touched blob not null, reason text, primary key(owner, seq)) without rowid;
create table outbox(
    job integer primary key, owner integer not null, seq integer not null, kind text not null, state text not null,
    rows blob not null, attempt integer not null default 0, available_at integer not null, lease_owner text,
    lease_until integer, fence integer not null default 0, error_class text, draft blob, decision blob,
    created_at integer not null);
create index outbox_open on outbox(state, available_at) where state <> 'done';
create index outbox_by_owner on outbox(owner, job);
create table tombstones(
    owner integer not null, row integer not null, seq integer not null, at integer not null,
    primary key(owner, row)) without rowid;
create table threads(key blob primary key, owner integer not null) without rowid;
create table traces(
    owner integer not null, id blob not null, at integer not null, body blob not null,
    primary key(owner, id));
create table embedders(recipe integer primary key, name text not null, dims integer, unique(name, dims));
"""

MIGRATIONS: Final[tuple[str, ...]] = (_V1,)
"""Step n brings a file from schema n to n + 1. Never changed once released; new ones are added at the end."""


def migrate(connection: apsw.Connection, path: str) -> None:
    """Bring the file to the newest schema, each step in a transaction of its own: old or new, never half.

    Raises:
        StoreTooNew: It already has a newer one.
    """
    refuse_newer(path, schema_version(connection), len(MIGRATIONS))
    while schema_version(connection) < len(MIGRATIONS):
        connection.pragma("synchronous", "full")
        connection.execute("begin immediate")
        try:
            version = schema_version(connection)  # again, under the lock: another process may have been faster
            if version < len(MIGRATIONS):
                connection.execute(MIGRATIONS[version])
                if version == 0:
                    connection.pragma("application_id", APPLICATION_ID)
                    connection.execute("insert into meta values ('pepper', ?)", (os.urandom(32),))
                connection.pragma("user_version", version + 1)
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise


def pepper(connection: apsw.Connection) -> bytes:
    """Return the file's own secret: an owner's key says nothing about the user to who lacks the file."""
    value: bytes = connection.execute("select value from meta where name = 'pepper'").get
    return value
