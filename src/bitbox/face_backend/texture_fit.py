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
from bitbox.face_backend.visibility import likeness

FloatArray = NDArray[np.float32]

#: From coarse to fine: of how many pixels one is made, blur in millimetres, Gauss-Newton steps.
LEVELS = ((2, 3.0, 2), (1, 1.0, 2))
STIFFNESS = 0.6
#: Contrast below this many grey levels is noise, and not brought up to that of the rest.
_LEAST_CONTRAST = 4.0
#: Millimetres across, within which mean and contrast are made the same. The wider, the more of the
#: shading of a head that turns is taken for movement: with 25 as much slip was put in as was taken
#: out. The smaller, the more noise is taken for texture, and the less a hand looks strange.
_NEIGHBOURHOOD = 15.0
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
    image -= cv2.blur(image, box) * _per_share()
    image *= inside
    contrast = cv2.sqrt(cv2.max(cv2.blur(image * image, box) * _per_share(), 0))
    contrast += np.float32(_LEAST_CONTRAST)
    image /= contrast
    return image


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
        for row, mode in enumerate(_mode_nodes(every)):
            field = _enlarged(mode, every)
            gradients[row] = (field[..., 0] * across + field[..., 1] * down).ravel()
        stiffness = STIFFNESS / every**2
        normal = gradients @ gradients.T + stiffness * np.eye(N_MODES, dtype=np.float32)
        step = np.linalg.inv(normal).astype(np.float32)
        return cls(every, blur, steps, inside, image, gradients, step, stiffness)

    def fit(
        self, textures: Sequence[FloatArray], amounts: FloatArray
    ) -> tuple[FloatArray, list[FloatArray]]:
        """Fit n normalised textures, from amounts (n, modes) to begin with.

        Returns
        -------
        amounts : ndarray, shape (n, modes)
        shown : list of n ndarrays, shape (height, width)
            The textures, displaced as before the last step.
        """
        images = [_seen_at(texture, self.every, self.blur) for texture in textures]
        pull = np.empty((len(images), self.inside.size), dtype=np.float32)
        shown = images
        for _ in range(self.steps):
            maps = _maps(amounts, self.every)
            shown = [_displaced(*found) for found in zip(images, maps, strict=True)]
            for row, image in enumerate(shown):
                pull[row] = self._pull(image).ravel()
            wanted = pull @ self.gradients.T + self.stiffness * amounts
            amounts = amounts - wanted @ self.step
        return amounts, shown

    def likeness(self, image: FloatArray) -> float:
        """Return the correlation of an image with the reference."""
        own, seen = ((part * self.inside).ravel() for part in (self.reference, image))
        return float(seen @ own / np.sqrt(max(float(seen @ seen) * float(own @ own), 1e-12)))

    def _pull(self, image: FloatArray) -> FloatArray:
        """Return the weighted difference from the reference."""
        import cv2

        away = (image - self.reference) * self.inside
        mismatch = cv2.blur(away * away, _square(_PATCH / self.every))
        mismatch *= 1 / _MISMATCH
        return np.asarray(away / (1 + mismatch * mismatch))


def levels_of(
    reference: FloatArray, settings: Sequence[tuple[int, float, int]] | None = None
) -> list[Level]:
    """Return levels of a normalised reference texture: all, or those of some settings."""
    return [Level.of(reference, *level) for level in settings or LEVELS]


def fit(levels: Sequence[Level], textures: Sequence[FloatArray]) -> FloatArray:
    """Return how much of each mode (n, modes) displaces each of n normalised textures."""
    return _fit(levels, textures)[0]


def fit_and_compare(
    levels: Sequence[Level], textures: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return what `fit` returns, and how like the reference each region is, (n, regions).

    See `bitbox.face_backend.visibility`.
    """
    amounts, shown = _fit(levels, textures)
    finest = levels[-1]
    images = (image * finest.inside for image in shown)
    return amounts, likeness(images, finest.reference * finest.inside)


def _fit(
    levels: Sequence[Level], textures: Sequence[FloatArray]
) -> tuple[FloatArray, list[FloatArray]]:
    amounts = np.zeros((len(textures), N_MODES), dtype=np.float32)
    for level in levels:
        amounts, shown = level.fit(textures, amounts)
    alike = np.array([levels[-1].likeness(image) for image in shown])
    trust = np.clip((alike - _STRANGE) / (_KNOWN - _STRANGE), 0, 1).astype(np.float32)
    return np.asarray(amounts * trust[:, None]), shown


def straightened(textures: Sequence[FloatArray], amounts: FloatArray) -> list[FloatArray]:
    """Return textures with their displacement taken back."""
    maps = _maps(amounts, 1)
    return [_displaced(texture, map_) for texture, map_ in zip(textures, maps, strict=True)]


def _square(side: float) -> tuple[int, int]:
    """Return an odd number of pixels that is nearest to a length in millimetres, twice."""
    pixels = 2 * round((side * SCALE - 1) / 2) + 1
    return pixels, pixels


@cache
def _per_share() -> FloatArray:
    """Return what sums over neighbourhoods are divided by where part of them is off the face."""
    import cv2

    share = cv2.blur(chart().inside.astype(np.float32), _square(_NEIGHBOURHOOD))
    return np.asarray(1 / (share + np.float32(1e-3)))


@cache
def _mode_nodes(every: int) -> FloatArray:
    """Return the modes in the middle of the chart's blocks, (modes, rows * columns * 2), in pixels.

    Pixels are those of a level that has one for `every` ones of the chart.
    """
    found = np.stack([chart().nodes @ mode for mode in modes()]) * (SCALE / every)
    return np.asarray(found.reshape(N_MODES, -1), dtype=np.float32)


@cache
def _middles(every: int) -> FloatArray:
    """Return where the middle of each of the chart's blocks is on a level, (rows * columns * 2)."""
    height, width = chart().shape
    rows, columns = (np.mgrid[: height // GRID, : width // GRID] + 0.5) * (GRID / every) - 0.5
    return np.asarray(np.stack([columns, rows], axis=-1).ravel(), dtype=np.float32)


def _enlarged(blocks: FloatArray, every: int) -> FloatArray:
    """Return what is known in the blocks at all pixels of a level, (height, width, 2)."""
    import cv2

    height, width = chart().shape
    image = blocks.reshape(height // GRID, width // GRID, 2)
    return np.asarray(cv2.resize(image, (width // every, height // every)))


def _maps(amounts: FloatArray, every: int) -> Iterator[FloatArray]:
    """Yield where each pixel is found in a texture, for each row of amounts.

    Half a block at the edges of the chart, off the face, is not told right.
    """
    for blocks in amounts @ _mode_nodes(every) + _middles(every):
        yield _enlarged(blocks, every)


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
