"""What no test may do: let a memory's text out, talk to the network, skip without leave."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import pytest

from support import fakes

LONG_ENOUGH = 16
"""Texts given to a fake embedder count as canaries from this length: shorter ones may stand in a message by chance."""


class LeakGuard(logging.Handler):
    """Listens to log records, warnings and expected exceptions of one test, and finds memories' texts in them.

    Three things are looked for: the test's canary (part of every text made by `say` and of a memory that `open_memory`
    plants), and each text that a fake embedder was given, as it stands.
    """

    def __init__(self, canary: str) -> None:
        super().__init__(logging.DEBUG)
        self.canary = canary
        self.heard: set[tuple[str, str]] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Hear a log record: its message, its arguments and its exception."""
        self.hear("a log record", f"{record.getMessage()} {record.args!r}")
        if record.exc_info is not None and record.exc_info[1] is not None:
            self.hear_error("a logged exception", record.exc_info[1])

    def hear(self, where: str, text: str) -> None:
        """Hear a text."""
        self.heard.add((where, text))

    def hear_error(self, where: str, error: BaseException | None) -> None:
        """Hear an exception with its notes, causes and members. Not its traceback: that shows the test's own source."""
        seen: set[int] = set()
        waiting = [error]
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            notes: list[str] = getattr(one, "__notes__", [])
            self.hear(where, f"{type(one).__name__}: {one} {one.args!r} {notes!r}")
            waiting += [one.__cause__, None if one.__suppress_context__ else one.__context__]
            if isinstance(one, BaseExceptionGroup):
                waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions

    def leaks(self) -> list[str]:
        """Return what was heard that holds a memory's text."""
        secrets = [self.canary, *(text for text in fakes.SEEN if len(text) >= LONG_ENOUGH)]
        return [f"{where}: {text}" for where, text in sorted(self.heard) if any(secret in text for secret in secrets)]

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Hear what `pytest.raises` and `pytest.warns` catch, which nobody else sees."""
        matches, leave = pytest.RaisesExc.matches, pytest.WarningsRecorder.__exit__

        def hear_matches(checker: pytest.RaisesExc[BaseException], exception: BaseException | None) -> bool:
            self.hear_error("an exception", exception)
            return matches(checker, exception)

        def hear_exit(
            recorder: pytest.WarningsRecorder,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            for warning in recorder.list:
                self.hear("a warning", str(warning.message))
            leave(recorder, kind, error, traceback)

        monkeypatch.setattr(pytest.RaisesExc, "matches", hear_matches)
        monkeypatch.setattr(pytest.WarningsRecorder, "__exit__", hear_exit)

    @contextmanager
    def listening(self) -> Generator[None]:
        """Listen at the root logger, at the lowest level, inside the block."""
        root = logging.getLogger()
        level = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(self)


class NetworkGuard:
    """Refuses connections and name look-ups beyond this machine, for the whole process, and remembers them."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def install(self) -> None:
        """Begin; an audit hook stays for the life of the process."""
        sys.addaudithook(self.look)

    def look(self, event: str, args: tuple[Any, ...]) -> None:
        """Judge one audit event."""
        if event in {"socket.connect", "socket.sendto"}:
            address: Any = args[1]
            host: Any = None if isinstance(address, (str, bytes)) else address[0]  # text: a socket that is a file
        elif event == "socket.getaddrinfo":
            host = args[0]
        else:
            return
        name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
        if name not in {"localhost", "::1", "::", "0.0.0.0"} and not name.startswith("127."):
            self.attempts.append(f"{event} {name}")
            raise ConnectionRefusedError(f"tests stay on this machine: {event} {name}")


class SkipGuard:
    """Fails the run if a test was skipped, or failed as expected, for a reason that is not on the committed list."""

    def __init__(self, allowed: Path) -> None:
        lines = (line.strip() for line in allowed.read_text(encoding="utf-8").splitlines())
        self.allowed = {line for line in lines if line and not line.startswith("#")}
        self.unknown: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Look at a test's report."""
        self._look(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Look at a module's report: a module can be skipped as a whole."""
        self._look(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run."""
        if self.unknown and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why."""
        for line in self.unknown:
            terminalreporter.write_line(f"NOT ALLOWED TO SKIP (tests/allowed_skips.txt): {line}", red=True)

    def _look(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped:
            return
        reason = getattr(report, "wasxfail", None)
        if reason is None:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ").removeprefix("reason: ")
        if reason not in self.allowed:
            self.unknown.append(f"{report.nodeid}: {reason or 'no reason given'}")
