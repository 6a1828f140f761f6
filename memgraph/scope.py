"""Who a memory belongs to, and who says so."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from memgraph.errors import InvalidScope, ScopeDenied

MAX_ID: Final = 256
"""Longest id in characters: room for e-mail addresses, URNs and hashes; a longer one is a mistake or an attack."""

_FORM: Final = f"1 to {MAX_ID} characters, NFC, no control characters, no space around it"


def check_id(name: str, value: object) -> str:
    """Return `value` if it may be used as an id, unchanged.

    Ids are refused, never repaired: two spellings normalised into one would be one user reading another's memory.

    Args:
        name: What the id is called, for the message.
        value: The id.

    Raises:
        InvalidScope: `value` is not of the accepted form, which the message shows.
    """
    if not isinstance(value, str):
        raise InvalidScope(f"{name} must be a string ({_FORM}), not {type(value).__name__}")
    if not value or len(value) > MAX_ID:
        raise InvalidScope(f"{name} has {len(value)} characters; accepted: {_FORM}")
    if value != value.strip():
        raise InvalidScope(f"{name} `{value!a}` has space around it; accepted: {_FORM}")
    if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in value):
        raise InvalidScope(f"{name} `{value!a}` has control, format or unassigned characters; accepted: {_FORM}")
    if not unicodedata.is_normalized("NFC", value):
        raise InvalidScope(f"{name} `{value!a}` is not NFC-normalised; accepted: {_FORM}")
    return value


@dataclass(frozen=True, slots=True)
class _Ids:
    user_id: str | None = None
    org_id: str = "default"
    project_id: str = "default"
    agent_id: str | None = None
    session_id: str | None = None

    def __post_init__(self) -> None:
        if self.user_id is None:
            raise InvalidScope(
                "user_id is missing; name the user, or use Scope.shared(org_id, project_id) for a team's"
            )
        check_id("user_id", self.user_id)
        self._check_rest()

    def _check_rest(self) -> None:
        check_id("org_id", self.org_id)
        check_id("project_id", self.project_id)
        if self.agent_id is not None:
            check_id("agent_id", self.agent_id)
        if self.session_id is not None:
            check_id("session_id", self.session_id)


@dataclass(frozen=True, slots=True)
class Scope(_Ids):
    """Who a memory belongs to. Immutable; the second positional argument of every call.

    Args:
        user_id: The person. The owner of a memory is (org, project, user).
        org_id: The organisation.
        project_id: The project within it.
        agent_id: Writing: the agent that this memory is private to. Reading: see this agent's rows and those of none.
            A read that names no agent sees all of the owner's rows.
        session_id: The caller's label of a sitting; something to filter by. It hides nothing and is not the thread id.

    Raises:
        InvalidScope: An id is missing or not of the accepted form.
    """

    @classmethod
    def shared(
        cls,
        org_id: str = "default",
        project_id: str = "default",
        *,
        agent_id: str | None = None,
        session_id: str | None = None,
    ) -> Scope:
        """Return the scope of a team's memory, which belongs to (org, project) and to no user."""
        scope = object.__new__(cls)
        values = {"user_id": None, "org_id": org_id, "project_id": project_id, "agent_id": agent_id}
        for name, value in {**values, "session_id": session_id}.items():
            object.__setattr__(scope, name, value)
        scope._check_rest()
        return scope

    @property
    def is_shared(self) -> bool:
        """Whether this is a team's scope."""
        return self.user_id is None

    @property
    def owner(self) -> tuple[str, str, str | None]:
        """What data is keyed by: (org, project, user), the user None when shared."""
        return (self.org_id, self.project_id, self.user_id)

    def team(self) -> Scope:
        """Return the shared scope of the same organisation, project, agent and session."""
        return Scope.shared(self.org_id, self.project_id, agent_id=self.agent_id, session_id=self.session_id)


@dataclass(frozen=True, slots=True)
class MemoryContext(_Ids):
    """The context schema of a graph with memory: the fields of a `Scope`, accepted wherever a Scope is.

    `StateGraph(..., context_schema=MemoryContext)`, then `graph.invoke(..., context=MemoryContext(user_id="ada"))`.

    One without a user names nobody: that is an error where it is used as a scope, and fine where the server's
    authenticated user or the run's config says who it is.
    """

    def __post_init__(self) -> None:
        # LangGraph's server makes one of {} where a client gives no context, also where it has authenticated the user.
        if self.user_id is not None:
            check_id("user_id", self.user_id)
        self._check_rest()


FIELDS: Final = ("user_id", "org_id", "project_id", "agent_id", "session_id")


def as_scope(value: object) -> Scope:
    """Return `value` as a Scope.

    Args:
        value: A `Scope` or a `MemoryContext`.

    Raises:
        InvalidScope: It is something else.
    """
    if isinstance(value, Scope):
        return value
    if isinstance(value, MemoryContext):
        return Scope(value.user_id, value.org_id, value.project_id, value.agent_id, value.session_id)
    raise InvalidScope(f"the scope must be a Scope or a MemoryContext, not {type(value).__name__}")


def _claim(source: object) -> dict[str, Any]:
    """Return the scope fields that a context object or a mapping has, absent and None ones left out."""
    if source is None:
        return {}
    if isinstance(source, Mapping):
        found = {name: cast(Mapping[str, Any], source).get(name) for name in FIELDS}
    else:
        found = {name: getattr(source, name, None) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not None}


def identify(*, authenticated: str | None, context: object, configurable: Mapping[str, Any]) -> Scope:
    """Decide who the user of a graph run is.

    The order: the user that the server authenticated, then the run's `context`, then `config["configurable"]`. What a
    stronger source leaves open a weaker one may fill; where both speak they must agree.

    Args:
        authenticated: Identity of the authenticated server user, None outside a server.
        context: `runtime.context`: any object or mapping that has scope fields, or None.
        configurable: `config["configurable"]`.

    Raises:
        InvalidScope: Nobody names a user, or an id is malformed.
        ScopeDenied: Two sources name different values.
    """
    claims: dict[str, Any] = {} if authenticated is None else {"user_id": authenticated}
    shared = isinstance(context, Scope) and context.is_shared
    # LangGraph's server writes the user id "" into the config of a run for which it has authenticated nobody.
    configured = {name: value for name, value in _claim(configurable).items() if (name, value) != ("user_id", "")}
    for label, source in (("context", _claim(context)), ('config["configurable"]', configured)):
        for name, value in source.items():
            if claims.setdefault(name, value) != value:
                raise ScopeDenied(f"{label} claims another {name} than a stronger source; they must agree")
    if shared and "user_id" not in claims:
        claims.pop("user_id", None)
        return Scope.shared(**claims)
    if "user_id" not in claims:
        raise InvalidScope(
            "no user_id: compile the graph with context_schema=MemoryContext and pass "
            'context=MemoryContext(user_id="...") to invoke, or put user_id into config["configurable"]'
        )
    return Scope(**claims)
