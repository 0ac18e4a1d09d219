"""What following a body through a video gives, and what there is to say about it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bitbox.body_backend.skeleton import ANKLES, HIPS, KNEES, PLACE, SHOULDERS
from bitbox.errors import VideoError
from bitbox.findings import Finding

FloatArray = NDArray[np.float64]

_PARTLY = 0.5  # share of the frames with a body in which a joint must be seen, or a finding says so
_SMALL = 100.0  # pixels from head to hips under which the joints are too coarse to trust


@dataclass(frozen=True)
class BodyTrack:
    """One person's joints over a video.

    Parameters
    ----------
    rows : ndarray of float32, shape (T, 33, 7)
        Of each joint x and y in pixels, z on the same scale growing away from the camera with 0 at
        the hips, how visible it is (0 to 1), and x, y and z in metres from the hips, as the model
        guesses them. NaN where the body is lost.
    time : ndarray, shape (T,)
        Presentation time of each frame in seconds.
    confidence : ndarray, shape (T,)
        The model's presence score (0 to 1). 0 in frames in which the body is lost.
    n_people : ndarray of int, shape (T,)
        People in the picture as of the latest search.
    size : (int, int)
        Width and height of the picture in pixels.
    findings : tuple of Finding
        About the video and the tracking.
    runtime : str
        Name and version of what computed the joints.
    """

    rows: NDArray[np.float32]
    time: FloatArray
    confidence: FloatArray
    n_people: NDArray[np.int64]
    size: tuple[int, int]
    findings: tuple[Finding, ...]
    runtime: str


def require_a_body(track: BodyTrack, path: str | os.PathLike[str], person: str | int) -> None:
    """Raise VideoError if the person was never seen."""
    if (track.confidence > 0).any():
        return
    most = int(track.n_people.max())
    if isinstance(person, int) and 0 < most <= person:
        raise VideoError(
            f"Person number {person} (counted from 0, from the left) is never seen in {path}.",
            expected=f"at least {person + 1} people in one picture",
            got=f"at most {most}",
            todo="Choose another person, such as 'largest'.",
        )
    raise VideoError(
        f"Nobody is seen in any of the {len(track.time)} frames of {path}.",
        expected="a person, from the head to the hips at least",
        todo="Look at the video: is the person lit, large enough and in the picture (and, if a "
        "region was given, inside it)?",
    )


def findings_of(track: BodyTrack, cuts: Sequence[float], threshold: float) -> list[Finding]:
    """Return what a careful colleague would say about a track.

    Parameters
    ----------
    track : BodyTrack
    cuts : sequence of float
        Times, in seconds, at which the film seems to be cut.
    threshold : float
        How visible a joint must be.
    """
    seen = track.confidence > 0
    return [
        *_about_others(track),
        *_about_loss(track, seen),
        *_about_cuts(cuts),
        *_about_parts(track, seen, threshold),
        *_about_size(track, seen),
        *_about_stillness(track, seen),
    ]


def _about_others(track: BodyTrack) -> list[Finding]:
    several = track.n_people > 1
    if not several.any():
        return []
    place = float(np.nanmedian(track.rows[:, HIPS, 0])) / track.size[0]
    return [
        Finding(
            "several-people",
            "warning",
            f"There are up to {track.n_people.max()} people, in {100 * several.mean():.0f} % of the"
            f" frames, first at {track.time[several][0]:.2f} s. One of them was followed, mostly at"
            f" {100 * place:.0f} % of the width of the picture from its left.",
            "Check that it is the right one; choose another by person='left', 'right' or a number,"
            " or by a region of the picture.",
        )
    ]


def _about_loss(track: BodyTrack, seen: NDArray[np.bool_]) -> list[Finding]:
    lost = ~seen
    if not lost.any():
        return []
    starts = np.flatnonzero(lost & ~np.r_[False, lost[:-1]])
    return [
        Finding(
            "body-lost",
            "warning" if lost.mean() > 0.05 else "info",
            f"The body is lost in {lost.sum()} of {len(lost)} frames ({100 * lost.mean():.1f} %),"
            f" in {len(starts)} stretches, first at {track.time[starts[0]]:.2f} s.",
            "Those frames are missing, not zero; look there for somebody who hides the body or"
            " leaves the picture.",
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


def _about_parts(track: BodyTrack, seen: NDArray[np.bool_], threshold: float) -> list[Finding]:
    """Say which joints that most signals need are mostly hidden or out of the picture."""
    visible = joints_seen(track, threshold)[seen].mean(axis=0)
    hidden = [name for name in _NEEDED if visible[PLACE[name]] < _PARTLY]
    if not hidden:
        return []
    words = ", ".join(name.replace("_", " ") for name in hidden)
    return [
        Finding(
            "joints-hidden",
            "warning",
            f"Hidden or out of the picture in most frames: {words}. What is measured by them is"
            " missing there.",
            "Film the whole body, or analyse only what is seen.",
        )
    ]


_NEEDED = tuple(
    f"{side}_{joint}"
    for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    for side in ("left", "right")
)


def _about_size(track: BodyTrack, seen: NDArray[np.bool_]) -> list[Finding]:
    heads = track.rows[seen, PLACE["nose"], :2]
    hips = track.rows[seen][:, HIPS, :2].mean(axis=1)
    tall = float(np.median(np.linalg.norm(hips - heads, axis=1)))
    if tall >= _SMALL:
        return []
    return [
        Finding(
            "small-body",
            "warning",
            f"The body is small: {tall:.0f} pixels from head to hips, where {_SMALL:.0f} are the"
            " least for small movements to be measured.",
            "Record from nearer by or at a higher resolution; trust only large movements.",
        )
    ]


def _about_stillness(track: BodyTrack, seen: NDArray[np.bool_]) -> list[Finding]:
    """Say so where what looks like a person never moves, as a poster does not."""
    main = [*SHOULDERS, *HIPS, *KNEES, *ANKLES, PLACE["nose"]]
    places = track.rows[seen][:, main, :2].astype(np.float64)
    tall = float(np.median(np.linalg.norm(np.ptp(places, axis=1), axis=1)))
    if len(places) < 2 or track.time[-1] - track.time[0] < 5:
        return []
    moved = float(np.median(np.std(places, axis=0)))
    if moved > 0.002 * tall:
        return []
    return [
        Finding(
            "body-never-moves",
            "warning",
            "The body never moves more than its measurement trembles, as in a picture of a person"
            " (a poster, a statue).",
            "Look whether the right person was followed; if not, choose another, or a region.",
        )
    ]


def joints_seen(track: BodyTrack, threshold: float) -> NDArray[np.bool_]:
    """Return where each joint is visible and in the picture, shape (T, 33)."""
    with np.errstate(invalid="ignore"):
        x, y, visible = track.rows[..., 0], track.rows[..., 1], track.rows[..., 3]
        inside = (x >= 0) & (x <= track.size[0]) & (y >= 0) & (y <= track.size[1])
        return np.asarray(inside & (visible >= threshold))
