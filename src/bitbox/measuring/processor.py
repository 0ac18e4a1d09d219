"""Videos in, signals out, each computed once: what processors of faces and bodies share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bitbox.errors import ParameterError
from bitbox.findings import Finding
from bitbox.measuring.recording import Recording, Runtime
from bitbox.measuring.store import Cache
from bitbox.progress import Progress

if TYPE_CHECKING:
    from bitbox.signals import Signals

ReturnOutput = Literal["dict", "file"] | None
#: What a step returns: Signals, the path of their file, or None, as `return_output` says.
Result: TypeAlias = Any


class Processor:
    """Measures a recording with a runtime.

    Parameters
    ----------
    return_output : {'dict', 'file', None}
        What the steps return: Signals, the paths of the files they were stored in, or nothing.
    progress : callable, optional
        Called as ``progress(task, done, total)`` during long steps.
    """

    _runtime: Runtime

    def __init__(self, *, return_output: ReturnOutput, progress: Progress | None) -> None:
        if return_output not in ("dict", "file", None):
            raise ParameterError(
                "return_output was not understood.",
                expected="'dict', 'file' or None",
                got=repr(return_output),
            )
        self.return_output = return_output
        self.progress = progress
        self.cache = Cache()
        self._recording: Recording | None = None
        self._done: dict[str, tuple[Signals, Path | None]] = {}

    @property
    def backend(self) -> str:
        """Name of the runtime that measures, as recorded in every Signals."""
        return self._runtime.backend

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed about the current recording so far."""
        return () if self._recording is None else tuple(self._recording.findings)

    def io(self, input_file: str | Path, output_dir: str | Path | None = None) -> None:
        """Choose the video to process and the folder for its results.

        Parameters
        ----------
        input_file : path
            The video.
        output_dir : path, optional
            Results are stored there, and read from there when the same video (by content) is
            processed again with the same settings. May be shared by many videos. None stores
            nothing, which ``return_output='dict'`` allows.

        Raises
        ------
        InputError
            There is no such file, or it is empty.
        OutputError
            The folder cannot be made or written to.
        ParameterError
            No folder is given although files are asked for.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', output_dir='output')
        """
        if output_dir is None and self.return_output != "dict":
            raise ParameterError(
                f"return_output={self.return_output!r} writes files, and no folder was given.",
                todo="Give `output_dir`, or use return_output='dict'.",
            )
        recording = Recording.open(input_file, self.cache, self.progress)
        if output_dir is None:
            self.cache.close()
        else:
            self.cache.open(output_dir)
        self._recording = recording
        self._done = {}

    def _deliver(self, outputs: Sequence[str], options: Any = None) -> Any:
        """Compute or find outputs and hand them over as `return_output` says."""
        done = self._results(outputs, options)
        if self.return_output is None:
            return None
        pick = 0 if self.return_output == "dict" else 1
        results = tuple(result[pick] for result in done)
        return results[0] if len(results) == 1 else results

    def holds(self, outputs: Sequence[str], options: Any = None) -> bool:
        """Tell whether outputs of the current recording were measured before and are kept.

        Parameters
        ----------
        outputs : sequence of str
        options : optional
            As the step that gives them takes them: whether normalised, for faces.

        Raises
        ------
        ParameterError
            No video has been chosen yet.

        Examples
        --------
        >>> from bitbox.face_backend import FaceProcessor
        >>> processor = FaceProcessor()
        >>> processor.io('participant.mp4', 'kept')
        >>> processor.holds(['pose'], False)
        False
        """
        recording = self._current()
        keys = self._keys(recording, outputs, options)
        self._find(recording, keys)
        return all(key in self._done for key in keys.values())

    def _results(
        self, outputs: Sequence[str], options: Any = None
    ) -> list[tuple[Signals, Path | None]]:
        """Return outputs and the files they are stored in, computing what is not there yet."""
        recording = self._current()
        keys = self._keys(recording, outputs, options)
        self._find(recording, keys)
        missing = [name for name in outputs if keys[name] not in self._done]
        if missing:
            computed = self._runtime.compute(recording, missing, options)
            for name in missing:
                path = self.cache.write_signals(recording.name, name, keys[name], computed[name])
                self._done[keys[name]] = (computed[name], path)
        return [self._done[keys[name]] for name in outputs]

    def _current(self) -> Recording:
        if self._recording is None:
            raise ParameterError(
                "No video has been chosen yet.",
                todo="Call processor.io(input_file=..., output_dir=...) first.",
            )
        return self._recording

    def _keys(self, recording: Recording, outputs: Sequence[str], options: Any) -> dict[str, str]:
        """Return under which key each output is stored."""
        return {
            name: recording.key(name, self._runtime.settings(name, options)) for name in outputs
        }

    def _find(self, recording: Recording, keys: dict[str, str]) -> None:
        """Look for results of earlier steps and runs."""
        from bitbox.signals import Signals

        for name, key in keys.items():
            if key in self._done:
                path = self._done[key][1]
                if path is None or path.exists():
                    continue
                del self._done[key]  # the stored file was cleared meanwhile
            found = self.cache.read(name, key, Signals.from_parquet)
            if found is not None:
                self._done[key] = (recording.recall(found[0]), found[1])
