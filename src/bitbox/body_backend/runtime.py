"""What is measured of a body: tracked once, kept, and turned into signals."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from bitbox.body_backend.angles import ANGLE_NAMES, angles_of
from bitbox.body_backend.hands import HAND_NAMES, SIDES, hand_angles
from bitbox.body_backend.motion import BODY_PARTS, WHOLE, Motion, body_masks, measure_motion
from bitbox.body_backend.reliability import angle_reliability, hand_reliability
from bitbox.body_backend.skeleton import ELBOWS, JOINTS, WRISTS
from bitbox.body_backend.space import in_body, in_space
from bitbox.body_backend.track import BodyTrack, joints_seen
from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.measuring.fingerprint import hash_of_code
from bitbox.measuring.one_core import on_one_core
from bitbox.measuring.recording import Recording
from bitbox.provenance import versions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bitbox.signals import Signals

Output = Literal["body-rectangle", "joints", "joints-can", "angles", "hands", "motion"]
OUTPUTS: tuple[Output, ...] = (
    *("body-rectangle", "joints", "joints-can", "angles", "hands", "motion"),
)
BACKEND = "openbitbox-mediapipe-pose"
_LIBRARIES = ("mediapipe", "av", "numpy", "opencv-contrib-python", "opencv-python-headless")


@dataclass(frozen=True)
class Parts:
    """Where motion is measured.

    Attributes
    ----------
    named : tuple of str
        Of ``'whole'``, ``'head'``, ``'trunk'``, ``'arms'`` and ``'legs'``.
    rectangles : tuple of (name, (x, y, w, h))
        Drawn by the user, in pixels.
    """

    named: tuple[str, ...] = (WHOLE, *BODY_PARTS)
    rectangles: tuple[tuple[str, tuple[float, float, float, float]], ...] = ()

    @classmethod
    def of(cls, regions: Sequence[str] | Mapping[str, Sequence[float]] | None) -> Parts:
        """Understand what a user asks for.

        Raises
        ------
        ParameterError
            It is neither names of parts nor rectangles.
        """
        if regions is None:
            return cls()
        if isinstance(regions, Mapping):
            boxes = []
            for name, box in regions.items():
                numbers = tuple(float(v) for v in box) if _is_box(box) else ()
                if len(numbers) != 4 or not str(name) or not np.isfinite(numbers).all():
                    raise ParameterError(
                        f"The rectangle {name!r} was not understood.",
                        expected="a name, and x, y, width and height in pixels",
                        got=repr(box),
                    )
                boxes.append((str(name), (numbers[0], numbers[1], numbers[2], numbers[3])))
            if boxes:
                return cls((), tuple(boxes))
        named = (regions,) if isinstance(regions, str) else tuple(regions)
        known = (WHOLE, *BODY_PARTS)
        if not named or len(set(named)) < len(named) or not set(named) <= set(known):
            raise ParameterError(
                "The regions for motion were not understood.",
                expected=f"some of {', '.join(map(repr, known))}, each once, or a dictionary of "
                "names and rectangles (x, y, width, height)",
                got=repr(regions),
            )
        return cls(tuple(part for part in known if part in named))

    @property
    def needs_joints(self) -> bool:
        """Whether the body has to be tracked to know where the parts are."""
        return any(part in BODY_PARTS for part in self.named)


def _is_box(box: Any) -> bool:
    return isinstance(box, Sequence | np.ndarray) and all(
        isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in box
    )


class BodyRuntime:
    """Measures bodies with MediaPipe's Pose, and motion without any model.

    Parameters
    ----------
    person : str or int
        Whom to follow.
    region : (x, y, w, h) or None
        Where he or she is.
    fps : float or None
        How many frames a second are looked at.
    visibility : float
        How visible a joint must be.
    """

    backend = BACKEND

    def __init__(
        self,
        *,
        person: str | int,
        region: tuple[float, float, float, float] | None,
        fps: float | None,
        visibility: float,
    ) -> None:
        self.person = person
        self.region = region
        self.fps = fps
        self.visibility = visibility

    def settings(self, output: Output, options: Parts | None) -> dict[str, object]:
        """Return every setting and version that shapes an output."""
        if output != "motion":
            return {**self._tracking_settings, "visibility": self.visibility}
        parts = options or Parts()
        of_parts = {"parts": [list(parts.named), [[n, list(b)] for n, b in parts.rectangles]]}
        if parts.needs_joints:
            return {**self._tracking_settings, "visibility": self.visibility, **of_parts}
        return {**self._plain_settings, **of_parts}

    def compute(
        self, recording: Recording, outputs: Sequence[Output], options: Parts | None
    ) -> dict[Output, Signals]:
        """Measure outputs of a recording, tracking its body only once.

        Raises
        ------
        VideoError
            The video cannot be decoded, or shows nobody.
        BackendError
            MediaPipe is not installed or does not start.
        """
        found: dict[Output, Signals] = {}
        with on_one_core():
            points: NDArray[np.float64] | None = None
            for output in outputs:
                if output == "motion":
                    found[output] = self._motion(recording, options or Parts())
                    continue
                track = self.track(recording)
                if points is None and output in ("joints-can", "angles", "hands"):
                    seen = joints_seen(track, self.visibility)
                    points = in_space(np.asarray(track.rows), seen, track.time)
                if output == "hands" and points is not None:
                    values, told = self._hands(recording, track, points)
                else:
                    values, told = self._values(track, output, points), ()
                found[output] = self._signals(recording, track, output, values, told)
        return found

    @functools.cached_property
    def _plain_settings(self) -> dict[str, object]:
        found = versions()
        return {
            "backend": self.backend,
            "fps": self.fps,
            "code": code_fingerprint(),
            "libraries": {name: found[name] for name in _LIBRARIES if name in found},
        }

    @functools.cached_property
    def _tracking_settings(self) -> dict[str, object]:
        return {
            **self._plain_settings,
            "person": self.person,
            "region": None if self.region is None else list(self.region),
            "complexity": 1,
            "smoothing": "none",
        }

    def track(self, recording: Recording) -> BodyTrack:
        """Return the tracked joints of a recording, from memory, the cache or the video."""
        from bitbox.body_backend.tracking import track_body

        if "track" not in recording.memory:
            key = recording.key("body-joints", self._tracking_settings)
            track = _stored_track(recording, key)
            if track is None:
                track = track_body(
                    recording.path,
                    person=self.person,
                    region=self.region,
                    fps=self.fps,
                    threshold=self.visibility,
                    progress=recording.progress,
                    folder=recording.cache.folder,
                )
                _store_track(recording, key, track)
            recording.memory["track"] = track
        track = cast("BodyTrack", recording.memory["track"])
        for finding in track.findings:
            recording.note(finding)
        return track

    def _signals(
        self,
        recording: Recording,
        track: BodyTrack,
        output: Output,
        values: NDArray[np.float64],
        told: tuple[Finding, ...],
    ) -> Signals:
        from bitbox.signals import Signals

        form = _FORM[output]
        provenance = recording.provenance(
            self.settings(output, None),
            {"runtime": track.runtime, "size": list(track.size)},
            (*track.findings, *told),
        )
        if output == "angles":
            known = angle_reliability(values)
            doubtful = list(known.doubtful)
            provenance = {**provenance, "reliability": known.r, "unreliable": doubtful}
        if output == "hands":
            provenance = {**provenance, "reliability": hand_reliability()}
        return Signals(
            values,
            track.time,
            _names(output),
            backend=self.backend,
            confidence=track.confidence,
            provenance=provenance,
            **form,
        )

    def _values(
        self, track: BodyTrack, output: Output, points: NDArray[np.float64] | None
    ) -> NDArray[np.float64]:
        if output == "angles" and points is not None:
            return angles_of(points)
        if output == "joints-can" and points is not None:
            return in_body(points).reshape(len(points), -1)
        joints = self.joints(track)
        if output == "joints":
            return joints.reshape(len(joints), -1)
        return _rectangle(joints)

    def _hands(
        self, recording: Recording, track: BodyTrack, points: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], tuple[Finding, ...]]:
        """Look for hands at the ends of the arms; return their angles, and what there is to say."""
        from bitbox.body_backend.hand_tracking import track_hands

        hands, findings = track_hands(
            recording.path, self.joints(track), fps=self.fps, progress=recording.progress
        )
        for finding in findings:
            recording.note(finding)
        forearms = points[:, WRISTS] - points[:, ELBOWS]
        angles = [hand_angles(hands[:, k], forearms[:, k], k) for k in range(len(SIDES))]
        return np.concatenate(angles, axis=1), findings

    def joints(self, track: BodyTrack) -> NDArray[np.float64]:
        """Return joints in pixels, shape (T, 33, 2), NaN where one is not seen."""
        joints = np.array(track.rows[..., :2], dtype=np.float64)
        joints[~joints_seen(track, self.visibility)] = np.nan
        return joints

    def _motion(self, recording: Recording, parts: Parts) -> Signals:
        from bitbox.signals import Signals

        body = None
        told: tuple[Finding, ...] = ()
        if parts.needs_joints:
            track = self.track(recording)
            named = tuple(part for part in parts.named if part in BODY_PARTS)
            body = named, body_masks(self.joints(track), track.size)
            told = track.findings
        motion: Motion = measure_motion(
            recording.path,
            dict(parts.rectangles),
            whole=WHOLE in parts.named,
            body=body,
            fps=self.fps,
            progress=recording.progress,
            folder=recording.cache.folder,
        )
        return Signals(
            motion.values,
            motion.time,
            motion.names,
            kind="body",
            schema="openbitbox-motion",
            units="share, grey levels",
            backend=self.backend,
            provenance=recording.provenance(
                self.settings("motion", parts),
                {"size": list(motion.size), "noise threshold": motion.threshold},
                tuple(dict.fromkeys((*told, *motion.findings))),
            ),
        )


_FORM: dict[Output, dict[str, Any]] = {
    "body-rectangle": {"kind": "rectangle", "schema": "rectangle", "units": "px", "dimension": 1},
    "joints": {"kind": "body", "schema": "openbitbox-joints-33", "units": "px", "dimension": 2},
    "joints-can": {
        "kind": "body",
        "schema": "openbitbox-joints-can-33",
        "units": "m",
        "dimension": 3,
    },
    "angles": {"kind": "body", "schema": "openbitbox-angles", "units": "rad", "dimension": 1},
    "hands": {"kind": "body", "schema": "openbitbox-hands", "units": "rad", "dimension": 1},
}


def _names(output: Output) -> tuple[str, ...]:
    if output == "body-rectangle":
        return ("x", "y", "w", "h")
    if output == "angles":
        return ANGLE_NAMES
    if output == "hands":
        return HAND_NAMES
    axes = "xy" if output == "joints" else "xyz"
    return tuple(f"{joint}_{axis}" for joint in JOINTS for axis in axes)


def _rectangle(joints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return x, y, w, h around the joints that are seen, shape (T, 4)."""
    seen = np.isfinite(joints)
    low = np.where(seen, joints, np.inf).min(axis=1)
    high = np.where(seen, joints, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore"):
        box = np.concatenate([low, high - low], axis=1)
    return np.where(np.isfinite(box), box, np.nan)


@functools.cache
def code_fingerprint() -> str:
    """Return a hash of the code that turns a video into signals of a body."""
    return hash_of_code(Path(__file__).parent, ("plot.py",))


def _store_track(recording: Recording, key: str, track: BodyTrack) -> None:
    header = {
        "size": list(track.size),
        "runtime": track.runtime,
        "findings": [finding.to_dict() for finding in track.findings],
    }
    arrays: dict[str, NDArray[Any]] = {
        "rows": np.asarray(track.rows),
        "time": track.time,
        "confidence": track.confidence,
        "n_people": track.n_people,
        "header": np.array(json.dumps(header)),
    }
    recording.cache.write_arrays(recording.name, "body-track", key, arrays)


def _stored_track(recording: Recording, key: str) -> BodyTrack | None:
    arrays: dict[str, Any] | None = recording.cache.read_arrays("body-track", key)
    if arrays is None:
        return None
    header = json.loads(str(arrays.pop("header")))
    width, height = header["size"]
    return BodyTrack(
        **arrays,
        size=(width, height),
        runtime=header["runtime"],
        findings=tuple(Finding(**finding) for finding in header["findings"]),
    )
