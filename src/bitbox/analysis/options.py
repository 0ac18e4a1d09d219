"""How two people's signals are compared: what `imitation` and `imitation_quality` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bitbox.analysis.correlation_result import CorrelationResult
from bitbox.analysis.pair import SignalsLike, every_pair, prepare
from bitbox.analysis.senses import Mirror, check_mirror
from bitbox.correlation.plan import Mode, WindowPlan
from bitbox.progress import Progress
from bitbox.signals import Components
from bitbox.signals.alignment import Aligned


def in_the_mirror(aligned: Aligned) -> Aligned:
    """Return the same with the model mirrored: names of signals are those of the participant."""
    return replace(aligned, model=aligned.model.mirrored())


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices of a comparison, each as documented in :func:`bitbox.social.imitation`.

    Attributes
    ----------
    width : float
        Seconds.
    step, lag : float or None
        Seconds; None: half of `width`, and `width`.
    mode : {'imitation', 'coordination'}
        Whether the windows of one person move, or those of both.
    causality : bool
        Whether the participant may only follow; no matter in coordination.
    fps : float or None
        Rate of the common clock; None: the lower of the two.
    offset, max_gap : float
        Seconds.
    polarity, angular : bool
    components : {'vector', 'each', 'magnitude'} or None
    min_valid : float
        Share of a window's frames.
    mirror : {'no', 'yes', 'either'}
        Whether sides are compared as in a mirror.
    threads : int or None
        Threads to use; None: one a core. No result depends on it.
    """

    width: float
    step: float | None = None
    lag: float | None = None
    mode: Mode = "imitation"
    causality: bool = True
    fps: float | None = None
    offset: float = 0.0
    max_gap: float = 0.1
    polarity: bool = True
    angular: bool = True
    components: Components | None = None
    min_valid: float = 0.8
    mirror: Mirror = "no"
    threads: int | None = None

    def prepare(self, participant: SignalsLike, model: SignalsLike) -> Aligned:
        """Return two people's signals on one clock, the model mirrored where that is wanted.

        For ``mirror='either'`` it is not; see `in_the_mirror`.
        """
        check_mirror(self.mirror, testable=True)
        aligned = prepare(
            participant, model, fps=self.fps, offset=self.offset, max_gap=self.max_gap
        )
        return in_the_mirror(aligned) if self.mirror == "yes" else aligned

    def plan(self, aligned: Aligned) -> WindowPlan:
        """Return windows and lags, in frames, for signals on one clock."""
        return WindowPlan.from_seconds(
            aligned.participant.n_frames,
            aligned.fps,
            width=self.width,
            lag=self.lag,
            step=self.step,
            mode=self.mode,
            causal=self.causality,
        )

    def parameters(self, aligned: Aligned) -> dict[str, Any]:
        """Return what is recorded of a result: every choice, with what was left open filled in."""
        return {
            "mode": self.mode,
            "width": self.width,
            "step": self.width / 2 if self.step is None else self.step,
            "lag": self.width if self.lag is None else self.lag,
            "causality": self.causality,
            "fps": aligned.fps,
            "offset": self.offset,
            "max_gap": self.max_gap,
            "components": self.components,
            "angular": self.angular,
            "polarity": self.polarity,
            "min_valid": self.min_valid,
            "mirror": self.mirror,
        }

    def correlate(
        self,
        aligned: Aligned,
        plan: WindowPlan,
        *,
        every_window: bool = False,
        progress: Progress | None = None,
    ) -> CorrelationResult:
        """Return every signal of the participant correlated with every signal of the model."""
        return every_pair(
            aligned,
            plan,
            self.parameters(aligned),
            components=self.components,
            angular=self.angular,
            polarity=self.polarity,
            min_valid=self.min_valid,
            keep_windows=every_window,
            threads=self.threads,
            progress=progress,
        )
