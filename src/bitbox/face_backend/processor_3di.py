"""The face processor of those who have 3DI, and want nothing else."""

from __future__ import annotations

from pathlib import Path

from bitbox.errors import ParameterError
from bitbox.face_backend.processor import FaceProcessor
from bitbox.face_backend.recording import Runtime
from bitbox.face_backend.threedi import Options, ThreeDIRuntime
from bitbox.measuring.processor import ReturnOutput
from bitbox.progress import Progress


class FaceProcessor3DI(FaceProcessor):
    """Measures faces with 3DI, and with nothing else.

    Parameters
    ----------
    runtime : str or path
        Name of an image that docker or podman has, such as ``'bitbox:latest'``; a ``.sif`` file
        for apptainer or singularity; or the folder of a native installation.
    camera : float or str
        The camera's (horizontal) field of view in degrees, or a calibration file of the
        installation.
    landmark_model, morphable_model, basis : str
        Names of models of the installation.
    config : {1, 2}
        3DI's configuration: 1 is precise, 2 fast.
    folder_inside : str, optional
        The folder of 3DI's programs in the container; None: the image's working folder. Needed
        for ``.sif`` files.
    return_output, progress
        As for `FaceProcessor`.

    Raises
    ------
    BackendError
        The runtime, or a part of it, is missing. There is no fallback.

    Examples
    --------
    >>> from bitbox.face_backend import FaceProcessor3DI
    >>> from bitbox.errors import BackendError
    >>> try:
    ...     processor = FaceProcessor3DI('nowhere/3DI')  # no fallback
    ... except BackendError:
    ...     print('3DI is not there')
    3DI is not there

    With 3DI installed:

    >>> processor = FaceProcessor3DI('bitbox:latest')  # doctest: +SKIP
    >>> processor.io('participant.mp4', 'output')  # doctest: +SKIP
    >>> rect, land, exp_glob, pose, land_can, exp_loc = processor.run_all()  # doctest: +SKIP
    """

    def __init__(
        self,
        runtime: str | Path,
        *,
        camera: float | str = 30.0,
        landmark_model: str = "global4",
        morphable_model: str = "BFMmm-19830",
        config: int = 1,
        basis: str = "0.0.1.F591-cd-K32d",
        folder_inside: str | None = None,
        return_output: ReturnOutput = "dict",
        progress: Progress | None = None,
    ) -> None:
        view = f"{camera:g}" if isinstance(camera, int | float) else camera
        self._options = Options(view, landmark_model, morphable_model, config, basis)
        self._folder_inside = folder_inside
        super().__init__(runtime, return_output=return_output, progress=progress)

    def _choose_runtime(self, runtime: str | Path | None) -> Runtime:
        if runtime is None:
            raise ParameterError(
                "FaceProcessor3DI needs a runtime.",
                expected="a container image or a folder",
                todo="Use FaceProcessor() for the built-in runtime.",
            )
        return ThreeDIRuntime.locate(runtime, self._options, self._folder_inside)
