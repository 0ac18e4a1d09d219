"""Faces in pictures: where they are, what they look like, and how one of them is followed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.people.following import PlannedTracker, Tracker
from bitbox.people.stretches import FACE
from bitbox.video.picture import Picture

FloatArray = NDArray[np.float64]

__all__ = ["Crop", "Detection", "FaceTracker", "PlannedTracker", "look_at"]

_PATCH = 16  # side of the patch that a person is recognised by
#: Right eye, left eye and mouth in the patch, in shares of its side.
_ANCHORS = np.array([[0.3, 0.3], [0.7, 0.3], [0.5, 0.75]])


@dataclass(frozen=True)
class Crop:
    """A tilted square of the image: centre and side in pixels, angle in radians."""

    x: float
    y: float
    side: float
    angle: float


@dataclass(frozen=True)
class Detection:
    """One face found in one image.

    Parameters
    ----------
    centre : ndarray, shape (2,)
        Of its box, pixels.
    size : float
        The longer side of its box, pixels.
    angle : float
        Tilt of the line through the eyes, radians, clockwise in the image.
    look : ndarray, shape (768,), or None
        Standardised patch of the face, see `look_at`, where that was asked for.
    score : float
        How sure the detector is, 0 to 1; 1 where it does not say.
    """

    centre: FloatArray
    size: float
    angle: float
    look: FloatArray | None
    score: float = 1.0

    @property
    def points(self) -> FloatArray:
        """The centre as the only point, shape (1, 2)."""
        return self.centre[None]


def look_at(picture: Picture, eyes_and_mouth: FloatArray) -> FloatArray:
    """Return a small standardised patch of a face, by which it is recognised.

    Parameters
    ----------
    picture : Picture
    eyes_and_mouth : ndarray, shape (3, 2)
        Right eye, left eye and mouth of the subject, pixels.

    Returns
    -------
    ndarray, shape (768,)
        Mean 0 and norm 1, so that the product of two is their correlation.
    """
    design = np.c_[_ANCHORS * _PATCH, np.ones(3)]
    affine = np.linalg.lstsq(design, eyes_and_mouth, rcond=None)[0]
    patch = picture.sample(affine.T, (_PATCH, _PATCH)).astype(np.float64)
    flat = patch.ravel() - patch.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-9))


class FaceTracker(Tracker[Detection]):
    """Follows one face through a video that is seen for the first time.

    Parameters
    ----------
    face : {"largest", "left", "right"} or int
        Whom to follow, see `bitbox.people.identity`.

    Raises
    ------
    ParameterError
        If `face` is something else.
    """

    def __init__(self, face: str | int = "largest") -> None:
        super().__init__(face, FACE)
