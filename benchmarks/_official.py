"""LangGraph's SqliteStore: whether a Python has it and can run it."""

from __future__ import annotations

import subprocess
import sys

_PROBE = """
import sqlite3, sys
from importlib.metadata import version
try:
    import numpy, langgraph.store.sqlite
except ImportError as error:
    sys.exit(f"not installed ({error.name})")
if not hasattr(sqlite3.Connection, "enable_load_extension"):
    sys.exit("can't run, this Python's sqlite3 loads no extensions")
python = ".".join(map(str, sys.version_info[:3]))
print(f"{version('langgraph-checkpoint-sqlite')} on Python {python} with SQLite {sqlite3.sqlite_version}")
"""


class Lacking(Exception):
    """A Python can't run the official SqliteStore; the message says why."""


def official(python: str = sys.executable) -> str:
    """Return the version of the official SqliteStore that a Python has, and of what it runs on.

    Args:
        python: The interpreter.

    Raises:
        Lacking: There is none, or it can't be run.
    """
    try:
        asked = subprocess.run([python, "-c", _PROBE], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Lacking(f"can't run, {error.strerror} ({python})") from None
    if asked.returncode:
        raise Lacking((asked.stderr.strip().splitlines() or [f"can't run, status {asked.returncode}"])[-1])
    return asked.stdout.strip()
