"""What the environment says of how to open a file: for the command line and for a server."""

from __future__ import annotations

import os
from typing import Final

from memgraph.errors import InvalidInput

NO_EMBEDDER: Final = "none"


def key() -> str | bytes | None:
    """Return the file's key: `MEMGRAPH_KEY_HEX`, a raw one, else `MEMGRAPH_KEY`, a passphrase, else None.

    Raises:
        InvalidInput: The raw key is no hexadecimal text.
    """
    raw = os.environ.get("MEMGRAPH_KEY_HEX")
    if raw:
        try:
            return bytes.fromhex(raw)
        except ValueError:
            raise InvalidInput("MEMGRAPH_KEY_HEX must be 64 hexadecimal digits, a raw key of 32 bytes") from None
    return os.environ.get("MEMGRAPH_KEY")  # set but empty is an error of `Memory.open`: a lost key is no plaintext file


def embedder(name: str) -> str | None:
    """Return an embedder's name as `Memory.open` takes it: "none" is None."""
    return None if name == NO_EMBEDDER else name
