"""Trials: whether what the participant does in one depends on what the model shows in it.

Where both people are prompted, everything that moves is in time. What tells imitation apart is that
another movement of the model brings about another one of the participant. So whole trials of the
participant are exchanged: what was done stays as it was, all signals together, but is compared with
what the model showed in another trial.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Seconds before and behind a trial that belong to it, as far as they don't reach the next one.
MARGIN = 0.5
#: Share of a trial's frames in which a signal must be known.
MIN_KNOWN = 0.6
#: Differences below this are rounding.
TIE = 1e-9
# Permutations worked on at once.
_TOGETHER = 200


@dataclass(frozen=True, eq=False)
class Responses:
    """What both people did in every trial.

    Attributes
    ----------
    participant, model : (trials, n, d) array
        How far each signal moved along the course of the model's movement of that trial: its
        projection on the unit vector of that course, the participant's at the lag where all signals
        together move most. In the signal's own unit times the square root of frames; NaN where too
        little is known.
    lag : (trials,) array
        That lag in frames, positive: the participant follows. NaN where there is none.
    """

    participant: FloatArray
    model: FloatArray
    lag: FloatArray


def responses(
    x: FloatArray, y: FloatArray, frames: Sequence[tuple[int, int]], lags: IntArray
) -> Responses:
    """Return what participant and model did in every trial.

    Parameters
    ----------
    x, y : (T, n, d) array
        Participant and model on one clock; NaN is missing.
    frames : sequence of (int, int)
        First and past-last frame of every trial.
    lags : (L,) array of int
        By how many frames the participant may follow; negative: lead.

    Notes
    -----
    The course of the model's movement in a trial is what its signals have most in common: the first
    principal component of the signals on the scale of their deviation over the recording. For
    signals that all move there and back it is their sum, but it is as well defined where some go up
    and others down, and doesn't add the noise of those that rest. Which signals move plays no part
    in choosing the lag. So comparing other trials' responses doesn't compare other durations.
    """
    n_trials, (_, n, d) = len(frames), x.shape
    scale = _deviation(x)
    sizes = np.full((n_trials, n, d), np.nan), np.full((n_trials, n, d), np.nan)
    lag = np.full(n_trials, np.nan)
    of_model = _deviation(y)
    for k, (first, stop) in enumerate(frames):
        course = _course(y[first:stop] / of_model) if stop - first > 2 else None
        if course is None:
            continue
        sizes[1][k] = _project(y[None, first:stop], course)[0]
        possible = lags[(lags + first >= 0) & (lags + stop <= len(x))]
        if not len(possible):
            continue
        views = sliding_window_view(x, stop - first, axis=0)[possible + first]  # (L, n, d, W)
        found = _project(np.moveaxis(views, 3, 1), course)
        size = np.nansum((found / scale) ** 2, axis=(1, 2))
        if not (size > 0).any():
            continue
        best = int(np.argmax(size))
        sizes[0][k], lag[k] = found[best], possible[best]
    return Responses(sizes[0], sizes[1], lag)


def _deviation(signals: FloatArray) -> FloatArray:
    """Return the standard deviation of every signal, (n, d); infinite where it doesn't move."""
    known = np.isfinite(signals)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, signals, 0.0).sum(axis=0) / count
    squares = np.where(known, (signals - mean) ** 2, 0.0).sum(axis=0) / count
    size = np.abs(np.where(known, signals, 0.0)).max(axis=0)
    return np.where(squares > (1e-12 * size) ** 2, np.sqrt(squares), np.inf)


def _course(scaled: FloatArray) -> FloatArray | None:
    """Return the course of a movement, (W,), of length 1 and mean 0; None: nothing moves."""
    flat = scaled.reshape(len(scaled), -1)
    known = np.isfinite(flat)
    flat = flat[:, known.mean(axis=0) >= MIN_KNOWN]
    known = np.isfinite(flat)
    if not flat.shape[1]:
        return None
    mean = np.where(known, flat, 0.0).sum(axis=0) / known.sum(axis=0)
    centred = np.where(known, flat - mean, 0.0)
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    if not values[0] > TIE:
        return None
    course = left[:, 0] - left[:, 0].mean()
    hump = np.sin(np.pi * (np.arange(len(course)) + 0.5) / len(course))
    if course @ (hump - hump.mean()) < 0:  # there and back is positive, in every trial
        course = -course
    unit: FloatArray = course / np.linalg.norm(course)
    return unit


