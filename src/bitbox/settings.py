"""What can be chosen for an analysis of two recordings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bitbox.recordings import SIGNALS


@dataclass(frozen=True)
class Settings:
    """What can be chosen for an analysis; see ``bitbox imitate --help``.

    Attributes
    ----------
    signals : str or None
        One of `bitbox.recordings.SIGNALS`; None: local expressions, or what the files hold.
    width, step, lag : float or None
        Window, hop and largest lag in seconds; None: the analysis' own default.
    fps : float or None
        Frames a second of the common clock; None: the lower of the two rates.
    polarity, causality : bool
        As for :func:`bitbox.social.imitation_quality`.
    offset : float
        Seconds added to the participant's clock.
    participant_face, model_face : str or int
        Which face of each video to follow.
    n_surrogates, surrogate, seed
        The test against chance, as for :func:`bitbox.social.imitation_quality`.
    matrix_test : bool
        Also test every pair of signals against chance.
    windows : bool
        Also write every window's correlations to windows.nc.
    """

    signals: str | None = None
    width: float | None = None
    step: float | None = None
    lag: float | None = None
    fps: float | None = None
    polarity: bool = False
    causality: bool = True
    offset: float = 0.0
    participant_face: str | int = "largest"
    model_face: str | int = "largest"
    n_surrogates: int = 999
    surrogate: str = "circular"
    seed: int | None = None
    matrix_test: bool = False
    windows: bool = False

    def analysis(self) -> dict[str, Any]:
        """Return the arguments of `imitation_quality`; what is None is left to its defaults."""
        not_analysis = {"signals", "participant_face", "model_face", "windows"}
        given = {name: value for name, value in asdict(self).items() if name not in not_analysis}
        angular = SIGNALS[self.signals].angular if self.signals else True
        return {k: v for k, v in given.items() if v is not None} | {"angular": angular}
