"""What a tracked mesh deforms because the head turns, taken out of the face's own movement.

A mesh tracked in a picture does not stay rigid when a rigid head turns: the network that measures
it was trained on faces seen from the front, the camera's field of view is rarely known, and a
single camera does not see depth. Up to first and second order that is a smooth function of the
head's rotation, so it shows as whatever of the deformation follows the rotation throughout a
recording. That is estimated, coordinate by coordinate,

    deformation = c0 + sum_k c_k f_k(rotation) + the face's own movement,

with the three angles and their six products as f_k, and taken out. Angles are in units of 15
degrees about their median. The coefficients are posterior means: the prior is what the leak was on
rendered heads (`usual_leak`, measured by ``tools/calibrate_local_units.py`` with several cameras),
and how much it differed among them. Against it stands the recording, with the variance of what
remains, and one independent sample every `MEMORY` seconds. So a head that hardly moves takes away
what is usual and nothing by chance.

What it costs: an expression that goes along with the head's rotation throughout a recording (a
smile with every nod) loses the part that follows the head, since in one recording it cannot be told
from the mesh's own deformation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Expressions last about this long, so that frames within it are not independent; in seconds.
MEMORY = 0.5
_TURN = math.radians(15)
_FURTHEST = math.radians(30)  # beyond, what is usual is not known, and taken to be as here


@cache
def usual_leak() -> tuple[FloatArray, FloatArray]:
    """Return what a turning head usually does to the mesh, and how much that differs.

    Returns
    -------
    mean, spread : ndarray, shape (9, 1404)
        Millimetres for each of the angles and their products, angles in units of 15 degrees from
        a head that looks straight ahead.
    """
    path = resources.files("bitbox.face_backend") / "data" / "head_leak.npy"
    with path.open("rb") as file:
        mean, spread = np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
    return mean, spread


@dataclass(frozen=True)
class HeadLeak:
    """How much of a deformation follows the head's rotation.

    Attributes
    ----------
    centre : ndarray, shape (3,)
        Median rotation of the recording, in radians.
    coefficients : ndarray, shape (10, 1404)
        Millimetres for each of the features, the constant first; beyond what is usual.
    """

    centre: FloatArray
    coefficients: FloatArray

    @classmethod
    def estimate(cls, deformation: FloatArray, pose: FloatArray, seconds: float) -> HeadLeak:
        """Estimate the leak in (a sample of) a recording.

        Parameters
        ----------
        deformation : ndarray, shape (n, 468, 3)
            Shape minus neutral, in millimetres; NaN is missing.
        pose : ndarray, shape (n, 6)
            Head pose of the same frames, rotations last, in radians.
        seconds : float
            How long the face was seen in the recording, for the number of independent samples.
        """
        seen = np.isfinite(pose).all(axis=1) & np.isfinite(deformation).all(axis=(1, 2))
        count = int(np.count_nonzero(seen))
        angles = pose[seen, 3:]
        centre = np.median(angles, axis=0) if count else np.zeros(3)
        design = features(angles - centre)
        if count <= design.shape[1]:
            return cls(centre, np.zeros((design.shape[1], math.prod(deformation.shape[1:]))))
        target = deformation[seen].reshape(count, -1) - _usual(angles, centre)
        independent = min(float(count), max(seconds / MEMORY, 1.0))
        return cls(centre, _ridge(design, target, independent))

    def remove(self, deformation: FloatArray, pose: FloatArray) -> FloatArray:
        """Return the deformation without what follows the head."""
        leak = features(pose[:, 3:] - self.centre) @ self.coefficients
        leak += _usual(pose[:, 3:], self.centre)
        return deformation - leak.reshape(deformation.shape)


def features(angles: FloatArray) -> FloatArray:
    """Return the constant, the angles (n, 3; radians) and their products, shape (n, 10)."""
    a = angles / _TURN
    rows, columns = np.triu_indices(3)
    return np.column_stack([np.ones(len(a)), a, a[:, rows] * a[:, columns]])


def _usual(angles: FloatArray, centre: FloatArray) -> FloatArray:
    """Return the usual leak between a recording's median rotation and others, (n, 1404)."""
    near, start = (np.clip(a, -_FURTHEST, _FURTHEST) for a in (angles, centre[None]))
    return np.asarray((features(near) - features(start))[:, 1:] @ usual_leak()[0])


def _ridge(design: FloatArray, target: FloatArray, independent: float) -> FloatArray:
    """Return coefficients (features, columns) under the prior; the constant is not shrunk."""
    spread = usual_leak()[1].T
    gram = independent / len(design) * design.T @ design
    moment = (independent / len(design) * design.T @ target).T
    # what remains is first taken to be everything, then what a first fit leaves
    noise = target.var(axis=0)
    coefficients = np.empty((design.shape[1], target.shape[1]))
    diagonal = np.arange(1, design.shape[1])
    for _ in range(2):
        normal = np.repeat(gram[None], target.shape[1], axis=0)
        normal[:, diagonal, diagonal] += np.maximum(noise, 1e-12)[:, None] / spread**2
        coefficients = np.linalg.solve(normal, moment[..., None])[..., 0].T
        noise = (target - design @ coefficients).var(axis=0)
    return coefficients
