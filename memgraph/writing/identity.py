"""Which messages are new: the keys by which a turn is known again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Final

from memgraph.records import Draft

UNIQUE_ID: Final = 16
"""Characters from which a message id is taken as unique everywhere, a UUID's half; "1" or "m2" is so in its thread."""

Keys = tuple[bytes | None, bytes | None, bytes | None]
"""(turn key, message key, further turn key): a turn with the first is the same turn, None is always a new one; the
latest turn with the second is the one that an edit of the message replaces, None where the message has no id; by the
third, if there is one, the turn will be known as well."""


MessagePlace = tuple[str | None, str]
"""(thread, id) of a message, the thread None where the id is unique without it."""


def place_of(message_id: str, thread_id: str | None) -> MessagePlace:
    """Return within what a message's id names it."""
    return (None if len(message_id) >= UNIQUE_ID else thread_id, message_id)


def digest(secret: bytes, *parts: str | None) -> bytes:
    """Return the HMAC (keyed BLAKE2b, 16 bytes) of length-prefixed parts, None and "" told apart.

    The prefix keeps ("ab", "c") from ("a", "bc"); the key keeps a digest from telling anything to who lacks the file.
    """
    mac = hashlib.blake2b(key=secret, digest_size=16)
    for part in parts:
        if part is None:
            mac.update(b"\xff" * 8)
        else:
            raw = part.encode("utf-8", "surrogatepass")
            mac.update(len(raw).to_bytes(8, "big"))
            mac.update(raw)
    return mac.digest()


def turn_keys(
    secret: bytes,
    drafts: Sequence[Draft],
    *,
    thread_id: str | None,
    idempotency_key: str | None,
    append: bool,
    begins: int | None = None,
) -> list[Keys]:
    """Return the keys of drafts that were handed in together.

    Args:
        secret: The owner's own secret.
        drafts: In the order of the list.
        thread_id: The thread they come from.
        idempotency_key: The caller's name for this call, for messages that have no id.
        append: Whether a message without id and thread is always a new turn (`add`) or known by its text (`remember`).
        begins: Where no checkpointer keeps messages and their ids: the place of the first that is not history. History
            comes again with each run, under other ids, and is known by its text; what is said now is new.
    """
    seen: Counter[tuple[str, str]] = Counter()
    keys: list[Keys] = []
    for draft in drafts:
        said = draft.text + (json.dumps([dict(part) for part in draft.parts], sort_keys=True) if draft.parts else "")
        by_text = None
        if draft.message_id is None or begins is not None:
            n = seen[draft.role, said]
            seen[draft.role, said] += 1
            by_text = digest(secret, "said", thread_id, draft.role, said, str(n))
        if begins is not None and draft.index < begins:
            keys.append((by_text, None, None))
        elif draft.message_id is not None:
            home, _ = place_of(draft.message_id, thread_id)
            keys.append(
                (
                    digest(secret, "id", home, draft.message_id, said),
                    digest(secret, "message", thread_id, draft.message_id),
                    by_text,
                )
            )
        elif idempotency_key is not None:
            keys.append((digest(secret, "call", idempotency_key, str(draft.index)), None, None))
        elif thread_id is None and append:
            keys.append((None, None, None))
        else:
            keys.append((by_text, None, None))
    return keys
