"""Simulated imitation tasks: two people, prompts, and a known answer to "did one imitate?".

Eight units of a face, movements of their own, measurement noise. In most of them both people are
prompted at the same times, so that they move at the same times whether or not one imitates the
other. The seeds that `imitation_trials` was chosen on begin with 7, 8 or 9: a study of how often
it is right has to begin with others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.synthetic.signals import movements

FloatArray = NDArray[np.float64]

FPS = 30.0
UNITS = 8
#: Seconds from one prompt to the next: these, equally likely in between. 16 trials take 106 s.
SPACING = (5.4, 7.6)
#: How long a movement takes, in seconds.
LENGTH = (2.0, 4.0)
#: The expressions that can be shown: how far each moves the eight units.
EXPRESSIONS = {
    "smile": (1.0, 0.8, 0.4, 0, 0, 0, 0, 0),
    "surprise": (0, 0, 0.6, 1.0, 0.8, 0, 0, 0),
    "frown": (0, 0, 0, 0, 0, 1.0, 0.6, 0),
    "pout": (0, 0, 0, 0, 0.5, 0, 0, 1.0),
}
_WHOLE = np.ones(UNITS)
_LAUGHTER = np.array([1.0, 1.0, 0.8, 0.4, 0.8, 0, 0.4, 0])
#: Size of own movements and of measurement noise, a movement on prompt reaching about 1.
OWN, NOISE = 0.15, 0.05


class Task(NamedTuple):
    """What was recorded: values (T, units) of participant and model, and (onset, offset, label)."""

    participant: FloatArray
    model: FloatArray
    trials: list[tuple[float, float, str]]


@dataclass(frozen=True)
class Design:
    """What the participant does.

    Attributes
    ----------
    name : str
        What tables call it.
    does : str
        See `_response`, or a design without prompts.
    latency : (float, float)
        Seconds from the model's movement to the participant's, drawn for every trial.
    missed : float
        Share of trials in which an imitator doesn't move.
    trials : int
        Number of prompts.
    lost : str
        Which frames are lost: none, "random", or "turned away".
    """

    name: str
    does: str
    latency: tuple[float, float] = (0.3, 1.0)
    missed: float = 0.2
    trials: int = 16
    lost: str = ""

    @property
    def prompted(self) -> bool:
        """Whether there are trials."""
        return self.does not in _WITHOUT_PROMPTS

    @property
    def imitates(self) -> bool:
        """Whether anybody imitates."""
        return self.does in ("imitates", "rocks") or (self.does == "mimics" and self.missed < 1)


#: Nobody imitates.
NOBODY = (
    Design("moves at random", "random"),
    Design("any expression at each prompt", "any"),
    Design("smiles at every prompt", "smiles"),
    Design("whole face at every prompt", "whole"),
    Design("shared laughter in a conversation", "laughs"),
    Design("both active in the same half", "half"),
    Design("nods and shakes the head in bouts at prompts", "nods"),
)
#: The participant imitates.
IMITATORS = (
    Design("imitates, 8 trials", "imitates", trials=8),
    Design("imitates, 16 trials", "imitates"),
    Design("imitates, 24 trials", "imitates", trials=24),
    Design("latency 2 to 3 s", "imitates", (2.0, 3.0)),
    Design("latency 0.5 to 2.5 s, varying", "imitates", (0.5, 2.5)),
    Design("leads by 0 to 0.5 s", "imitates", (-0.5, 0.0)),
    Design("a perfect rocker, 0.4 Hz", "rocks", (0.3, 0.3)),
)
#: 40 % of the participant's frames are lost.
LOST = tuple(
    Design(f"{what}, 40 % of frames lost {how}", does, lost=lost)
    for what, does in (("smiles at every prompt", "smiles"), ("imitates, 16 trials", "imitates"))
    for how, lost in (("at random", "random"), ("while turned away", "turned away"))
)
#: Conversations of five minutes in which so many of the model's expressions are mimicked.
CONVERSATIONS = tuple(
    Design(f"conversation, {share:.0%} mimicked", "mimics", missed=1 - share, trials=46)
    for share in (0.0, 0.15, 0.3)
)


def _movement(time: FloatArray, onset: float, length: float) -> FloatArray:
    """Return one smooth movement there and back, of size 1."""
    phase = np.clip((time - onset) / length, 0.0, 1.0)
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * phase))


def _bout(time: FloatArray, onset: float, length: float, rng: np.random.Generator) -> FloatArray:
    """Return some nods in a row, of a person's own pace."""
    pace, phase = rng.uniform(0.8, 1.6), rng.uniform(0, 2 * np.pi)
    return _movement(time, onset, length) * np.sin(2 * np.pi * pace * (time - onset) + phase)


def own_movements(n_frames: int, rng: np.random.Generator, size: float = OWN) -> FloatArray:
    """Return what a person does anyway, and measurement noise, (T, units)."""
    alone = movements("bursts", n_frames, UNITS, FPS, rng)
    return size * alone + NOISE * rng.standard_normal((n_frames, UNITS))


