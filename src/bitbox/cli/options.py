"""Options that commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bitbox.recordings import DEFAULT, SIGNALS

FILE = click.Path(path_type=Path)


class Face(click.ParamType[str | int]):
    """largest, left, right, or a number."""

    name = "FACE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or the number."""
        text = str(value)
        if text in ("largest", "left", "right"):
            return text
        if text.isdigit():
            return int(text)
        return self.fail(f"{text!r} is not largest, left, right or a number from 0.", param, ctx)


def analysis_options(function: Callable[..., Any]) -> Callable[..., Any]:
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
