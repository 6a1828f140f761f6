"""The one door that texts and blobs pass on their way into and out of the tables.

Identity today: the whole file is encrypted by its key. Per-subject encryption plugs in here.
"""

from __future__ import annotations


def encode(text: str) -> bytes:
    """Return a text as it is stored."""
    return text.encode()


def decode(stored: bytes) -> str:
    """Return a stored text."""
    return stored.decode()
