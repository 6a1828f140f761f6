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

# What is made of turns. Rows are drawn from the owner's one counter, so that a row number names a turn, a fact or an
# entity, never two of them, and index tables hold the parts of all. `recorded_at` and `superseded_at` bound belief
# everywhere, `valid_from` and `valid_to` truth: a version, a piece of evidence, a link or a name is never rewritten.
# A job's number is never given again (autoincrement), since who waits for a job asks whether its number is gone.
# Everything here belongs to the agent its turns belong to (null: to none), so that no agent's private words reach
# another through a fact that was made of them. A name whose `fact` is null is an entity's own; any other holds, like
# mentions and relations, while a version is believed that says what that of its `operation` says.
_V2: Final = """
create table facts(
    owner integer not null, row integer not null, id blob not null, version integer not null, seq integer not null,
    agent_id text, subject_key blob not null, attribute text not null, hash blob not null, kind integer not null,
    origin integer not null, recorded_at integer not null, superseded_at integer not null, valid_from integer not null,
    valid_to integer not null, confidence real not null, importance real not null, tier integer not null default 0,
    last_used_at integer, use_count integer not null default 0, archived_at integer, expires_at integer, metadata text,
    subject text not null, object text not null, text blob not null, primary key(owner, row)) without rowid;
create unique index facts_by_id on facts(owner, id);
create index facts_by_subject on facts(owner, subject_key, superseded_at, row);
create table fact_versions(
    owner integer not null, row integer not null, version integer not null, operation integer not null,
    recorded_at integer not null, superseded_at integer not null, valid_from integer not null,
    valid_to integer not null, kind integer not null, origin integer not null, confidence real not null,
    importance real not null, subject text not null, attribute text not null, object text not null, text blob not null,
    primary key(owner, row, version)) without rowid;
create table evidence(
    owner integer not null, fact integer not null, turn integer not null, operation integer not null,
    recorded_at integer not null, superseded_at integer not null, quote blob,
    primary key(owner, fact, turn, operation)) without rowid;
create index evidence_by_turn on evidence(owner, turn);
create table fact_links(
    owner integer not null, source integer not null, kind text not null, target integer not null,
    operation integer not null, recorded_at integer not null, superseded_at integer not null,
    primary key(owner, source, kind, target, operation)) without rowid;
create index fact_links_by_target on fact_links(owner, target);
create table operations(
    owner integer not null, operation integer not null, id blob not null, seq integer not null, at integer not null,
    kind text not null, mode text, fact integer, target integer, gate text not null, model text, prompt text,
    prompt_tokens integer, answer_tokens integer, undoes integer, undone_by integer, turns blob not null, reason text,
    quote blob, effects text, primary key(owner, operation)) without rowid;
create unique index operations_by_id on operations(owner, id);
create index operations_by_fact on operations(owner, fact);
create table entities(
    owner integer not null, row integer not null, id blob not null, agent_id text, type text not null,
    operation integer not null, recorded_at integer not null, superseded_at integer not null, merged_into integer,
    name text not null, primary key(owner, row)) without rowid;
create unique index entities_by_id on entities(owner, id);
create index entities_merged on entities(owner, merged_into) where merged_into is not null;
create table entity_aliases(
    owner integer not null, key blob not null, entity integer not null, operation integer not null,
    recorded_at integer not null, superseded_at integer not null, fact integer, name text not null,
    primary key(owner, key, entity, operation)) without rowid;
create index entity_aliases_by_entity on entity_aliases(owner, entity);
create table mentions(
    owner integer not null, fact integer not null, entity integer not null, operation integer not null,
    primary key(owner, fact, entity, operation)) without rowid;
create index mentions_by_entity on mentions(owner, entity);
create table relations(
    owner integer not null, row integer not null, source integer not null, type text not null,
    target integer not null, fact integer not null, operation integer not null, recorded_at integer not null,
    superseded_at integer not null, primary key(owner, row)) without rowid;
create index relations_by_fact on relations(owner, fact);
alter table owners add column last_operation integer not null default 0;
create table jobs(
    job integer primary key autoincrement, owner integer not null, seq integer not null, kind text not null,
    state text not null, rows blob not null, attempt integer not null default 0, available_at integer not null,
    lease_owner text, lease_until integer, fence integer not null default 0, error_class text,
    created_at integer not null, carried integer not null default 0, draft blob, decision blob);
insert into jobs select job, owner, seq, kind, state, rows, attempt, available_at, lease_owner, lease_until, fence,
    error_class, created_at, 0, draft, decision from outbox;
drop table outbox;
alter table jobs rename to outbox;
create index outbox_open on outbox(state, available_at) where state <> 'done';
create index outbox_by_kind on outbox(owner, kind, job);
"""

# Items of the store belong to a namespace and to no owner. A namespace is its labels, each closed by a zero byte, which
# no label contains: so a range of paths is exactly a prefix of labels, and paths sort as tuples of labels do. An item's
# number is never given again: who refreshes the item it has read must not meet another. Times in microseconds; `ttl` is
# how long an item lives after it was last used, null for ever. `terms` is null where an item is not indexed.
_V3: Final = """
create table namespaces(namespace integer primary key, path blob not null unique);
create table items(
    item integer primary key autoincrement, namespace integer not null, key blob not null, created_at integer not null,
    updated_at integer not null, ttl integer, expires_at integer, terms blob, value blob not null,
    unique(namespace, key));
create index items_expiring on items(expires_at) where expires_at is not null;
create table item_models(model integer primary key, name text not null, dims integer not null, unique(name, dims));
create table item_vectors(
    item integer not null, path text not null, part integer not null, model integer not null, vector blob not null,
    primary key(item, path, part)) without rowid;
"""

# What searches hold in memory is brought up to date by these: changes to items are numbered across the file, and a
# namespace knows its last one and how many items it has, so that an item that is gone is missed.
_V4: Final = """
alter table namespaces add column changed integer not null default 0;
alter table namespaces add column items integer not null default 0;
alter table items add column changed integer not null default 0;
alter table items add column fields text;
create index items_by_change on items(namespace, changed);
update namespaces set items = (select count(*) from items i where i.namespace = namespaces.namespace);
create trigger item_added after insert on items begin
    update namespaces set items = items + 1, changed = new.changed where namespace = new.namespace; end;
create trigger item_changed after update of changed on items begin
    update namespaces set changed = new.changed where namespace = new.namespace; end;
create trigger item_removed after delete on items begin
    update namespaces set items = items - 1 where namespace = old.namespace; end;
"""

MIGRATIONS: Final[tuple[str, ...]] = (_V1, _V2, _V3, _V4)
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
