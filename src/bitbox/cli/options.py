"""Options, in sections as the help shows them; and those that commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bitbox.cli.types import FILE, Face, Families, Moment, Shift
from bitbox.cli.wording import in_options, names_of_options
from bitbox.errors import BitboxError
from bitbox.signals.checks import FASTEST
from bitbox.workflow.recordings import SIGNALS

F = TypeVar("F", bound=Callable[..., Any])

WINDOWS = "Windows and lags"
FIT = "How the two recordings fit together"
CHANCE = "More than chance"
FACES = "Whose face, in a video"
TABLES = "How to read a file of signals"


class Option(click.Option):
    """An option that stands in a section of the help.

    Parameters
    ----------
    section : str, optional
        The heading it stands under; None: "Options".
    stated : str, optional
        The default as the help states it, where it is decided elsewhere.
    """

    def __init__(
        self, *arguments: Any, section: str | None = None, stated: str | None = None, **named: Any
    ) -> None:
        if stated is not None:
            named["help"] = f"{named.get('help', '')}  [default: {stated}]"
        super().__init__(*arguments, **named)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return what stands in brackets: not the range, which the sentence tells."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


class Command(click.Command):
    """A command whose help has sections, and whose messages speak of its options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                section = getattr(parameter, "section", None) or "Options"
                sections.setdefault(section, []).append(record)
        general = sections.pop("Options")
        for title, records in {"Options": general, **sections}.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it says names its options instead of Python's arguments."""
        options = names_of_options(self)
        if ctx.obj is not None:
            ctx.obj.options = options
        try:
            return super().invoke(ctx)
        except BitboxError as error:
            for part in ("what", "expected", "got", "todo"):
                text = getattr(error, part)
                setattr(error, part, text and in_options(text, options, error.role))
            raise


class Group(click.Group):
    """Commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return list(self.commands)


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator that adds all of these options, in this order."""

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def option(*names: str, section: str | None = None, **named: Any) -> Callable[[F], F]:
    """Return a decorator that adds an option."""
    return click.option(*names, cls=Option, section=section, **named)


def for_each(name: str, of: str, section: str, **named: Any) -> Callable[[F], F]:
    """Return a decorator that adds an option for both people, and one for each of them."""
    of_one = {key: value for key, value in named.items() if key not in ("help", "stated")}
    return together(
        option(f"--{name}", section=section, **named),
        *(
            option(
                f"--{role}-{name}",
                section=section,
                help=f"The same, for the {role}'s {of} only.",
                **of_one,
            )
            for role in ("participant", "model")
        ),
    )


def signals_option(stated: str, which: str, several: bool = False) -> Callable[[F], F]:
    """Return the option that says which signals are compared."""
    return option(
        "--signals",
        type=Families() if several else click.Choice(list(SIGNALS)),
        metavar="NAMES" if several else "NAME",
        stated=stated,
        help=f"What to compare: {which}.",
    )


def _flipped(role: str) -> Callable[[F], F]:
    return option(
        f"--{role}-flipped",
        is_flag=True,
        section=FIT,
        help=f"The {role}'s picture was flipped by the camera, as in many video calls: what is "
        "written in it reads backwards.",
    )


def _moment(name: str, stated: str, text: str) -> Callable[[F], F]:
    return option(f"--{name}", type=Moment(), metavar="TIME", section=FIT, stated=stated, help=text)


fit_options = together(
    option(
        "--mirror",
        type=click.Choice(["no", "yes", "either"]),
        default="no",
        show_default=True,
        metavar="SENSE",
        section=FIT,
        help="Compare left with left (no), as in a mirror (yes), or try both and count that in p "
        "(either).",
    ),
    _flipped("participant"),
    _flipped("model"),
    option(
        "--offset",
        type=Shift(),
        default=0.0,
        stated="0",
        metavar="SECONDS",
        section=FIT,
        help="Added to the participant's clock, if the recordings did not start together; auto: "
        "found from what both heard.",
    ),
    option(
        "--remove-drift",
        is_flag=True,
        section=FIT,
        help="With --offset auto: take out by how much one clock gains on the other.",
    ),
    _moment(
        "start",
        "the beginning",
        "Compare from here: a time in the participant's recording, in seconds or h:mm:ss.",
    ),
    _moment("end", "the end", "Compare up to here."),
    _moment("model-start", "the same time", "As --start, on the model's own clock."),
    _moment("model-end", "the same time", "As --end, on the model's own clock."),
)

clock_options = together(
    option(
        "--fps",
        type=float,
        metavar="RATE",
        section=WINDOWS,
        stated="the lower of the two recordings' rates",
        help="Frames a second to compare at. Of files without times, also what their rows count.",
    ),
)

