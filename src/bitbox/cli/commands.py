"""What the user can ask for: parse, call, print. No science here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bitbox import __version__
from bitbox.cli.caches import cache
from bitbox.cli.model_files import models
from bitbox.cli.options import (
    CHANCE,
    WINDOWS,
    Command,
    Group,
    body_fps_option,
    chance_options,
    clock_options,
    face_options,
    file_options,
    fit_options,
    option,
    signals_option,
    table_options,
    trial_options,
    window_options,
)
from bitbox.cli.studies import study
from bitbox.cli.syncing import sync
from bitbox.cli.terminal import Terminal
from bitbox.cli.types import FILE, Names
from bitbox.workflow.recordings import DEFAULT, is_table, is_video

if TYPE_CHECKING:
    from bitbox.workflow.settings import Settings


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="openbitbox")
@click.option("--quiet", "-q", is_flag=True, help="Print results and errors only.")
@click.option("--debug", is_flag=True, help="Show the technical details of an error.")
@click.pass_context
def app(context: click.Context, /, quiet: bool, debug: bool) -> None:  # noqa: ARG001  see run()
    """Measure how closely one person imitates another.

    Give it two ordinary videos: one of the person who imitates (the participant)
    and one of the person who is imitated (the model). It follows both faces,
    compares their movements, and says which movements are imitated, how well, how
    late, and whether that is more than chance.

    \b
    To see it work, with nothing of your own:
        bitbox demo
    With your own videos:
        bitbox imitate participant.mp4 model.mp4 -o results/
    Then open results/report.html in a browser.
    """  # noqa: D301  click's mark for a paragraph whose lines stay as they are
    context.obj = Terminal(quiet=quiet)


@app.command(cls=Command)
@click.argument("participant", type=FILE)
@click.argument("model", type=FILE, required=False)
@option("--output", "-o", type=FILE, required=True, metavar="FOLDER", help="Where results go.")
@signals_option(
    f"{DEFAULT}; of files, what they hold", "one or several of the list above, with commas", True
)
@option(
    "--only",
    type=Names(),
    metavar="NAMES",
    stated="all that both have",
    help="Compare only these of the signals: their names, with commas between them.",
)
@option("--windows", is_flag=True, help="Also write every window's correlations to windows.nc.")
@fit_options
@window_options
@clock_options
@option(
    "--polarity/--no-polarity",
    default=False,
    section=WINDOWS,
    stated="off",
    help="On: opposite movements (up where the model goes down) are imitation, too.",
)
@option(
    "--causality/--no-causality",
    default=True,
    section=WINDOWS,
    stated="on",
    help="On: the participant can only follow. Off: either may lead.",
)
@chance_options
@option(
    "--all-pairs",
    "matrix_test",
    is_flag=True,
    section=CHANCE,
    help="Also test every movement of the one against every movement of the other.",
)
@trial_options
@face_options
@body_fps_option
@table_options
@click.pass_obj
def imitate(
    terminal: Terminal, /, participant: Path, model: Path | None, output: Path, **options: Any
) -> None:
    """Measure how closely PARTICIPANT imitates MODEL.

    PARTICIPANT and MODEL are videos, or signals saved by an earlier run (.parquet) or
    by another program (.csv).

    \b
    The results folder holds
        report.html     everything on one page, for a browser
        scorecard.csv   one row a movement
        pairs.csv       every movement of the one against every one of the other
        methods.txt     a paragraph for the methods section of a paper
        run.json        all settings and versions, to repeat the run
        columns.csv     what the columns of the tables mean
        trials.csv      with --trials, and trials_scorecard.csv
        participant.parquet, model.parquet   the signals that were compared

    \b
    What can be compared (--signals; several with commas, each tested by itself)
        expression-local    32 local movements of brows, eyes, nose and mouth
        expression-global   79 coefficients of the whole face's deformation
        landmarks           51 points in the picture, head motion left in
        landmarks-3d        51 points on the face, head motion taken out
        pose                the head's three rotations
        position            the head's three translations
        body-angles         24 angles of trunk, neck, arms and legs
        body-joints         33 joints, in the trunk's own frame
        hands               fingers' flexion and spread, and wrists, of both hands
        motion              motion energy: picture, head, trunk, arms, legs
    """  # noqa: D301
    from bitbox.cli.presenting import show_run
    from bitbox.workflow.run import imitate_files
    from bitbox.workflow.together import require_two

    options["trials"] = None if options["trials"] is None else str(options["trials"])
    settings = settings_for(participant, model or participant, options)
    if model is None:
        require_two(settings, participant)
        model = participant
    with terminal.progress() as progress:
        run = imitate_files(participant, model, output, settings, progress=progress)
    show_run(terminal, run)


@app.command(cls=Command, short_help="Make two videos whose truth is known, and measure them.")
@option(
    "--output",
    "-o",
    type=FILE,
    default=Path("demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the two videos and the results go.",
)
@option(
    "--seconds",
    type=click.FloatRange(min=20, max=600),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Length of the two videos, from 20 to 600.",
)
@option("--body", is_flag=True, help="Show figures that move arms, legs and trunk instead.")
@signals_option(f"{DEFAULT}, then pose; or body-angles", "see 'bitbox imitate --help'")
@window_options
@chance_options
@click.pass_obj
def demo(terminal: Terminal, /, output: Path, seconds: float, body: bool, **options: Any) -> None:
    """Make two videos of a real face (or of figures) in motion and measure imitation in them.

    What is imitated, how late and how weakly is known, and printed beside what was
    measured.
    """
    from bitbox.cli.presenting import show_demo
    from bitbox.workflow.demo import run_demo
    from bitbox.workflow.settings import Settings

    with terminal.progress() as progress:
        runs, pair = run_demo(output, seconds, Settings(**options), body=body, progress=progress)
    show_demo(terminal, runs, pair)


@app.command(cls=Command, short_help="Propose window, step and lag, with the reason.")
@click.argument("participant", type=FILE)
@click.argument("model", type=FILE)
@signals_option(f"{DEFAULT}; of files, what they hold", "see 'bitbox imitate --help'")
@option(
    "--latency",
    type=float,
    default=0.8,
    show_default=True,
    metavar="SECONDS",
    help="How late imitation is expected: some tenths for mimicry, a second or more on request.",
)
@option("--multiverse", is_flag=True, help="Also show how other settings change the answer.")
@option(
    "--seed",
    type=int,
    metavar="NUMBER",
    stated="another each time",
    help="Start of the random numbers of --multiverse.",
)
@fit_options
@clock_options
@face_options
@body_fps_option
@table_options
@click.pass_obj
def suggest(
    terminal: Terminal,
    /,
    participant: Path,
    model: Path,
    latency: float,
    multiverse: bool,
    **options: Any,
) -> None:
    """Propose window, step and lag for PARTICIPANT and MODEL, with the reason.

    Looks only at how fast the model moves, not at how the two go together, so it may
    be asked before the analysis without making its p-values too good.
    """
    from bitbox.cli.presenting import show_suggestion
    from bitbox.workflow.run import suggest_for_files

    settings = settings_for(participant, model, options)
    with terminal.progress() as progress:
        found = suggest_for_files(
            participant,
            model,
            settings,
            latency=latency,
            multiverse=multiverse,
            progress=progress,
        )
    show_suggestion(terminal, *found)


@app.command(cls=Command)
@click.argument("file", type=FILE)
@file_options
@click.pass_obj
def info(terminal: Terminal, /, file: Path, **stated: Any) -> None:
    """Say what FILE holds, and if it is whole.

    FILE is a video, a file of signals, or a folder of results.
    """
    from bitbox.cli.presenting import show_info

    show_info(terminal, file, stated)


app.add_command(sync)
app.add_command(cache)
app.add_command(models)
app.add_command(study)


_OF_BOTH = {
    "face": is_video,
    "person": is_table,
    "time_unit": is_table,
    "angle_unit": is_table,
}


def settings_for(participant: Path, model: Path, options: dict[str, Any]) -> Settings:
    """Return the settings; what was said of both people is said of each whose file it fits."""
    from bitbox.workflow.settings import Settings

    paths = {"participant": participant, "model": model}
    for name, fits in _OF_BOTH.items():
        of_both = options.pop(name)
        fitting = [role for role, path in paths.items() if fits(path)] or list(paths)
        for role in fitting:
            if options[f"{role}_{name}"] is None:
                options[f"{role}_{name}"] = of_both
    return Settings(**options)
