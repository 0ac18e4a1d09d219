"""Whether somebody wears glasses, from the face laid flat.

Rims look the same in every frame, as skin does that is seen well, so nothing else notices them; but
they hide the brows and hold the texture of the eyes fast. What they look like on the chart was
learnt from rendered people with and without them (``tools/learn_glasses.py``): a weighted sum of
the brightness, evened out, at all places of the face and their counterparts on the other side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import chart
from bitbox.face_backend.skin import learnt
from bitbox.face_backend.texture_fit import normalised
from bitbox.findings import Finding

__all__ = ["evidence", "finding_of"]

Textures = NDArray[np.uint8]

#: Evidence from which on glasses are worn. Learnt were 1 with and -1 without; of rendered people
#: left out, and of photographs, see ``docs/validation/robustness.md``.
LEAST = 0.3


def finding_of(texture: Textures) -> tuple[Finding, ...]:
    """Return a finding if glasses are worn, else none; from the usual texture of a recording."""
    if evidence(texture) < LEAST:
        return ()
    return (
        Finding(
            "glasses",
            "warning",
            "The face seems to wear glasses. Rims hide the brows and hold what is seen of the eyes"
            " fast: on rendered people with glasses brows followed the skin with r = 0.5 to 0.7 and"
            " eyes with 0.5 to 0.6; the mouth was measured as well as without.",
            "Leave the signals of brows and eyes out, or ask people to take their glasses off.",
        ),
    )


def evidence(texture: Textures) -> float:
    """Return how much a texture looks as if glasses were worn: about 1 with, -1 without."""
    weights = learnt("glasses_map")
    return float(look(texture) @ weights[:-1] + weights[-1])


def look(texture: Textures) -> NDArray[np.float32]:
    """Return what of a texture, grey levels on the chart, may tell of glasses, shape (n,)."""
    import cv2

    height, width = chart().shape
    small = cv2.resize(normalised(texture), (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    both = (small + small[:, ::-1]) / 2
    return np.asarray(both[:, : both.shape[1] // 2].ravel())
