"""The built-in runtime: MediaPipe's face mesh on the CPU, and signals computed from it."""

from __future__ import annotations

import functools
import hashlib
import json
import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from bitbox.face_backend.normalize import NOISE_UNITS, normalized
from bitbox.face_backend.recording import NORMALIZED, Output, Recording
from bitbox.provenance import hash_file, versions
from bitbox.quality import Finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.face_backend.mesh_track import MeshTrack
    from bitbox.signals import Signals

BACKEND = "openbitbox-mediapipe"
_LIBRARIES = ("mediapipe", "av", "numpy", "scipy")
#: Code of this package that has no part in what is measured.
_NOT_MEASURING = ("plot.py", "models.py", "threedi.py", "threedi_launch.py", "video_writing.py")
_PART = 500  # frames worked on at once
_NEUTRAL_FRAMES = 5000  # the most that the neutral face is taken from
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
        track = self._track(recording)
        return {name: self._signals(recording, track, name, normalize) for name in outputs}

    def track(self, recording: Recording) -> MeshTrack:
        """Return the tracked mesh of a recording, from memory, the cache or the video."""
        return self._track(recording)

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

    def _track(self, recording: Recording) -> MeshTrack:
        from bitbox.face_backend.mediapipe import chosen_model, track_mesh

        if "track" not in recording.memory:
            key = recording.key("mesh", self._tracking_settings)
            track = _stored_track(recording, key)
            if track is None:
                track = track_mesh(
                    recording.path,
                    face=self.face,
                    model=chosen_model(self.model),
                    progress=recording.progress,
                )
                _store_track(recording, key, track)
            recording.memory["track"] = track
        track = cast("MeshTrack", recording.memory["track"])
        for finding in track.findings:
            recording.note(finding)
        return track

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
        if output in ("rectangle", "landmark"):
            values = _in_pixels(track, output)
        else:
            if "fit" not in recording.memory:
                recording.memory["fit"] = _fit(track, self.vertical_fov)
            values = recording.memory["fit"][output]
        return values, _names(output), _FORM[output]


def _in_pixels(track: MeshTrack, output: Output) -> NDArray[np.float64]:
    from bitbox.face_backend import geometry

    measure = geometry.rectangle if output == "rectangle" else geometry.landmarks_2d
    return np.concatenate([measure(track.mesh[part]) for part in _parts(track)])


def _fit(track: MeshTrack, vertical_fov: float) -> dict[Output, NDArray[np.float64]]:
    """Return pose, canonical landmarks and expression units in millimetres.

    Notes
    -----
    Goes through the frames in parts, so that memory does not grow with the recording but for the
    results. The neutral face is taken from at most 5000 frames, spread evenly over those in which
    the face is seen.
    """
    from bitbox.face_backend import geometry, units

    seen = np.concatenate(
        [np.isfinite(track.mesh[p, :468]).all(axis=(1, 2)) for p in _parts(track)]
    )
    frames = np.flatnonzero(seen)
    some = frames[:: -(-len(frames) // _NEUTRAL_FRAMES)]
    still = geometry.neutral(
        geometry.canonicalize(track.mesh[some], track.size, vertical_fov).shape
    )
    found: dict[Output, list[NDArray[np.float64]]] = {
        name: [] for name in ("pose", "landmark-can", "expression-global", "expression-local")
    }
    for part in _parts(track):
        canonical = geometry.canonicalize(track.mesh[part], track.size, vertical_fov)
        deformation = canonical.shape - still
        found["pose"].append(canonical.pose)
        found["landmark-can"].append(geometry.landmarks_3d(deformation))
        found["expression-global"].append(units.global_units(deformation))
        found["expression-local"].append(units.local_units(deformation))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _parts(track: MeshTrack) -> Iterator[slice]:
    """Yield slices of a few hundred frames, and let go of the memory of those gone through."""
    for start in range(0, len(track.mesh), _PART):
        yield slice(start, start + _PART)
        file: Any = track.mesh.base
        if isinstance(file, mmap.mmap) and hasattr(file, "madvise"):
            file.madvise(mmap.MADV_DONTNEED)


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
