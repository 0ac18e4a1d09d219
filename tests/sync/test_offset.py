"""The offset of two recordings of which it is known by how much they did not start together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bitbox.errors import ParameterError, UnsureError, VideoError
from bitbox.sync import Offset, compare, offset
from bitbox.sync.finding import judged, judged_flashes
from bitbox.sync.flashes import flashes_of
from bitbox.sync.onsets import SAMPLE_RATE, Onsets, onsets_of
from bitbox.synthetic.signals import imitated_pair, independent_pair
from bitbox.synthetic.sound import RATE, heard, sound, write_sound

pytest.importorskip("av")


def listened(samples) -> Onsets:
    from scipy.signal import resample_poly

    return onsets_of([(0.0, resample_poly(samples, 1, RATE // SAMPLE_RATE).astype(np.float32))])


def pair(what: str, seconds: float, late: float, seed: int, *, ppm: float = 0.0, noise=0.0):
    """Return what two microphones heard, the first from `late` seconds on."""
    rng = np.random.default_rng(seed)
    air = sound(what, seconds + abs(late), rng)
    cut = round(abs(late) * RATE)
    both = [heard(air, rng, noise=noise), heard(air, rng, noise=noise, ppm=ppm)]
    own = both[0][cut:] if late > 0 else both[0]
    other = both[1] if late > 0 else both[1][cut:]
    n = round(seconds * RATE)
    return own[:n], other[:n]


@pytest.mark.parametrize(
    ("what", "late", "seed"), [("talk", 3.2, 1), ("music", -7.45, 2), ("claps", 5.01, 3)]
)
def test_two_microphones_and_noise(what: str, late: float, seed: int) -> None:
    found = judged(*map(listened, pair(what, 60, late, seed)))
    assert found.sure, found.doubt
    assert found.offset == pytest.approx(late, abs=0.005)
    assert found.uncertainty < 0.01
    assert abs(found.offset - late) < found.uncertainty + 0.002


def test_drift_is_found() -> None:
    found = judged(*map(listened, pair("talk", 300, 2.0, 5, ppm=50.0)))
    assert found.sure
    assert found.drift_ppm == pytest.approx(50, abs=5)
    assert found.drift_uncertainty_ppm < 10
    assert found.offset == pytest.approx(2.0, abs=0.005)
    assert found.middle == pytest.approx(2.0 + 50e-6 * 150, abs=0.003)
    assert found.at(250) == pytest.approx(2.0 + 50e-6 * 252, abs=0.005)
    turned = judged(*map(listened, pair("talk", 300, 2.0, 5, ppm=50.0)[::-1]))
    assert turned.offset == pytest.approx(-found.offset, abs=0.002)
    assert turned.drift_ppm == pytest.approx(-found.drift_ppm, abs=0.5)


def test_short_recordings_claim_no_drift() -> None:
    found = judged(*map(listened, pair("talk", 20, 1.0, 6)))
    assert found.sure
    assert found.drift_uncertainty_ppm > 40


@pytest.mark.parametrize("what", ["talk", "music", "claps"])
def test_other_sound_is_refused(what: str) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        both = [listened(heard(sound(what, 40, rng), rng, noise=0.0)) for _ in range(2)]
        found = judged(*both)
        assert not found.sure
        assert found.doubt


@pytest.mark.parametrize(
    ("what", "seconds", "seed"), [("claps", 60, 700_100), ("claps", 45, 700_211)]
)
def test_some_claps_of_many_fall_together_by_chance(what: str, seconds: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    both = [listened(heard(sound(what, seconds, rng), rng, noise=0.0)) for _ in range(2)]
    found = judged(*both)
    assert not found.sure
    assert "by chance" in found.doubt


def test_a_talk_in_much_noise_is_found() -> None:
    found = judged(*map(listened, pair("talk", 60, 2.0, 8, noise=-6.0)))
    assert found.found is not None
    assert found.found.common < 0.6  # most of what each hears is its own noise
    assert found.sure, found.doubt
    assert found.offset == pytest.approx(2.0, abs=0.005)


def test_one_bang_is_like_another() -> None:
    bangs = []
    for at in (10.0, 17.0):
        rng = np.random.default_rng(int(at))
        samples = 0.001 * rng.normal(size=40 * RATE)
        samples[round(at * RATE) :][:400] += rng.normal(size=400) * np.exp(-np.arange(400) / 80)
        bangs.append(listened(samples))
    found = judged(*bangs)
    assert not found.sure
    assert "moments" in found.doubt


def test_silence_and_short_recordings_are_refused() -> None:
    quiet = listened(np.zeros(20 * RATE))
    loud = listened(sound("talk", 20, np.random.default_rng(1)))
    assert not judged(quiet, loud).sure
    assert "too short" in judged(listened(np.ones(3 * RATE)), loud).doubt


def test_files_and_their_clocks(tmp_path: Path) -> None:
    """Through the encoder, and with a track that sets in late."""
    own, other = pair("talk", 40, 3.0, 8, noise=None)
    files = write_sound(tmp_path / "a.mp4", own), write_sound(tmp_path / "b.mp4", other)
    found = offset(*files)
    assert found.offset == pytest.approx(3.0, abs=0.005)
    assert str(found).startswith("The first started 3.00")
    assert found.to_dict()["how"] == "sound"
    assert len(found.plot().data) == 1
    late = write_sound(tmp_path / "late.mkv", other, start=1.5)
    assert offset(files[0], late).offset == pytest.approx(4.5, abs=0.006)


def test_a_gap_in_the_sound_is_silence() -> None:
    samples = sound("talk", 30, np.random.default_rng(2)).astype(np.float32)[::2]
    cut = samples.copy()
    cut[80_000:120_000] = 0
    whole = onsets_of([(0.0, cut)])
    parts = onsets_of([(0.0, cut[:80_000]), (15.0, cut[120_000:])])
    assert len(whole.values) == len(parts.values)
    pieces = onsets_of([(k / SAMPLE_RATE, cut[k : k + 999]) for k in range(0, len(cut), 999)])
    np.testing.assert_allclose(pieces.values, whole.values, atol=1e-5)


def test_what_has_no_sound(tmp_path: Path) -> None:
    from bitbox.video import write_video

    mute = write_video(tmp_path / "mute.mp4", [np.zeros((32, 32, 3), np.uint8)] * 20, 10)
    with pytest.raises(VideoError, match="has no sound"):
        offset(mute, mute)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match="cannot be opened"):
        offset(tmp_path / "text.mp4", mute)
    long = write_sound(tmp_path / "long.mp4", sound("talk", 20, np.random.default_rng(3)))
    told: list[str] = []
    with pytest.raises(VideoError, match=r"mute\.mp4 has no sound"):
        offset(long, mute, progress=lambda task, *_: told.append(task))
    assert not told  # nothing was listened to for nothing


def test_unsure_is_an_error_that_says_what_was_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    files = [write_sound(tmp_path / f"{k}.mp4", sound("talk", 20, rng)) for k in range(2)]
    with pytest.raises(UnsureError, match="agrees hardly better than chance"):
        offset(*files)
    found = compare(*files)
    assert not found.sure
    assert "cannot be told" in str(found)


def test_flashes(tmp_path: Path) -> None:
    """Two cameras of different rates that see a lamp go on, unevenly."""
    from bitbox.video import write_video

    lit = [(2.0, 2.4), (3.1, 3.6), (7.3, 7.5), (9.9, 10.3)]
    files = []
    for name, rate, began in (("a", 25, 1.3), ("b", 30, 0.0)):
        rng = np.random.default_rng(rate)
        frames = []
        for k in range(12 * rate):
            time = began + k / rate
            on = any(start <= time < end for start, end in lit)
            picture = np.full((48, 64, 3), 170 if on else 90, np.int16)
            frames.append((picture + rng.integers(-8, 8, picture.shape)).astype(np.uint8))
        files.append(write_video(tmp_path / f"{name}.mp4", frames, rate))
    found = offset(*files, how="flash")
    assert found.offset == pytest.approx(1.3, abs=1 / 60)
    assert abs(found.offset - 1.3) < found.uncertainty
    even = flashes_of(np.arange(300) / 30, np.where(np.arange(300) % 30 < 9, 170.0, 90.0))
    assert "at another one" in judged_flashes(even, even).doubt
    still = flashes_of(np.arange(300) / 30, np.full(300, 90.0))
    assert "0 and 0 flashes" in judged_flashes(still, still).doubt


def test_movement_is_a_last_resort() -> None:
    participant, model, _ = imitated_pair(6, imitated=6, duration=60, delay=0.0, seed=1)
    late = participant.shifted(-4.0)
    with pytest.raises(ParameterError, match="worthless"):
        offset(late, model, how="movement")
    found = offset(late, model, how="movement", not_for_testing=True)
    assert found.offset == pytest.approx(4.0, abs=found.uncertainty)
    others = independent_pair(6, duration=60, seed=1)
    with pytest.raises(UnsureError):
        offset(others[0], others[1], how="movement", not_for_testing=True)


def test_choices_that_make_no_sense() -> None:
    participant, model, _ = imitated_pair(2, duration=20, seed=1)
    with pytest.raises(ParameterError, match="no sound"):
        offset(participant, model)
    with pytest.raises(ParameterError, match="not understood"):
        offset("a.mp4", "b.mp4", how="smell")
    with pytest.raises(ParameterError, match="between signals"):
        offset("a.mp4", "b.mp4", how="movement", not_for_testing=True)
    with pytest.raises(ParameterError, match="nothing to draw"):
        Offset(*[np.nan] * 5, (0.0, 0.0), "sound", False, "short.", None).plot()