def _project(windows: FloatArray, course: FloatArray) -> FloatArray:
    """Return how far signals go along a course, (L, n, d), from (L, W, n, d)."""
    known = np.isfinite(windows)
    if known.all():
        return np.tensordot(course, windows, axes=(0, 1))
    weight = known * course[None, :, None, None]
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    centred = np.where(known, weight - weight.sum(axis=1, keepdims=True) / count, 0.0)
    squares = (centred**2).sum(axis=1)
    projected = (centred * np.where(known, windows, 0.0)).sum(axis=1)
    enough = known.mean(axis=1) >= MIN_KNOWN
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(enough & (squares > 1e-6), projected / squares, np.nan)


@dataclass(frozen=True, eq=False)
class TrialTest:
    """What exchanging whole trials says.

    Attributes
    ----------
    z, p, p_fwer : (n,) array
        Of every signal: how far the agreement of both people's responses over trials is above what
        other trials give, and how often these reach it; corrected for all signals. NaN: untested.
    overall_z, overall_p : float
        The same of all signals together.
    score : (trials,) array
        How much more like the model's own trial than like its other ones each trial is: a mean
        over signals of products of standardised responses; 0 is chance. NaN: unknown.
    scores : (trials, n) array
        The same of every signal; `score` is their mean. NaN: unknown, or untested.
    hit : (trials,) array of bool
        Whether the response is more like what the model showed than like anything else it showed.
    arrangements : float
        How many different ways to exchange trials there are.
    n_permutations : int
        How many were used, what was observed included if `exact`.
    exact : bool
        Whether these are all that there are.
    """

    z: FloatArray
    p: FloatArray
    p_fwer: FloatArray
    overall_z: float
    overall_p: float
    score: FloatArray
    scores: FloatArray
    hit: BoolArray
    arrangements: float
    n_permutations: int
    exact: bool


def exchange_trials(
    found: Responses,
    labels: Sequence[str],
    strata: IntArray,
    n_permutations: int,
    rng: np.random.Generator,
) -> TrialTest:
    """Test whether the participant's responses belong to the model's trials.

    Parameters
    ----------
    found : Responses
        Of all trials.
    labels : sequence of str
        What each trial shows.
    strata : (trials,) array of int
        Trials are exchanged with trials of the same number only.
    n_permutations : int
        How many exchanges are drawn; if there are no more, all are used.
    rng : numpy.random.Generator
        Where they come from.

    Notes
    -----
    Responses are standardised over the trials of a stratum, signal by signal. The participant's are
    then taken relative to their mean over signals, so that moving the whole face by more or less
    plays no part; a single signal stays as it is. The agreement of a signal is the sum over trials
    of the product of both people's, and that of all the sum over signals. A missing response adds
    nothing, wherever it is put. p_fwer is the step-down max-statistic procedure of Westfall and
    Young (1993).
    """
    a, b = _standard(found.participant, strata), _standard(found.model, strata)
    tested = (a != 0).any(axis=(0, 2)) & (b != 0).any(axis=(0, 2))
    if tested.sum() > 1:
        inside = np.isfinite(found.participant).any(axis=2)[:, tested]
        mean = a[:, tested].sum(axis=1) / np.maximum(inside.sum(axis=1), 1)[:, None]
        a[:, tested] -= np.where(inside[:, :, None], mean[:, None], 0.0)
        a = _centre(a, strata)
    ways, orders, exact = _orders(strata, n_permutations, rng)
    observed = np.einsum("tnd,tnd->n", a, b)
    null = np.concatenate([_agreements(a, b, part) for part in orders])
    count = len(null)
    sd = null.std(axis=0)
    tested &= sd > TIE
    z, p, p_fwer = (np.full(len(observed), np.nan) for _ in range(3))
    if tested.any():
        on_scale = (null[:, tested] - null[:, tested].mean(axis=0)) / sd[tested]
        z[tested] = (observed[tested] - null[:, tested].mean(axis=0)) / sd[tested]
        extra = 0 if exact else 1  # among all, what was observed is one already
        p[tested] = _share((on_scale >= z[tested] - TIE).sum(axis=0), count, extra)
        p_fwer[tested] = _step_down(z[tested], on_scale, extra)
        total, whole = observed[tested].sum(), null[:, tested].sum(axis=1)
        spread = whole.std()
        overall = float((total - whole.mean()) / spread) if spread > TIE else math.nan
        overall_p = float(_share(np.sum(whole >= total - TIE), count, extra))
    else:
        overall = overall_p = math.nan
    scores, hit = _scores(a, b, tested, labels, found)
    score = scores[:, tested].mean(axis=1) if tested.any() else np.full(len(a), np.nan)
    return TrialTest(z, p, p_fwer, overall, overall_p, score, scores, hit, ways, count, exact)


