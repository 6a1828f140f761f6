"""Stores to test: opened by a test, closed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.stores import FACES, OURS, REFERENCE, Faced, Stores


@pytest.fixture
def stores() -> Iterator[Stores]:
    opened = Stores()
    yield opened
    opened.close()


@pytest.fixture(params=[(kind, face) for kind in [*OURS, REFERENCE] for face in FACES], ids="-".join)
def store(request: pytest.FixtureRequest, stores: Stores) -> Faced:
    """Each kind of store by each face, without an index."""
    kind, face = request.param
    return Faced(stores.open(kind), face, kind)


@pytest.fixture(params=FACES)
def ours(request: pytest.FixtureRequest, stores: Stores) -> Faced:
    """Our store by each face, without an index."""
    return Faced(stores.open("alone"), request.param, "alone")
