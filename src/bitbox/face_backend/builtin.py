"""The built-in runtime: MediaPipe's face mesh on the CPU, and signals computed from it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from bitbox.face_backend.normalize import NOISE_UNITS, normalized
from bitbox.face_backend.recording import NORMALIZED, Output
from bitbox.findings import Finding
from bitbox.measuring.fingerprint import hash_of_code
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.parts import parts
from bitbox.measuring.recording import Recording
from bitbox.provenance import hash_file, versions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.face_backend.mesh_track import MeshTrack
    from bitbox.signals import Signals

_Measure: TypeAlias = "Callable[[NDArray[Any]], NDArray[np.float64]]"

BACKEND = "openbitbox-mediapipe"
_LIBRARIES = ("mediapipe", "av", "numpy", "scipy")
#: Code of this package that has no part in what is measured.
_NOT_MEASURING = ("plot.py", "models.py", "model_wheel.py", "threedi.py", "threedi_launch.py")
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
        settings = dict(self._tracking_settings)
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
        with on_one_core():
            track = self.track(recording)
            measured = measure(track, outputs, self.vertical_fov)
            return {
                name: self._signals(recording, track, name, measured.pop(name), normalize)
                for name in outputs
            }

    @functools.cached_property
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

    def track(self, recording: Recording) -> MeshTrack:
        """Return the tracked mesh of a recording, from memory, the cache or the video."""
        from bitbox.face_backend.mediapipe import track_mesh

        if "track" not in recording.memory:
            key = recording.key("mesh", self._tracking_settings)
            track = _stored_track(recording, key)
            if track is None:
                track = track_mesh(
                    recording.path,
                    face=self.face,
                    model=self.model,
                    progress=recording.progress,
                    folder=recording.cache.folder,
                )
                _store_track(recording, key, track)
            recording.memory["track"] = track
        track = cast("MeshTrack", recording.memory["track"])
        for finding in track.findings:
            recording.note(finding)
        return track

    def lacks_track(self, recording: Recording) -> bool:
        """Tell whether the mesh of a recording would have to be tracked."""
        if "track" in recording.memory:
            return False
        track = _stored_track(recording, recording.key("mesh", self._tracking_settings))
        if track is not None:
            recording.memory["track"] = track
        return track is None

    def track_with(
        self, recording: Recording, others: Sequence[tuple[MeshRuntime, Recording]]
    ) -> None:
        """Track faces of one video in one go, and keep each track for its runtime.

        Parameters
        ----------
        recording : Recording
            The video.
        others : sequence of (MeshRuntime, Recording)
            Runtimes for other faces, with the same video as each of them has it.
        """
        from bitbox.face_backend.mediapipe import track_faces

        every = [(self, recording), *others]
        tracks = track_faces(
            recording.path,
            [runtime.face for runtime, _ in every],
            model=self.model,
            progress=recording.progress,
            folder=recording.cache.folder,
        )
        for (runtime, own), track in zip(every, tracks, strict=True):
            _store_track(own, own.key("mesh", runtime._tracking_settings), track)
            own.memory["track"] = track

    def _signals(
        self,
        recording: Recording,
        track: MeshTrack,
        output: Output,
        values: NDArray[np.float64],
        normalize: bool,
    ) -> Signals:
        from bitbox.signals import Signals

        form = {**_FORM[output], "schema": self._schema(output)}
        findings = list(track.findings)
        if output in NORMALIZED and normalize:
            values, noise = normalized(values, track.time)
            findings += noise
            form = {**form, "units": NOISE_UNITS}
        known = form["schema"] == _FORM["expression-local"]["schema"]
        if output == "expression-local" and not known:
            findings.append(_UNKNOWN_RELIABILITY)
        provenance = recording.provenance(
            self.settings(output, normalize),
            {"runtime": track.runtime, "size": track.size},
            findings,
        )
        if known:
            from bitbox.face_backend.units import unit_reliability

            provenance["reliability"] = unit_reliability()
        return Signals(
            values,
            track.time,
            _names(output),
            backend=self.backend,
            confidence=track.sureness(),
            provenance=provenance,
            **form,
        )

    def _schema(self, output: Output) -> str:
        """Return what the values mean: FaceLandmarker's mesh gives expressions of its own."""
        from bitbox.face_backend.mediapipe import chosen_model
        from bitbox.measuring.models import is_bundle

        schema = str(_FORM[output]["schema"])
        model = chosen_model(self.model)
        if output in NORMALIZED and model is not None and not is_bundle(model):
            return f"{schema}-landmarker"
        return schema


