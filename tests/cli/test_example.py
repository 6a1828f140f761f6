from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import checkout
from memgraph import Memory, Scope
from support import crash

_UNHURRIED = """
import runpy, sys
from memgraph.nodes import retrieve

retrieve.__kwdefaults__["deadline"] = 60
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a script with the time that a busy machine needs, as `unhurried` gives it to the tests of this process."""


@pytest.mark.checkout
def test_the_small_agent_remembers_across_threads(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _UNHURRIED, str(checkout.ROOT / "examples" / "agent.py")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": crash.import_path()},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    friday = done.stdout.partition("<memory>")[2]
    assert "lives in Lisbon, having moved there from Oslo" in friday
    assert friday.rstrip().endswith("Where do I live now?\nIn Lisbon, since last week.")
    with Memory.open(tmp_path / "memory.db") as memory:
        assert [turn.thread_id for turn in memory.list(Scope("ada")).items] == ["monday"] * 2 + ["friday"] * 2
