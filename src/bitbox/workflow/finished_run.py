"""What an analysis of two recordings found, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bitbox.analysis.result import ImitationQuality
from bitbox.findings import Finding
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