window_options = together(
    option(
        "--width",
        type=float,
        metavar="SECONDS",
        section=WINDOWS,
        stated="2",
        help="Length of a window.",
    ),
    option(
        "--step",
        type=float,
        metavar="SECONDS",
        section=WINDOWS,
        stated="half of the width",
        help="Time from one window to the next.",
    ),
    option(
        "--lag",
        type=float,
        metavar="SECONDS",
        section=WINDOWS,
        stated="1.2",
        help="How late an imitation may come and still count.",
    ),
)

_TIME_UNITS, _ANGLE_UNITS = ("s", "ms", "us", "ns"), ("rad", "deg")

latency_option = option(
    "--latency",
    type=float,
    nargs=2,
    metavar="LEAST MOST",
    section=CHANCE,
    stated="-0.2 1.5",
    help="How late the participant may be in a trial, in seconds; negative: ahead.",
)

trial_options = together(
    option(
        "--trials",
        type=FILE,
        metavar="FILE",
        section=CHANCE,
        stated="none",
        help="When something is shown, and what: events.tsv as in BIDS (onset, duration, "
        "trial_type), a CSV of the same, or a file of ELAN or BORIS; in seconds of the model's "
        "recording. Tests whether what the participant does depends on what is shown.",
    ),
    latency_option,
)

chance_options = together(
    option(
        "--surrogates",
        "n_surrogates",
        type=click.IntRange(min=19),
        default=999,
        show_default=True,
        metavar="NUMBER",
        section=CHANCE,
        help="How many copies with broken coupling make up 'chance'; 19 or more.",
    ),
    option(
        "--surrogate",
        type=click.Choice(["circular", "segments", "local", "phase"]),
        default="circular",
        show_default=True,
        metavar="NAME",
        section=CHANCE,
        help="How the coupling is broken: circular, segments, local or phase; the documentation "
        "says which fits when.",
    ),
    option(
        "--seed",
        type=int,
        section=CHANCE,
        metavar="NUMBER",
        stated="another each time, kept in run.json",
        help="Start of the random numbers, to repeat a run exactly.",
    ),
)

face_options = for_each(
    "face",
    "video",
    FACES,
    type=Face(),
    stated="largest",
    help="Which face, or body, to follow where there are several: largest, left, right, or a "
    "number from 0, counted from the left of the picture.",
)

body_fps_option = option(
    "--body-fps",
    type=click.FloatRange(min=1, max=FASTEST),
    metavar="RATE",
    section=FACES,
    stated="all that there are",
    help="Look at so many frames a second for bodies. 15 are enough for movements of less than 6 a "
    "second, and take half the time of 30; latencies are a little less fine.",
)

table_options = together(
    option(
        "--participant-fps",
        type=float,
        metavar="RATE",
        section=TABLES,
        help="Frames a second of the participant's file, where it holds no times or false ones.",
    ),
    option(
        "--model-fps",
        type=float,
        metavar="RATE",
        section=TABLES,
        help="The same, for the model's file.",
    ),
    for_each(
        "person",
        "file",
        TABLES,
        metavar="NAME",
        help="Whose signals, where a file tells several people apart.",
    ),
    for_each(
        "time-unit",
        "file",
        TABLES,
        type=click.Choice(_TIME_UNITS),
        metavar="UNIT",
        stated="what its program writes, or s",
        help="What the times in a file count: s, ms, us or ns.",
    ),
    for_each(
        "angle-unit",
        "file",
        TABLES,
        type=click.Choice(_ANGLE_UNITS),
        metavar="UNIT",
        stated="what its program writes",
        help="What the angles in a file are in: rad or deg.",
    ),
)

#: The same for one file, as `info` reads it.
file_options = together(
    option(
        "--fps",
        type=float,
        metavar="RATE",
        section=TABLES,
        help="Frames a second, where the file holds no times or false ones.",
    ),
    option(
        "--kind",
        section=TABLES,
        metavar="KIND",
        stated="the first that it holds",
        help="Which signals, where the file holds several kinds: expression, pose, landmark and "
        "so on.",
    ),
    option(
        "--person",
        section=TABLES,
        metavar="NAME",
        help="Whose signals, where the file tells several people apart.",
    ),
    option(
        "--time-unit",
        type=click.Choice(_TIME_UNITS),
        metavar="UNIT",
        section=TABLES,
        stated="what its program writes, or s",
        help="What the times in the file count: s, ms, us or ns.",
    ),
    option(
        "--angle-unit",
        type=click.Choice(_ANGLE_UNITS),
        metavar="UNIT",
        section=TABLES,
        stated="what its program writes",
        help="What the angles in the file are in: rad or deg.",
    ),
)
