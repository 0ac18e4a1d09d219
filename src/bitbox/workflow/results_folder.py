"""A folder of results: always of one run, which can be checked; all of it is replaced, or nothing.

``run.json`` is written last, holds the hashes of the other results, and is gone before any of them
is replaced. So where it stands and the hashes agree, the results are whole and of one run,
whenever the run before or this one was killed.

New results are prepared in a hidden folder inside the folder. When all of them are complete and on
the disk, the old ones are moved away and the new ones to their names. If one cannot be moved, all
go back to where they were; if the process is killed in those milliseconds, the next run in the
folder does that.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bitbox.errors import InputError, OutputError, ParameterError
from bitbox.files import flush, flush_folder, reason
from bitbox.provenance import environment, hash_file
from bitbox.system.harmless import for_netcdf
from bitbox.system.scratch import locked, tidy, unfinished
from bitbox.workflow.finished_run import Run
from bitbox.workflow.recordings import SIGNALS
from bitbox.workflow.run_report import can_report, write_run_report
from bitbox.workflow.tables import write_tables

if TYPE_CHECKING:
    pass

#: Folder for measured signals inside the results folder, so that the next run is quick.
CACHE = "cache"
#: Stands for the others: what was analysed, how, and the hash of each other result.
RECORD = "run.json"
#: Everything that a run may write.
RESULTS = (
    "columns.csv",
    "methods.txt",
    "model.parquet",
    "pairs.csv",
    "participant.parquet",
    "report.html",
    "scorecard.csv",
    "trials.csv",
    "trials_scorecard.csv",
    "windows.nc",
    # of each further family of signals
    *(f"{name}.{family}.{ending}" for family in SIGNALS for name, ending in (
        ("model", "parquet"), ("participant", "parquet"), ("windows", "nc"),
    )),
    RECORD,
)  # fmt: skip
_UNFINISHED = ".unfinished-"
_SWITCHING = "switching"  # there while results are moved to their names
_NEW, _OLD = "new", "old"


@contextlib.contextmanager
def results_folder(folder: Path) -> Iterator[Path]:
    """Make sure, before anything is measured, that results can be written to a folder.

    What killed runs left there is tidied up. If the block fails, what was made for it is removed.

    Parameters
    ----------
    folder : Path
        Made if need be.

    Raises
    ------
    OutputError
        The folder cannot be written to, or something is in the way of a result.
    """
    made = [path for path in (folder / CACHE, folder) if not os.path.exists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        tidy(folder, _UNFINISHED, _undo)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"Results cannot be written to {folder}: {reason(error)}.",
            todo="Choose a folder that you may write to, with -o.",
        ) from error
    try:
        _check_targets(folder)
        yield folder
    finally:
        for path in made:
            with contextlib.suppress(OSError):  # not empty: results, or what they are made of
                path.rmdir()


def refuse_inputs_that_are_results(folder: Path, *inputs: Path) -> None:
    """Raise an error if a recording would be replaced by a result of its own analysis.

    Parameters
    ----------
    folder : Path
        The results folder; it need not exist.
    *inputs : Path
        The recordings.

    Raises
    ------
    ParameterError
        One is in that folder, and has the name of a result.
    """
    for path in inputs:
        if _is_a_result(path, folder):
            raise ParameterError(
                f"{path} would be replaced by a result of its own analysis: it is in the folder "
                f"for the results, {folder}, and has the name of one.",
                expected="another folder for results than that of the recordings",
                todo="Name another folder with -o; nothing was changed.",
            )


def _is_a_result(path: Path, folder: Path) -> bool:
    """Tell whether a file stands in a folder under a name that a run replaces."""
    with contextlib.suppress(OSError, ValueError):  # what is not there is told elsewhere
        for place in (path, Path(os.path.realpath(path))):  # a link may be there, or lead there
            if os.path.samefile(place.parent, folder):
                there = [folder / name for name in RESULTS if (folder / name).exists()]
                return any(os.path.samefile(place, result) for result in there)
    return False


def write_results(run: Run) -> tuple[Path, ...]:
    """Write all results of a run to its folder, in place of those of an earlier run.

    Parameters
    ----------
    run : Run
        The finished analysis.

    Returns
    -------
    tuple of Path
        The files; ``run.json`` is the last.

    Raises
    ------
    OutputError
        The results cannot be written. Then those of the earlier run are as they were.
    """
    folder = run.folder
    files: tuple[Path, ...] = ()
    try:
        folder.mkdir(parents=True, exist_ok=True)  # somebody may have removed it meanwhile
        with unfinished(folder, _UNFINISHED) as place:
            _prepare(run, place / _NEW)
            with locked(folder):
                files = _publish(place, folder)
    except KeyboardInterrupt as stopped:
        if files:
            stopped.add_note(f"The results in {folder} are complete.")
        raise
    except _InTheWayError:
        raise
    except OSError as error:
        cause = error.__cause__ if isinstance(error, OutputError) else error
        raise OutputError(
            f"The results cannot be written to {folder}: {reason(cause or error)}.",
            todo="Make room, or choose another folder with -o, and run it again: what was measured "
            "in videos is kept.",
        ) from error
    return files


def check_results(folder: str | Path) -> dict[str, Any]:
    """Return the record of a folder of results, if all of them are whole and of one run.

    Parameters
    ----------
    folder : path
        What was given as ``-o``.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    InputError
        There are no results, they are incomplete, or one was changed since.

    Examples
    --------
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> participant, model, truth = imitated_pair(3, imitated=2, duration=40, seed=1)
    >>> from bitbox.workflow.results_folder import check_results
    >>> from bitbox.workflow.run import imitate_files
    >>> from bitbox.workflow.settings import Settings
    >>> files = participant.to_parquet('anna.parquet'), model.to_parquet('model.parquet')
    >>> run = imitate_files(*files, 'results', Settings(n_surrogates=99, seed=1))
    >>> record = check_results('results')
    >>> 'scorecard.csv' in record['files']
    True
    """
    folder = Path(folder)
    again = "Run the analysis again, with -o naming this folder."
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        hashes = dict(record["files"])
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} holds no finished results: it has no {RECORD}.",
            got="what a run left that did not end" if _some(folder) else None,
            todo=again,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / RECORD} cannot be used: {reason(error)}.",
            expected="what this version of openbitbox writes",
            todo=again,
        ) from error
    for name, expected in hashes.items():
        try:
            intact = hash_file(folder / name) == expected
        except OSError as error:
            raise InputError(
                f"{name} of the results in {folder} cannot be read: {reason(error)}.", todo=again
            ) from error
        if not intact:
            raise InputError(
                f"{name} in {folder} is not what the run wrote.",
                got="a file that was changed, damaged or replaced since",
                todo=again,
            )
    return dict(record)


def _some(folder: Path) -> bool:
    """Tell whether a run was here: results at their names, or all of them just moved away."""
    return any(os.path.exists(folder / name) for name in RESULTS) or any(
        folder.glob(f"{_UNFINISHED}*")
    )


def _check_targets(folder: Path) -> None:
    """Refuse a folder in which a result could not take its name."""
    for name in RESULTS:
        target = folder / name
        if target.is_dir():
            raise _in_the_way(target, "a folder has this name")
        if os.name != "nt" or not target.exists():
            continue
        try:  # what Excel has open cannot be opened there
            target.open("rb+").close()
        except OSError as error:
            raise _in_the_way(target, reason(error)) from error


class _InTheWayError(OutputError):
    """A result that is there cannot be replaced."""


def _in_the_way(target: Path, why: str) -> OutputError:
    return _InTheWayError(
        f"{target} cannot be replaced: {why}. The results in {target.parent} are as they were.",
        todo="Close it where it is open, in Excel for example, or move it away, and run it again: "
        "what was measured in videos is kept.",
    )


def _prepare(run: Run, place: Path) -> None:
    """Write every result, and last the record with the hashes of the others."""
    place.mkdir()
    write_tables(run, place)
    _write(place / "methods.txt", run.methods())
    for one in run.families:
        which = "" if one is run else f".{one.family}"
        for person in (one.participant, one.model):
            person.signals.to_parquet(place / f"{person.role}{which}.parquet")
        if run.settings.windows:
            windows = for_netcdf(one.quality.matrix.to_xarray())
            windows.to_netcdf(place / f"windows{which}.nc", engine="h5netcdf")
    if can_report():
        write_run_report(run, place / "report.html")
    hashes = {file.name: hash_file(file) for file in sorted(place.iterdir())}
    text = json.dumps(_record(run, hashes), indent=2, ensure_ascii=False, default=str)
    _write(place / RECORD, text)
    for file in place.iterdir():
        flush(file)


def _write(path: Path, text: str) -> None:
    r"""Write text; a file's name that is no UTF-8 with escapes such as ``\udcff``, as in JSON."""
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _record(run: Run, hashes: dict[str, str]) -> dict[str, Any]:
    """Everything that is needed to repeat the run, and to check its results."""
    return {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": _settings(run),
        "inputs": {
            person.role: {"file": person.path.name, "sha256": person.sha256}
            for person in (run.participant, run.model)
        },
        "clocks": run.clocks.to_dict(),
        "analysis": dict(run.quality.provenance),
        "trials": _trials_record(run),
        "families": {
            one.family: {"analysis": dict(one.quality.provenance), "trials": _trials_record(one)}
            for one in run.more
        },
        "seconds": {name: round(value, 3) for name, value in run.timings.items()},
        "findings": [finding.to_dict() for finding in run.findings],
        **environment(),
        "files": hashes,
    }


