"""UUIDv7 (RFC 9562): ids that sort by the time they were made."""

from __future__ import annotations

import os
from uuid import UUID


def as_text(raw: bytes) -> str:
    """Return the text of a UUID's 16 bytes: what `str(UUID(bytes=raw))` gives, in a fifth of the time."""
    digits = raw.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def raw(identity: str) -> bytes | None:
    """Return the 16 bytes of an id that somebody gave; None for what is no UUID."""
    try:
        return UUID(identity).bytes
    except (ValueError, AttributeError, TypeError):
        return None


def uuid7(us: int) -> UUID:
    """Return a UUIDv7.

    Args:
        us: Microseconds UTC. The milliseconds lead; the microseconds within them follow in `rand_a`, so that ids made
            in one millisecond mostly sort too.
    """
    ms, rest = divmod(max(us, 0), 1000)
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(ms & ((1 << 48) - 1)) << 80 | 7 << 76 | (rest * 4) << 64 | 2 << 62 | random)
