"""The 3DI runtime, for those who have it: its programs run in a container or a local folder."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from bitbox.errors import BackendError, InputError, ParameterError, VideoError
from bitbox.face_backend.normalize import NOISE_UNITS, normalized
from bitbox.face_backend.recording import NORMALIZED, Output
from bitbox.face_backend.threedi_launch import Launcher, find_launcher
from bitbox.files import reason
from bitbox.findings import Finding
from bitbox.measuring.recording import Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.readers.columns import Layout
    from bitbox.signals import Signals

BACKEND = "3DI"
#: The file that each output is read from.
_FILES: dict[Output, str] = {
    "rectangle": "rects",
    "landmark": "landmarks",
    "expression-global": "expression_smooth",
    "pose": "pose_smooth",
    "landmark-can": "landmarks_canonicalized",
    "expression-local": "expression_localized",
}
#: The steps: what they make, and the program with its arguments. Names in braces are the video,
#: files that other steps make, or options.
_STEPS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("rects",), "video_detect_face {video} {rects}"),
    (("landmarks",), "video_detect_landmarks {video} {rects} {landmarks} {config}"),
    (
        ("shape_coefficients", "texture_coefficients"),
        "video_learn_identity {video} {landmarks} {config} {camera} "
        "{shape_coefficients} {texture_coefficients}",
    ),
    (
        ("shape", "texture"),
        "python scripts/save_identity_and_shape.py {shape_coefficients} {texture_coefficients} "
        "1.0 0.4 {shape} {texture} {morphable_model}",
    ),
    (
        ("expression", "pose", "illumination"),
        "video_from_saved_identity {video} {landmarks} {config} {camera} {shape} {texture} "
        "{expression} {pose} {illumination}",
    ),
    (
        ("expression_smooth",),
        "python scripts/total_variance_rec.py {expression} {expression_smooth} {morphable_model}",
    ),
    (
        ("pose_smooth",),
        "python scripts/total_variance_rec_pose.py {pose} {pose_smooth} {morphable_model}",
    ),
    (
        ("landmarks_canonicalized",),
        "python scripts/produce_canonicalized_3Dlandmarks.py {expression_smooth} "
        "{landmarks_canonicalized} {morphable_model}",
    ),
    (
        ("expression_localized",),
        "python scripts/compute_local_exp_coefficients.py {landmarks_canonicalized} "
        "{expression_localized} {morphable_model} {basis}",
    ),
)
_MAKERS = {made: step for step in _STEPS for made in step[0]}


@dataclass(frozen=True)
class Options:
    """What 3DI's programs are told.

    Parameters
    ----------
    camera : str
        The camera's field of view in degrees, or a calibration file of the installation.
    landmark_model, morphable_model, basis : str
        Names of models of the installation; `basis` is that of the local expressions.
    config : int
        Number of the configuration: 1 is precise, 2 fast.
    """

    camera: str = "30"
    landmark_model: str = "global4"
    morphable_model: str = "BFMmm-19830"
    config: int = 1
    basis: str = "0.0.1.F591-cd-K32d"

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if re.fullmatch(r"[A-Za-z0-9_./][A-Za-z0-9_./-]*", str(value)) is None:
                raise ParameterError(
                    f"The option {name} of 3DI was not understood.",
                    expected="a plain name or number",
                    got=repr(value),
                )

    def words(self) -> dict[str, str]:
        """Return what the names in the steps' braces stand for."""
        model = self.morphable_model
        return {
            "camera": self.camera,
            "config": f"configs/{model}.cfg{self.config}.{self.landmark_model}.txt",
            "morphable_model": model,
            "basis": self.basis,
        }


