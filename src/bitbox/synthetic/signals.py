"""Pairs of signals in which it is known who imitates what, how late and how strongly.

Used to test the analysis, to calibrate its statistics and to try it out. Everything is drawn from
one seed, so a pair can be made again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import ParameterError
from bitbox.signals import Signals

FloatArray = NDArray[np.float64]
Process = Literal["bursts", "autocorrelated", "drifting", "white"]

PROCESSES: tuple[Process, ...] = ("bursts", "autocorrelated", "drifting", "white")
SCHEMA = "synthetic"


@dataclass(frozen=True)
class SignalTruth:
    """What is true of a pair of synthetic signals.

    Parameters
    ----------
    names : tuple of str
        The k signals.
    imitated : tuple of bool
        Which of them the participant imitates.
    delay : tuple of float
        Seconds by which the participant follows; NaN where a signal is not imitated.
    gain : tuple of float
        Size of the imitated movement relative to the model's; NaN where it is not imitated.
    own, noise : float
        Standard deviation of the participant's own movement, and of white measurement noise in
        both persons, relative to that of the model's movement.
    process : str
        What the movements are like, see `movements`.
    fps, duration : float
        Frames a second, and seconds.
    seed : int
        What the random numbers were drawn from.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> imitated_pair(2, imitated=1, delay=0.4, seed=1).truth.delay
    (0.4, nan)
    """

    names: tuple[str, ...]
    imitated: tuple[bool, ...]
    delay: tuple[float, ...]
    gain: tuple[float, ...]
    own: float
    noise: float
    process: str
    fps: float
    duration: float
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return the truth as plain values; None where something does not apply.

        Examples
        --------
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> imitated_pair(2, imitated=1, delay=0.4, seed=1).truth.to_dict()['delay']
        [0.4, None]
        """
        plain = asdict(self)
        for key in ("delay", "gain"):
            plain[key] = [None if np.isnan(v) else v for v in plain[key]]
        return plain


class SignalPair(NamedTuple):
    """Signals of a participant and a model, and what is true of them.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> pair = imitated_pair(2, seed=1)
    >>> pair.model.names
    ('s00', 's01')
    """

    participant: Signals
    model: Signals
    truth: SignalTruth


def imitated_pair(
    n_signals: int = 8,
    *,
    duration: float = 60.0,
    fps: float = 30.0,
    imitated: int | tuple[bool, ...] | None = None,
    delay: float | tuple[float, ...] = 0.4,
    gain: float | tuple[float, ...] = 0.7,
    own: float = 0.3,
    noise: float = 0.05,
    process: Process = "bursts",
    bandwidth: float = 1.5,
    shared: float = 0.0,
    seed: int = 0,
) -> SignalPair:
    """Return a pair in which the participant imitates some of the model's movements.

    Parameters
    ----------
    n_signals : int
        Number of signals, k.
    duration, fps : float
        Seconds, and frames a second.
    imitated : int or tuple of bool, optional
        How many signals (the first ones) are imitated, or which; all unless given. In the others
        the participant only moves by itself, as much as the model does.
    delay : float or tuple of float
        Seconds by which the participant follows, for all signals or for each. Not rounded to
        frames. Negative: the participant leads.
    gain : float or tuple of float
        Size of the imitated movement; negative where it is the opposite movement.
    own : float
        Standard deviation of the participant's own movement in imitated signals, relative to the
        model's movement.
    noise : float
        Standard deviation of white measurement noise in all signals, on the same scale.
    process : {"bursts", "autocorrelated", "drifting", "white"}
        What movements are like, see `movements`.
    bandwidth : float
        Highest frequency of movements in Hz.
    shared : float
        Correlation between the signals of one person, 0 to 1 (a face moves as a whole).
    seed : int
        Where the random numbers start.

    Returns
    -------
    SignalPair
        ``participant, model, truth``; unpacks as a tuple.

    Raises
    ------
    ParameterError
        If an argument makes no sense.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(4, imitated=2, duration=30, seed=1)
    >>> truth.imitated
    (True, True, False, False)
    >>> model.values.shape
    (900, 4)
    """
    which = _which(imitated, n_signals)
    delays = _per_signal("delay", delay, n_signals)
    gains = _per_signal("gain", gain, n_signals)
    if own < 0 or noise < 0:
        raise ParameterError("own and noise must not be negative.", got=f"{own}, {noise}")
    n_frames = _n_frames(duration, fps)
    time = np.arange(n_frames) / fps
    # Where movements are read off later, there must be some before the first frame and behind
    # the last one.
    margin = float(np.abs(delays).max()) + 1.0
    wide = np.arange(-int(np.ceil(margin * fps)), n_frames + int(np.ceil(margin * fps))) / fps
    model_rng, participant_rng, noise_rng = np.random.default_rng(seed).spawn(3)
    options: dict[str, Any] = {"bandwidth": bandwidth, "shared": shared}
    models = movements(process, len(wide), n_signals, fps, model_rng, **options)
    alone = movements(process, len(wide), n_signals, fps, participant_rng, **options)
    participants = np.empty((n_frames, n_signals))
    for k in range(n_signals):
        own_part = _read_at(wide, alone[:, k], time)
        if which[k]:
            followed = _read_at(wide, models[:, k], time - delays[k])
            participants[:, k] = gains[k] * followed + own * own_part
        else:
            participants[:, k] = own_part
    first = int(np.argmin(np.abs(wide)))
    shown = models[first : first + n_frames]
    participants += noise * noise_rng.standard_normal(participants.shape)
    shown = shown + noise * noise_rng.standard_normal(shown.shape)
    names = tuple(f"s{k:02d}" for k in range(n_signals))
    truth = SignalTruth(
        names=names,
        imitated=which,
        delay=tuple(float(d) if w else float("nan") for d, w in zip(delays, which, strict=True)),
        gain=tuple(float(g) if w else float("nan") for g, w in zip(gains, which, strict=True)),
        own=own,
        noise=noise,
        process=process,
        fps=fps,
        duration=duration,
        seed=seed,
    )
    return SignalPair(_signals(participants, time, names), _signals(shown, time, names), truth)


