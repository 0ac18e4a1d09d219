"""When something begins to be heard or seen: the course of onsets in a recording."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.progress import Progress

FloatArray = NDArray[np.float32]

#: Samples a second that sound is listened to at, and values a second that its onsets have.
SAMPLE_RATE, RATE = 8000, 250
_HOP = SAMPLE_RATE // RATE
_FRAME = 128  # samples, 16 ms
#: Edges of the bands in Hz.
BANDS = (200.0, 500.0, 1000.0, 1800.0, 2800.0, 3800.0)
_REACH = 3  # values between which energy is compared: 12 ms


@dataclass(frozen=True)
class Onsets:
    """How strongly something sets in, over time.

    Attributes
    ----------
    values : (T, bands) array
        0 or more; one row every 1 / rate seconds.
    rate : float
        Rows a second.
    start : float
        Seconds of the first row on the recording's clock.
    """

    values: FloatArray
    rate: float
    start: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.values) / self.rate


def sound_onsets(path: Path, progress: Progress | None = None) -> Onsets:
    """Return the onsets of a recording's sound; nothing but these is held.

    Raises
    ------
    VideoError
        There is no sound, or the file cannot be opened.
    """
    from bitbox.video.sound import SoundReader

    with SoundReader(path, SAMPLE_RATE) as sound:
        total = sound.duration

        def told() -> Iterable[tuple[float, FloatArray]]:
            for time, samples in sound:
                if progress is not None:
                    progress(
                        f"Listening to {path.name}",
                        int(time),
                        None if total is None else max(int(total), int(time) + 1),
                    )
                yield time, samples

        return onsets_of(told())


def require_sound(path: Path) -> None:
    """Refuse a file in which nothing can be heard, before hours of another one are listened to.

    Raises
    ------
    VideoError
        It cannot be opened, or has no sound.
    """
    from bitbox.video.sound import SoundReader

    with SoundReader(path, SAMPLE_RATE):
        pass


def onsets_of(pieces: Iterable[tuple[float, FloatArray]]) -> Onsets:
    """Return the onsets of sound that comes in pieces, each with its time.

    Parameters
    ----------
    pieces : iterable of (float, ndarray)
        Seconds, and samples at `SAMPLE_RATE`; a piece that does not begin where the last one ended
        leaves silence in between.
    """
    energy: list[FloatArray] = []
    start: float | None = None
    rest, count = np.zeros(0, np.float32), 0
    for time, samples in pieces:
        if start is None:
            start = time
        missing = round((time - start) * SAMPLE_RATE) - count
        if missing > SAMPLE_RATE * 0.01:
            samples = np.concatenate([np.zeros(missing, np.float32), samples])
        elif missing < -SAMPLE_RATE * 0.01:
            samples = samples[-missing:]
        count += len(samples)
        rest = np.concatenate([rest, samples.astype(np.float32, copy=False)])
        rows = (len(rest) - _FRAME) // _HOP + 1
        if rows > 0:
            energy.append(_energy(rest, rows))
            rest = rest[rows * _HOP :]
    if not energy:
        return Onsets(np.zeros((0, len(BANDS) - 1), np.float32), RATE, start or 0.0)
    whole = np.concatenate(energy)
    energy.clear()
    values = _rising(whole)
    return Onsets(values, RATE, (start or 0.0) + _FRAME / 2 / SAMPLE_RATE)


def _energy(samples: FloatArray, rows: int) -> FloatArray:
    """Return the energy in each band of overlapping frames, (rows, bands)."""
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP][:rows]
    window = np.hanning(_FRAME).astype(np.float32)
    power = np.abs(rfft(frames * window, axis=1)) ** 2
    frequency = np.arange(power.shape[1]) * SAMPLE_RATE / _FRAME
    inside = [(frequency >= a) & (frequency < b) for a, b in itertools.pairwise(BANDS)]
    bands = np.stack([power[:, band].sum(axis=1) for band in inside], axis=1)
    return np.asarray(bands, dtype=np.float32)


def _rising(energy: FloatArray) -> FloatArray:
    """Return by how much each band grows louder, on a scale on which its own middle is 1.

    Band by band, and in place: hours of it are large.
    """
    heard = energy.any(axis=1)
    rise = np.zeros_like(energy)
    for band in range(energy.shape[1]):
        loud = energy[:, band]
        middle = np.median(loud[heard]) if heard.any() else 1.0
        loud /= max(float(middle), 1e-20)
        np.log1p(loud, out=loud)
        grown = loud[2 * _REACH :] - loud[: -2 * _REACH]
        rise[_REACH:-_REACH, band] = np.maximum(grown, 0.0)
    return rise
