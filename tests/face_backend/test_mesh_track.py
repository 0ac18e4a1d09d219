"""Meshes of a whole video, kept on the disk and looked at in parts."""

from __future__ import annotations

import numpy as np
import pytest

from bitbox.face_backend import mesh_track
from bitbox.face_backend.mesh_track import MeshSpool, parts


@pytest.mark.parametrize("n", [1, 7, 20])
def test_spooled_meshes_come_back(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_track, "_PART", 6)
    meshes = np.random.default_rng(0).normal(size=(n, 478, 3)).astype(np.float32)
    meshes[n // 2] = np.nan
    with MeshSpool(478) as spool:
        for mesh in meshes:
            spool.append(mesh)
        array = spool.array()
    for _ in range(2):  # what was let go of can be looked at again
        np.testing.assert_array_equal(np.concatenate([array[p] for p in parts(array)]), meshes)
    np.testing.assert_array_equal(array[:, 5], meshes[:, 5])
    assert array.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 0


def test_parts_of_an_array_in_memory() -> None:
    mesh = np.zeros((1201, 4, 3), np.float32)
    assert [len(mesh[part]) for part in parts(mesh)] == [500, 500, 201]