def _settings(run: Run) -> dict[str, Any]:
    """Return the settings; a file by its name only."""
    named = asdict(run.settings)
    if run.more:
        named["signals"] = ",".join(one.family for one in run.families)
    if named["trials"] is not None:
        named["trials"] = Path(named["trials"]).name
    return named


def _trials_record(run: Run) -> dict[str, Any] | None:
    """Everything that is needed to repeat the test in trials; None: there were none."""
    if run.trials is None or run.settings.trials is None:
        return None
    path = Path(run.settings.trials)
    return {
        "file": path.name,
        "sha256": hash_file(path),
        "headline": run.trials.headline,
        "overall_p": run.trials.overall_p,
        "overall_z": run.trials.overall_z,
        "arrangements": run.trials.arrangements,
        "parameters": run.trials.provenance["parameters"],
    }


def _publish(place: Path, folder: Path) -> tuple[Path, ...]:
    """Move old results away and new ones to their names; all of it, or nothing."""
    names = sorted((file.name for file in (place / _NEW).iterdir()), key=_record_last)
    _check_targets(folder)
    (place / _OLD).mkdir()
    (place / _SWITCHING).touch()
    flush_folder(place)
    name = RECORD
    try:
        for name in sorted(RESULTS, key=_record_last, reverse=True):
            if (folder / name).exists():
                os.replace(folder / name, place / _OLD / name)
                if name == RECORD:
                    flush_folder(folder)
        for name in names:
            if name == RECORD:
                flush_folder(folder)
            os.replace(place / _NEW / name, folder / name)
        flush_folder(folder)
    except OSError as error:
        _undo(place)
        raise _in_the_way(folder / name, reason(error)) from error
    (place / _SWITCHING).unlink()
    return tuple(folder / name for name in names)


def _undo(place: Path) -> None:
    """Put old results back where a run was stopped while it moved new ones to their names."""
    new, old, folder = place / _NEW, place / _OLD, place.parent
    if not (place / _SWITCHING).exists() or not (new / RECORD).exists():
        return
    hashes = json.loads((new / RECORD).read_text(encoding="utf-8"))["files"]
    for name in hashes:
        if not (new / name).exists() and (folder / name).exists():
            os.replace(folder / name, new / name)
    for name in sorted((file.name for file in old.iterdir()), key=_record_last):
        os.replace(old / name, folder / name)
    flush_folder(folder)
    (place / _SWITCHING).unlink()


def _record_last(name: str) -> tuple[bool, str]:
    return name == RECORD, name
