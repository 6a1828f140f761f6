"""Searching a folder's bytes, in another process.

A file that is open in this process is never read here: closing it would drop the locks that SQLite holds on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from support import crash

_SCAN = """
import json, pathlib
words = [bytes.fromhex(word) for word in json.loads(sys.stdin.readline())]
found = []
for folder in sys.argv[1:]:
    for path in sorted(pathlib.Path(folder).rglob("*")):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue  # gone since it was listed
        found += [str(path) for word in words if word in content]
print(json.dumps(sorted(set(found))))
"""


def forms(words: Iterable[str]) -> list[bytes]:
    """Return the bytes that words may stand as in a file: UTF-8, UTF-16 of both orders, escaped for JSON."""
    found: set[bytes] = set()
    for word in words:
        found |= {word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"), json.dumps(word)[1:-1].encode()}
    return sorted(found)


def holding(folders: Sequence[Path], words: Iterable[str]) -> list[str]:
    """Return the files under `folders` in which one of `words` stands, in any of its forms."""
    with crash.start(_SCAN, *folders) as process:
        stdout, stderr = process.communicate(json.dumps([form.hex() for form in forms(words)]) + "\n", timeout=60)
    assert process.returncode == 0, stderr
    found: list[str] = json.loads(stdout)
    return found