def measure(
    track: MeshTrack, outputs: Sequence[Output], vertical_fov: float
) -> dict[Output, NDArray[np.float64]]:
    """Return the values of outputs, one row a frame; expressions in millimetres.

    Parameters
    ----------
    track : MeshTrack
        The tracked mesh.
    outputs : sequence of str
        Which outputs.
    vertical_fov : float
        The camera's vertical field of view in degrees.

    Notes
    -----
    Goes through the frames in parts, so that memory does not grow with the recording but for the
    results. The person's own face and the neutral are taken from at most 5000 frames, spread evenly
    over those in which the face is seen, and all of it if there are such frames. What is measured
    of a region that is hidden is NaN.
    """
    from bitbox.face_backend import geometry, skin, units
    from bitbox.face_backend.person import Person
    from bitbox.face_backend.visibility import without_hidden

    plain: dict[Output, _Measure] = {
        "rectangle": geometry.rectangle,
        "landmark": geometry.landmarks_2d,
    }
    deformed: dict[Output, _Measure] = {
        "landmark-can": geometry.landmarks_3d,
        "expression-global": units.global_units,
        "expression-local": units.local_units,
    }
    n_frames, hidden = len(track.time), track.hidden()
    found = {name: np.empty((n_frames, len(_names(name)))) for name in outputs}
    face = Person.measure(track, vertical_fov) if set(outputs) - set(plain) else None
    for part in parts(track.mesh):
        mesh = track.mesh[part]
        for name in found.keys() & plain:
            found[name][part] = plain[name](mesh)
        if face is None:
            continue
        canonical = face.canonical(track, part, vertical_fov)
        deformation = canonical.shape - face.still
        if "pose" in found:
            found["pose"][part] = skin.head_pose(canonical.pose, deformation, face.tilt)
        if found.keys() & deformed:
            moved = skin.skin_movement(deformation)
        for name in found.keys() & deformed:
            found[name][part] = deformed[name](moved)
    return {name: without_hidden(values, name, hidden) for name, values in found.items()}


_FORM: dict[Output, dict[str, Any]] = {
    "rectangle": {"kind": "rectangle", "schema": "rectangle", "units": "px", "dimension": 1},
    "landmark": {"kind": "landmark", "schema": "ibug51", "units": "px", "dimension": 2},
    "pose": {"kind": "pose", "schema": "pose6", "units": "mm, rad", "dimension": 1},
    "landmark-can": {"kind": "landmark-can", "schema": "ibug51", "units": "mm", "dimension": 3},
    "expression-global": {
        "kind": "expression",
        "schema": "openbitbox-global-79-skin",
        "units": "mm",
        "dimension": 1,
    },
    "expression-local": {
        "kind": "expression",
        "schema": "openbitbox-local-32-skin",
        "units": "mm",
        "dimension": 1,
    },
}


_UNKNOWN_RELIABILITY = Finding(
    "reliability-unknown",
    "info",
    "How well each local unit is measured is not known for this model of FaceLandmarker: the"
    " reliability was measured with the models that MediaPipe 0.10.21 brings.",
    "Install those (bitbox models install), or trust a unit as far as you have checked it.",
)


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
    """Return a hash of the code and data that turn a video into signals of a face."""
    return hash_of_code(Path(__file__).parent, _NOT_MEASURING)


def _store_track(recording: Recording, key: str, track: MeshTrack) -> None:
    """Store a track: the mesh in a file of its own, so that it can be read piece by piece."""
    header = {
        "size": list(track.size),
        "runtime": track.runtime,
        "findings": [finding.to_dict() for finding in track.findings],
    }
    arrays = {
        "time": track.time,
        "confidence": track.confidence,
        "n_faces": track.n_faces,
        "header": np.array(json.dumps(header)),
    }
    if track.visible is not None:
        arrays["visible"] = track.visible
    recording.cache.write_mesh(recording.name, key, track.mesh)
    recording.cache.write_arrays(recording.name, "track", key, arrays)


def _stored_track(recording: Recording, key: str) -> MeshTrack | None:
    from bitbox.face_backend.mesh_track import MeshTrack

    arrays: dict[str, Any] | None = recording.cache.read_arrays("track", key)
    mesh = recording.cache.read_mesh(key)
    if arrays is None or mesh is None:
        return None
    header = json.loads(str(arrays.pop("header")))
    width, height = header["size"]
    return MeshTrack(
        mesh,
        **arrays,
        size=(width, height),
        runtime=header["runtime"],
        findings=tuple(Finding(**finding) for finding in header["findings"]),
    )
