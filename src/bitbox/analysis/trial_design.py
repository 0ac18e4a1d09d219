"""What a list of trials says, and whether imitation can be told from it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.analysis.matching import match
from bitbox.analysis.options import in_the_mirror
from bitbox.analysis.pair import SignalsLike, prepare
from bitbox.errors import ParameterError
from bitbox.signals.checks import some
from bitbox.statistics.trials import MARGIN, Responses

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: With fewer trials nothing can be told.
LEAST_TRIALS = 4
#: Trials without labels in which the model's responses are more alike than this show the same.
ALIKE = 0.9


@dataclass(frozen=True, eq=False)
class Design:
    """Trials: when they are, what they show, and which may be exchanged.

    Attributes
    ----------
    onset, offset : (trials,) array
        Seconds on the model's clock.
    labels : tuple of str
        What is shown; where nothing is said, a name of its own for each.
    labelled : bool
        Whether anything was said.
    strata : tuple of str
        Trials are exchanged within these.
    frames : tuple of (int, int)
        First and past-last frame, once they are known.
    """

    onset: FloatArray
    offset: FloatArray
    labels: tuple[str, ...]
    labelled: bool
    strata: tuple[str, ...]
    frames: tuple[tuple[int, int], ...] = ()

    @property
    def codes(self) -> IntArray:
        """The strata as numbers."""
        numbers: IntArray = np.unique(np.array(self.strata, dtype=str), return_inverse=True)[1]
        return numbers

    @property
    def blocked(self) -> bool:
        """Whether each movement was shown in one go, so that order and movement are confounded."""
        runs = 1 + sum(a != b for a, b in zip(self.labels, self.labels[1:], strict=False))
        return runs == len(set(self.labels)) < len(self.labels) and len(set(self.labels)) > 1


def design_of(trials: Any, strata: Any) -> Design:
    """Return trials in the order given, checked.

    Raises
    ------
    ParameterError
        If a time makes no sense, there are too few, or all show the same.
    InputError
        If a file or table holds no trials.
    """
    import pandas as pd

    from bitbox.readers.events import events_of, read_events

    if isinstance(trials, str | Path):
        trials = read_events(trials)
    if isinstance(trials, pd.DataFrame):
        table = events_of(trials)
        if isinstance(strata, str):
            if strata not in trials.columns:
                raise ParameterError(
                    "The table of trials has no such column of strata.",
                    expected="one of " + some([str(name) for name in trials.columns]),
                    got=repr(strata),
                )
            order = np.argsort(np.asarray(trials[_onset_of(trials)], dtype=float), kind="stable")
            strata = trials[strata].iloc[order]
        elif strata is None and "stratum" in table:
            strata = table["stratum"]
        onset, length = table["onset"].to_numpy(), table["duration"].to_numpy()
        return _checked(onset, onset + length, list(table["trial_type"]), strata)
    rows = list(trials)
    for number, row in enumerate(rows, start=1):
        if isinstance(row, str) or not isinstance(row, Sequence) or len(row) not in (2, 3):
            raise ParameterError(
                f"Trial {number} is no trial.",
                expected="(onset, offset, label), in seconds",
                got=repr(row)[:80],
            )
    try:
        times = np.array([[float(row[0]), float(row[1])] for row in rows]).reshape(-1, 2)
    except (TypeError, ValueError):
        raise ParameterError(
            "Onset and offset of a trial must be numbers of seconds.",
            expected="(onset, offset, label)",
            got=some([repr(row) for row in rows], 3),
        ) from None
    labels = [str(row[2]) if len(row) == 3 and row[2] is not None else "" for row in rows]
    return _checked(times[:, 0], times[:, 1], labels, strata)


def _onset_of(table: Any) -> Any:
    return next(c for c in table.columns if str(c).strip().lower() in ("onset", "start", "begin"))


def _checked(onset: Any, offset: Any, labels: Sequence[str], strata: Any) -> Design:
    onset, offset = np.asarray(onset, dtype=float), np.asarray(offset, dtype=float)
    wrong = np.flatnonzero(~(np.isfinite(onset) & np.isfinite(offset) & (offset > onset)))
    if len(wrong):
        k = int(wrong[0])
        raise ParameterError(
            f"Trial {k + 1} has no length.",
            expected="an offset behind its onset, in seconds",
            got=f"{onset[k]:g} to {offset[k]:g} s",
        )
    _refuse_repeated(onset, offset)
    return _with_labels(Design(onset, offset, (), False, ()), labels, strata)


def _refuse_repeated(onset: FloatArray, offset: FloatArray) -> None:
    """Refuse trials that are there twice, which would count what happened in them twice."""
    first: dict[tuple[float, float], int] = {}
    for k, times in enumerate(zip(onset.tolist(), offset.tolist(), strict=True)):
        before = first.setdefault(times, k)
        if before != k:
            raise ParameterError(
                f"Trials {before + 1} and {k + 1} are at the same time.",
                expected="each trial once",
                got=f"{times[0]:g} to {times[1]:g} s twice",
                todo="Remove one of them; of several things that are shown at once, name one.",
            )


def _with_labels(design: Design, labels: Sequence[str], strata: Any) -> Design:
    """Return a design with labels and strata, if imitation can be told from it."""
    n = len(design.onset)
    if n < LEAST_TRIALS:
        raise ParameterError(
            "There are too few trials.", expected=f"{LEAST_TRIALS} or more", got=str(n)
        )
    labelled = any(labels)
    if labelled and len(set(labels)) == 1:
        raise ParameterError(
            f"All {n} trials show the same ({labels[0]!r}), so that doing what is shown and doing "
            "something cannot be told apart.",
            expected="trials that show different movements",
            todo="Use trials of several movements, or name what each shows; of one movement only "
            "imitation_quality can say whether it is in time.",
        )
    if isinstance(strata, str) or (strata is not None and len(strata) != n):
        raise ParameterError(
            "The strata don't fit the trials.",
            expected=f"{n} values, one a trial",
            got=repr(strata) if isinstance(strata, str) else str(len(strata)),
        )
    names = [label or f"trial {k + 1}" for k, label in enumerate(labels)]
    inside = [""] * n if strata is None else [str(value) for value in strata]
    return replace(design, labels=tuple(names), labelled=labelled, strata=tuple(inside))


def frames_of(design: Design, n_frames: int, fps: float, start: float) -> Design:
    """Return a design with its frames: each trial and a margin, as far as it doesn't meet others.

    Trials that are not wholly in the recording keep no frame, and cannot be used.
    """
    order = np.argsort(design.onset, kind="stable")
    before, behind = np.full(len(order), MARGIN), np.full(len(order), MARGIN)
    for a, b in itertools.pairwise(order):
        half = max(0.0, design.onset[b] - design.offset[a]) / 2
        behind[a], before[b] = min(behind[a], half), min(before[b], half)
    frames = []
    for k in range(len(order)):
        on, off = (round((t - start) * fps) for t in (design.onset[k], design.offset[k]))
        if on < 0 or off > n_frames or off - on < 3:
            frames.append((0, 0))
            continue
        first = max(0, round(on - before[k] * fps))
        frames.append((first, min(n_frames, round(off + behind[k] * fps))))
    return replace(design, frames=tuple(frames))


def refuse_alike(design: Design, found: Responses) -> None:
    """Refuse trials without labels in which the model does the same each time.

    Raises
    ------
    ParameterError
    """
    if design.labelled:
        return
    flat = found.model.reshape(len(found.model), -1)
    flat = flat[np.isfinite(flat).all(axis=1)]
    norm = np.linalg.norm(flat, axis=1)
    flat = flat[norm > 0] / norm[norm > 0, None]
    if len(flat) >= LEAST_TRIALS and flat.shape[1] > 1 and (flat @ flat.T).min() > ALIKE:
        raise ParameterError(
            "The model moves in the same way in all trials, so that doing what is shown and doing "
            "something cannot be told apart.",
            expected="trials that show different movements",
            todo="Use trials of several movements; of one movement only imitation_quality can say "
            "whether it is in time.",
        )


def clips_as_trials(
    participants: Any,
    models: Any,
    labels: Any,
    strata: Any,
    latency: tuple[float, float],
    how: dict[str, Any],
    kinds: dict[str, Any],
) -> tuple[tuple[str, ...], FloatArray, FloatArray, float, Design]:
    """Return clips one after another, with gaps between, each a trial.

    Returns
    -------
    names, x, y, fps, design
        Signals that all clips share, participant and model as (T, n, d) arrays, and the frames of
        every clip.
    """
    if not isinstance(models, Sequence) or len(models) != len(participants):
        raise ParameterError(
            "Clips come in pairs.",
            expected="as many clips of the model as of the participant",
            got=f"{len(participants)} and "
            + (str(len(models)) if isinstance(models, Sequence) else type(models).__name__),
        )
    shown = list(labels) if labels is not None else [""] * len(participants)
    if len(shown) != len(participants):
        raise ParameterError(
            "The labels don't fit the clips.",
            expected=f"{len(participants)} labels, one a clip",
            got=str(len(shown)),
        )
    x, y, names, fps = _clips(participants, models, how, kinds)
    empty = np.full((math.ceil(max(map(abs, latency)) * fps) + 1, *x[0].shape[1:]), np.nan)
    parts: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    frames: list[tuple[int, int]] = []
    first = 0
    for a, b in zip(x, y, strict=True):
        for part, clip in zip(parts, (a, b), strict=True):
            part += [empty, clip]
        first += len(empty)
        frames.append((first, first + len(a)))
        first += len(a)
    both = [np.concatenate([*part, empty]) for part in parts]
    times = np.array(frames, dtype=float) / fps
    design = Design(times[:, 0] * 0.0, times[:, 1] - times[:, 0], (), False, ())
    design = _with_labels(design, ["" if s is None else str(s) for s in shown], strata)
    return names, both[0], both[1], fps, replace(design, frames=tuple(frames))


def _clips(
    participants: Sequence[SignalsLike],
    models: Sequence[SignalsLike],
    how: dict[str, Any],
    kinds: dict[str, Any],
) -> tuple[list[FloatArray], list[FloatArray], tuple[str, ...], float]:
    x: list[FloatArray] = []
    y: list[FloatArray] = []
    names: tuple[str, ...] | None = None
    for number, (one, other) in enumerate(zip(participants, models, strict=True), start=1):
        aligned = prepare(one, other, **how)
        aligned = in_the_mirror(aligned) if kinds["mirror"] == "yes" else aligned
        how = {**how, "fps": aligned.fps}  # all clips on the clock of the first
        both = match(aligned, kinds["components"], kinds["angular"], kinds["signals"])
        if names is not None and both.names != names:
            raise ParameterError(
                f"Clip {number} has other signals than those before.",
                expected=some(names),
                got=some(both.names),
            )
        names = both.names
        x.append(both.x)
        y.append(both.y)
    if names is None:
        raise ParameterError("There are no clips.", expected=f"{LEAST_TRIALS} or more", got="0")
    return x, y, names, float(how["fps"])
