"""What an analysis of two recordings found, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitbox.analysis.result import ImitationQuality
from bitbox.analysis.trial_result import ImitationTrials
from bitbox.findings import Finding
from bitbox.workflow.clocks import Clocks
from bitbox.workflow.recordings import Recording
from bitbox.workflow.settings import Settings


@dataclass(frozen=True)
class Run:
    """A finished analysis: what it found and where it wrote it.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.workflow.run import imitate_files
    >>> from bitbox.workflow.settings import Settings
    >>> files = participant.to_parquet('anna.parquet'), model.to_parquet('model.parquet')
    >>> run = imitate_files(*files, 'results', Settings(n_surrogates=99, seed=1))
    >>> run.quality.headline.tested
    3
    """

    participant: Recording
    model: Recording
    quality: ImitationQuality
    settings: Settings
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]
    folder: Path
    files: tuple[Path, ...]
    clocks: Clocks
    trials: ImitationTrials | None = None

    def methods(self) -> str:
        """Return a methods section: how the recordings were made to fit, and the analysis."""
        told = [self.clocks.sentence()]
        told += [
            f"The {person.role}'s picture, which the camera had flipped, was turned back."
            for person in (self.participant, self.model)
            if person.flipped
        ]
        settings = self.settings
        for role, start, end in (
            ("participant", settings.start, settings.end),
            ("model", settings.model_start, settings.model_end),
        ):
            if start is not None or end is not None:
                first = "the beginning" if start is None else f"{start:g} s"
                last = "the end" if end is None else f"{end:g} s"
                told.append(f"Of the {role}'s recording, {first} to {last} was compared.")
        texts = [self.quality.methods()]
        if self.trials is not None:
            texts.append(self.trials.methods())
        return "\n\n".join(filter(None, [" ".join(filter(None, told)), _one_list(texts)]))


def _one_list(texts: Sequence[str]) -> str:
    """Return methods texts after each other, with one list of references."""
    parts = [text.partition("\n\nReferences\n\n") for text in texts]
    entries = sorted({entry for *_, listed in parts for entry in listed.split("\n\n") if entry})
    return "\n\n".join([*(text for text, *_ in parts), "References", *entries])
