"""The clocks of two recordings: known, or found from what both heard; and their drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bitbox.errors import BitboxError, ParameterError
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.provenance import hash_file
from bitbox.sync import Offset
from bitbox.workflow.recordings import Recording, is_video
from bitbox.workflow.settings import Settings


@dataclass(frozen=True)
class Clocks:
    """How two recordings' clocks stand to each other.

    Attributes
    ----------
    offset : float
        Seconds added to the participant's clock.
    found : Offset or None
        What it was found from; None where it was given.
    removed : bool
        Whether the drift that was found is taken out of the participant's clock.
    """

    offset: float
    found: Offset | None = None
    removed: bool = False

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Clocks:
        """Return the clocks that `to_dict` told of."""
        found = kept["found"]
        if found is not None:
            found = Offset(
                **{**found, "shared": tuple(found["shared"])}, sure=True, doubt="", found=None
            )
        return cls(kept["offset"], found, kept["drift_removed"])

    @property
    def drifted(self) -> float:
        """Seconds that the model's clock gains over what both share; 0 where that is not known."""
        if self.found is None:
            return 0.0
        return self.found.drift_ppm * 1e-6 * (self.found.shared[1] - self.found.shared[0])

    def steadied(self, participant: Recording) -> Recording:
        """Return the participant's recording with the drift taken out, where that is wanted."""
        if self.found is None or not self.removed:
            return participant
        signals, middle = participant.signals, sum(self.found.shared) / 2
        gained = (signals.time - middle) * self.found.drift_ppm * 1e-6
        provenance = {**signals.provenance, "drift removed (ppm)": self.found.drift_ppm}
        signals = signals.replace(time=signals.time + gained, provenance=provenance)
        return replace(participant, signals=signals)

    def to_dict(self) -> dict[str, Any]:
        """Return what run.json holds of it."""
        found = None if self.found is None else self.found.to_dict()
        return {"offset": self.offset, "found": found, "drift_removed": self.removed}

    def facts(self) -> dict[str, str]:
        """Return what the report says of it beside the participant's pictures."""
        if self.found is None:
            given = f"{self.offset:+g} s to be on the model's, as was stated"
            return {"Clock": given} if self.offset else {}
        text = (
            f"{self.offset:+.3f} s to be on the model's (± {self.found.uncertainty:.3f} s, from "
            "sound)"
        )
        if self.removed:
            text += f"; a drift of {self.found.drift_ppm:.0f} parts per million was taken out"
        return {"Clock": text}

    def findings(self) -> Iterator[Finding]:
        """Yield what there is to say of it."""
        if self.found is None:
            return
        yield Finding(
            "offset-found",
            "info",
            f"The offset was found from the recordings' sound: {self.offset:.3f} s, with a 95 % "
            f"interval of ± {self.found.uncertainty:.3f} s.",
            "Check it at one moment that is seen in both.",
        )
        size = abs(self.drifted)
        ppm = f"{self.found.drift_ppm:.0f} ± {self.found.drift_uncertainty_ppm:.0f}"
        if self.removed:
            yield Finding(
                "drift-removed",
                "info",
                f"The model's clock gains {ppm} parts per million on the participant's; that was "
                f"taken out. Otherwise latencies would have changed by {size:.3f} s from the "
                "beginning to the end.",
                "Nothing.",
            )
        elif self.found.drift_matters:
            yield Finding(
                "clocks-drift",
                "warning",
                f"The model's clock gains {ppm} parts per million on the participant's: measured "
                f"latencies change by {size:.3f} s from the beginning to the end.",
                "Take it out with remove_drift=True.",
            )

    def sentence(self) -> str:
        """Return what a methods section says of it; empty where nothing was found."""
        if self.found is None:
            return ""
        return (
            f"The offset of the two recordings ({self.offset:.3f} s, 95 % interval ± "
            f"{self.found.uncertainty:.3f} s) was found by correlating the onsets of energy in "
            "five bands of their sound, first as a whole and then stretch by stretch. The model's "
            f"clock gained {self.found.drift_ppm:.0f} parts per million (± "
            f"{self.found.drift_uncertainty_ppm:.0f}) on the participant's, which was "
            + ("taken out." if self.removed else "not taken out.")
        )


def clocks_of(
    participant: Path, model: Path, settings: Settings, progress: Progress | None = None
) -> Clocks:
    """Return the clocks as they are given, or listen to both recordings.

    Raises
    ------
    ParameterError
        A drift is to be taken out that is not looked for, or there is no sound to listen to.
    UnsureError
        The offset cannot be told.
    """
    if settings.offset != "auto":
        if settings.remove_drift:
            raise ParameterError(
                "The drift of two clocks has to be found before it can be taken out.",
                expected="offset='auto'",
                got=f"offset={settings.offset:g}",
            )
        return Clocks(float(settings.offset))
    for role, path in (("participant", participant), ("model", model)):
        if not is_video(path):
            error = ParameterError(
                f"{path.name} is taken for a file of signals, which has no sound.",
                expected="two recordings with sound, for offset='auto'",
                got="signals",
                todo="Find the offset from the recordings themselves (bitbox sync), and give it.",
            )
            error.role = role
            raise error
    if _same(participant, model):
        raise ParameterError(
            "Both people are in one recording, which has one clock.",
            expected="two recordings, for offset='auto'",
            got=participant.name,
            todo="Leave `offset` out.",
        )
    from bitbox.sync import offset

    found = offset(participant, model, progress=progress)
    return Clocks(round(found.middle, 4), found, settings.remove_drift)


def _same(one: Path, other: Path) -> bool:
    try:
        if one.samefile(other):
            return True
        return one.stat().st_size == other.stat().st_size and hash_file(one) == hash_file(other)
    except (OSError, ValueError, BitboxError):
        return False  # what is not there is told where it is read
