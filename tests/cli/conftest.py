"""A file for commands to work on."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Where a memory file may be; there is none yet."""
    return tmp_path / "memory.db"
