"""The body processor: videos in, signals of a body out, each computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bitbox.body_backend.pose_graph import check_complexity
from bitbox.body_backend.runtime import OUTPUTS, BodyRuntime, Parts
from bitbox.errors import ParameterError
from bitbox.measuring.processor import Processor, Result, ReturnOutput
from bitbox.people.identity import check_choice
from bitbox.progress import Progress
from bitbox.signals.checks import FASTEST


class BodyProcessor(Processor):
    """Measures one person's body in videos.

    Parameters
    ----------
    person : {'largest', 'left', 'right'} or int
        Whom to follow where there are several: the largest, the leftmost or rightmost one in the
        picture, or the n-th from the left, counted from 0. Held by tracking.
    region : (x, y, w, h), optional
        The part of the picture, in pixels, in which the middle of the person's hips stays. Nobody
        else is looked at. None: all of it.
    fps : float, optional
        Look at no more than so many frames a second, at their true times; None: at all. 15 are
        enough for movements of less than 6 Hz.
    visibility : float
        From which visibility on (0 to 1, as the model tells it) a joint counts as seen. Below it,
        and outside the picture, a joint is missing: never where the model guesses it to be.
    complexity : {1}
        Which of MediaPipe's Pose models: the one that it brings along.
    return_output : {'dict', 'file', None}
        What the steps return: Signals, the paths of the files they were stored in, or nothing (the
        files are written).
    progress : callable, optional
        Called as ``progress(task, done, total)`` during long steps.

    Attributes
    ----------
    cache : Cache
        The stored results of the output folder; see ``cache.change_retention_period``.
    findings : tuple of Finding
        What was noticed about the current recording so far.

    Raises
    ------
    ParameterError
        A setting makes no sense, or another model is asked for, which MediaPipe would download.

    Notes
    -----
    Each step computes the steps before it if need be, so they may be called in any order, and
    give exactly what :meth:`run_all` gives. Nothing is smoothed over time.

    Examples
    --------
    >>> from bitbox.synthetic.body import render_body
    >>> poses = [{'left_shoulder_elevation': 20 + 3.0 * k} for k in range(20)]
    >>> video = render_body(poses, 'wave.mp4', size=(180, 240))
    >>> from bitbox.body_backend import BodyProcessor
    >>> processor = BodyProcessor()
    >>> processor.io(input_file=video, output_dir='output')
    >>> rect, joints, joints_can, angles, hands, motion = processor.run_all()
    >>> angles.names[:3]
    ('trunk_lean', 'trunk_bend', 'trunk_turn')
    """

    def __init__(
        self,
        *,
        person: str | int = "largest",
        region: Sequence[float] | None = None,
        fps: float | None = None,
        visibility: float = 0.5,
        complexity: int = 1,
        return_output: ReturnOutput = "dict",
        progress: Progress | None = None,
    ) -> None:
        check_complexity(complexity)
        check_choice(person, "person")
        super().__init__(return_output=return_output, progress=progress)
        self.person = person
        self.region = _check_region(region)
        self.fps = _check_fps(fps)
        self.visibility = _check_visibility(visibility)
        self._runtime = BodyRuntime(
            person=person, region=self.region, fps=self.fps, visibility=self.visibility
        )

    def detect_bodies(self) -> Result:
        """Return the rectangle around the joints that are seen: x, y, w, h in pixels, (T, 4).

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.

        Examples
        --------
        >>> from bitbox.synthetic.body import render_body
        >>> video = render_body([{}] * 8, 'stand.mp4', size=(180, 240))
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io(video, 'output')
        >>> processor.detect_bodies().names
        ('x', 'y', 'w', 'h')
        """
        return self._deliver(["body-rectangle"])

    def detect_joints(self) -> Result:
        """Return 33 joints: nose_x, nose_y, ... in pixels, shape (T, 66).

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.

        Examples
        --------
        >>> from bitbox.synthetic.body import render_body
        >>> video = render_body([{}] * 8, 'stand.mp4', size=(180, 240))
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io(video, 'output')
        >>> joints = processor.detect_joints()
        >>> labels, points = joints.components()
        >>> labels[0], points.shape
        ('nose', (8, 33, 2))
        """
        return self._deliver(["joints"])

    def fit(self) -> Result:
        """Return the joints in body coordinates, and joint angles.

        Returns
        -------
        joints_can : Signals, shape (T, 99)
            nose_x, nose_y, nose_z, ... in metres, in the trunk's own frame: from the middle of the
            hips, x to the subject's left, y down along the trunk, z to the back; scaled so that
            the trunk is mostly half a metre long.
        angles : Signals, shape (T, 24)
            Radians; see the page on bodies for their definitions.

        Notes
        -----
        With ``return_output='file'`` these are two paths; with None there is no result.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.

        Examples
        --------
        >>> from bitbox.synthetic.body import render_body
        >>> video = render_body([{}] * 8, 'stand.mp4', size=(180, 240))
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io(video, 'output')
        >>> joints_can, angles = processor.fit()
        >>> joints_can.units, angles.units
        ('m', 'rad')
        """
        return self._deliver(["joints-can", "angles"])

    def detect_hands(self) -> Result:
        """Return what both hands do: how far fingers are bent and spread, and the wrists.

        Returns
        -------
        Signals, shape (T, 16)
            Of the left, then of the right hand, in radians: ``left_thumb_flexion``, the same of
            ``index``, ``middle``, ``ring`` and ``little``, ``left_spread``,
            ``left_wrist_flexion`` and ``left_wrist_deviation``; see the page on bodies for their
            definitions. Missing where the hand, or the arm at whose end it is looked for, is not
            seen.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.

        Examples
        --------
        >>> from bitbox.synthetic.body import render_body
        >>> video = render_body([{}] * 8, 'stand.mp4', size=(180, 240))
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io(video, 'output')
        >>> processor.detect_hands().names[:2]
        ('left_thumb_flexion', 'left_index_flexion')
        """
        return self._deliver(["hands"])

    def motion(
        self, regions: Sequence[str] | Mapping[str, Sequence[float]] | None = None
    ) -> Result:
        """Return motion energy: how much of the picture changes from frame to frame.

        Parameters
        ----------
        regions : sequence of str, or mapping, optional
            Some of ``'whole'``, ``'head'``, ``'trunk'``, ``'arms'`` and ``'legs'``; or rectangles
            by name, each as x, y, width and height in pixels. None: all five. ``'whole'`` and
            rectangles need no model of bodies; the others follow the person.

        Returns
        -------
        Signals
            Two columns a region: ``arms_share``, the share of its pixels of which the grey level
            changes by more than noise (0 to 1), and ``arms_change``, the mean of these changes over
            the region (grey levels of 255). Missing in the first frame.

        Raises
        ------
        VideoError
            The video cannot be decoded, has a single frame, or shows nobody (where a part of the
            body is asked for).
        ParameterError
            The regions were not understood, or a rectangle is not in the picture.

        Examples
        --------
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> processor.motion('whole').names
        ('whole_share', 'whole_change')
        >>> processor.motion({'upper half': (0, 0, 320, 90)}).names
        ('upper half_share', 'upper half_change')
        """
        return self._deliver(["motion"], Parts.of(regions))

    def run_all(self) -> Result:
        """Return everything: rectangle, joints, in body coordinates, too, angles, hands, motion.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.

        Examples
        --------
        >>> from bitbox.synthetic.body import render_body
        >>> video = render_body([{}] * 8, 'stand.mp4', size=(180, 240))
        >>> from bitbox.body_backend import BodyProcessor
        >>> processor = BodyProcessor()
        >>> processor.io(video, 'output')
        >>> [signals.schema for signals in processor.run_all()][-2:]
        ['openbitbox-hands', 'openbitbox-motion']
        """
        return self._deliver(OUTPUTS, Parts())


def _number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _check_region(region: Sequence[float] | None) -> tuple[float, float, float, float] | None:
    if region is None:
        return None
    try:
        x, y, w, h = (float(value) for value in region)
    except (TypeError, ValueError):
        x = y = w = h = float("nan")
    if not (w > 0 and h > 0 and abs(x) < 1e6 and abs(y) < 1e6):
        raise ParameterError(
            "The region was not understood.",
            expected="x, y, width and height in pixels",
            got=repr(region),
        )
    return x, y, w, h


def _check_fps(fps: float | None) -> float | None:
    if fps is None or _number(fps, 1.0, FASTEST):
        return None if fps is None else float(fps)
    raise ParameterError(
        "The number of frames to look at makes no sense.",
        expected=f"fps from 1 to {FASTEST:g}, or None for all",
        got=repr(fps),
    )


def _check_visibility(visibility: float) -> float:
    if _number(visibility, 0.0, 1.0):
        return float(visibility)
    raise ParameterError(
        "The visibility makes no sense.", expected="a number from 0 to 1", got=repr(visibility)
    )