class ThreeDIRuntime:
    """3DI as a runtime of the face processor.

    Parameters
    ----------
    launcher : Launcher
        How its programs are started.
    options : Options, optional
        What they are told.
    """

    backend = BACKEND

    def __init__(self, launcher: Launcher, options: Options | None = None) -> None:
        self.launcher = launcher
        self.options = options or Options()
        self._identity = launcher.identity()

    @classmethod
    def locate(
        cls, runtime: str | Path, options: Options | None = None, folder_inside: str | None = None
    ) -> ThreeDIRuntime:
        """Return the runtime that a container image or folder names.

        Raises
        ------
        BackendError
            It is not there, or something that it needs is missing; the message says what.
        """
        return cls(find_launcher(runtime, folder_inside), options)

    def settings(self, output: Output, normalize: bool) -> dict[str, object]:
        """Return every setting and version that shapes an output."""
        settings = self._base_settings()
        if output in NORMALIZED:
            settings["normalize"] = bool(normalize)
        return settings

    def compute(
        self, recording: Recording, outputs: Sequence[Output], normalize: bool
    ) -> dict[Output, Signals]:
        """Run the programs that the outputs need, each only once, and read their files.

        Raises
        ------
        BackendError
            A program fails or writes something else than it should.
        VideoError
            The video cannot be decoded, or shows no face.
        """
        seen = self._seen(recording)
        return {output: self._signals(recording, output, seen, normalize) for output in outputs}

    def _base_settings(self) -> dict[str, object]:
        return {
            "backend": self.backend,
            "runtime": self._identity,
            "options": asdict(self.options),
        }

    def _signals(
        self, recording: Recording, output: Output, seen: NDArray[np.bool_], normalize: bool
    ) -> Signals:
        from bitbox.signals import Signals

        time, findings = _clock(recording)
        findings = [*findings, *_about_loss(seen)]
        values, layout = self._rows(recording, _FILES[output], len(time))
        values[~seen] = np.nan  # 3DI's smoothing fills lost frames with averages
        units = layout.units
        if normalize and output in NORMALIZED:
            values, noise = normalized(values, time)
            findings += noise
            units = NOISE_UNITS
        return Signals(
            values,
            time,
            tuple(name for _, name in layout.columns),
            kind=layout.kind,
            schema=layout.schema,
            units=units,
            dimension=layout.dimension,
            backend=self.backend,
            confidence=seen.astype(np.float64),
            provenance=recording.provenance(
                self.settings(output, normalize), {"runtime": self.backend}, findings
            ),
        )

    def _seen(self, recording: Recording) -> NDArray[np.bool_]:
        """Return in which frames 3DI found landmarks, shape (T,)."""
        n_frames = len(_clock(recording)[0])
        values, _ = self._rows(recording, "landmarks", n_frames)
        seen: NDArray[np.bool_] = np.isfinite(values).all(axis=1)
        if not seen.any():
            raise VideoError(
                f"3DI found no face in {recording.path.name!r}, in any of its {n_frames} frames.",
                expected="a video that shows a face",
            )
        return seen

    def _rows(
        self, recording: Recording, name: str, n_frames: int
    ) -> tuple[NDArray[np.float64], Layout]:
        """Return the values of a file of 3DI, one row a frame, and what its columns are."""
        from bitbox.readers.threedi import parse_output

        path = self._file(recording, name)
        try:
            values, layout = parse_output(path, name)
        except InputError as error:
            raise BackendError(
                f"3DI wrote a file that cannot be used. {error.what}",
                expected=error.expected,
                got=error.got,
            ) from error
        if len(values) == n_frames - 1:  # fitted files end one frame early
            values = np.vstack([values, np.full((1, values.shape[1]), np.nan)])
        if len(values) != n_frames:
            raise BackendError(
                f"3DI wrote {len(values)} rows of {name} for the {n_frames} frames of "
                f"{recording.path.name!r}, so that rows and times cannot be matched.",
                expected=f"{n_frames} rows, or {n_frames - 1}",
                todo="Convert the video to H.264 at a constant frame rate and process it again.",
            )
        return values, layout

    def _file(self, recording: Recording, name: str) -> Path:
        """Return the path of a file of 3DI, found in the cache or made now."""
        work = _work_folder(recording)
        path = work / f"{name}.txt"
        if path.exists():
            return path
        stored = recording.cache.find(*self._place(recording, name))
        if stored is not None:
            shutil.copyfile(stored, path)
            return path
        self._run(recording, work, *_MAKERS[name])
        return path

    def _run(self, recording: Recording, work: Path, makes: tuple[str, ...], call: str) -> None:
        """Run one step: what it needs first, then its program, in a folder of its own."""
        options = self.options.words()
        fields = [field for _, field, _, _ in string.Formatter().parse(call) if field]
        for field in fields:
            if field != "video" and field not in options and field not in makes:
                self._file(recording, field)
        video = recording.path.resolve()
        places = {name: self.launcher.inside(work / f"{name}.txt", video, work) for name in fields}
        places |= options | {"video": self.launcher.inside(video, video, work)}
        words = [word.format_map(places) for word in call.split()]
        if recording.progress is not None:
            done = _STEPS.index((makes, call))
            recording.progress(f"3DI: {makes[0].replace('_', ' ')}", done, len(_STEPS))
        _execute(self.launcher, words, recording.path, work, makes)
        for name in makes:
            recording.cache.write(
                recording.name,
                *self._place(recording, name),
                ".txt",
                partial(shutil.copyfile, work / f"{name}.txt"),
            )

    def _place(self, recording: Recording, name: str) -> tuple[str, str]:
        """Return what a file of 3DI is called in the cache, and its key."""
        what = f"3di-{name.replace('_', '-')}"
        return what, recording.key(what, self._base_settings())


