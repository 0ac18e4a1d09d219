"""What tracking a face gives: the mesh over time, and what there is to say about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import VideoError
from bitbox.face_backend.visibility import REGIONS, hidden
from bitbox.findings import Finding
from bitbox.measuring.parts import picked

FloatArray = NDArray[np.float64]
MeshArray = NDArray[np.float32]

_ENOUGH = 1000  # frames to measure the size of a face in
_MUCH_HIDDEN = 0.05  # share of the frames
_SMALL = 20.0  # pixels between the eyes under which the mesh is too coarse to trust


@dataclass(frozen=True)
class MeshTrack:
    """One person's face mesh over a video.

    Parameters
    ----------
    mesh : ndarray of float32, shape (T, 478, 3)
        x and y in pixels, z on the same scale growing away from the camera, with 0 about the
        middle of the head. Vertices 0..467 are the face, 468..477 the irises. NaN where lost.
    time : ndarray, shape (T,)
        Presentation time of each frame in seconds.
    confidence : ndarray, shape (T,)
        The mesh model's presence score (0..1): how sure it is that its crop shows a face. 0 in
        frames in which the face is lost.
    n_faces : ndarray of int, shape (T,)
        Faces in the image as of the latest search. Searches are at most 0.5 s apart, and made in
        every frame while the face is lost or there are several.
    size : (int, int)
        Width and height of the image in pixels.
    findings : tuple of Finding
        About the video and the tracking.
    runtime : str
        The name and version of what computed the mesh.
    visible : ndarray of float32, shape (T, 7), optional
        How surely each region of the face is seen, see `bitbox.face_backend.visibility`; NaN
        where the face is lost. None where that is not known.
    """

    mesh: MeshArray
    time: FloatArray
    confidence: FloatArray
    n_faces: NDArray[np.int64]
    size: tuple[int, int]
    findings: tuple[Finding, ...]
    runtime: str
    visible: NDArray[np.float32] | None = None

    def hidden(self) -> NDArray[np.bool_]:
        """Return which regions are hidden in which frames, shape (T, 7)."""
        if self.visible is None:
            return np.zeros((len(self.time), len(REGIONS)), dtype=bool)
        return hidden(self.visible)

    def sureness(self) -> FloatArray:
        """Return how sure each frame is, 0 to 1: of the face, times that of its least region."""
        if self.visible is None:
            return self.confidence
        least = np.nan_to_num(self.visible).min(axis=1).astype(np.float64)
        return np.asarray(self.confidence * least)


def require_a_face(track: MeshTrack, path: str | os.PathLike[str], face: str | int) -> None:
    """Raise VideoError if the face was never seen."""
    if (track.confidence > 0).any():
        return
    most = int(track.n_faces.max())
    if isinstance(face, int) and 0 < most <= face:
        raise VideoError(
            f"Face number {face} (counted from 0, from the left) is never seen in {path}.",
            expected=f"at least {face + 1} faces in one image",
            got=f"at most {most}",
            todo="Choose another face, such as 'largest'.",
        )
    raise VideoError(
        f"No face is seen in any of the {len(track.time)} frames of {path}.",
        expected="a face, turned to the camera, at least 20 pixels from eye to eye",
        todo="Look at the video: is the face lit, large enough, upright and in the picture?",
    )


def findings_of(track: MeshTrack, cuts: Sequence[float]) -> list[Finding]:
    """Return what a careful colleague would say about a track.

    Parameters
    ----------
    track : MeshTrack
    cuts : sequence of float
        Times, in seconds, at which the film seems to be cut.
    """
    seen = track.confidence > 0
    return [
        *_about_others(track),
        *_about_loss(track, seen),
        *_about_hiding(track, seen),
        *_about_cuts(cuts),
        *_about_size(track),
    ]


def _about_others(track: MeshTrack) -> list[Finding]:
    several = track.n_faces > 1
    if not several.any():
        return []
    first = track.time[several][0]
    place = float(np.median(_some(track)[:, 4, 0])) / track.size[0]
    return [
        Finding(
            "several-faces",
            "warning",
            f"There are up to {track.n_faces.max()} faces, in {100 * several.mean():.0f} % of the"
            f" frames, first at {first:.2f} s. One of them was followed, mostly at"
            f" {100 * place:.0f} % of the width of the picture from its left.",
            "Check that it is the right one; choose another by face='left', 'right' or a number.",
        )
    ]


def _about_loss(track: MeshTrack, seen: NDArray[np.bool_]) -> list[Finding]:
    lost = ~seen
    if not lost.any():
        return []
    starts = np.flatnonzero(lost & ~np.r_[False, lost[:-1]])
    return [
        Finding(
            "face-lost",
            "warning" if lost.mean() > 0.05 else "info",
            f"The face is lost in {lost.sum()} of {len(lost)} frames ({100 * lost.mean():.1f} %),"
            f" in {len(starts)} stretches, first at {track.time[starts[0]]:.2f} s.",
            "Those frames are missing, not zero; look there for a covered or turned face.",
        )
    ]


def _about_hiding(track: MeshTrack, seen: NDArray[np.bool_]) -> list[Finding]:
    """Say which regions are hidden, and for how long."""
    covered = track.hidden() & seen[:, None]
    share = covered.sum(axis=0) / max(int(seen.sum()), 1)
    if not covered.any():
        return []
    first = track.time[covered.any(axis=1)][0]
    words = ", ".join(
        f"{region} {100 * part:.0f} %" if part >= 0.01 else f"{region} under 1 %"
        for region, part in zip(REGIONS, share, strict=True)
        if part > 0
    )
    return [
        Finding(
            "face-hidden",
            "warning" if share.max() > _MUCH_HIDDEN else "info",
            "Regions of the face do not look as they usually do, as under a hand, first at"
            f" {first:.2f} s. Of the frames with a face: {words}.",
            "What is measured there is missing in those frames, not zero; look there for a hand or"
            " a shadow, or a face turned far away.",
        )
    ]


def _about_cuts(cuts: Sequence[float]) -> list[Finding]:
    if not cuts:
        return []
    return [
        Finding(
            "cuts",
            "warning",
            f"The picture changes all at once, as where a film is cut,"
            f" {len(cuts)} times, first at {cuts[0]:.2f} s.",
            "Use a recording in one take, or check that the same person is seen after each cut.",
        )
    ]


def _some(track: MeshTrack) -> MeshArray:
    """Return meshes of frames with a face: all of a long one need not come into memory."""
    frames = np.flatnonzero(track.confidence > 0)
    return picked(track.mesh, frames[:: -(-len(frames) // _ENOUGH)])


def _about_size(track: MeshTrack) -> list[Finding]:
    some = _some(track)
    eyes = np.linalg.norm(some[:, 263, :2] - some[:, 33, :2], axis=1)
    between = float(np.median(eyes))
    if between >= _SMALL:
        return []
    return [
        Finding(
            "small-face",
            "warning",
            f"The face is small: {between:.0f} pixels from eye to eye, where {_SMALL:.0f} are"
            " the least for small movements to be measured.",
            "Record from nearer by or at a higher resolution; trust only large movements.",
        )
    ]