def independent_pair(
    n_signals: int = 8,
    *,
    duration: float = 60.0,
    fps: float = 30.0,
    noise: float = 0.05,
    process: Process = "autocorrelated",
    bandwidth: float = 1.5,
    shared: float = 0.0,
    seed: int = 0,
) -> SignalPair:
    """Return a pair that has nothing to do with each other: what chance looks like.

    Parameters are those of `imitated_pair`.

    Returns
    -------
    SignalPair
        ``participant, model, truth``, the truth being that nothing is imitated.

    Examples
    --------
    >>> from bitbox.synthetic.signals import independent_pair
    >>> independent_pair(3, seed=1).truth.imitated
    (False, False, False)
    """
    return imitated_pair(
        n_signals,
        duration=duration,
        fps=fps,
        imitated=0,
        noise=noise,
        process=process,
        bandwidth=bandwidth,
        shared=shared,
        seed=seed,
    )


def movements(
    process: Process,
    n_frames: int,
    n_signals: int,
    fps: float,
    rng: np.random.Generator,
    *,
    bandwidth: float = 1.5,
    shared: float = 0.0,
) -> FloatArray:
    """Return movements of one person, each of standard deviation 1 (in expectation for bursts).

    Parameters
    ----------
    process : {"bursts", "autocorrelated", "drifting", "white"}
        ``bursts``: rest, and now and then a smooth movement to and fro, as faces do;
        ``autocorrelated``: Gaussian noise below `bandwidth`; ``drifting``: the same on a slow
        random walk; ``white``: independent from frame to frame.
    n_frames, n_signals : int
        Shape of the result, T and k.
    fps : float
        Frames a second.
    rng : numpy.random.Generator
        Source of randomness.
    bandwidth : float
        Highest frequency in Hz.
    shared : float
        Correlation between signals, 0 to 1.

    Returns
    -------
    ndarray, shape (T, k)

    Raises
    ------
    ParameterError
        If the process is unknown or a number makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.synthetic.signals import movements
    >>> x = movements('autocorrelated', 3000, 2, 30.0, np.random.default_rng(1), bandwidth=1.0)
    >>> x.shape
    (3000, 2)
    """
    if process not in PROCESSES:
        raise ParameterError(
            "There is no such process.", expected=f"one of {', '.join(PROCESSES)}", got=process
        )
    if not 0 <= shared <= 1:
        raise ParameterError("shared must be from 0 to 1.", got=str(shared))
    if not 0 < bandwidth < fps / 2:
        raise ParameterError(
            "bandwidth must be above 0 and below half the frame rate.", got=f"{bandwidth} Hz"
        )
    columns = [_one(process, n_frames, fps, rng, bandwidth) for _ in range(n_signals)]
    own = np.stack(columns, axis=1)
    if shared == 0:
        return own
    common = _one(process, n_frames, fps, rng, bandwidth)
    mixed: FloatArray = np.sqrt(1 - shared) * own + np.sqrt(shared) * common[:, None]
    return mixed


