"""The guards of conftest do notice: a guard that hears nothing would pass every test."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable, Iterator

import pytest

from support import crash, fakes
from support.guards import LeakGuard, NetworkGuard, SkipGuard

SECRET = "a text that nobody else may read"


@pytest.fixture
def inner(monkeypatch: pytest.MonkeyPatch) -> Iterator[LeakGuard]:
    """A second guard with a canary of its own, so that what it finds does not fail the test."""
    guard = LeakGuard("zqinner")
    with monkeypatch.context() as patch, guard.listening():
        guard.watch(patch)
        yield guard


def _log() -> None:
    logging.getLogger("some.module").debug("stored %s", {"text": "zqinner"})


def _log_error() -> None:
    try:
        raise ValueError("zqinner")
    except ValueError:
        logging.getLogger("some.module").exception("failed")


def _warn() -> None:
    with pytest.warns(UserWarning):
        warnings.warn("zqinner", stacklevel=1)


def _raise() -> None:
    with pytest.raises(ValueError, match="zqinner"):
        raise ValueError("zqinner")


def _raise_from() -> None:
    with pytest.raises(LookupError):
        try:
            raise ValueError("zqinner")
        except ValueError as error:
            raise LookupError("no such thing") from error


def _raise_group() -> None:
    with pytest.raises(ExceptionGroup):
        raise ExceptionGroup("several", [ValueError("zqinner")])


def _raise_note() -> None:
    with pytest.raises(ValueError):
        error = ValueError("plain")
        error.add_note("zqinner")
        raise error


@pytest.mark.parametrize("leak", [_log, _log_error, _warn, _raise, _raise_from, _raise_group, _raise_note])
def test_a_leak_is_heard(leak: Callable[[], None], inner: LeakGuard) -> None:
    leak()
    assert len(inner.leaks()) >= 1


def test_what_an_embedder_was_given_is_a_secret_too(inner: LeakGuard) -> None:
    fakes.HashEmbeddings().embed_documents([SECRET, "short"])
    inner.hear("a log record", f"embedding {SECRET}")
    inner.hear("a log record", "a short one")
    assert inner.leaks() == [f"a log record: embedding {SECRET}"]
    fakes.SEEN.clear()


def test_silence_is_no_leak(inner: LeakGuard) -> None:
    logging.getLogger("some.module").info("3 turns stored")
    with pytest.raises(ValueError):
        raise ValueError("user_id is missing")
    assert inner.leaks() == []


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80)])
def test_a_connection_out_is_refused(address: tuple[str, int]) -> None:
    guard = NetworkGuard()
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(ConnectionRefusedError):
        guard.look("socket.connect", (sock, address))
    assert guard.attempts == [f"socket.connect {address[0]}"]


def test_this_machine_may_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        assert socket.getaddrinfo("localhost", 80)


def test_a_skip_without_leave_fails_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    allowed = tmp_path_factory.mktemp("skips") / "allowed.txt"
    allowed.write_text("# a comment\nno network here\n")
    guard = SkipGuard(allowed)
    for reason in ("no network here", "too slow"):
        guard.pytest_runtest_logreport(
            pytest.TestReport("t.py::t", ("t.py", 1, "t"), {}, "skipped", ("t.py", 1, f"Skipped: {reason}"), "call")
        )
    assert guard.unknown == ["t.py::t: too slow"]


def test_a_killed_script_is_gone_at_once() -> None:
    finished = crash.kill_at("READY", "print('before'); print('READY'); sys.stdin.read(); print('after')")
    assert finished.rc == -9
    assert finished.lines == ["before", "READY"]
