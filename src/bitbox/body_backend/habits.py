"""Where the model of joints errs by habit, and by how much.

It guesses from how bodies mostly are. Bent knees, raised arms and a nod go with a bow, so that it
sees part of one where there is none; and as people mostly stand, it sets hips too high and knees
too straight when somebody bends them.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.skeleton import ANKLES, EARS, ELBOWS, HIPS, KNEES, NOSE, SHOULDERS, WRISTS

FloatArray = NDArray[np.float64]

#: Joints by which habits are told: those of whoever is in the picture down to the hips, and legs.
UPPER = (*SHOULDERS, *ELBOWS, *WRISTS, *HIPS, NOSE, *EARS)
LEGS = (*KNEES, *ANKLES)
_DATA = "body_habits.npz"
_AT_ONCE = 10_000  # frames, so that long recordings take no more memory


class Corrections(NamedTuple):
    """What to add to joints, in lengths of the trunk.

    Attributes
    ----------
    shoulders : ndarray, shape (T,)
        To the depth of the middle of the shoulders.
    legs : ndarray, shape (T, 4, 3)
        To the places of knees and ankles (`LEGS`) as seen from the middle of the hips; nothing
        where legs are not seen.
    """

    shoulders: FloatArray
    legs: FloatArray


def corrections(joints: FloatArray, legs: bool) -> Corrections:
    """Return by how much joints are elsewhere than guessed.

    Parameters
    ----------
    joints : ndarray, shape (T, 33, 3)
        As the model guesses them, the hidden ones too, from the middle of the hips, in lengths of
        the trunk.
    legs : bool
        Whether the legs are seen.

    Notes
    -----
    A linear mixture of where joints are and of how the person is turned, learnt by
    ``tools/learn_habits.py`` from rendered people who move at random.
    """
    weights = _learnt()[legs]
    found = np.zeros((len(joints), 13))
    for start in range(0, len(joints), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        mixed = np.einsum("tn,nk->tk", features(joints[rows], legs), weights)
        found[rows, : weights.shape[1]] = mixed
    return Corrections(found[:, 0], found[:, 1:].reshape(-1, 4, 3))


def features(joints: FloatArray, legs: bool) -> FloatArray:
    """Return what is mixed: places, also times cosine and sine of the turn, and a one; (T, n)."""
    joined = UPPER + LEGS if legs else UPPER
    places = joints[:, joined].reshape(len(joints), -1)
    across = joints[:, HIPS[0]] - joints[:, HIPS[1]] + joints[:, SHOULDERS[0]]
    across = across - joints[:, SHOULDERS[1]]
    turn = np.arctan2(across[:, 2], across[:, 0])[:, None]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.hstack([places, cos * places, sin * places, cos, sin, np.ones_like(turn)])


@cache
def _learnt() -> tuple[FloatArray, FloatArray]:
    """Return the mixtures without and with legs, a column for each number that is corrected."""
    path = resources.files("bitbox.body_backend") / "data" / _DATA
    with path.open("rb") as file, np.load(file) as arrays:
        return arrays["upper"].astype(np.float64), arrays["whole"].astype(np.float64)