def _share(reached: IntArray | np.int64, count: int, extra: int) -> FloatArray:
    return np.asarray((reached + extra) / (count + extra))


def _step_down(z: FloatArray, null: FloatArray, extra: int) -> FloatArray:
    """Return family-wise p: the largest z against the largest of all, the next of the others."""
    order = np.argsort(-z, kind="stable")
    largest = np.maximum.accumulate(null[:, order[::-1]], axis=1)[:, ::-1]
    reached = (largest >= z[order] - TIE).sum(axis=0)
    p = np.empty_like(z)
    p[order] = np.maximum.accumulate(_share(reached, len(null), extra))
    return p


def _standard(sizes: FloatArray, strata: IntArray) -> FloatArray:
    """Return responses about 0 in every stratum, of deviation 1 over all; missing ones are 0."""
    centred = _centre(sizes, strata)
    count = np.maximum(np.isfinite(sizes).any(axis=2).sum(axis=0), 1)
    sd = np.sqrt((centred**2).sum(axis=(0, 2)) / count)
    moving = sd > 1e-9 * np.abs(np.where(np.isfinite(sizes), sizes, 0.0)).max(axis=(0, 2))
    scaled: FloatArray = centred / np.where(moving, sd, np.inf)[None, :, None]
    return scaled


def _centre(sizes: FloatArray, strata: IntArray) -> FloatArray:
    centred = np.zeros_like(sizes)
    for stratum in np.unique(strata):
        part = sizes[strata == stratum]
        known = np.isfinite(part)
        mean = np.where(known, part, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        centred[strata == stratum] = np.where(known, part - mean, 0.0)
    return centred


def _agreements(a: FloatArray, b: FloatArray, orders: IntArray) -> FloatArray:
    """Return every signal's agreement, (m, n), with the participant's trials in other orders."""
    return np.stack([(a[order] * b).sum(axis=(0, 2)) for order in orders])


def arrangements(strata: IntArray) -> float:
    """Return in how many orders trials can be put within strata."""
    _, sizes = np.unique(strata, return_counts=True)
    return math.prod(float(math.factorial(int(size))) for size in sizes)


def different_arrangements(strata: IntArray, labels: Sequence[str]) -> float:
    """Return in how many ways what is shown can be put to trials, alike ones counted once."""
    ways = 1.0
    for stratum in np.unique(strata):
        inside = [label for label, at in zip(labels, strata, strict=True) if at == stratum]
        ways *= math.factorial(len(inside))
        for label in set(inside):
            ways /= math.factorial(inside.count(label))
    return ways


def _orders(
    strata: IntArray, n: int, rng: np.random.Generator
) -> tuple[float, Iterator[IntArray], bool]:
    """Return how many orders there are; all of them if they are at most n, else n random ones."""
    ways = arrangements(strata)
    groups = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    exact = ways <= n

    def every() -> Iterator[IntArray]:
        rows = []
        for each in itertools.product(*(itertools.permutations(group) for group in groups)):
            order = np.empty(len(strata), dtype=np.int64)
            for group, put in zip(groups, each, strict=True):
                order[group] = put
            rows.append(order)
        yield np.array(rows)

    def drawn() -> Iterator[IntArray]:
        for first in range(0, n, _TOGETHER):
            orders = np.tile(np.arange(len(strata)), (min(_TOGETHER, n - first), 1))
            for group in groups:
                mixed = np.argsort(rng.random((len(orders), len(group))), axis=1)
                orders[:, group] = group[mixed]
            yield orders

    return ways, every() if exact else drawn(), exact


def _scores(
    a: FloatArray, b: FloatArray, tested: BoolArray, labels: Sequence[str], found: Responses
) -> tuple[FloatArray, BoolArray]:
    """Return how much more like its own trial than like others every response is, and if most.

    The first signal by signal, (trials, n).
    """
    a, b = a[:, tested], b[:, tested]
    likeness = np.einsum("tnd,und->tu", a, b) / max(a.shape[1], 1)
    known = np.isfinite(found.participant).any(axis=(1, 2)) & np.isfinite(found.model).any(
        axis=(1, 2)
    )
    names = np.array(labels, dtype=object)
    scores, hit = np.full((len(a), len(tested)), np.nan), np.zeros(len(a), dtype=np.bool_)
    for k in np.flatnonzero(known):
        other = known & (names != names[k])
        if not other.any():
            continue
        scores[k, tested] = (a[k] * (b[k] - b[other].mean(axis=0))).sum(axis=1)
        of_others = [likeness[k, known & (names == name)].mean() for name in set(names[other])]
        hit[k] = likeness[k, known & (names == names[k])].mean() > max(of_others)
    return scores, hit
