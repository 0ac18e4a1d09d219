"""Where the skin is: textures of a face, laid flat by its mesh, fitted to the person's own texture.

If the mesh were right, the texture of a frame would be that of all others. Where it is not, the
texture is displaced. The displacement is looked for as a mixture of `face_chart.modes`, from coarse
to fine, by Gauss-Newton steps of the same matrix for all frames (inverse-compositional alignment,
Baker and Matthews 2004, doi:10.1023/B:VISI.0000011205.11775.fd, with the displacement added instead
of composed), minimising

    sum over pixels of w * (texture displaced - reference)^2 + stiffness * sum over modes of q^2.

Textures are normalised by their local mean and contrast first, so that light does not matter.
Pixels around which the texture does not match, under a hand or in an open mouth, count little
(w, an M-estimator): where the picture does not tell, the mesh is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend.face_chart import GRID, N_MODES, SCALE, chart, modes

FloatArray = NDArray[np.float32]

#: From coarse to fine: of how many pixels one is made, blur in millimetres, Gauss-Newton steps.
LEVELS = ((2, 3.0, 3), (2, 1.6, 2), (1, 0.8, 2))
STIFFNESS = 1.0
#: Contrast below this many grey levels is noise, and not brought up to that of the rest.
_LEAST_CONTRAST = 4.0
_NEIGHBOURHOOD = 25.0  # millimetres across, within which mean and contrast are made the same
#: Mean squared difference, in units of contrast, at which pixels count half; in patches of so many
#: millimetres.
_MISMATCH, _PATCH = 0.5, 9.0

#: Correlation with the reference, after the fit, up to which a texture is of somebody else or
#: hidden and displaces nothing, and from which on it is believed. Rendered faces stay above 0.8.
_STRANGE, _KNOWN = 0.45, 0.65


def normalised(texture: NDArray[np.uint8]) -> FloatArray:
    """Return a texture (pixels inside,) as an image with mean 0 and contrast 1 everywhere."""
    import cv2

    inside = chart().inside
    box = _square(_NEIGHBOURHOOD)
    image = np.zeros(chart().shape, dtype=np.float32)
    image[inside] = texture
    share = cv2.blur(inside.astype(np.float32), box) + np.float32(1e-3)
    image -= cv2.blur(image, box) / share
    image[~inside] = 0
    contrast = np.sqrt(np.maximum(cv2.blur(image * image, box), 0) / share)
    return np.asarray(image / (contrast + _LEAST_CONTRAST))


@dataclass(frozen=True, eq=False)
class Level:
    """A reference texture at one resolution, ready to be compared with.

    Attributes
    ----------
    every : int
        The texture has one pixel for this many of the chart, along both sides.
    blur : float
        Standard deviation in its own pixels.
    steps : int
        Gauss-Newton steps.
    inside : ndarray, shape (height, width)
        1 for pixels that are compared, 0 elsewhere.
    reference : ndarray, shape (height, width)
        The texture.
    gradients : ndarray, shape (modes, height * width)
        What each mode changes in it.
    step : ndarray, shape (modes, modes)
        The inverse of the normal matrix.
    stiffness : float
        Weight of the modes' own amplitudes.
    """

    every: int
    blur: float
    steps: int
    inside: FloatArray
    reference: FloatArray
    gradients: FloatArray
    step: FloatArray
    stiffness: float

    @classmethod
    def of(cls, reference: FloatArray, every: int, blur: float, steps: int) -> Level:
        """Prepare a normalised reference texture, blurred by so many millimetres."""
        import cv2

        blur *= SCALE / every
        image = _seen_at(reference, every, blur)
        face = _seen_at(chart().inside.astype(np.float32), every, 0) > 0.99
        face[:, [0, -1]] = face[[0, -1]] = False
        inside = cv2.erode(face.astype(np.float32), np.ones((3, 3), np.uint8))
        across = cv2.Sobel(image, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8) * inside
        down = cv2.Sobel(image, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8) * inside
        gradients = np.empty((N_MODES, image.size), dtype=np.float32)
        for row, mode in enumerate(_mode_nodes()):
            field = _enlarged(mode, every)
            gradients[row] = (field[..., 0] * across + field[..., 1] * down).ravel()
        stiffness = STIFFNESS / every**2
        normal = gradients @ gradients.T + stiffness * np.eye(N_MODES, dtype=np.float32)
        step = np.linalg.inv(normal).astype(np.float32)
        return cls(every, blur, steps, inside, image, gradients, step, stiffness)

    def fit(self, textures: Sequence[FloatArray], amounts: FloatArray) -> FloatArray:
        """Return better amounts (n, modes) of the modes for n normalised textures."""
        images = [_seen_at(texture, self.every, self.blur) for texture in textures]
        for _ in range(self.steps):
            pull = np.empty((len(images), self.inside.size), dtype=np.float32)
            maps = _maps(amounts, self.every)
            for row, (image, map_) in enumerate(zip(images, maps, strict=True)):
                pull[row] = self._pull(_displaced(image, map_)).ravel()
            wanted = pull @ self.gradients.T + self.stiffness * amounts
            amounts = amounts - wanted @ self.step
        return amounts

    def match(self, textures: Sequence[FloatArray], amounts: FloatArray) -> FloatArray:
        """Return the correlation of each displaced texture with the reference, shape (n,)."""
        own = (self.reference * self.inside).ravel()
        found = np.zeros(len(textures), dtype=np.float32)
        maps = _maps(amounts, self.every)
        for row, (texture, map_) in enumerate(zip(textures, maps, strict=True)):
            image = _displaced(_seen_at(texture, self.every, self.blur), map_)
            seen = (image * self.inside).ravel()
            found[row] = seen @ own / np.sqrt(max(float(seen @ seen) * float(own @ own), 1e-12))
        return found

    def _pull(self, image: FloatArray) -> FloatArray:
        """Return the weighted difference from the reference."""
        import cv2

        away = (image - self.reference) * self.inside
        mismatch = cv2.blur(away * away, _square(_PATCH / self.every))
        mismatch *= 1 / _MISMATCH
        return np.asarray(away / (1 + mismatch * mismatch))


def levels_of(reference: FloatArray) -> list[Level]:
    """Return all levels of a normalised reference texture."""
    return [Level.of(reference, *level) for level in LEVELS]


def fit(levels: Sequence[Level], textures: Sequence[FloatArray]) -> FloatArray:
    """Return how much of each mode (n, modes) displaces each of n normalised textures."""
    amounts = np.zeros((len(textures), N_MODES), dtype=np.float32)
    for level in levels:
        amounts = level.fit(textures, amounts)
    trust = np.clip((levels[-1].match(textures, amounts) - _STRANGE) / (_KNOWN - _STRANGE), 0, 1)
    return np.asarray(amounts * trust[:, None])


def straightened(textures: Sequence[FloatArray], amounts: FloatArray) -> list[FloatArray]:
    """Return textures with their displacement taken back."""
    maps = _maps(amounts, 1)
    return [_displaced(texture, map_) for texture, map_ in zip(textures, maps, strict=True)]


def _square(side: float) -> tuple[int, int]:
    """Return an odd number of pixels that is nearest to a length in millimetres, twice."""
    pixels = 2 * round((side * SCALE - 1) / 2) + 1
    return pixels, pixels


@cache
def _mode_nodes() -> FloatArray:
    """Return the modes in the middle of the chart's blocks, (modes, rows * columns * 2), in mm."""
    found = np.stack([chart().nodes @ mode for mode in modes()])
    return np.asarray(found.reshape(N_MODES, -1), dtype=np.float32)


def _enlarged(field: FloatArray, every: int) -> FloatArray:
    """Return a displacement at all pixels, in pixels, from that in the blocks, in millimetres."""
    import cv2

    height, width = chart().shape
    blocks = field.reshape(height // GRID, width // GRID, 2) * np.float32(SCALE / every)
    return np.asarray(cv2.resize(blocks, (width // every, height // every)))


def _maps(amounts: FloatArray, every: int) -> Iterator[FloatArray]:
    """Yield where each pixel is found in a texture, for each row of amounts."""
    height, width = chart().shape
    rows, columns = np.mgrid[: height // every, : width // every].astype(np.float32)
    straight = np.stack([columns, rows], axis=-1)
    for field in amounts @ _mode_nodes():
        yield straight + _enlarged(field, every)


def _displaced(image: FloatArray, map_: FloatArray) -> FloatArray:
    import cv2

    return np.asarray(
        cv2.remap(image, map_, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )


def _seen_at(image: FloatArray, every: int, blur: float) -> FloatArray:
    """Return an image at a fraction of its size, blurred by so many of its own pixels."""
    import cv2

    if every > 1:
        size = (image.shape[1] // every, image.shape[0] // every)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), blur)) if blur else image
