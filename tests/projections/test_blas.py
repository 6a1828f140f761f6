"""One BLAS thread for our products, and the process's own setting back."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from memgraph.projections import blas as blas_module
from memgraph.projections.blas import one_thread


@pytest.fixture
def blas() -> Any:
    np.dot(np.ones((2, 2), np.float32), np.ones(2, np.float32))
    controller: Any = ThreadpoolController().select(user_api="blas")
    assert controller.lib_controllers
    return controller


def threads(blas: Any) -> set[int]:
    return {library.get_num_threads() for library in blas.lib_controllers}


def test_one_inside_and_as_before_after(blas: Any) -> None:
    with blas.limit(limits=2):
        before = threads(blas)
        with one_thread():
            assert threads(blas) == {1}
            with one_thread():
                assert threads(blas) == {1}
            assert threads(blas) == {1}
        assert threads(blas) == before


def test_a_setting_of_one_is_left_alone(blas: Any) -> None:
    with blas.limit(limits=1):
        with one_thread():
            assert threads(blas) == {1}
        assert threads(blas) == {1}


def test_the_last_one_out_gives_it_back(blas: Any) -> None:
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with one_thread():
            inside.set()
            leave.wait(30)

    with blas.limit(limits=2):
        before = threads(blas)
        other = threading.Thread(target=hold)
        with one_thread():
            other.start()
            assert inside.wait(30)
        assert threads(blas) == {1}  # the other is still in
        leave.set()
        other.join(30)
        assert threads(blas) == before


def test_it_works_in_every_thread(blas: Any) -> None:
    seen: list[set[int]] = []

    def look() -> None:
        with one_thread():
            seen.append(threads(blas))

    with blas.limit(limits=2):
        before = threads(blas)
        with one_thread():  # whoever asked first would be the only one to be heard
            pass
        other = threading.Thread(target=look)
        other.start()
        other.join(30)
        assert (seen, threads(blas)) == ([{1}], before)


def test_an_error_gives_it_back_too(blas: Any) -> None:
    with blas.limit(limits=2):
        before = threads(blas)
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert threads(blas) == before


def test_a_fork_amid_a_product_leaves_the_child_free() -> None:
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what newer Pythons say of a fork beside threads
        child = os.fork()
        if not child:
            signal.alarm(60)  # a child that hangs is killed
            fresh: bool = vars(blas_module)["_inside"] == 0  # the child's own count
            with one_thread():
                os._exit(0 if fresh else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
