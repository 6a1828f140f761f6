"""What is kept below a byte limit."""

from __future__ import annotations

from dataclasses import dataclass

from memgraph.projections.held import Held


@dataclass
class Sized:
    nbytes: int


def test_the_least_recently_used_goes_first() -> None:
    held = Held(10)
    for name in "abc":
        held.keep(name, Sized(4))
    assert [held.get(name) is None for name in "abc"] == [True, False, False]
    held.use("b")
    held.keep("d", Sized(4))
    assert [held.get(name) is None for name in "bcd"] == [False, True, False]
    assert held.nbytes == 8


def test_what_grew_is_measured_again_and_the_last_stays_whatever_its_size() -> None:
    held, one = Held(10), Sized(1)
    held.keep("a", one)
    held.keep("b", Sized(1))
    one.nbytes = 100
    held.keep("a", one)
    assert (held.get("a"), held.get("b"), held.nbytes) == (one, None, 100)


def test_dropping_one_and_all() -> None:
    held = Held(10)
    held.keep("a", Sized(1))
    held.keep("b", Sized(1))
    held.drop("a")
    held.drop("a")
    assert (held.get("a"), held.nbytes) == (None, 1)
    held.clear()
    assert (held.get("b"), held.nbytes) == (None, 0)
