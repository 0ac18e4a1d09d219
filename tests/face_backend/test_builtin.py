"""From a mesh to signals, in parts that add up to the whole."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from bitbox.face_backend import builtin, geometry, person, units
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mesh_track import MeshTrack
from bitbox.face_backend.normalize import normalized
from bitbox.face_backend.person import Person
from bitbox.face_backend.recording import OUTPUTS
from bitbox.face_backend.skin import head_pose, skin_movement
from bitbox.measuring import parts
from bitbox.measuring.recording import Recording
from bitbox.measuring.store import Cache, make_key

SIZE = (640, 480)


def some_track(n: int, lost: list[int] | None = None) -> MeshTrack:
    random = np.random.default_rng(0)
    face = 2 * geometry.reference_face() + [320, 240, 0]
    mesh = np.zeros((n, 478, 3), np.float32)
    mesh[:, :468] = face + random.normal(0, 0.5, size=(n, 1, 3))
    mesh[:, :468] += random.normal(0, 0.3, size=(n, 468, 3)).astype(np.float32)
    mesh[lost or []] = np.nan
    seen = np.isfinite(mesh[:, 0, 0]).astype(float)
    return MeshTrack(mesh, np.arange(n) / 30, seen, np.ones(n, int), SIZE, (), "test")


def test_results_are_found_only_by_the_code_that_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code moved to other folders, and a change of it went unnoticed."""
    source = Path(builtin.__file__).parents[1]
    copy = tmp_path / "bitbox"
    for folder in ("face_backend", "measuring", "video", "people"):
        shutil.copytree(source / folder, copy / folder)
    monkeypatch.setattr(builtin, "__file__", str(copy / "face_backend" / "builtin.py"))
    seen = {builtin.code_fingerprint.__wrapped__()}
    for name in ("face_backend/geometry.py", "video/frames.py", "people/identity.py"):
        with (copy / name).open("a") as file:
            file.write("# changed")
        seen.add(builtin.code_fingerprint.__wrapped__())
    assert len(seen) == 4
    with (copy / "video" / "writing.py").open("a") as file:
        file.write("# writes only")
    assert builtin.code_fingerprint.__wrapped__() in seen


def test_bits_do_not_depend_on_the_threads_of_blas(tmp_path: Path) -> None:
    """Two videos that were measured side by side differed by which of them ended first."""
    found = []
    for threads in (1, 2):
        recording = Recording(tmp_path / "a.mp4", "0" * 64, Cache(tmp_path))
        recording.memory["track"] = some_track(700, lost=[3])
        runtime = builtin.MeshRuntime(face="largest", vertical_fov=63.0)
        with threadpool_limits(threads, "blas"):
            signals = runtime.compute(recording, OUTPUTS, normalize=True)
        found.append([signals[name].values.tobytes() for name in OUTPUTS])
    assert found[0] == found[1]


def test_parts_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    track = some_track(130, lost=[0, 40, 129])
    own = Person.measure(track, 63.0)
    whole = geometry.canonicalize(track.mesh, SIZE, 63.0, person=own.shape)
    deformation = whole.shape - geometry.neutral(whole.shape)
    skin = skin_movement(deformation)
    monkeypatch.setattr(parts, "_PART", 32)
    together = measure(track, OUTPUTS, 63.0)
    assert list(together) == list(OUTPUTS)
    for name, expected in [
        ("pose", head_pose(whole.pose, deformation, own.tilt)),
        ("landmark-can", geometry.landmarks_3d(skin)),
        ("expression-global", units.global_units(skin)),
        ("expression-local", units.local_units(skin)),
        ("rectangle", geometry.rectangle(track.mesh)),
        ("landmark", geometry.landmarks_2d(track.mesh)),
    ]:
        found = together[name]  # type: ignore[index]
        np.testing.assert_array_equal(measure(track, [name], 63.0)[name], found)  # type: ignore[list-item,index]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
        assert np.isnan(found[[0, 40, 129]]).all()


def test_the_neutral_of_a_long_recording_is_nearly_that_of_all_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    track = some_track(600, lost=list(range(50)))
    whole = measure(track, ["landmark-can"], 63.0)
    monkeypatch.setattr(person, "_FRAMES", 200)
    some = measure(track, ["landmark-can"], 63.0)
    assert np.nanmax(np.abs(some["landmark-can"] - whole["landmark-can"])) < 0.15


def test_memory_grows_only_with_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(person, "_FRAMES", 300)
    cache = Cache(tmp_path)
    peaks = []
    for n in (1000, 4000):
        track = some_track(n)
        cache.write_mesh("a", make_key({"n": n}), track.mesh)
        mesh: Any = cache.read_mesh(make_key({"n": n}))
        track = MeshTrack(mesh, track.time, track.confidence, track.n_faces, SIZE, (), "test")
        tracemalloc.start()
        found = measure(track, OUTPUTS, 63.0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    results = sum(values.nbytes for values in found.values())
    assert peaks[1] - peaks[0] < 2 * results


class TestNormalized:
    def test_neutral_is_zero_and_noise_is_one(self) -> None:
        random = np.random.default_rng(0)
        drift = np.linspace(0, 3, 4000)[:, None] * [1, 50]
        values = 7 + drift + random.normal(size=(4000, 2)) * [0.1, 5]
        values[10:20] = np.nan
        scaled, findings = normalized(values, np.arange(len(values)) / 30)
        np.testing.assert_allclose(np.nanmedian(scaled, axis=0), 0, atol=1e-9)
        noise = np.nanstd(np.diff(scaled, axis=0), axis=0) / np.sqrt(2)
        np.testing.assert_allclose(noise, 1, rtol=0.1)
        assert np.isnan(scaled[10:20]).all()
        assert findings == []

    def test_repeated_pictures_and_other_frame_rates_change_no_scale(self) -> None:
        """Ten pictures a second in a file of thirty shrank everything to a fifth."""
        random = np.random.default_rng(0)
        time = np.arange(6000) / 30
        smile = 5 * np.sin(2 * np.pi * 0.7 * time) ** 4 * (np.sin(2 * np.pi * 0.05 * time) > 0.7)
        values = np.column_stack([smile, smile]) + random.normal(size=(6000, 2)) * [0.1, 0.2]
        span = np.ptp(normalized(values, time)[0], axis=0)
        held = values[np.arange(6000) // 3 * 3]
        for other, clock in [(held, time), (values[::2], time[::2]), (values[::3], time[::3])]:
            found = np.ptp(normalized(other, clock)[0], axis=0)
            np.testing.assert_allclose(found, span, rtol=0.1)

    def test_unknown_noise_is_missing_and_said(self) -> None:
        values = np.column_stack([np.zeros(50), np.random.default_rng(0).normal(size=50)])
        scaled, findings = normalized(values, np.arange(len(values)) / 30)
        assert np.isnan(scaled[:, 0]).all()
        assert np.isfinite(scaled[:, 1]).all()
        assert [finding.code for finding in findings] == ["noise-unknown"]
        assert "1 of 2" in findings[0].message
