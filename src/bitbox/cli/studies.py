"""The command about whole studies."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bitbox.cli.options import (
    Command,
    chance_options,
    fit_options,
    latency_option,
    option,
    signals_option,
    window_options,
)
from bitbox.cli.terminal import Terminal
from bitbox.cli.types import FILE
from bitbox.errors import OutputError, ParameterError
from bitbox.workflow.recordings import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from bitbox.study import Manifest, StudyResult

WORK = "Where the work is done"
#: How the names of tests end that compare people with chance, or with themselves.
_ONE_GROUP = ("against chance", "same people")


class _Study(click.Group):
    """A group whose name may be followed by a manifest instead of a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command; without one of that name, `run`, which takes a manifest."""
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Study, context_settings={"help_option_names": ["-h", "--help"]})
def study() -> None:
    """Compare many pairs of recordings, listed in a table.

    \b
    Propose the table from the names of files, and look it through:
        bitbox study init recordings/
    Compare all pairs in it:
        bitbox study recordings/manifest.csv -o study/
    Options of that: bitbox study run --help
    """  # noqa: D301


@study.command("init", cls=Command, short_help="Propose a manifest for a folder of recordings.")
@click.argument("folder", type=FILE)
@option(
    "--pattern",
    metavar="PATTERN",
    stated="names like those of BIDS: sub-01_ses-02_task-dance",
    help="How files are called, with {id}, {group}, {condition}, {session} and {role} in it.",
)
@click.pass_obj
def init(terminal: Terminal, /, folder: Path, pattern: str | None) -> None:
    """Propose a manifest for the recordings in FOLDER: FOLDER/manifest.csv."""
    from bitbox.files import replacing
    from bitbox.study import propose

    path = folder / "manifest.csv"
    if path.exists():
        raise OutputError(
            f"{path} exists.", todo="Move it away first: a list of your own is not replaced."
        )
    table = propose(folder, pattern)
    with replacing(path) as place:
        table.to_csv(place, index=False)
    empty = int((table["model"] == "").sum())
    terminal.show(f"{path}: {len(table)} participants' recordings.")
    if empty:
        terminal.warn(f"{empty} have no model, since none or several fit. Fill them in.")
    terminal.advise(f"Look it through, then: bitbox study {path} -o study/")


@study.command("run", cls=Command, short_help="Compare all pairs in a manifest.")
@click.argument("manifest", type=FILE)
@option(
    "--output",
    "-o",
    type=FILE,
    default=Path("study"),
    show_default=True,
    metavar="FOLDER",
    help="Where results go.",
)
@option("--check", is_flag=True, help="Only check the manifest, and list what is wrong with it.")
@option("--reports", is_flag=True, help="Also write a report for every pair.")
@option(
    "--pairings/--no-pairings",
    default=True,
    stated="yes",
    help="Also compare participants with other people's models: do right pairings match better "
    "than wrong ones?",
)
@fit_options
@signals_option(f"{DEFAULT}; of files, what they hold", "see 'bitbox imitate --help'")
@window_options
@chance_options
@latency_option
@option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    section=WORK,
    stated="by cores and memory",
    help="Processes on this computer.",
)
@option(
    "--scheduler",
    metavar="ADDRESS",
    section=WORK,
    stated="this computer",
    help="A Dask scheduler that runs somewhere, such as tcp://10.0.0.1:8786.",
)
@option(
    "--slurm",
    type=FILE,
    metavar="FILE",
    section=WORK,
    stated="this computer",
    help="Let Slurm start the workers: a YAML file with the arguments of dask-jobqueue's "
    "SLURMCluster, and 'jobs'.",
)
@option(
    "--dry-run",
    is_flag=True,
    section=WORK,
    help="With --slurm: print the job script, and stop there.",
)
@click.pass_obj
def run_study(
    terminal: Terminal,
    /,
    manifest: Path,
    output: Path,
    check: bool,
    reports: bool,
    pairings: bool,
    workers: int | None,
    scheduler: str | None,
    slurm: Path | None,
    dry_run: bool,
    **options: Any,
) -> int:
    """Compare all pairs in MANIFEST, a CSV, TSV or XLSX table with one row a pair.

    \b
    Columns of the table
        participant, model            files, relative to the table (needed)
        id, group, condition, session   who, and when
        start, end, model_start, model_end   which stretch: seconds or h:mm:ss
        offset, mirror                as the options; offset may be auto
        trials                        a file of trials, as of --trials
        participant_flipped, model_flipped   yes or no
        participant_face, model_face  which face of a video
        signals                       what is compared
    What a row leaves open is as the options say. Columns of your own, such as
    age, are carried over to the results.

    A study that was stopped, or got more rows, goes on where it was. A pair that
    cannot be compared does not hold up the others; then the exit code is 1.
    """  # noqa: D301
    from bitbox.study import Study, read_manifest
    from bitbox.study.engine import dashboard, slurm_script
    from bitbox.workflow.settings import Settings

    if dry_run:
        if slurm is None:
            raise ParameterError("--dry-run prints a job script of Slurm, so it needs --slurm.")
        terminal.show(slurm_script(slurm), whole=True)
        return 0
    if check:
        return _show_problems(terminal, read_manifest(manifest))
    seed = options.pop("seed")
    work = Study(
        manifest,
        output,
        Settings(**options),
        reports=reports,
        pairings=pairings,
        seed=1 if seed is None else seed,
    )
    if work.manifest.problems:
        _show_problems(terminal, work.manifest)
        return 1
    with terminal.progress() as progress, _client(workers, scheduler, slurm) as client:
        if client is not None and (address := dashboard(client)) is not None:
            terminal.say(f"Dask's dashboard: {address}")
        result = work.run(client, workers=workers, progress=progress)
    return _show_result(terminal, result)


@contextlib.contextmanager
def _client(workers: int | None, scheduler: str | None, slurm: Path | None) -> Any:
    """Give a Dask client; None where everything is done already or the study makes its own."""
    from bitbox.study import engine

    given = [name for name, v in (("--scheduler", scheduler), ("--slurm", slurm)) if v is not None]
    if len(given) > 1 or (given and workers is not None):
        raise ParameterError(
            "The work can be done in one place only.",
            expected="one of --workers, --scheduler and --slurm",
        )
    if scheduler is not None:
        with engine.existing_client(scheduler) as client:
            yield client
    elif slurm is not None:
        with engine.slurm_client(slurm) as client:
            yield client
    else:
        yield None


def _show_problems(terminal: Terminal, manifest: Manifest) -> int:
    problems = manifest.problems
    if not problems:
        terminal.show(f"The manifest is in order: {len(manifest.entries)} pairs.")
        return 0
    terminal.show(f"{len(problems)} problem{'s' if len(problems) > 1 else ''} in the manifest:")
    for problem in problems:
        where = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
        terminal.show(f"  {where}: {problem.problem}")
    return 1


def _show_result(terminal: Terminal, result: StudyResult) -> int:
    done = int(result.pairs["done"].sum())
    terminal.show(f"{done} of {len(result.pairs)} pairs were compared.")
    for failure in result.failures.head(10).to_dict("records"):
        terminal.warn(f"line {failure['line']}, {failure['id']}: {failure['error']}")
    if len(result.failures) > 10:
        terminal.warn(f"... and {len(result.failures) - 10} more in failures.csv.")
    overall = result.groups[result.groups["signal"] == "all signals"]
    for row in overall.to_dict("records"):
        who = " ".join(str(row[k]) for k in ("group", "condition") if row[k]) or "everybody"
        versus = f" against {row['versus']}" if isinstance(row["versus"], str) else ""
        terminal.show(f"  {row['test']}, {who}{versus}: {_found(row)}")
    terminal.show(f"Results: {result.folder / 'report.html'}")
    return 0 if result.failures.empty else 1


def _found(test: Mapping[Hashable, Any]) -> str:
    """Return in words what a test over people found, or why nothing was tested."""
    from bitbox.study.group_tests import LEAST_PEOPLE

    if test["p"] == test["p"]:
        return f"g = {test['g']:.2f}, p = {test['p']:.3g}"
    if test["note"]:
        return f"not tested: {test['note']}"
    sizes = [int(test["n"])]
    if not test["test"].endswith(_ONE_GROUP):
        sizes.append(int(test["n_versus"]) if test["n_versus"] == test["n_versus"] else 0)
    if min(sizes) < LEAST_PEOPLE:
        each = " of each" if len(sizes) > 1 else ""
        had = " against ".join(str(size) for size in sizes)
        return f"not tested: add people ({had}; at least {LEAST_PEOPLE}{each} are needed)"
    return (
        "not tested: all values are the same; check that each row of the manifest names "
        "recordings of its own"
    )
