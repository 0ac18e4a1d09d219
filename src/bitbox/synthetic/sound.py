"""Sound of which it is known when what was heard: talk, claps and music, at two microphones."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError

FloatArray = NDArray[np.float64]
Scene = Literal["talk", "claps", "music"]

#: Samples a second.
RATE = 16_000
_LOUDNESS = 0.1  # root mean square of what is heard, where anything is


def sound(what: Scene, seconds: float, rng: np.random.Generator) -> FloatArray:
    """Return what happens in a room, as its air has it.

    Parameters
    ----------
    what : {'talk', 'claps', 'music'}
        Syllables of changing colour with pauses between phrases; three to six claps a minute, at
        irregular times, in a room in which little else is heard; or notes on a beat.
    seconds : float
        How long.
    rng : numpy.random.Generator
        Where all of it comes from.

    Returns
    -------
    ndarray, shape (seconds * 16000,)

    Raises
    ------
    ParameterError
        If there is no such scene.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.sound import sound
    >>> sound('claps', 2.0, np.random.default_rng(1)).shape
    (32000,)
    """
    scenes = {"talk": _talk, "claps": _claps, "music": _music}
    if what not in scenes:
        raise ParameterError(
            "There is no such sound.", expected=", ".join(map(repr, scenes)), got=repr(what)
        )
    made = scenes[what](round(seconds * RATE), rng)
    return np.asarray(made * (_LOUDNESS / np.sqrt(np.mean(made**2))))


def heard(
    air: FloatArray, rng: np.random.Generator, *, noise: float | None = None, ppm: float = 0.0
) -> FloatArray:
    """Return what a microphone somewhere in the room records.

    Parameters
    ----------
    air : ndarray
        What `sound` returned, or a part of it.
    rng : numpy.random.Generator
        Where the microphone, the echo and the noise come from.
    noise : float, optional
        Signal to noise in decibels; None: no noise.
    ppm : float
        Parts per million by which the recorder's clock gains: it counts so many more samples.

    Returns
    -------
    ndarray
        At a nominal 16,000 samples a second, with the sound at its true times but for the clock.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.sound import heard, sound
    >>> rng = np.random.default_rng(1)
    >>> heard(sound('talk', 2.0, rng), rng, noise=0.0, ppm=50.0).shape
    (32002,)
    """
    from scipy.signal import fftconvolve

    echo = _echo(rng)
    out = fftconvolve(air, echo)[: len(air)]
    if ppm:
        out = _stretched(out, 1 + ppm * 1e-6)
    out *= _LOUDNESS / np.sqrt(np.mean(out**2))
    if noise is not None:
        out = out + _coloured(len(out), rng) * _LOUDNESS * 10 ** (-noise / 20)
    return np.asarray(out)


def write_sound(path: str | os.PathLike[str], samples: FloatArray, *, start: float = 0.0) -> Path:
    """Write sound as an AAC track of a small MP4 file with a grey picture.

    Parameters
    ----------
    path : path-like
        The file; its ending chooses the container.
    samples : ndarray
        16,000 a second, from -1 to 1; louder is cut off.
    start : float
        Seconds by which the sound sets in later than the picture.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.sound import sound, write_sound
    >>> write_sound('talk.mp4', sound('talk', 2.0, np.random.default_rng(1))).name
    'talk.mp4'
    """
    import av

    cut = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(f"file:{Path(path).absolute()}", "w") as container:
        picture = container.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        track = container.add_stream("aac", rate=RATE, layout="mono")
        grey = np.full((48, 64, 3), 128, np.uint8)
        step = RATE // 5
        for number, first in enumerate(range(0, len(cut), step)):
            shown = av.VideoFrame.from_ndarray(grey, format="rgb24")
            shown.pts = number
            container.mux(picture.encode(shown))
            frame = av.AudioFrame.from_ndarray(cut[None, first : first + step], "s16", "mono")
            frame.sample_rate, frame.pts = RATE, first + round(start * RATE)
            frame.time_base = Fraction(1, RATE)
            container.mux(track.encode(frame))
        container.mux(picture.encode(None))
        container.mux(track.encode(None))
    return Path(path)


def _talk(n: int, rng: np.random.Generator) -> FloatArray:
    """Syllables in phrases: a buzz or a hiss through resonances that change."""
    out = np.zeros(n)
    at = int(rng.uniform(0, 0.5) * RATE)
    while at < n:
        for _ in range(rng.integers(3, 14)):
            length = int(rng.uniform(0.06, 0.25) * RATE)
            if at + length >= n:
                break
            source = rng.normal(size=length)
            if rng.random() < 0.75:  # voiced
                period = int(RATE / rng.uniform(90, 240))
                source = 0.15 * source
                source[::period] += 4.0
            rise = int(rng.uniform(0.008, 0.04) * RATE)
            envelope = np.minimum(np.arange(length) / rise, 1.0)
            envelope *= np.minimum((length - np.arange(length)) / (0.4 * length), 1.0)
            syllable = _resonant(source * envelope, rng)
            out[at : at + length] += syllable * rng.uniform(0.3, 1.0)
            at += int(length * rng.uniform(0.9, 1.3))
        at += int(rng.exponential(0.6) * RATE) + RATE // 10
    return out


def _resonant(source: FloatArray, rng: np.random.Generator) -> FloatArray:
    from scipy.signal import lfilter

    out = np.zeros_like(source)
    for low, high in ((300, 900), (900, 2400), (2400, 3600)):
        centre, width = rng.uniform(low, high), rng.uniform(60, 250)
        radius = np.exp(-np.pi * width / RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
        formed = lfilter([1.0], poles, source)
        out += formed / max(float(np.abs(formed).max()), 1e-9)
    return out


def _claps(n: int, rng: np.random.Generator) -> FloatArray:
    out = 1e-3 * _coloured(n, rng)
    count = max(3, round(n / RATE / 60 * rng.uniform(3, 6)))
    for at in np.sort(rng.uniform(0, max(n - RATE // 4, 1), count)).astype(int):
        length = min(int(rng.uniform(0.02, 0.06) * RATE), n - at)
        fade = np.exp(-np.arange(length) / (rng.uniform(0.003, 0.012) * RATE))
        out[at : at + length] += rng.normal(size=length) * fade * rng.uniform(0.6, 1.0)
    return out


def _music(n: int, rng: np.random.Generator) -> FloatArray:
    """Notes and drums on a beat that is not quite even."""
    out = np.zeros(n)
    beat = 60 / rng.uniform(80, 140) / 2
    at = rng.uniform(0, beat)
    scale = 220 * 2 ** (np.array([0, 2, 3, 5, 7, 8, 10, 12, 14, 15]) / 12)
    while at * RATE < n - RATE // 10:
        start = round((at + rng.normal(0, 0.008)) * RATE)
        if start >= 0 and rng.random() < 0.7:
            length = min(int(rng.uniform(0.15, 0.7) * RATE), n - start)
            time = np.arange(length) / RATE
            pitch = rng.choice(scale) * rng.choice([0.5, 1, 2])
            tone = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 6))
            out[start : start + length] += (
                tone * np.exp(-time / rng.uniform(0.08, 0.4)) * np.minimum(time / 0.006, 1)
            ) * rng.uniform(0.2, 0.6)
        if start >= 0 and rng.random() < 0.4:
            length = min(RATE // 12, n - start)
            out[start : start + length] += (
                rng.normal(size=length) * np.exp(-np.arange(length) / 250) * rng.uniform(0.3, 0.9)
            )
        at += beat
    return out


def _echo(rng: np.random.Generator) -> FloatArray:
    """Return an impulse response: the direct sound, echoes that die away, and a microphone."""
    from scipy.signal import fftconvolve, firwin2

    length = int(0.4 * RATE)
    time = np.arange(length) / RATE
    tail = rng.normal(size=length) * 10 ** (-3 * time / rng.uniform(0.25, 0.6))
    tail[: int(0.002 * RATE)] = 0.0
    tail *= rng.uniform(0.5, 1.2) / np.sqrt(np.sum(tail**2))
    tail[0] += 1.0
    corners = np.array([0, 80, 300, 1000, 2500, 4500, RATE / 2])
    gains = 10 ** (rng.uniform(-9, 9, len(corners)) / 20)
    gains[0] = 0.0
    microphone = firwin2(129, corners, gains, fs=RATE)
    return np.asarray(fftconvolve(tail, microphone)[64:])  # less the filter's own delay


def _coloured(n: int, rng: np.random.Generator) -> FloatArray:
    """Return noise of which the low frequencies are louder, of root mean square 1."""
    from scipy.signal import lfilter

    noise = lfilter([1.0], [1.0, -rng.uniform(0.3, 0.9)], rng.normal(size=n))
    return np.asarray(noise / np.sqrt(np.mean(noise**2)))


def _stretched(samples: FloatArray, factor: float) -> FloatArray:
    """Return the samples of a clock that counts `factor` times as many."""
    from scipy.signal import resample_poly

    fine = resample_poly(samples, 4, 1)
    wanted = np.arange(round(len(samples) * factor)) / factor * 4
    return np.asarray(np.interp(wanted, np.arange(len(fine)), fine))
