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
    """A finished analysis: what it found and where it wrote it."""

    participant: Recording
    model: Recording
    quality: ImitationQuality
    settings: Settings
    findings: tuple[Finding, ...]
    timings: Mapping[str, float]
    folder: Path
    files: tuple[Path, ...]
