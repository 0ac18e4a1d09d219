"""Helpers are started where a core is left for them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bitbox.system import cores


@pytest.mark.parametrize(("there", "busy", "left"), [(2, 1, True), (2, 2, False), (4, 2, True)])
def test_a_core_is_left_for_a_helper(monkeypatch, there: int, busy: int, left: bool) -> None:
    monkeypatch.setattr(cores, "cores", lambda: there)
    with cores.beside_others(busy):
        assert cores.is_core_left() is left
    assert cores.is_core_left()


def test_what_is_said_holds_for_one_thread(monkeypatch) -> None:
    monkeypatch.setattr(cores, "cores", lambda: 2)
    heard: list[bool] = []
    with cores.beside_others(2):
        other = threading.Thread(target=lambda: heard.append(cores.is_core_left()))
        other.start()
        other.join()
    assert heard == [True]


def test_a_film_is_decoded_by_threads_only_where_there_are_cores(tmp_path: Path) -> None:
    pytest.importorskip("av")
    import numpy as np

    from bitbox.synthetic.video import write_video
    from bitbox.video.opening import open_video

    images = [np.full((64, 64, 3), 8 * k, np.uint8) for k in range(5)]
    path = write_video(tmp_path / "film.mp4", images, 30)
    found = []
    for busy in (1, 1000):
        with cores.beside_others(busy):
            container, stream = open_video(path)
        found.append(str(stream.thread_type).rpartition(".")[2])
        container.close()
    assert found[1] == "NONE"
    assert found[0] == ("AUTO" if cores.cores() > 1 else "NONE")
