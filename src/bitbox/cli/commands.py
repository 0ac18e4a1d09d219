"""What the user can ask for: parse, call, print. No science here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bitbox import __version__
from bitbox.cli.caches import cache
from bitbox.cli.model_files import models
from bitbox.cli.options import FILE, Face, analysis_options
from bitbox.cli.terminal import Terminal
from bitbox.recordings import SIGNALS


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96})
@click.version_option(__version__, "--version", prog_name="openbitbox")
@click.option("--quiet", "-q", is_flag=True, help="Print results and errors only.")
@click.option("--debug", is_flag=True, help="Show the technical details of an error.")
@click.pass_context
def app(context: click.Context, /, quiet: bool, debug: bool) -> None:  # noqa: ARG001  see run()
    r"""Measure how closely one person imitates another.

    Give it two ordinary videos: one of the person who imitates (the participant) and one of the
    person who is imitated (the model). It follows both faces, compares their movements, and
    says which movements are imitated, how well, how late, and whether that is more than chance.

    \b
    To see it work, with nothing of your own:
        bitbox demo
    With your own videos:
        bitbox imitate participant.mp4 model.mp4 -o results/
    Then open results/report.html in a browser.
    """
    context.obj = Terminal(quiet=quiet)


@app.command()
@click.argument("participant", type=FILE)
@click.argument("model", type=FILE)
@click.option(
    "--output", "-o", type=FILE, required=True, metavar="FOLDER", help="Where the results go."
)
@analysis_options
@click.option(
    "--fps",
    type=float,
    metavar="RATE",
    help="Frames a second to compare at (default: the lower of the two videos' rates).",
)
@click.option(
    "--offset",
    type=float,
    default=0.0,
    metavar="SECONDS",
    help="Added to the participant's clock, if the recordings did not start together.",
)
@click.option(
    "--polarity/--no-polarity",
    default=False,
    help="Count mirrored movements (up where the model goes down) as imitation, too.",
)
@click.option(
    "--causality/--no-causality",
    default=True,
    help="Let the participant only follow (default), or also lead.",
)
@click.option(
    "--face",
    type=Face(),
    help="Which face to follow where there are several: largest (default), left, right, or a "
    "number from 0, counted from the left of the picture.",
)
@click.option("--participant-face", type=Face(), help="The same, for the participant's video only.")
@click.option("--model-face", type=Face(), help="The same, for the model's video only.")
@click.option(
    "--all-pairs",
    "matrix_test",
    is_flag=True,
    help="Also test every movement of the one against every movement of the other.",
)
@click.option(
    "--windows", is_flag=True, help="Also write every window's correlations to windows.nc."
)
@click.pass_obj
def imitate(
    terminal: Terminal,
    /,
    participant: Path,
    model: Path,
    output: Path,
    face: str | int | None,
    participant_face: str | int | None,
    model_face: str | int | None,
    **options: Any,
) -> None:
    r"""Measure how closely PARTICIPANT imitates MODEL.

    PARTICIPANT and MODEL are videos, or signals saved by an earlier run (.parquet) or by
    another program (.csv).

    \b
    The results folder holds
        report.html      everything on one page, for a browser
        scorecard.csv    one row a movement
        pairs.csv        every movement of the one against every movement of the other
        methods.txt      a paragraph for the methods section of a paper
        run.json         all settings and versions, to repeat the run
        columns.csv      what the columns of the tables mean
        participant.parquet, model.parquet   the signals that were compared

    \b
    What can be compared (--signals)
        expression-local     32 local movements of brows, eyes, nose and mouth
        expression-global    79 coefficients of the whole face's deformation
        landmarks            51 points in the picture, head motion left in
        landmarks-3d         51 points on the face, head motion taken out
        pose                 the head's three rotations
        position             the head's three translations
    """
    from bitbox.cli.presenting import show_run
    from bitbox.run import imitate_files
    from bitbox.settings import Settings

    settings = Settings(
        participant_face=_first(participant_face, face, "largest"),
        model_face=_first(model_face, face, "largest"),
        **options,
    )
    with terminal.progress() as progress:
        run = imitate_files(participant, model, output, settings, progress=progress)
    show_run(terminal, run)


@app.command()
@click.option(
    "--output",
    "-o",
    type=FILE,
    default=Path("demo"),
    show_default=True,
    metavar="FOLDER",
    help="Where the two videos and the results go.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=20, max=600),
    default=60,
    show_default=True,
    help="Length of the two videos.",
)
@analysis_options
@click.pass_obj
def demo(terminal: Terminal, /, output: Path, seconds: float, **options: Any) -> None:
    """Make two videos of a real face in motion and measure imitation in them.

    What is imitated, how late and how weakly is known, and printed beside what was measured.
    """
    from bitbox.cli.presenting import show_demo
    from bitbox.demo import run_demo
    from bitbox.settings import Settings

    with terminal.progress() as progress:
        runs, pair = run_demo(output, seconds, Settings(**options), progress=progress)
    show_demo(terminal, runs, pair)


@app.command()
@click.argument("participant", type=FILE)
@click.argument("model", type=FILE)
@click.option("--signals", metavar="NAME", type=click.Choice(list(SIGNALS)), help="As for imitate.")
@click.option(
    "--latency",
    type=float,
    default=0.8,
    show_default=True,
    metavar="SECONDS",
    help="How late imitation is expected: some tenths for mimicry, a second or more on request.",
)
@click.option("--multiverse", is_flag=True, help="Also show how other settings change the answer.")
@click.option("--seed", type=int, help="Start of the random numbers of --multiverse.")
@click.pass_obj
def suggest(
    terminal: Terminal,
    /,
    participant: Path,
    model: Path,
    signals: str | None,
    latency: float,
    multiverse: bool,
    seed: int | None,
) -> None:
    """Propose window, step and lag for PARTICIPANT and MODEL, with the reason.

    Looks only at how fast the model moves, not at how the two go together, so it may be asked
    before the analysis without making its p-values too good.
    """
    from bitbox.cli.presenting import show_suggestion
    from bitbox.run import suggest_for_files
    from bitbox.settings import Settings

    with terminal.progress() as progress:
        found = suggest_for_files(
            participant,
            model,
            Settings(signals=signals, seed=seed),
            latency=latency,
            multiverse=multiverse,
            progress=progress,
        )
    show_suggestion(terminal, *found)


@app.command()
@click.argument("file", type=FILE)
@click.pass_obj
def info(terminal: Terminal, /, file: Path) -> None:
    """Say what a video, a file of signals or a folder of results holds, and if that is whole."""
    from bitbox.cli.presenting import show_info

    show_info(terminal, file)


app.add_command(cache)
app.add_command(models)


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