def _execute(
    launcher: Launcher, words: list[str], video: Path, work: Path, makes: tuple[str, ...]
) -> None:
    """Run a program and check that it made its files.

    Notes
    -----
    Exit codes are no proof: 3DI's landmark program ends with 1 when all went well. Files are.
    """
    command = launcher.command(words, video.resolve(), work)
    log = work / "log"
    try:
        with log.open("wb") as output:
            code = subprocess.run(  # noqa: S603 - a list of words, no shell
                command,
                cwd=launcher.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
    except OSError as error:
        raise BackendError(f"{words[0]} of 3DI cannot be started ({reason(error)}).") from error
    missing = [
        name
        for name in makes
        if not (work / f"{name}.txt").is_file() or (work / f"{name}.txt").stat().st_size == 0
    ]
    killed = code < 0 or code > 128
    if killed or missing:
        for name in makes:
            (work / f"{name}.txt").unlink(missing_ok=True)
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        how = f"was killed (exit code {code})" if killed else f"made no {' or '.join(missing)}"
        program = words[1] if words[0] == "python" else words[0]
        raise BackendError(
            f"{program} of 3DI {how}.",
            got="its last words: " + " / ".join(said[-3:]) if said else f"exit code {code}",
            todo="Check that 3DI runs by itself on this video, and that a graphics card is free.",
        )


def _work_folder(recording: Recording) -> Path:
    """Return the recording's folder for files of 3DI, removed with the recording."""
    if "3DI" not in recording.memory:
        folder = tempfile.mkdtemp(prefix="bitbox-3di-")
        weakref.finalize(recording, shutil.rmtree, folder, ignore_errors=True)
        recording.memory["3DI"] = folder
    return Path(recording.memory["3DI"])


def _clock(recording: Recording) -> tuple[NDArray[np.float64], list[Finding]]:
    """Return the true times of all frames, which 3DI's files do not hold, and findings."""
    if "clock" not in recording.memory:
        from bitbox.video import read_frames

        with read_frames(recording.path) as frames:
            times = np.array([frame.time for frame in frames])
            recording.memory["clock"] = times, list(frames.findings)
    return cast("tuple[NDArray[np.float64], list[Finding]]", recording.memory["clock"])


def _about_loss(seen: NDArray[np.bool_]) -> list[Finding]:
    lost = int(np.count_nonzero(~seen))
    if not lost:
        return []
    return [
        Finding(
            "face-lost",
            "warning" if lost > 0.05 * len(seen) else "info",
            f"The face is lost in {lost} of {len(seen)} frames ({100 * lost / len(seen):.1f} %).",
            "Those frames are missing, not zero; look there for a covered or turned face.",
        )
    ]
