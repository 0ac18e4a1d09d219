"""Meshes of a whole video, kept on the disk and looked at in parts."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bitbox.errors import OutputError
from bitbox.measuring import parts as measuring_parts
from bitbox.measuring.parts import parts
from bitbox.measuring.spool import Spool, room_for
from tests.attack.places import small_disk


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("n", [1, 7, 20])
def test_spooled_meshes_come_back(n: int, named: bool, tmp_path, monkeypatch) -> None:
    folder = tmp_path / "cache" if named else None
    monkeypatch.setattr(measuring_parts, "_PART", 6)
    meshes = np.random.default_rng(0).normal(size=(n, 478, 3)).astype(np.float32)
    meshes[n // 2] = np.nan
    with Spool(np.float32, (478, 3), folder) as spool:
        for mesh in meshes:
            spool.append(mesh)
        array = spool.array()
        if named and os.name == "posix":
            assert list(tmp_path.rglob("*")) == [folder]  # a file without a name
    for _ in range(2):  # what was let go of can be looked at again
        np.testing.assert_array_equal(np.concatenate([array[p] for p in parts(array)]), meshes)
    np.testing.assert_array_equal(array[:, 5], meshes[:, 5])
    assert array.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0


def test_parts_of_an_array_in_memory() -> None:
    mesh = np.zeros((1201, 4, 3), np.float32)
    assert [len(mesh[part]) for part in parts(mesh)] == [500, 500, 201]


def test_taken_back() -> None:
    with Spool(np.float32, (4, 3)) as spool:
        for number in range(5):
            spool.append(np.full((4, 3), number, np.float32))
        spool.drop([1, 3])
        spool.append(np.full((4, 3), 5, np.float32))
        array = np.array(spool.array())
    np.testing.assert_array_equal(array[:, 0, 0], [0, np.nan, 2, np.nan, 4, 5])


class TestRoom:
    def test_is_asked_for_before(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OutputError, match=r"measure a\.mp4.* GB while .*got .* GB") as caught,
            room_for(10**15, tmp_path, "a.mp4"),
        ):
            pytest.fail("there is no such disk")
        assert "another disk" in str(caught.value)

    def test_others_need_theirs(self, tmp_path: Path, monkeypatch) -> None:
        usage = SimpleNamespace(free=100)
        monkeypatch.setattr("bitbox.measuring.spool.shutil.disk_usage", lambda _: usage)
        with room_for(60, tmp_path, "a") as room:
            with (
                pytest.raises(OutputError, match="for another recording"),
                room_for(60, tmp_path, "b"),
            ):
                pytest.fail("there is no such room")
            room.use(50)  # of which the disk tells itself
            usage.free = 50
            with room_for(40, tmp_path, "c"):
                pass
        with room_for(50, tmp_path, "d"):
            pass

    def test_a_disk_that_fills_up(self, tmp_path: Path) -> None:
        with small_disk(tmp_path / "disk", "100k") as disk:

            def fill() -> None:
                with Spool(np.float32, (478, 3), disk) as spool:
                    for _ in range(100):
                        spool.append(np.zeros((478, 3)))
                    spool.array()

            with pytest.raises(OutputError, match="No space left"):
                fill()
            assert list(disk.iterdir()) == []
