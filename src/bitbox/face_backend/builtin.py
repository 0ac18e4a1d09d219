"""The built-in runtime: MediaPipe's face mesh on the CPU, and signals computed from it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bitbox.face_backend.normalize import NOISE_UNITS, normalized
from bitbox.face_backend.recording import NORMALIZED, Output, Recording
from bitbox.provenance import hash_file, versions
from bitbox.quality import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.face_backend.geometry import Canonical
    from bitbox.face_backend.mesh_track import MeshTrack
    from bitbox.signals import Signals

BACKEND = "openbitbox-mediapipe"
_LIBRARIES = ("mediapipe", "av", "numpy", "scipy")
#: Code of this package that has no part in what is measured.
_NOT_MEASURING = ("plot.py", "models.py", "threedi.py", "threedi_launch.py", "video_writing.py")
_POSE_NAMES = ("Tx", "Ty", "Tz", "Rx", "Ry", "Rz")


class MeshRuntime:
    """Measures faces with MediaPipe.

    Parameters
    ----------
    face : str or int
        Which face to follow.
    vertical_fov : float
        The camera's vertical field of view in degrees.
    model : path, optional
        A model file for MediaPipe's newer interface.
    """

    backend = BACKEND

    def __init__(
        self, *, face: str | int, vertical_fov: float, model: str | Path | None = None
    ) -> None:
        self.face = face
        self.vertical_fov = vertical_fov
        self.model = model

    def settings(self, output: Output, normalize: bool) -> dict[str, object]:
        """Return every setting and version that shapes an output."""
        settings = self._tracking_settings()
        if output not in ("rectangle", "landmark"):
            settings["vertical_fov"] = self.vertical_fov
        if output in NORMALIZED:
            settings["normalize"] = bool(normalize)
        return settings

    def compute(
        self, recording: Recording, outputs: Sequence[Output], normalize: bool
    ) -> dict[Output, Signals]:
        """Measure outputs of a recording, tracking its face only once.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows no face.
        BackendError
            MediaPipe is not installed or does not start.
        """
        track = self._track(recording)
        return {name: self._signals(recording, track, name, normalize) for name in outputs}

    def track(self, recording: Recording) -> MeshTrack:
        """Return the tracked mesh of a recording, from memory, the cache or the video."""
        return self._track(recording)

    def _tracking_settings(self) -> dict[str, object]:
        from bitbox.face_backend.mediapipe import chosen_model

        found = versions()
        model = chosen_model(self.model)
        return {
            "backend": self.backend,
            "face": self.face,
            "model": None if model is None else hash_file(model),
            "code": code_fingerprint(),
            "libraries": {name: found[name] for name in _LIBRARIES if name in found},
        }

    def _track(self, recording: Recording) -> MeshTrack:
        from bitbox.face_backend.mediapipe import chosen_model, track_mesh

        if "track" not in recording.memory:
            settings = self._tracking_settings()
            key = recording.key("mesh", settings)
            track = _stored_track(recording, key)
            if track is None:
                track = track_mesh(
                    recording.path,
                    face=self.face,
                    model=chosen_model(self.model),
                    progress=recording.progress,
                )
                recording.cache.write_arrays(recording.name, "mesh", key, _to_arrays(track))
            recording.memory["track"] = track
        track = cast("MeshTrack", recording.memory["track"])
        for finding in track.findings:
            recording.note(finding)
        return track

    def _canonical(self, recording: Recording, track: MeshTrack) -> Canonical:
        from bitbox.face_backend.geometry import canonicalize

        if "canonical" not in recording.memory:
            recording.memory["canonical"] = canonicalize(track.mesh, track.size, self.vertical_fov)
        return cast("Canonical", recording.memory["canonical"])

    def _deformation(self, recording: Recording, track: MeshTrack) -> NDArray[np.float64]:
        from bitbox.face_backend.geometry import neutral

        if "deformation" not in recording.memory:
            shape = self._canonical(recording, track).shape
            shape -= neutral(shape)  # in place: an hour of video is over a gigabyte
            recording.memory["deformation"] = shape
        return cast("NDArray[np.float64]", recording.memory["deformation"])

    def _signals(
        self, recording: Recording, track: MeshTrack, output: Output, normalize: bool
    ) -> Signals:
        from bitbox.signals import Signals

        values, names, form = self._measure(recording, track, output)
        if output in NORMALIZED and normalize:
            values = normalized(values, recording)
            form = {**form, "units": NOISE_UNITS}
        return Signals(
            values,
            track.time,
            names,
            backend=self.backend,
            confidence=track.confidence,
            provenance=recording.provenance(
                self.settings(output, normalize), {"runtime": track.runtime, "size": track.size}
            ),
            **form,
        )

    def _measure(
        self, recording: Recording, track: MeshTrack, output: Output
    ) -> tuple[NDArray[np.float64], tuple[str, ...], dict[str, Any]]:
        """Return values, names, and kind, schema, units and dimension of an output."""
        from bitbox.face_backend import geometry, units

        def deformation() -> NDArray[np.float64]:
            return self._deformation(recording, track)

        measure: dict[Output, Callable[[], NDArray[np.float64]]] = {
            "rectangle": lambda: geometry.rectangle(track.mesh),
            "landmark": lambda: geometry.landmarks_2d(track.mesh),
            "pose": lambda: self._canonical(recording, track).pose,
            "landmark-can": lambda: geometry.landmarks_3d(deformation()),
            "expression-global": lambda: units.global_units(deformation()),
            "expression-local": lambda: units.local_units(deformation()),
        }
        return measure[output](), _names(output), _FORM[output]


_FORM: dict[Output, dict[str, Any]] = {
    "rectangle": {"kind": "rectangle", "schema": "rectangle", "units": "px", "dimension": 1},
    "landmark": {"kind": "landmark", "schema": "ibug51", "units": "px", "dimension": 2},
    "pose": {"kind": "pose", "schema": "pose6", "units": "mm, rad", "dimension": 1},
    "landmark-can": {"kind": "landmark-can", "schema": "ibug51", "units": "mm", "dimension": 3},
    "expression-global": {
        "kind": "expression",
        "schema": "openbitbox-global-79",
        "units": "mm",
        "dimension": 1,
    },
    "expression-local": {
        "kind": "expression",
        "schema": "openbitbox-local-32",
        "units": "mm",
        "dimension": 1,
    },
}


def _names(output: Output) -> tuple[str, ...]:
    if output == "rectangle":
        return ("x", "y", "w", "h")
    if output == "pose":
        return _POSE_NAMES
    if output == "expression-global":
        return tuple(f"GE{i}" for i in range(79))
    if output == "expression-local":
        from bitbox.face_backend.units import LOCAL_UNITS

        return tuple(str(unit.name) for unit in LOCAL_UNITS)
    axes = "xy" if output == "landmark" else "xyz"
    return tuple(f"{axis}{i}" for i in range(51) for axis in axes)


@functools.cache
def code_fingerprint() -> str:
    """Return a hash of the code and data that turn a video into signals.

    Stored results are found again only by the very code that made them; a version number would
    have to be remembered by whoever changes a definition.
    """
    here = Path(__file__).parent
    files = [*here.glob("*.py"), *here.glob("data/**/*"), *here.parent.glob("video*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        if path.is_file() and path.name not in _NOT_MEASURING:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _to_arrays(track: MeshTrack) -> dict[str, NDArray[np.generic]]:
    header = {
        "size": list(track.size),
        "runtime": track.runtime,
        "findings": [finding.to_dict() for finding in track.findings],
    }
    return {
        "mesh": track.mesh,
        "time": track.time,
        "confidence": track.confidence,
        "n_faces": track.n_faces,
        "header": np.array(json.dumps(header)),
    }


def _stored_track(recording: Recording, key: str) -> MeshTrack | None:
    from bitbox.face_backend.mesh_track import MeshTrack

    arrays: dict[str, Any] | None = recording.cache.read_arrays("mesh", key)
    if arrays is None:
        return None
    header = json.loads(str(arrays.pop("header")))
    width, height = header["size"]
    return MeshTrack(
        **arrays,
        size=(width, height),
        runtime=header["runtime"],
        findings=tuple(Finding(**finding) for finding in header["findings"]),
    )
