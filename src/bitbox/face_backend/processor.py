"""The face processor: videos in, signals out, each computed once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bitbox.errors import BackendError, ParameterError
from bitbox.face_backend.recording import OUTPUTS, Output, Runtime
from bitbox.measuring.processor import Processor, Result, ReturnOutput
from bitbox.progress import Progress

if TYPE_CHECKING:
    from bitbox.signals import Signals

Face: TypeAlias = str | int


class RuntimeFallbackWarning(UserWarning):
    """The 3DI runtime that was asked for is not installed; the built-in one is used instead.

    Examples
    --------
    >>> import warnings
    >>> from bitbox.face_backend import FaceProcessor, RuntimeFallbackWarning
    >>> with warnings.catch_warnings(record=True, action='always') as caught:
    ...     processor = FaceProcessor(runtime='nowhere/3DI')
    >>> caught[0].category is RuntimeFallbackWarning
    True
    """


class FaceProcessor(Processor):
    """Measures one face in videos.

    Parameters
    ----------
    runtime : str or path, optional
        None: the built-in runtime (MediaPipe, on the CPU). A container image such as
        ``'bitbox:latest'`` or the folder of a native installation: the 3DI runtime; where that
        is not installed, the built-in one is used and a :class:`RuntimeFallbackWarning` says so.
    face : {'largest', 'left', 'right'} or int
        Which face to follow where there are several: the largest, the leftmost or rightmost one
        in the picture, or the n-th from the left, counted from 0. Held by tracking.
        Built-in runtime only.
    vertical_fov : float
        The camera's vertical field of view in degrees, for translations in millimetres.
        Built-in runtime only.
    model : path, optional
        A ``face_landmarker.task`` file, for MediaPipe's FaceLandmarker, or a file made by
        ``bitbox models install``. Where MediaPipe does not bring its models along (Python 3.13
        and later), the file that the environment variable ``BITBOX_FACE_LANDMARKER`` names, or
        else the one that is installed, is used by itself. Built-in runtime only.
    return_output : {'dict', 'file', None}
        What the steps return: Signals (which read like Bitbox's dictionaries), the paths of the
        files they were stored in, or nothing (the files are written).
    progress : callable, optional
        Called as ``progress(task, done, total)`` during long steps.

    Attributes
    ----------
    cache : Cache
        The stored results of the output folder; see ``cache.change_retention_period``.
    findings : tuple of Finding
        What was noticed about the current recording so far.

    Notes
    -----
    Each step computes the steps before it if need be, so they may be called in any order, and
    give exactly what :meth:`run_all` gives.

    Examples
    --------
    >>> from bitbox.face_backend import FaceProcessor
    >>> processor = FaceProcessor()
    >>> processor.io(input_file='participant.mp4', output_dir='output')
    >>> rect, land, exp_glob, pose, land_can, exp_loc = processor.run_all(normalize=True)
    >>> pose.names
    ('Tx', 'Ty', 'Tz', 'Rx', 'Ry', 'Rz')
    """

    def __init__(
        self,
        runtime: str | Path | None = None,
        *,
        face: Face = "largest",
        vertical_fov: float = 63.0,
        model: str | Path | None = None,
        return_output: ReturnOutput = "dict",
        progress: Progress | None = None,
    ) -> None:
        self.face = _check_face(face)
        self.vertical_fov = _check_fov(vertical_fov)
        self.model = model
        super().__init__(return_output=return_output, progress=progress)
        self._runtime = self._choose_runtime(runtime)

    def detect_faces(self) -> Result:
        """Return the face rectangles: x, y, w, h in pixels, shape (T, 4).

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> processor.detect_faces().names
        ('x', 'y', 'w', 'h')
        """
        return self._deliver(["rectangle"], True)

    def detect_landmarks(self) -> Result:
        """Return 51 landmarks (iBUG 17 to 67): x0, y0, ... in pixels, shape (T, 102).

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> len(processor.detect_landmarks().names)
        102
        """
        return self._deliver(["landmark"], True)

    def fit(self, normalize: bool = True) -> Result:
        """Return global expressions, head pose and canonical landmarks.

        Parameters
        ----------
        normalize : bool
            Put the expressions on the scale of their own measurement noise, with the person's
            neutral as zero. Pose and landmarks keep their units.

        Returns
        -------
        exp_glob : Signals, shape (T, 79)
            GE0, ..., GE78 with the built-in runtime.
        pose : Signals, shape (T, 6)
            Tx, Ty, Tz in millimetres; Rx, Ry, Rz in radians (built-in runtime).
        land_can : Signals, shape (T, 153)
            x0, y0, z0, ...: the landmarks without head pose and identity.

        Notes
        -----
        With ``return_output='file'`` these are three paths; with None there is no result.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> exp_glob, pose, land_can = processor.fit()
        >>> land_can.units
        'mm'
        """
        return self._deliver(["expression-global", "pose", "landmark-can"], normalize)

    def localized_expressions(self, normalize: bool = True) -> Result:
        """Return 32 local expression units, shape (T, 32).

        Parameters
        ----------
        normalize : bool
            Put the units on the scale of their own measurement noise, with the person's neutral
            as zero.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> processor.localized_expressions(normalize=False).units
        'mm'
        """
        return self._deliver(["expression-local"], normalize)

    def run_all(self, normalize: bool = True) -> Result:
        """Return everything: rect, land, exp_glob, pose, land_can, exp_loc.

        Parameters
        ----------
        normalize : bool
            As for :meth:`fit` and :meth:`localized_expressions`.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> [signals.kind for signals in processor.run_all()]
        ['rectangle', 'landmark', 'expression', 'pose', 'landmark-can', 'expression']
        """
        return self._deliver(OUTPUTS, normalize)

    def plot(
        self,
        what: Literal["frames", "signals", "video"] = "frames",
        path: str | Path | None = None,
        *,
        frames: int = 6,
        output: Output = "expression-local",
        names: Sequence[str] | None = None,
        normalize: bool = True,
    ) -> Any:
        """Show what was measured in the current video.

        Parameters
        ----------
        what : {'frames', 'signals', 'video'}
            A few frames with the face's rectangle, landmarks and head axes; signals over time;
            or a copy of the video with the same overlay.
        path : path, optional
            Where to save it: .png or .jpg for frames, .html for signals, .mp4 for the video
            (which needs a path).
        frames : int
            How many frames to show, spread evenly over the video.
        output : str
            Which signals: ``'expression-local'``, ``'expression-global'``, ``'pose'``,
            ``'landmark'``, ``'landmark-can'`` or ``'rectangle'``.
        names : sequence of str, optional
            Which of these signals; needed where there are more than 40.
        normalize : bool
            Whether expressions are shown normalised.

        Returns
        -------
        PIL.Image.Image, plotly.graph_objects.Figure or Path
            The picture, the figure, or the path of the video (H.264, as browsers play it, without
            sound).

        Raises
        ------
        ParameterError
            Something else is asked for, or the path does not fit it.
        OutputError
            The file cannot be written.

        Notes
        -----
        Works the same for every `return_output`. Axes are drawn for the built-in runtime only.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'output')
        >>> picture = processor.plot('frames', 'frames.png', frames=2)
        >>> figure = processor.plot('signals', output='pose')
        """
        from bitbox.face_backend import plot

        target = None if path is None else Path(path)
        if target is not None:
            plot.check_writable(target)
        if what == "signals":
            return plot.figure_of(self._output(output, normalize), names, target)
        if what not in ("frames", "video"):
            raise ParameterError(
                "What to plot was not understood.",
                expected="'frames', 'signals' or 'video'",
                got=repr(what),
            )
        drawn = [signals for signals, _ in self._results(("rectangle", "landmark", "pose"), True)]
        video = self._current().path
        if what == "frames":
            return plot.sheet_of(video, drawn, frames, target, self.progress)
        return plot.overlay_video(video, drawn, target, self.progress)

    def track_beside(self, other: FaceProcessor, outputs: Sequence[Output]) -> None:
        """Track the faces of two processors with the same video in one go, where both have to.

        Parameters
        ----------
        other : FaceProcessor
            With the same video and another face.
        outputs : sequence of str
            What will be asked for; where it is stored, not normalised, nothing is done.

        Raises
        ------
        VideoError
            The video cannot be decoded, or one of the faces is never seen.

        Examples
        --------
        The video is gone through once; what is asked for later is there.

        >>> from bitbox.face_backend import FaceProcessor
        >>> first, second = FaceProcessor(face='largest'), FaceProcessor(face=0)
        >>> first.io('participant.mp4', 'output'), second.io('participant.mp4', 'output')
        (None, None)
        >>> first.track_beside(second, ['pose'])
        >>> second.fit(normalize=False)[1].kind
        'pose'
        """
        from bitbox.face_backend.builtin import MeshRuntime

        todo = []
        for processor in (self, other):
            recording, runtime = processor._current(), processor._runtime
            stored = processor.holds(outputs, False)
            if isinstance(runtime, MeshRuntime) and not stored and runtime.lacks_track(recording):
                todo.append((runtime, recording))
        if len(todo) == 2 and todo[0][1].sha256 == todo[1][1].sha256:
            todo[0][0].track_with(todo[0][1], todo[1:])

    def _output(self, output: Output, normalize: bool) -> Signals:
        if output not in OUTPUTS:
            raise ParameterError(
                "There is no such output.",
                expected=", ".join(map(repr, OUTPUTS)),
                got=repr(output),
            )
        return self._results((output,), normalize)[0][0]

    def _choose_runtime(self, runtime: str | Path | None) -> Runtime:
        """Return the runtime that was asked for, or the built-in one with a warning."""
        from bitbox.face_backend.builtin import MeshRuntime

        if runtime is not None:
            from bitbox.face_backend.threedi import ThreeDIRuntime

            try:
                found: Runtime = ThreeDIRuntime.locate(runtime)
            except BackendError as error:
                warnings.warn(
                    f"The 3DI runtime {str(runtime)!r} cannot be used. {error.what} The built-in "
                    "runtime is used instead. Its expression units are its own (in millimetres, "
                    "or in units of their noise when normalised) and cannot be compared with "
                    "3DI's coefficients.",
                    RuntimeFallbackWarning,
                    stacklevel=3,
                )
            else:
                self._refuse_face_choice()
                return found
        return MeshRuntime(face=self.face, vertical_fov=self.vertical_fov, model=self.model)

    def _refuse_face_choice(self) -> None:
        if self.face != "largest":
            raise ParameterError(
                "The 3DI runtime follows one face and cannot be told which.",
                expected="face='largest'",
                got=f"face={self.face!r}",
                todo="Crop the video to the person, or use the built-in runtime (runtime=None).",
            )


def _check_face(face: Face) -> Face:
    if face in ("largest", "left", "right") or (
        isinstance(face, int) and not isinstance(face, bool) and face >= 0
    ):
        return face
    raise ParameterError(
        "The choice of face was not understood.",
        expected="'largest', 'left', 'right' or a number from 0",
        got=repr(face),
    )


def _check_fov(degrees: float) -> float:
    if isinstance(degrees, int | float) and 1.0 <= degrees <= 170.0:
        return float(degrees)
    raise ParameterError(
        "The vertical field of view makes no sense.",
        expected="degrees between 1 and 170",
        got=repr(degrees),
        todo="Leave it out if you don't know your camera's: 63 degrees is usual.",
    )
