"""What an analysis of two recordings found, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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

    Where several families of signals were compared it is that of the first, and `more` has the
    others; findings, clocks, timings and files are of all.

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
    more: tuple[Run, ...] = ()

    @property
    def families(self) -> tuple[Run, ...]:
        """Return this run and the others, of each family of signals that was compared."""
        return (self, *self.more)

    @property
    def family(self) -> str:
        """What this family of signals is called."""
        return self.settings.signals or self.quality.aligned.participant.kind

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
        if self.more:
            named = ", ".join(run.family for run in self.families)
            told.append(
                f"Several families of signals were compared ({named}), each by itself: p are "
                "corrected within a family, not over all of them."
            )
        texts = [text for run in self.families for text in run.analyses()]
        return "\n\n".join(filter(None, [" ".join(filter(None, told)), one_list(texts)]))

    def analyses(self) -> list[str]:
        """Return the methods texts of this family's analyses."""
        texts = [self.quality.methods()]
        if self.trials is not None:
            texts.append(self.trials.methods())
        return texts


def together(runs: Sequence[Run]) -> Run:
    """Return the first of some families of signals of the same recordings, with the others in it.

    What was noticed in one family only says which.
    """
    first, *others = runs
    if not others:
        return first
    everywhere = [f for f in first.findings if all(f in run.findings for run in others)]
    own = [
        replace(finding, message=f"{run.family}: {finding.message}")
        for run in runs
        for finding in run.findings
        if finding not in everywhere
    ]
    seconds: dict[str, float] = {}
    for run in runs:
        for name, value in run.timings.items():
            seconds[name] = seconds.get(name, 0.0) + value
    return replace(first, findings=(*everywhere, *own), timings=seconds, more=tuple(others))


def one_list(texts: Sequence[str]) -> str:
    """Return methods texts after each other, with one list of references."""
    parts = [text.partition("\n\nReferences\n\n") for text in texts]
    entries = sorted({entry for *_, listed in parts for entry in listed.split("\n\n") if entry})
    return "\n\n".join([*(text for text, *_ in parts), "References", *entries])
