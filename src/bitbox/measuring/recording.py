"""One video being processed, and what a runtime has to offer to a processor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bitbox.errors import InputError
from bitbox.files import reason, require_file
from bitbox.findings import Finding
from bitbox.measuring.store import Cache, make_key
from bitbox.progress import Progress
from bitbox.provenance import environment, hash_file

if TYPE_CHECKING:
    from bitbox.signals import Signals


@dataclass
class Recording:
    """A video, its results folder, and what has been computed of it so far.

    Parameters
    ----------
    path : Path
        The video.
    sha256 : str
        Hash of its content.
    cache : Cache
        Where results are kept.
    progress : callable or None
        Told how far long steps are.
    memory : dict
        Intermediate results of the runtime, kept between steps.
    findings : list of Finding
        What was noticed.
    """

    path: Path
    sha256: str
    cache: Cache
    progress: Progress | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @classmethod
    def open(cls, path: str | Path, cache: Cache, progress: Progress | None) -> Recording:
        """Check that a file is there and hash it.

        Raises
        ------
        InputError
            There is no such file, or it is empty or cannot be read.
        """
        file = Path(path)
        if require_file(file, "a video file").st_size == 0:
            raise InputError(
                f"The file {str(file)!r} is empty (0 bytes).",
                todo="Copy the recording again from where it was made.",
            )
        try:
            digest = hash_file(file)
        except OSError as error:
            raise InputError(f"The file {str(file)!r} cannot be read ({reason(error)}).") from error
        return cls(file, digest, cache, progress)

    @property
    def name(self) -> str:
        """Name of the file without folder and suffix."""
        return self.path.stem

    def key(self, what: str, settings: Mapping[str, object]) -> str:
        """Return the key of a result of this recording under these settings."""
        return make_key({"input": self.sha256, "what": what, **settings})

    def note(self, finding: Finding) -> None:
        """Keep a finding, once."""
        if finding not in self.findings:
            self.findings.append(finding)

    def recall(self, signals: Signals) -> Signals:
        """Take stored Signals of this recording: its findings, and its name now."""
        for finding in signals.provenance.get("findings", ()):
            self.note(Finding(**finding))
        source = dict(signals.provenance.get("source", {}))
        if source.get("file") == self.path.name:
            return signals
        source["file"] = self.path.name  # the same content was processed under another name
        return signals.replace(provenance={**signals.provenance, "source": source})

    def provenance(
        self,
        settings: Mapping[str, object],
        facts: Mapping[str, object],
        findings: Sequence[Finding],
    ) -> dict[str, object]:
        """Return the record of where Signals come from, and keep its findings.

        Names the file but not its folder, so that results can be passed on. The findings are those
        that concern these Signals, whatever was computed before them.
        """
        for finding in findings:
            self.note(finding)
        return {
            "source": {"file": self.path.name, "sha256": self.sha256, **facts},
            "settings": dict(settings),
            "findings": [finding.to_dict() for finding in findings],
            **environment(),
        }


class Runtime(Protocol):
    """What measures a recording."""

    @property
    def backend(self) -> str:
        """The name that every Signals records."""

    def settings(self, output: Any, options: Any) -> dict[str, object]:
        """Return every setting and version that shapes an output: what its key is made of."""

    def compute(
        self, recording: Recording, outputs: Sequence[Any], options: Any
    ) -> Mapping[Any, Signals]:
        """Measure outputs of a recording."""
