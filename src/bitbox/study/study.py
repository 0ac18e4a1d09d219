"""A study: a manifest in, and the tables of a paper out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from bitbox.analysis.trials import check_latency
from bitbox.errors import OutputError, ParameterError
from bitbox.files import reason, require_folder
from bitbox.progress import Progress
from bitbox.provenance import environment
from bitbox.study import engine
from bitbox.study.folder import write_study
from bitbox.study.manifest import Entry, Manifest, read_manifest, require_whole
from bitbox.study.pair import Job
from bitbox.study.pairing_table import Chance
from bitbox.study.result import StudyResult
from bitbox.study.sources import Sources
from bitbox.study.tables import (
    Done,
    failures_table,
    groups_table,
    pairs_table,
    quality_table,
    reliability_table,
    scores_table,
    whole,
)
from bitbox.workflow.recordings import SIGNALS
from bitbox.workflow.settings import Settings

PAIRS, PAIRINGS, CACHE, SOURCES = "pairs", "pairings", "cache", ".sources.json"
_PAIRS, _PAIRINGS = "Comparing pairs", "Comparing with wrong pairings"
_NOT_WITH_OTHERS = "It was compared, but not with all wrong pairings:"
_BY_OTHERS = (
    "It was compared by another version of openbitbox, of Python or of a library than the one that "
    "began the study. See that all workers have the same versions, and run the study again."
)
T = TypeVar("T")


class Study:
    r"""Many pairs of recordings, listed in a manifest.

    Parameters
    ----------
    manifest : path
        A CSV, TSV or XLSX file with one row a pair, see `read_manifest`.
    output : path
        Folder for the results; made if need be. What is done there already is not done again.
    settings : Settings, optional
        How every pair is compared; what a row of the manifest says comes first.
    reports : bool
        Also write a report for every pair.
    pairings : bool
        Also compare participants with other people's models, to test whether the right pairings
        match better than wrong ones.
    seed : int
        Where random numbers start, of the study and, by its name, of every pair.

    Attributes
    ----------
    manifest : Manifest
        The rows, and what is wrong with them.

    Raises
    ------
    InputError
        The manifest cannot be read.
    ParameterError
        The latency of trials makes no sense, or several families of signals are named.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.study import Study
    >>> _ = Path('manifest.csv').write_text('id,participant,model\nanna,anna.mp4,model.mp4')
    >>> len(Study('manifest.csv').manifest.problems)  # there are no such files
    2
    """

    def __init__(
        self,
        manifest: str | Path,
        output: str | Path = "study",
        settings: Settings | None = None,
        *,
        reports: bool = False,
        pairings: bool = True,
        seed: int = 1,
    ) -> None:
        if settings is not None:
            _check(settings)
        self.path = Path(manifest)
        self.folder = Path(output)
        self.settings = settings or Settings()
        self.reports = reports
        self.pairings = pairings
        self.seed = seed
        self.manifest: Manifest = read_manifest(self.path)
        _check_drift(self.settings, self.manifest)

    def run(
        self,
        client: Any = None,
        *,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> StudyResult:
        r"""Compare all pairs that are not done yet, and write all tables.

        Parameters
        ----------
        client : distributed.Client, optional
            Where the work is done; None: on this computer.
        workers : int, optional
            Processes on this computer, where no client is given; None: by cores and memory.
        progress : callable, optional
            Called as ``progress(task, done, total)``.

        Returns
        -------
        StudyResult
            Pairs that failed are in its ``failures``; the others are not held up by them.

        Raises
        ------
        ParameterError
            Something is wrong with the manifest.
        OutputError
            The folder cannot be written to. What was done before is kept.
        BackendError
            Dask is not installed.

        Notes
        -----
        In a program of your own, the call must stand under ``if __name__ == '__main__':``, since
        the workers are processes, which import it.

        Examples
        --------
        >>> from pathlib import Path
        >>> from bitbox.study import Study
        >>> from bitbox.synthetic.signals import imitated_pair
        >>> from bitbox.workflow.settings import Settings
        >>> rows = ['id,group,participant,model']
        >>> for k in range(4):
        ...     pair = imitated_pair(3, imitated=2, duration=40, seed=k)
        ...     _ = pair.participant.to_parquet(f'p{k}.parquet')
        ...     _ = pair.model.to_parquet(f'm{k}.parquet')
        ...     rows.append(f'{k},{"ab"[k % 2]},p{k}.parquet,m{k}.parquet')
        >>> _ = Path('manifest.csv').write_text('\n'.join(rows))
        >>> result = Study('manifest.csv', 'study', Settings(n_surrogates=19)).run(workers=1)
        >>> len(result.scores), len(result.failures)
        (12, 0)
        """
        require_whole(self.manifest, self.path.name)
        jobs, errors = self._jobs()
        todo = [job for job in jobs if job.name not in errors and job.record() is None]
        with contextlib.ExitStack() as stack:
            place = _Place(client, workers, stack)
            done = len(jobs) - len(todo)
            for ended in _counted(engine.run_jobs, todo, place, progress, _PAIRS, done):
                if ended["error"] is not None:
                    errors[ended["name"]] = ended["error"]
            rows = self._done(jobs, errors)
            chance, errors = self._chance(rows, jobs, place, progress)
            rows = [row._replace(error=errors.get(row.entry.name, row.error)) for row in rows]
        result = self._result(rows, chance)
        methods = next((row.record for row in rows if row.record is not None), {})
        record = {**self._record(jobs), "chance": None if chance is None else chance.counted()}
        write_study(result, str(methods.get("methods", "")), record)
        return result

    def _chance(
        self, rows: Sequence[Done], jobs: Sequence[Job], place: _Place, progress: Progress | None
    ) -> tuple[Chance | None, dict[str, str]]:
        """Score right and wrong pairings, if that is wanted; also return which could not be."""
        if not self.pairings:
            return None, {}
        chance = Chance.of(rows, jobs, self.folder.absolute() / PAIRINGS, self.seed)
        todo = [row for row in chance.rows.values() if not row.is_done()]
        done = len(chance.rows) - len(todo)
        ended = _counted(engine.run_rows, todo, place, progress, _PAIRINGS, done)
        errors = {one["name"]: one["error"] for one in ended if one["error"] is not None}
        chance.tidy()
        return chance, {name: f"{_NOT_WITH_OTHERS} {error}" for name, error in errors.items()}

    def _record(self, jobs: Sequence[Job]) -> dict[str, Any]:
        """Return everything that is needed to repeat the study."""
        rows = []
        for entry, job in zip(self.manifest.entries, jobs, strict=True):
            files = _files(entry)
            settings = dict(entry.settings)
            if "trials" in files:
                settings["trials"] = files["trials"].name
            row = {**entry.labels, **entry.others, "settings": settings}
            inputs = {r: {"file": p.name, "sha256": job.sources.get(r)} for r, p in files.items()}
            rows.append({"pair": entry.name, **row, "inputs": inputs})
        return {
            "manifest": self.path.name,
            "seed": self.seed,
            "settings": asdict(self.settings),
            "pairs": rows,
            **environment(),
        }

    def _jobs(self) -> tuple[list[Job], dict[str, str]]:
        """Return what is to be done for every row, and what can be told to fail already."""
        sources = Sources(self.folder / SOURCES)
        try:
            require_folder(self.folder)
            sources.keep()  # now, rather than after hours, it is seen whether that can be done
        except OutputError as error:
            raise OutputError(
                f"Results cannot be written to {self.folder}: {reason(error.__cause__ or error)}.",
                todo="Choose a folder that you may write to and that has space, with -o.",
            ) from error
        jobs, errors = [], {}
        for entry in self.manifest.entries:
            hashes = {}
            for role, path in _files(entry).items():
                try:
                    hashes[role] = sources.sha256(path)
                except OSError as error:  # it was there when the manifest was checked
                    errors[entry.name] = f"{path.name} cannot be read: {reason(error)}."
            jobs.append(self._job(entry, hashes))
        sources.keep()
        return jobs, errors

    def _job(self, entry: Entry, sources: dict[str, str]) -> Job:
        own = hashlib.sha256(f"{self.seed} {entry.name}".encode()).digest()
        settings = replace(self.settings, seed=int.from_bytes(own[:4], "little"), **entry.settings)
        if settings.trials is None:
            settings = replace(settings, latency=None)  # which is for those that have trials
        if settings.offset != "auto":
            settings = replace(settings, remove_drift=False)  # which is for those that are found
        folder = self.folder.absolute()
        return Job(
            entry.name,
            entry.participant.absolute(),
            entry.model.absolute(),
            settings,
            sources,
            folder / PAIRS / entry.name,
            folder / CACHE,
            self.reports,
        )

    def _done(self, jobs: Sequence[Job], errors: Mapping[str, str]) -> list[Done]:
        rows = []
        for entry, job in zip(self.manifest.entries, jobs, strict=True):
            error = errors.get(entry.name, "")
            record = None if error else job.record()
            if record is None and not error:
                error = _BY_OTHERS
            rows.append(Done(entry, job.folder, record, error))
        return rows

    def _result(self, rows: Sequence[Done], chance: Chance | None) -> StudyResult:
        scores = scores_table(rows)
        of_whole = whole(scores)
        more = [] if chance is None else chance.table(list(of_whole["signal"].unique()), self.seed)
        return StudyResult(
            scores,
            pairs_table(rows),
            failures_table(rows),
            groups_table(of_whole, self.seed, more),
            reliability_table(of_whole, self.seed),
            quality_table(rows),
            self.folder,
        )


def _check(settings: Settings) -> None:
    """Refuse settings that no pair of a study could be compared with.

    Raises
    ------
    ParameterError
    """
    if settings.latency is not None:
        check_latency(settings.latency)
    if len(settings.by_family()) > 1:
        raise ParameterError(
            "A study compares one family of signals.",
            expected="one of " + ", ".join(SIGNALS),
            got=repr(settings.signals),
            todo="Run a study for each, with a folder of its own (-o).",
        )


def _check_drift(settings: Settings, manifest: Manifest) -> None:
    """Refuse to take out a drift where no row says that one is looked for.

    Raises
    ------
    ParameterError
    """
    offsets = {entry.settings.get("offset", settings.offset) for entry in manifest.entries}
    if settings.remove_drift and offsets and "auto" not in offsets:
        raise ParameterError(
            "The drift of two clocks has to be found before it can be taken out.",
            expected="at least one row with an offset of auto, or offset='auto' for all",
            got="only offsets that are stated",
            todo="Write auto where both recordings have sound, or leave `remove_drift` out.",
        )


def _files(entry: Entry) -> dict[str, Path]:
    """Return the files that a row names, by what they are."""
    files = {"participant": entry.participant, "model": entry.model}
    if "trials" in entry.settings:
        files["trials"] = Path(entry.settings["trials"])
    return files


class _Place:
    """Where the work is done; processes are only started if there is any."""

    def __init__(self, client: Any, workers: int | None, stack: contextlib.ExitStack) -> None:
        self._client, self._workers, self._stack = client, workers, stack

    def client(self) -> Any:
        """Return a Dask client."""
        if self._client is None:
            self._client = self._stack.enter_context(engine.local_client(self._workers))
        return self._client


def _counted(
    run: Callable[[Sequence[T], Any], Iterator[dict[str, Any]]],
    todo: Sequence[T],
    place: _Place,
    progress: Progress | None,
    task: str,
    done: int,
) -> Iterator[dict[str, Any]]:
    """Yield what was returned for everything that is to be done, and tell how far it is."""
    total = done + len(todo)
    for ended in run(todo, place.client()) if todo else ():
        if ended["unwritable"] is not None:
            raise OutputError(
                ended["unwritable"],
                todo="Make room, or see that you may write there, and run the same command again: "
                "what was done is kept.",
            )
        done += 1
        if progress is not None:
            progress(task, done, total)
        yield ended
