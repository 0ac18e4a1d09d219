"""What a tracked mesh deforms because the head turns, taken out of the face's own movement.

A mesh tracked in a picture does not stay rigid when a rigid head turns: the network that measures
it was trained on faces seen from the front, the camera's field of view is rarely known, and a
single camera does not see depth. Up to first and second order that is a smooth function of the
head's rotation, so it shows as whatever of the deformation follows the rotation throughout a
recording. That is estimated, coordinate by coordinate, by ridge regression,

    deformation = c0 + sum_k c_k f_k(rotation) + the face's own movement,

with the three angles and their six products as f_k, and taken out. Angles are in units of 15
degrees about their median. The ridge is a prior: a leak of about one millimetre for a turn of 15
degrees (`LEAK`), against the variance of what remains, in a recording that holds one independent
sample every `MEMORY` seconds. So a head that hardly moves takes nothing away by chance.

What it costs: an expression that goes along with the head's rotation throughout a recording (a
smile with every nod) loses the part that follows the head, since in one recording it cannot be told
from the mesh's own deformation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Standard deviation of what a turn of 15 degrees does to a coordinate, in millimetres.
LEAK = 1.0
#: Expressions last about this long, so that frames within it are not independent; in seconds.
MEMORY = 0.5
_TURN = math.radians(15)


@dataclass(frozen=True)
class HeadLeak:
    """How much of a deformation follows the head's rotation.

    Attributes
    ----------
    centre : ndarray, shape (3,)
        Median rotation of the recording, in radians.
    coefficients : ndarray, shape (10, 468, 3)
        Millimetres for each of the features, the constant first.
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
        centre = np.median(pose[seen, 3:], axis=0) if count else np.zeros(3)
        features = _features(pose[seen, 3:] - centre)
        vertices = deformation.shape[1:]
        if count <= features.shape[1]:
            return cls(centre, np.zeros((features.shape[1], *vertices)))
        target = deformation[seen].reshape(count, -1)
        independent = min(float(count), max(seconds / MEMORY, 1.0))
        return cls(centre, _ridge(features, target, independent).reshape(-1, *vertices))

    def remove(self, deformation: FloatArray, pose: FloatArray) -> FloatArray:
        """Return the deformation without what follows the head."""
        features = _features(pose[:, 3:] - self.centre)
        flat = self.coefficients.reshape(len(self.coefficients), -1)
        own: FloatArray = deformation - (features @ flat).reshape(deformation.shape)
        return own


def _features(angles: FloatArray) -> FloatArray:
    """Return the constant, the angles and their products, shape (n, 10)."""
    a = angles / _TURN
    rows, columns = np.triu_indices(3)
    return np.column_stack([np.ones(len(a)), a, a[:, rows] * a[:, columns]])


def _ridge(features: FloatArray, target: FloatArray, independent: float) -> FloatArray:
    """Return coefficients (features, columns) under the prior; the constant is not shrunk."""
    weight = independent / len(features)
    gram = weight * features.T @ features
    moment = weight * features.T @ target
    # what remains is first taken to be everything, then what a first fit leaves
    noise = target.var(axis=0)
    coefficients = np.empty((features.shape[1], target.shape[1]))
    values, vectors = np.linalg.eigh(gram[1:, 1:] - np.outer(gram[0, 1:], gram[0, 1:]) / gram[0, 0])
    centred = moment[1:] - np.outer(gram[0, 1:], moment[0]) / gram[0, 0]
    for _ in range(2):
        shrink = values[:, None] + noise / LEAK**2
        coefficients[1:] = vectors @ ((vectors.T @ centred) / np.maximum(shrink, 1e-12))
        coefficients[0] = (moment[0] - gram[0, 1:] @ coefficients[1:]) / gram[0, 0]
        noise = (target - features @ coefficients).var(axis=0)
    return coefficients
