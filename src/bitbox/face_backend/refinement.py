"""A tracked mesh made exact by the picture itself.

The network that tracks the mesh falls back on the faces that it was trained on: independent
movements get lost in each other, and a rigid head that turns yields a mesh that is not rigid. What
it misses is in the picture. So while a face is tracked its texture, laid flat by the mesh, is kept
(`FaceSpool`); when the recording is over, the textures of all frames are fitted to the person's
own one (`bitbox.face_backend.texture_fit`), and the mesh is moved by what they are displaced
(`refined`). A frame depends on no other frame but for that common texture, so there is no delay.

The person's texture is the median of textures spread over the recording, fitted to each other. It
stands for one person under one light; where a texture does not match it, the mesh stays as it was,
and a region that does not look as it usually does is hidden (`bitbox.face_backend.visibility`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bitbox.face_backend import texture_fit
from bitbox.face_backend.face_chart import chart, modes, slopes
from bitbox.face_backend.geometry import N_VERTICES
from bitbox.face_backend.mesh_track import MeshArray
from bitbox.face_backend.visibility import REGIONS, visible
from bitbox.measuring.parts import is_finite, parts, picked, spread
from bitbox.measuring.spool import Room, Spool
from bitbox.video.picture import Picture

Textures = NDArray[np.uint8]
Visible = NDArray[np.float32]

_SAMPLE = 60  # frames that the person's texture is taken from
_AT_ONCE = 32  # frames fitted at once
_FURTHEST = 10.0  # millimetres that a vertex is moved at most


class FaceSpool:
    """Collects meshes and textures of a video on the disk, see `bitbox.measuring.spool`.

    A context manager. The array that `refined` returns lives on the disk as long as it is used.

    Parameters
    ----------
    n_points : int
        Points of a mesh.
    folder : Path, optional
        Where; None: where temporary files are.
    room : Room, optional
        Told what is used.
    """

    def __init__(self, n_points: int, folder: Path | None = None, room: Room | None = None) -> None:
        self._length = chart().mixture.shape[0]
        self._folder = folder
        self._meshes = Spool(np.float32, (n_points, 3), folder, room)
        self._textures = Spool(np.uint8, (self._length,), folder, room)

    @staticmethod
    def size(n_points: int, n_frames: int) -> int:
        """Return how many bytes are needed at most: meshes, textures, and refined meshes."""
        return int(n_frames * (2 * 12 * n_points + chart().mixture.shape[0]))

    def __enter__(self) -> FaceSpool:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._meshes)
            stack.enter_context(self._textures)
            self._files = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def append(self, picture: Picture, mesh: MeshArray) -> Textures:
        """Add the next frame: its picture, and the mesh in it, NaN where there is no face.

        Returns
        -------
        ndarray of uint8, shape (pixels on the chart,)
            The face laid flat; 0 where there is none.
        """
        found = bool(np.isfinite(mesh).all())
        texture = laid_flat(picture, mesh) if found else np.zeros(self._length, dtype=np.uint8)
        self._textures.append(texture)
        self._meshes.append(mesh)
        return texture

    def drop(self, frames: Sequence[int] | NDArray[np.int64]) -> None:
        """Take the faces of some frames back: they are missing."""
        self._meshes.drop(frames)

    def usual(self) -> Textures | None:
        """Return the median of textures spread over the recording; None if there is no face."""
        seen = np.flatnonzero(is_finite(self._meshes.array()))
        if len(seen) == 0:
            return None
        sample = picked(self._textures.array(), spread(seen, _SAMPLE))
        return np.asarray(np.median(sample, axis=0), dtype=np.uint8)

    def refined(self) -> tuple[MeshArray, Visible]:
        """Return all meshes, refined, (T, points, 3), read-only; and what is seen, (T, regions)."""
        return refined(self._meshes.array(), self._textures.array(), self._folder)


def laid_flat(picture: Picture, mesh: MeshArray) -> Textures:
    """Return the grey values of a picture where the chart's pixels are, shape (pixels,)."""
    import cv2

    bright = picture.brightness()
    vertices = mesh[:N_VERTICES, :2] @ bright.place[:, :2].T + bright.place[:, 2]
    ends = zip(vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist(), strict=True)
    low, sides, left = [], [], []
    for (first, last), limit in zip(ends, bright.plane.shape[1::-1], strict=True):
        start = min(max(math.floor(first) - 1, 0), limit - 1)
        stop = min(max(math.ceil(last) + 1, start + 1), limit)
        low.append(start)
        sides.append(stop - start)
        left.append(limit - start)
    # A large face is made about as small as the chart, so that its noise is averaged.
    shrink = int(math.sqrt(sides[0] * sides[1] / chart().inside.size))
    shrink = max(1, min(shrink, *left))
    columns, rows = (min(-(-a // shrink), b // shrink) for a, b in zip(sides, left, strict=True))
    x, y = low
    part = bright.plane[y : y + shrink * rows, x : x + shrink * columns]
    if shrink > 1:
        part = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    places = chart().mixture @ ((vertices - low) / shrink - 0.5).astype(np.float32)
    found = cv2.remap(part, places[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return bright.grey(found[0])


def refined(
    mesh: MeshArray, textures: Textures, folder: Path | None = None
) -> tuple[MeshArray, Visible]:
    """Return the mesh, moved to where the picture shows its places, and which regions it shows.

    Parameters
    ----------
    mesh : ndarray of float32, shape (T, 478, 3)
        As tracked, pixels; NaN where the face is lost.
    textures : ndarray of uint8, shape (T, pixels on the chart)
        What `laid_flat` gave for each frame, and anything where the face is lost.
    folder : Path, optional
        Where the result is kept; None: where temporary files are.

    Returns
    -------
    mesh : ndarray of float32, shape (T, 478, 3)
        Kept on the disk like what was given. A place is moved along the surface of the mesh, so
        its depth moves with it.
    visible : ndarray of float32, shape (T, 7)
        How surely each region is seen, see `bitbox.face_backend.visibility`.
    """
    like = np.full((len(mesh), len(REGIONS)), np.nan, dtype=np.float32)
    seen = np.flatnonzero(is_finite(mesh))
    if len(seen) == 0:
        return mesh, like
    levels = _reference(picked(textures, spread(seen, _SAMPLE)))
    with Spool(np.float32, mesh.shape[1:], folder) as spool:
        for part, _ in zip(parts(mesh), parts(textures), strict=True):
            for start in range(part.start, min(part.stop, len(mesh)), _AT_ONCE):
                some = slice(start, min(start + _AT_ONCE, part.stop))
                rows, like[some] = _refined_part(mesh[some], textures[some], levels)
                for row in rows:
                    spool.append(row)
        return spool.array(), visible(like)


def _refined_part(
    mesh: MeshArray, textures: Textures, levels: list[texture_fit.Level]
) -> tuple[MeshArray, Visible]:
    """Return some refined meshes, and how like the person's texture each region is."""
    out = np.array(mesh)
    like = np.full((len(mesh), len(REGIONS)), np.nan, dtype=np.float32)
    seen = np.isfinite(mesh[:, 0, 0])
    if not seen.any():
        return out, like
    flat = [texture_fit.normalised(texture) for texture in textures[seen]]
    amounts, like[seen] = texture_fit.fit_and_compare(levels, flat)
    moves = np.tensordot(amounts, modes(), axes=1)
    length = np.linalg.norm(moves, axis=2, keepdims=True)
    moves *= np.minimum(1, _FURTHEST / np.maximum(length, 1e-6))
    face = out[seen, :N_VERTICES]
    by_vertex = face.transpose(1, 0, 2).reshape(N_VERTICES, -1)
    slope = (slopes() @ by_vertex).reshape(2, N_VERTICES, len(face), 3)
    out[seen, :N_VERTICES] = face + np.einsum("tvk,kvtc->tvc", moves, slope)
    return out, like


def _reference(sample: Textures) -> list[texture_fit.Level]:
    """Return the person's texture, ready to be compared with.

    It is taken from textures fitted to each other: at first coarsely, since the median of those
    that are not fitted yet shows nothing finer.
    """
    textures = [texture_fit.normalised(texture) for texture in sample]
    straight = textures
    for settings in (texture_fit.LEVELS[:-1], texture_fit.LEVELS):
        levels = texture_fit.levels_of(np.median(straight, axis=0), settings)
        amounts = texture_fit.fit(levels, textures)
        amounts -= np.median(amounts, axis=0)  # what all frames share is no displacement
        straight = texture_fit.straightened(textures, amounts)
    return texture_fit.levels_of(np.median(straight, axis=0))
