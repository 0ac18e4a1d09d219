"""Whether what is followed is a face: a detector has to see it again, wherever it looks from.

The mesh model makes a face of whatever it is shown, so the shape and the score of a mesh say
little: lettering gives meshes of the shape of a face with scores near 1. But lettering that looks
like a face in the whole picture seldom does when it is seen upright from nearby, mirrored, and in
two sizes. Of 234 rendered faces turned by up to 45 degrees with strong expressions one scores less
than is asked for here, of 300 small, blurred, dark or badly coded ones none; of 113 meshes on
lettering 90 % do.

The smaller a face, the more places there are in a picture that may look like one: all lettering
that was taken for a face was a part of a letter, with 7 to 15 pixels between what would be eyes.
So of small ones, which are too small to be measured well, a little more is asked. Nearly all real
ones have it: in clear pictures 48 of 48 rendered faces with 12 pixels between the eyes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bitbox.face_backend.tracking import Crop, Detection
from bitbox.video.picture import Picture

_SIDE = 192  # pixels of a view
_SIZES = (1.0, 1.35)  # sides of the views in sides of the crop
_FACE = 1.5  # side of the crop in sizes of the face in it
_SCORE = 0.6  # mean over all views, 0 where there is none in the right place
_SMALL, _SMALL_SCORE = 45, 0.66  # up to which side of the crop, pixels, how much more is asked
_AWAY, _LARGER, _TILT = 0.35, 1.7, np.radians(30)  # how far off the right place one may be


def is_face(find: Callable[[Picture], Sequence[Detection]], picture: Picture, crop: Crop) -> bool:
    """Have a second look at a face.

    Parameters
    ----------
    find : callable
        Returns all faces in a picture.
    picture : Picture
    crop : Crop
        Around the face, upright in the face's own frame, 1.5 times its size.
    """
    scores = []
    for view, size in _views(picture, crop):
        placed = [face.score for face in find(view) if _is_placed(face, size)]
        scores.append(max(placed, default=0.0))
    return float(np.mean(scores)) >= (_SCORE if crop.side > _SMALL else _SMALL_SCORE)


def _views(picture: Picture, crop: Crop) -> Iterator[tuple[Picture, float]]:
    """Yield views of a face, each with the size that the face should have in it."""
    for size in _SIZES:
        image = picture.crop((crop.x, crop.y), size * crop.side, crop.angle, _SIDE)
        for view in (image, np.ascontiguousarray(image[:, ::-1])):
            yield Picture.of(view), _SIDE / size / _FACE


def _is_placed(face: Detection, size: float) -> bool:
    """Tell whether a face is upright, in the middle of a view and about as large as expected."""
    away = float(np.hypot(*(face.centre - _SIDE / 2)))
    return (
        away < _AWAY * size and 1 / _LARGER < face.size / size < _LARGER and abs(face.angle) < _TILT
    )