def _one(
    process: Process, n_frames: int, fps: float, rng: np.random.Generator, bandwidth: float
) -> FloatArray:
    if process == "white":
        white: FloatArray = rng.standard_normal(n_frames)
        return white
    if process == "bursts":
        return _bursts(n_frames, fps, rng, bandwidth)
    smooth = _low_passed(n_frames, fps, rng, bandwidth)
    if process == "autocorrelated":
        return smooth
    walk = np.cumsum(rng.standard_normal(n_frames))
    deviation = walk.std()
    walk = (walk - walk.mean()) / (deviation if deviation > 0 else 1.0)
    mixed: FloatArray = (smooth + 2 * walk) / np.sqrt(5)
    return mixed


@cache
def _low_pass(fps: float, bandwidth: float) -> tuple[FloatArray, float]:
    """Return a filter in second-order sections, and what it makes of a deviation of 1."""
    from scipy.signal import butter, sosfreqz

    sos = butter(4, bandwidth, fs=fps, output="sos")
    _, response = sosfreqz(sos, worN=8192)
    return sos, float(np.sqrt(np.mean(np.abs(response) ** 2)))


def _low_passed(
    n_frames: int, fps: float, rng: np.random.Generator, bandwidth: float
) -> FloatArray:
    """Return Gaussian noise below a frequency, its standard deviation 1 over the whole process."""
    from scipy.signal import sosfilt

    sos, scale = _low_pass(fps, bandwidth)
    settle = int(np.ceil(5 * fps / bandwidth))
    noise = rng.standard_normal(n_frames + settle)
    filtered: FloatArray = sosfilt(sos, noise)[settle:] / scale
    return filtered


def _bursts(n_frames: int, fps: float, rng: np.random.Generator, bandwidth: float) -> FloatArray:
    """Return rest with smooth movements at irregular times, about one in two and a half seconds."""
    time = np.arange(n_frames) / fps
    out = np.zeros(n_frames)
    # A raised cosine of duration d has little above 2 / d.
    shortest = 2 / bandwidth
    start = -rng.uniform(0, 2 * shortest)
    while start < time[-1]:
        length = shortest * rng.uniform(1.0, 1.8)
        size = rng.uniform(0.5, 1.5) * 2.2
        during = slice(*np.searchsorted(time, (start, start + length)))
        phase = (time[during] - start) / length
        out[during] += size * 0.5 * (1 - np.cos(2 * np.pi * phase))
        start += length * rng.uniform(0.8, 1.2) + rng.exponential(0.6)
    return out


def _read_at(time: FloatArray, values: FloatArray, wanted: FloatArray) -> FloatArray:
    """Return values between frames; cubic, so that slow movements stay as they are."""
    from scipy.interpolate import CubicSpline

    read: FloatArray = CubicSpline(time, values)(wanted)
    return read


def _n_frames(duration: float, fps: float) -> int:
    if not (np.isfinite(duration) and np.isfinite(fps) and duration > 0 and fps > 0):
        raise ParameterError(
            "duration and fps must be positive numbers.", got=f"{duration} s at {fps} a second"
        )
    return max(2, round(duration * fps))


def _which(imitated: int | tuple[bool, ...] | None, n_signals: int) -> tuple[bool, ...]:
    if n_signals < 1:
        raise ParameterError("n_signals must be 1 or more.", got=str(n_signals))
    if imitated is None:
        return (True,) * n_signals
    if isinstance(imitated, int):
        if not 0 <= imitated <= n_signals:
            raise ParameterError(
                "More signals are to be imitated than there are.",
                expected=f"a number from 0 to {n_signals}",
                got=str(imitated),
            )
        return tuple(k < imitated for k in range(n_signals))
    if len(imitated) != n_signals:
        raise ParameterError(
            "imitated must have one entry a signal.",
            expected=str(n_signals),
            got=str(len(imitated)),
        )
    return tuple(bool(v) for v in imitated)


def _per_signal(what: str, given: float | tuple[float, ...], n_signals: int) -> FloatArray:
    values = np.asarray(given, dtype=np.float64)
    if values.shape not in ((), (n_signals,)) or not np.isfinite(values).all():
        raise ParameterError(
            f"{what} must be one number, or one a signal.",
            expected=f"{n_signals} numbers",
            got=repr(given),
        )
    return np.broadcast_to(values, (n_signals,)).copy()


def _signals(values: FloatArray, time: FloatArray, names: tuple[str, ...]) -> Signals:
    return Signals(
        values, time, names, kind="expression", schema=SCHEMA, units="SD", backend="synthetic"
    )
