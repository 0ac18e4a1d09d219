"""The command that finds by how much two recordings did not start together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bitbox.cli.options import Command, face_options, option
from bitbox.cli.terminal import Terminal
from bitbox.cli.types import FILE


@click.command(cls=Command, short_help="Find by how much two recordings did not start together.")
@click.argument("participant", type=FILE)
@click.argument("model", type=FILE)
@option(
    "--by",
    "how",
    type=click.Choice(["sound", "flash", "movement"]),
    default="sound",
    show_default=True,
    metavar="WHAT",
    help="What to compare: sound that both heard; flash, a light that both saw; movement, as a "
    "last resort.",
)
@option(
    "--not-for-testing",
    is_flag=True,
    help="Needed for movement: you will not test imitation on the same stretch with the offset.",
)
@option(
    "--figure",
    type=FILE,
    metavar="FILE",
    stated="none",
    help="Draw how well both agree at every offset, to an .html file.",
)
@face_options
@click.pass_obj
def sync(
    terminal: Terminal,
    /,
    participant: Path,
    model: Path,
    how: str,
    not_for_testing: bool,
    figure: Path | None,
    face: Any,
    participant_face: Any,
    model_face: Any,
) -> None:
    """Find by how much PARTICIPANT started later than MODEL.

    Compares what both microphones heard: talk, claps, music, whatever it was. Says how
    sure that is, and by how much one clock gains on the other. Where it is not sure it
    says what it found, and ends with exit code 1.
    """
    from bitbox.sync.finding import refuse
    from bitbox.sync.report import WARNING, require_html, write_figure
    from bitbox.workflow.syncing import compare_files

    if figure is not None:
        require_html(figure)
    faces = participant_face or face, model_face or face
    with terminal.progress() as progress:
        found = compare_files(
            participant, model, how, faces, not_for_testing=not_for_testing, progress=progress
        )
    if figure is not None and found.found is not None:
        write_figure(found, figure)
    if not found.sure:
        refuse(found)
    terminal.show(str(found), style="bold")
    if how == "movement":
        terminal.warn(WARNING)
    if found.drift_matters:
        terminal.show(
            "One number does not fit the whole recording; this one is that of its middle. Take the "
            "drift out: --offset auto --remove-drift"
        )
    terminal.show(
        f"bitbox imitate {participant} {model} --offset {found.middle:.3f} ...", whole=True
    )
    if figure is not None:
        terminal.show(f"Figure: {figure}", whole=True)
