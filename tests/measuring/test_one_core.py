"""The setting is made by the first that comes, and taken back by the last that leaves."""

from __future__ import annotations

import contextlib

import pytest

from bitbox.measuring.one_core import on_one_core

cv2 = pytest.importorskip("cv2")


@pytest.fixture(autouse=True)
def two_threads():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    yield
    cv2.setNumThreads(before)


def test_whoever_leaves_first_leaves_the_setting_to_the_other() -> None:
    first, second = contextlib.ExitStack(), contextlib.ExitStack()
    first.enter_context(on_one_core())
    assert cv2.getNumThreads() == 1
    second.enter_context(on_one_core())
    first.close()
    assert cv2.getNumThreads() == 1
    second.close()
    assert cv2.getNumThreads() == 2


def test_an_error_takes_it_back_and_it_can_be_used_again() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), on_one_core():
            raise ValueError("inside")
        assert cv2.getNumThreads() == 2
