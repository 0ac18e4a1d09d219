"""Regions that do not look as they usually do are hidden, and nothing is measured there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bitbox.face_backend import builtin, geometry
from bitbox.face_backend.builtin import measure
from bitbox.face_backend.mesh_track import MeshTrack, findings_of
from bitbox.face_backend.recording import OUTPUTS
from bitbox.face_backend.unit_table import LOCAL_UNITS
from bitbox.face_backend.visibility import LEAST_VISIBLE, REGIONS, hidden, visible
from bitbox.measuring.recording import Recording
from bitbox.measuring.store import Cache, make_key

N = 60
LIPS = [REGIONS.index("upper lip"), REGIONS.index("lower lip")]
MOUTH = [number for number, unit in enumerate(LOCAL_UNITS) if "lip" in unit.region]


def alike() -> np.ndarray:
    """Likenesses as of somebody whose skin is seen well, and some noise."""
    like = 0.93 + 0.02 * np.random.default_rng(0).normal(size=(N, len(REGIONS)))
    return np.asarray(like.clip(-1, 0.99))


def covered_track(frames: slice = slice(20, 30), regions: list[int] = LIPS) -> MeshTrack:
    random = np.random.default_rng(0)
    mesh = np.zeros((N, 478, 3), np.float32)
    mesh[:, :468] = 2 * geometry.reference_face() + [320, 240, 0]
    mesh[:, :468] += random.normal(0, 0.3, size=(N, 468, 3)).astype(np.float32)
    seen = np.full((N, len(REGIONS)), 0.9, np.float32)
    seen[frames, regions] = 0.1
    confidence, count = np.full(N, 0.98), np.ones(N, int)
    return MeshTrack(mesh, np.arange(N) / 30, confidence, count, (640, 480), (), "test", seen)


class TestVisible:
    def test_as_usual_is_seen_whatever_is_usual(self) -> None:
        for usual in (1.0, 0.5, 0.1):  # a beard, glasses and noise are usual
            assert not hidden(visible(usual * alike())).any()

    def test_two_regions_that_look_strange_are_hidden(self) -> None:
        like = alike()
        like[10:30][:, LIPS] = 0.2
        found = hidden(visible(like))
        assert found[10:30][:, LIPS].all()
        found[10:30, LIPS] = False
        assert not found.any()

    def test_one_alone_is_something_that_the_face_does(self) -> None:
        like = alike()
        like[10:30, LIPS[1]] = 0.2
        assert not hidden(visible(like)).any()

    def test_a_lost_face_is_not_known(self) -> None:
        like = alike()
        like[5] = np.nan
        found = visible(like)
        assert np.isnan(found[5]).all()
        assert np.isfinite(np.delete(found, 5, axis=0)).all()
        assert not hidden(found).any()
        assert np.isnan(visible(np.full((4, len(REGIONS)), np.nan))).all()


class TestMeasure:
    def test_what_is_hidden_is_missing_and_the_rest_is_not(self) -> None:
        track = covered_track()
        found, plain = (measure(t, OUTPUTS, 63.0) for t in (track, replace(track, visible=None)))
        missing = {name: np.isnan(values) for name, values in found.items()}
        assert missing["expression-local"][20:30][:, MOUTH].all()
        assert missing["landmark"][20:30, 2 * 31 :].all()  # 51 landmarks, the mouth from 31 on
        assert missing["landmark-can"][20:30, 3 * 31 :].all()
        assert missing["expression-global"][20:30].all()
        assert not missing["rectangle"].any()
        assert not missing["pose"].any()
        missing["expression-local"][20:30, MOUTH] = False
        missing["landmark"][20:30, 2 * 31 :] = missing["landmark-can"][20:30, 3 * 31 :] = False
        missing["expression-global"][20:30] = False
        assert not any(values.any() for values in missing.values())
        assert not any(np.isnan(values).any() for values in plain.values())

    def test_the_head_is_missing_where_much_is_hidden(self) -> None:
        track = covered_track(regions=[*LIPS, REGIONS.index("nose")])
        assert np.isnan(measure(track, ["pose"], 63.0)["pose"]).all(axis=1).sum() == 10

    def test_the_neutral_face_is_taken_from_what_is_seen(self) -> None:
        track = covered_track(slice(0, 40))
        mesh = np.array(track.mesh)
        mesh[:40, [13, 14, 17]] += 30  # a mouth that the network makes up
        wrong = replace(track, mesh=mesh)
        some = slice(40, N)
        found, clean = (measure(t, ["expression-local"], 63.0) for t in (wrong, track))
        np.testing.assert_allclose(
            found["expression-local"][some], clean["expression-local"][some], atol=1e-9
        )

    def test_confidence_drops_and_comes_back_from_the_store(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path)
        recording = Recording(tmp_path / "a.mp4", "0" * 64, cache)
        runtime = builtin.MeshRuntime(face="largest", vertical_fov=63.0)
        key = make_key({"n": N})
        builtin._store_track(recording, key, covered_track())
        stored = builtin._stored_track(recording, key)
        assert stored is not None
        recording.memory["track"] = stored
        signals = runtime.compute(recording, ["expression-local"], False)["expression-local"]
        assert signals.confidence is not None
        np.testing.assert_allclose(signals.confidence[20:30], 0.98 * 0.1, atol=1e-6)
        np.testing.assert_allclose(np.delete(signals.confidence, range(20, 30)), 0.98 * 0.9)
        assert np.isnan(signals.values[20:30][:, MOUTH]).all()


@pytest.mark.parametrize(("frames", "severity"), [(slice(20, 30), "warning"), (slice(3), "info")])
def test_a_finding_says_what_is_hidden(frames: slice, severity: str) -> None:
    track = covered_track(frames)
    (finding,) = findings_of(track, ())
    assert (finding.code, finding.severity) == ("face-hidden", severity)
    share = f"{100 * (frames.stop - (frames.start or 0)) / N:.0f} %"
    assert f"upper lip {share}, lower lip {share}." in finding.message
    assert findings_of(replace(track, visible=np.full((N, 7), LEAST_VISIBLE)), ()) == []
