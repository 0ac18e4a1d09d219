"""The command: parse, call, print, exit code. No science here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bitbox import __version__
from bitbox.errors import BitboxError, ParameterError
from bitbox.recordings import DEFAULT, SIGNALS
from bitbox.terminal import Terminal

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

FILE = click.Path(path_type=Path)


class _Face(click.ParamType[str | int]):
    """largest, left, right, or a number."""

    name = "FACE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value)
        if text in ("largest", "left", "right"):
            return text
        if text.isdigit():
            return int(text)
        return self.fail(f"{text!r} is not largest, left, right or a number from 0.", param, ctx)


def _analysis_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that `imitate` and `demo` share."""
    options = [
        click.option("--width", type=float, metavar="SECONDS", help="Length of a window."),
        click.option(
            "--step", type=float, metavar="SECONDS", help="Time from one window to the next."
        ),
        click.option(
            "--lag",
            type=float,
            metavar="SECONDS",
            help="How late an imitation may come and still count.",
        ),
        click.option(
            "--signals",
            type=click.Choice(list(SIGNALS)),
            metavar="NAME",
            help=f"What to compare: {', '.join(SIGNALS)} (default: {DEFAULT}).",
        ),
        click.option(
            "--surrogates",
            "n_surrogates",
            type=click.IntRange(min=19),
            default=999,
            show_default=True,
            help="How many copies with broken coupling make up 'chance'.",
        ),
        click.option(
            "--surrogate",
            type=click.Choice(["circular", "segments", "phase"]),
            default="circular",
            show_default=True,
            help="How the coupling is broken; the documentation says which fits when.",
        ),
        click.option(
            "--seed", type=int, help="Start of the random numbers, to repeat a run exactly."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


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
@_analysis_options
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
    type=_Face(),
    help="Which face to follow where there are several: largest (default), left, right, or a "
    "number from 0, counted from the left of the picture.",
)
@click.option(
    "--participant-face", type=_Face(), help="The same, for the participant's video only."
)
@click.option("--model-face", type=_Face(), help="The same, for the model's video only.")
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
    from bitbox.presenting import show_run
    from bitbox.run import Settings, imitate_files

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
@_analysis_options
@click.pass_obj
def demo(terminal: Terminal, /, output: Path, seconds: float, **options: Any) -> None:
    """Make two videos of a real face in motion and measure imitation in them.

    What is imitated, how late and how weakly is known, and printed beside what was measured.
    """
    from bitbox.demo import run_demo
    from bitbox.presenting import show_demo
    from bitbox.run import Settings

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
    from bitbox.presenting import show_suggestion
    from bitbox.run import Settings, suggest_for_files

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
    """Say what a video, or a file of signals, holds."""
    from bitbox.presenting import show_info

    show_info(terminal, file)


@app.group()
def cache() -> None:
    """List, keep for a time, or clear the measured signals in a folder."""


@cache.command("list")
@click.argument("folder", type=FILE)
@click.pass_obj
def list_cache(terminal: Terminal, /, folder: Path) -> None:
    """List what is stored in FOLDER (of a run: its cache folder)."""
    from bitbox.presenting import show_cache

    show_cache(terminal, folder)


@cache.command("clear")
@click.argument("folder", type=FILE)
@click.option("--expired", is_flag=True, help="Only what is older than its retention period.")
@click.option("--recording", metavar="NAME", help="Only what was measured in this recording.")
@click.pass_obj
def clear_cache(terminal: Terminal, /, folder: Path, expired: bool, recording: str | None) -> None:
    """Remove measured signals from FOLDER; other files are left alone."""
    from bitbox.face_backend import Cache

    removed = Cache.at(folder).clear(expired_only=expired, recording=recording)
    terminal.show(f"{len(removed)} stored result(s) removed from {folder}.")


@cache.command("keep")
@click.argument("folder", type=FILE)
@click.argument("period", nargs=-1, required=True)
@click.pass_obj
def keep_cache(terminal: Terminal, /, folder: Path, period: tuple[str, ...]) -> None:
    """Keep what is stored in FOLDER for PERIOD: 2 weeks, 6 months, 1 year, forever."""
    from bitbox.face_backend import Cache

    stored = Cache.at(folder)
    stored.change_retention_period(" ".join(period))
    terminal.show(f"Results in {folder} are kept: {stored.retention}.")


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 1 it could not be done, 2 wrong usage, 130 interrupted."""
    code = run(arguments)
    if code == INTERRUPTED:
        # `python -m` ends by the signal itself, whatever the code, where the interruption hit
        # source text that a library executes, as for data classes and compiled kernels.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    terminal = Terminal()
    try:
        code = app.main(args=given, prog_name="bitbox", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return DONE
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (click.Abort, KeyboardInterrupt):
        terminal.err.print("Interrupted. No results were written.")
        return INTERRUPTED
    except BitboxError as error:
        if debug:
            raise
        terminal.error(error)
        return WRONG_USAGE if isinstance(error, ParameterError) else FAILED
    except Exception as error:  # the last line of defence before a person
        if debug:
            raise
        terminal.err.print(
            f"[bold red]Error:[/] openbitbox has a defect: {type(error).__name__}. "
            "Run the same command with 'bitbox --debug ...' and report what it prints."
        )
        return FAILED
    return code if isinstance(code, int) else DONE
