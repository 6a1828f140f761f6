"""Facts as a store's items: each owner's under one namespace, to be listed, searched, read and forgotten there.

    ("memgraph-facts", "user", org, project, user)      a user's
    ("memgraph-facts", "shared", org, project)          a team's

Only the whole path reaches them: a shorter prefix would reach several owners' at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from langgraph.store.base import Item, SearchItem

from memgraph.errors import InvalidScope, NotFound, UsageError
from memgraph.records import Fact, from_us
from memgraph.scope import Scope
from memgraph.store.operations import Get, Listing, Namespace, Put, Search
from memgraph.store.reads import Answer

if TYPE_CHECKING:
    from memgraph.memory import Memory

ROOT: Final = "memgraph-facts"
"""The label below which no item can be put."""

_PAGE: Final = 1_000
"""Facts a call of a memory returns at most."""

_REASON: Final = "deleted from the store"

_SHOWN: Final = (
    "text subject attribute object kind confidence importance valid_from valid_to evidence origin agent_id conflicts"
).split()


def namespace(scope: Scope) -> Namespace:
    """Return where the facts of a scope's owner are shown. Labels have no dots: one in an id is written "%2E"."""
    if scope.user_id is None:
        return ROOT, "shared", _label(scope.org_id), _label(scope.project_id)
    return ROOT, "user", _label(scope.org_id), _label(scope.project_id), _label(scope.user_id)


def owner(path: Namespace) -> Scope | None:
    """Return whose facts are shown at a path, None if it is no owner's whole path, letter for letter."""
    ids = [label.replace("%2E", ".").replace("%25", "%") for label in path[2:]]
    try:
        scope = Scope.shared(*ids) if len(ids) == 2 else Scope(ids[2], ids[0], ids[1]) if len(ids) == 3 else None
    except InvalidScope:
        return None
    return scope if scope is not None and namespace(scope) == path else None


async def read(memory: Memory, op: Get | Search | Listing) -> Answer | None:
    """Do a read that is below the root; None for any other. On the host's loop."""
    path = op.namespace if isinstance(op, Get) else op.prefix
    if path[:1] != (ROOT,):
        return None
    scope = owner(path)
    if isinstance(op, Get):
        fact = None if scope is None else await _fact(memory, op.key, scope)
        return Answer(None if fact is None else Item(**_parts(fact, path)))
    if isinstance(op, Listing):
        some = scope is not None and (await memory.alist(scope, kind="fact", limit=1)).items
        return Answer(op.page(op.listed([path] if some else [])))
    return Answer([] if scope is None else await _search(memory, op, scope))


async def forget(memory: Memory, puts: Iterable[Put]) -> None:
    """Forget the facts that deletes name, an owner's together; nothing where there is none. On the host's loop."""
    named: dict[Scope, list[str]] = {}
    for put in puts:
        scope = owner(put.namespace)
        if scope is not None and await _fact(memory, put.key, scope) is not None:
            named.setdefault(scope, []).append(put.key)
    for scope, ids in named.items():
        try:
            await memory.aforget(ids, scope, reason=_REASON)
        except NotFound:  # somebody else was faster with one of them
            for one in ids:
                with suppress(NotFound):
                    await memory.aforget(one, scope, reason=_REASON)


async def _fact(memory: Memory, key: str, scope: Scope) -> Fact | None:
    """Return a fact that is believed and has not ended: what a listing shows."""
    try:
        fact = await memory.aget(key, scope, kind="fact")
    except (NotFound, UsageError):  # the latter: no id of a fact at all, or a turn's
        return None
    if fact.id != key:  # the same id in another spelling, which no item has
        return None
    ended = fact.valid_to is not None and fact.valid_to <= from_us(memory.core.clock())
    return fact if fact.superseded_at is None and not ended else None


async def _every(memory: Memory, scope: Scope) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    cursor: str | None = None
    while True:
        page = await memory.alist(scope, kind="fact", limit=_PAGE, cursor=cursor)
        found |= {fact.id: fact for fact in page.items}
        cursor = page.cursor
        if cursor is None:
            return found


async def _search(memory: Memory, op: Search, scope: Scope) -> list[SearchItem]:
    """Return facts: by a question as `memory.search` ranks them, without one the last believed first."""
    until = op.offset + op.limit
    if op.limit == 0:
        return []
    known = await _every(memory, scope)
    scored: list[tuple[Fact, float | None]]
    newest = sorted(reversed(known.values()), key=lambda fact: fact.recorded_at, reverse=True)
    if op.query is None:
        scored = [(fact, None) for fact in newest]
    else:
        most = _PAGE if op.matches is not None else min(until, _PAGE)
        hits = await memory.asearch(op.query, scope, limit=most, kind="fact")
        scored = [(known.pop(hit.id), hit.score) for hit in hits if hit.id in known]
        scored += [(fact, None) for fact in newest if fact.id in known]  # beyond what a search returns at most
    path = namespace(scope)
    every = (SearchItem(**_parts(fact, path), score=score) for fact, score in scored)
    return [*islice((one for one in every if op.matches is None or op.matches(one.value)), op.offset, until)]


def _label(identity: str) -> str:
    return identity.replace("%", "%25").replace(".", "%2E")


def _parts(fact: Fact, path: Namespace) -> dict[str, Any]:
    told = asdict(fact)
    value = json.loads(json.dumps({name: told[name] for name in _SHOWN}, default=_iso))
    at = fact.recorded_at
    return {"namespace": path, "key": fact.id, "value": value, "created_at": at, "updated_at": at}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
