"""Long arrays on the disk: what of them is in memory, as the system counts it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bitbox.face_backend import builtin, geometry, person, refinement
from bitbox.face_backend.mesh_track import MeshTrack, findings_of
from bitbox.measuring.parts import is_finite, picked, rows
from bitbox.measuring.spool import Spool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what is in memory")
N = 4000


def resident(array: np.ndarray) -> float:
    """Return which share of an array on the disk is in memory."""
    address, inside = array.ctypes.data, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split()[0]
        if "-" in first and not first.endswith(":"):
            start, stop = (int(part, 16) for part in first.split("-"))
            inside = start <= address < stop
        elif inside and first == "Rss:":
            return int(line.split()[1]) * 1024 / array.nbytes
    raise AssertionError("the array is not on the disk")


@pytest.fixture
def mesh() -> Iterator[np.ndarray]:
    random = np.random.default_rng(0)
    face = np.zeros((478, 3), dtype=np.float32)
    face[:468] = 2 * geometry.reference_face() + [320, 240, 0]
    with Spool(np.float32, (478, 3)) as spool:
        for number in range(N):
            moved = face + random.normal(0, 0.5, size=(478, 3))
            spool.append(moved if number % 100 else np.full((478, 3), np.nan))
        yield spool.array()


def test_a_long_array_is_never_all_in_memory(mesh: np.ndarray) -> None:
    assert resident(mesh[:]) == 0
    seen = is_finite(mesh)
    assert resident(mesh) < 0.05
    assert seen.sum() == N - N // 100
    some = np.flatnonzero(seen)[::3]
    assert np.array_equal(picked(mesh, some), mesh[some])
    for part, values in rows(mesh, some):
        assert resident(mesh) < 0.05
        assert np.array_equal(values[0], mesh[some[part][0]])


def test_measuring_a_face_keeps_little_of_its_mesh_in_memory(
    mesh: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the person's own face, thousands of frames all over the mesh were asked for at once."""
    held, canonicalize = [], person.canonicalize

    def watched(*arguments: Any, **options: Any) -> geometry.Canonical:
        held.append(resident(mesh))
        return canonicalize(*arguments, **options)

    monkeypatch.setattr(person, "canonicalize", watched)
    monkeypatch.setattr(person, "_FRAMES", 2000)  # as of a long recording
    seen = is_finite(mesh).astype(float)
    track = MeshTrack(mesh, np.arange(N) / 30, seen, seen.astype(int), (640, 480), (), "test")
    builtin.measure(track, ["expression-local"], 63.0)
    assert len(held) == 14  # the person (twice), the neutral, and all frames
    assert max(held) < 0.2
    findings_of(track, [])
    assert resident(mesh) < 0.05


def test_refining_a_mesh_keeps_little_of_it_in_memory(
    mesh: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class EnoughError(Exception):
        pass

    def reference(_: np.ndarray) -> None:
        raise EnoughError

    monkeypatch.setattr(refinement, "_reference", reference)
    textures = np.zeros((N, 1), dtype=np.uint8)
    with pytest.raises(EnoughError):
        refinement.refined(mesh, textures)
    assert resident(mesh) < 0.05
