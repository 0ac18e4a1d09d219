"""BLAS uses one thread from the first that asks until the last has left."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import scipy.linalg  # noqa: F401
from threadpoolctl import threadpool_info, threadpool_limits

from bitbox.system.blas import one_blas_thread


def threads() -> set[int]:
    return {
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas" and not library["filepath"].count("opencv")
    }


@pytest.fixture(autouse=True)
def two_threads():
    np.ones((4, 4)) @ np.ones((4, 4))
    with threadpool_limits(2, "blas"):
        if threads() != {2}:
            pytest.skip("this BLAS cannot be told how many threads to use")
        yield


def test_whoever_leaves_first_leaves_the_setting_to_the_other() -> None:
    first, second = contextlib.ExitStack(), contextlib.ExitStack()
    first.enter_context(one_blas_thread())
    second.enter_context(one_blas_thread())
    first.close()
    assert threads() == {1}
    second.close()
    assert threads() == {2}


def test_an_error_takes_it_back_and_it_can_be_used_again() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), one_blas_thread():
            raise ValueError("inside")
        assert threads() == {2}
