"""The groups of options that commands share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from memgraph.cli.values import TIME_HELP, moment, pairs
from memgraph.scope import Scope

_FILE: Final = "The memory file"
_WHOSE: Final = "Whose memory"
_ONLY: Final = "Only turns that match"

Embedder = Annotated[
    str,
    typer.Option(
        envvar="MEMGRAPH_EMBEDDER",
        metavar="local|none|PROVIDER:MODEL",
        help="What finds by meaning: the offline one, none (by words only), or one of LangChain's.",
        rich_help_panel=_FILE,
    ),
]

Model = Annotated[
    str | None,
    typer.Option(
        envvar="MEMGRAPH_MODEL",
        metavar="PROVIDER:MODEL",
        help="The chat model that makes facts of it, one of LangChain's; else rules, which read plain statements.",
        rich_help_panel=_FILE,
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Answer with one JSON document on stdout.")]


@dataclass(frozen=True, slots=True)
class File:
    """Which file, and how to read it."""

    db: Annotated[
        Path,
        typer.Option("--db", envvar="MEMGRAPH_DB", metavar="PATH", help="The file.", rich_help_panel=_FILE),
    ] = Path("memory.db")
    ask_key: Annotated[
        bool,
        typer.Option(
            "--ask-key", help="Ask for the file's passphrase. Else $MEMGRAPH_KEY, if set.", rich_help_panel=_FILE
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose memory: a user's, or with `shared` a team's."""

    user: Annotated[
        str | None,
        typer.Option("--user", envvar="MEMGRAPH_USER", metavar="ID", help="The person.", rich_help_panel=_WHOSE),
    ] = None
    org: Annotated[str, typer.Option("--org", metavar="ID", help="Their organisation.", rich_help_panel=_WHOSE)] = (
        "default"
    )
    project: Annotated[
        str, typer.Option("--project", metavar="ID", help="The project in it.", rich_help_panel=_WHOSE)
    ] = "default"
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent",
            metavar="ID",
            help="Act as this agent: it sees its own turns and those of none, and what it adds is its own.",
            rich_help_panel=_WHOSE,
        ),
    ] = None
    shared: Annotated[
        bool,
        typer.Option("--shared", help="The team's memory, which is no one user's.", rich_help_panel=_WHOSE),
    ] = False

    def scope(self, session: str | None = None) -> Scope:
        """Return the scope that the options name; `session` labels what is added."""
        if self.shared:
            if self.user is not None and self.user != os.environ.get("MEMGRAPH_USER"):
                raise typer.BadParameter("is one user's, --shared is the team's: give one of them", param_hint="--user")
            return Scope.shared(self.org, self.project, agent_id=self.agent, session_id=session)
        if self.user is None:
            raise typer.BadParameter("missing; name the user, or take the team's with --shared", param_hint="--user")
        return Scope(self.user, self.org, self.project, self.agent, session)

    @property
    def name(self) -> str:
        """The owner in words."""
        return "the team" if self.shared else f"{self.user}"


@dataclass(frozen=True, slots=True)
class Only:
    """Which turns: a filter."""

    speaker: Annotated[
        str | None, typer.Option("--speaker", metavar="NAME", help="Said by.", rich_help_panel=_ONLY)
    ] = None
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="ROLE", help="user, assistant, tool, ...", rich_help_panel=_ONLY),
    ] = None
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="Of this session.", rich_help_panel=_ONLY)
    ] = None
    thread: Annotated[
        str | None, typer.Option("--thread", metavar="ID", help="Of this thread.", rich_help_panel=_ONLY)
    ] = None
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help=f"Said then or later: {TIME_HELP}.", rich_help_panel=_ONLY),
    ] = None
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Said before then.", rich_help_panel=_ONLY)
    ] = None
    meta: Annotated[
        list[str] | None,
        typer.Option("--meta", metavar="KEY=VALUE", help="With this metadata. Repeatable.", rich_help_panel=_ONLY),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="As if asked then: nothing said later.", rich_help_panel=_ONLY),
    ] = None
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at", metavar="TIME", help="What the file held then, replaced turns too.", rich_help_panel=_ONLY
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Return the keyword arguments of `Memory.search` and `Memory.list`: `filter`, `as_of`, `known_at`."""
        wanted: dict[str, Any] = {
            "speaker": self.speaker,
            "role": self.role,
            "session_id": self.session,
            "thread_id": self.thread,
            "said_after": moment(self.since, "--since"),
            "said_before": moment(self.until, "--until"),
        }
        wanted = {key: value for key, value in wanted.items() if value is not None}
        wanted |= {f"metadata.{key}": value for key, value in pairs(self.meta).items()}
        return {
            "filter": wanted or None,
            "as_of": moment(self.as_of, "--as-of"),
            "known_at": moment(self.known_at, "--known-at"),
        }