def prompts(n: int, rng: np.random.Generator) -> tuple[list[tuple[float, float, str]], float]:
    """Return trials in a random order, each expression as often as can be, and the seconds."""
    names = list(EXPRESSIONS)
    labels = rng.permutation([names[k % len(names)] for k in range(n)])
    onset, trials = 1.5, []
    for label in labels:
        trials.append((onset, onset + rng.uniform(*LENGTH), str(label)))
        onset += rng.uniform(*SPACING)
    return trials, onset


def simulate(design: Design, rng: np.random.Generator) -> Task:
    """Return one recording of a design."""
    trials, seconds = prompts(design.trials, rng)
    time = np.arange(round(seconds * FPS)) / FPS
    person, model = own_movements(len(time), rng), own_movements(len(time), rng)
    if design.does in _WITHOUT_PROMPTS:
        _WITHOUT_PROMPTS[design.does](time, person, model, rng, design)
        return Task(_lose(person, design, time, rng), model, trials)
    for onset, offset, label in trials:
        shown, length = np.array(EXPRESSIONS[label]), offset - onset
        starts = onset + rng.uniform(*design.latency)
        if design.does == "nods":
            for who, when, takes in (
                (model, onset, length),
                (person, starts, rng.uniform(*LENGTH)),
            ):
                for unit in (0, 1):
                    who[:, unit] += _bout(time, when, takes, rng)
            continue
        model += _movement(time, onset, length)[:, None] * shown * rng.uniform(0.8, 1.2)
        if design.does == "imitates":
            if rng.uniform() >= design.missed:
                person += 0.7 * _movement(time, starts, length)[:, None] * shown
        elif design.does != "random":
            what = _response(design.does, rng)
            response = _movement(time, starts, rng.uniform(*LENGTH))[:, None]
            person += response * what * rng.uniform(0.8, 1.2)
    return Task(_lose(person, design, time, rng), model, trials)


def _response(does: str, rng: np.random.Generator) -> FloatArray:
    """Return which units a participant moves at a prompt who doesn't look at what is shown."""
    if does == "any":
        return np.array(list(EXPRESSIONS.values())[rng.integers(len(EXPRESSIONS))])
    return np.array(EXPRESSIONS["smile"]) if does == "smiles" else _WHOLE


def _laugh(
    time: FloatArray,
    person: FloatArray,
    model: FloatArray,
    rng: np.random.Generator,
    _: Design,
) -> None:
    """Both laugh at the same jokes, each in their own way."""
    onset = rng.uniform(2, 8)
    while onset < time[-1] - 5:
        for who in (person, model):
            starts, length = onset + rng.uniform(0, 0.8), rng.uniform(1.5, 4.0)
            who += _movement(time, starts, length)[:, None] * _LAUGHTER * rng.uniform(0.7, 1.3, 8)
        onset += rng.uniform(6, 14)


def _same_half(
    time: FloatArray,
    person: FloatArray,
    model: FloatArray,
    rng: np.random.Generator,
    _: Design,
) -> None:
    """Both move in the first half and rest in the second."""
    active = np.where(time < time[-1] / 2, 1.0, 0.15)[:, None]
    for who in (person, model):
        who += active * own_movements(len(time), rng, 0.6)


def _rock(
    time: FloatArray,
    person: FloatArray,
    model: FloatArray,
    rng: np.random.Generator,
    _: Design,
) -> None:
    """The model rocks in all units, each in its own phase, and the participant with it."""
    phases = rng.uniform(0, 2 * np.pi, UNITS)
    person += np.sin(2 * np.pi * 0.4 * (time[:, None] - 0.3) + phases)
    model += np.sin(2 * np.pi * 0.4 * time[:, None] + phases)


def _mimic(
    time: FloatArray,
    person: FloatArray,
    model: FloatArray,
    rng: np.random.Generator,
    design: Design,
) -> None:
    """Both make expressions of their own; some of the model's are made by the participant, too."""
    shapes = [np.array(units) for units in EXPRESSIONS.values()]

    def make(who: FloatArray, onset: float, shape: FloatArray, length: float) -> None:
        who += rng.uniform(0.5, 1.2) * _movement(time, onset, length)[:, None] * shape

    for who in (model, person):
        onset = rng.uniform(1, 6)
        while onset < time[-1] - 5:
            shape, length = shapes[rng.integers(len(shapes))], rng.uniform(*LENGTH)
            make(who, onset, shape, length)
            if who is model and rng.uniform() >= design.missed:
                make(person, onset + rng.uniform(*design.latency), shape, length)
            onset += rng.uniform(4, 12)


_WITHOUT_PROMPTS = {"laughs": _laugh, "half": _same_half, "rocks": _rock, "mimics": _mimic}


def _lose(
    person: FloatArray, design: Design, time: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Lose 40 % of frames: in short pieces anywhere, or while the child turns away."""
    if not design.lost:
        return person
    lost = np.zeros(len(time), dtype=bool)
    length = 0.3 if design.lost == "random" else 4.0
    while lost.mean() < 0.4:
        start = rng.uniform(-length, time[-1])
        lost |= (time >= start) & (time < start + length * rng.uniform(0.5, 1.5))
    return np.where(lost[:, None], np.nan, person)
