"""What the command shows in a terminal: progress with time left, tables, findings, errors."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from bitbox.cli.wording import Options, in_options
from bitbox.errors import BitboxError
from bitbox.findings import Finding
from bitbox.progress import Progress
from bitbox.system.harmless import visible

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Task

_SEVERITY = {
    "info": ("note", "cyan"),
    "warning": ("look", "yellow"),
    "error": ("problem", "red"),
}
_A_LINE = 60.0  # seconds between two lines of one task, off a terminal
Formats = Mapping[str, Callable[[Any], str]]


class _Rate(TextColumn):
    """Items a second, once there is something to say."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        return Text("" if not task.speed else f"{task.speed:,.0f}/s", style="dim")


class Terminal:
    """Standard output for results, standard error for everything about the way there.

    Parameters
    ----------
    quiet : bool
        Show results and errors only.

    Attributes
    ----------
    options : mapping
        The options of the command, so that what it says can name them instead of the arguments
        that Python has; see :func:`bitbox.cli.wording.in_options`.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.options: Options = {}
        self.out = _console()
        self.err = _console(stderr=True)

    def say(self, text: str) -> None:
        """Write a line about the way there."""
        if not self.quiet:
            self.err.print(_plain(text, lines=True))

    def warn(self, text: str) -> None:
        """Write a line that is seen even by those who want results only."""
        self.err.print(_plain(text, lines=True))

    def show(self, text: str = "", style: str | None = None, *, whole: bool = False) -> None:
        """Write a line of the result; with `whole` no line is broken, so that it can be copied."""
        self.out.print(_plain(text, lines=True), style=style, soft_wrap=True if whole else None)

    def advise(self, text: str) -> None:
        """Write a line of the result that speaks of arguments."""
        self.show(in_options(text, self.options))

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Give a callback that keeps one bar a task, with rate and time left."""
        if self.quiet or not self.err.is_terminal:
            yield _Lines(self)
            return
        bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self.err,
        )
        tasks: dict[str, TaskID] = {}
        lock = threading.Lock()

        def report(task: str, done: int, total: int | None) -> None:
            with lock:
                if task not in tasks:
                    tasks[task] = bars.add_task(_plain(task), total=total)
            bars.update(tasks[task], completed=done, total=total)

        with bars:
            yield report

    def table(
        self,
        frame: pd.DataFrame,
        title: str,
        formats: Formats,
        headings: Mapping[str, str],
        spare: Sequence[str] = (),
    ) -> None:
        """Write a DataFrame with its index as first column; undefined values as a dash.

        Only the columns that `formats` names are shown, in its order. In a terminal that is too
        narrow those in `spare` are left out, the first first, as far as need be.
        """
        columns = [name for name in formats if name in frame.columns]
        table = _table(frame, title, columns, formats, headings)
        for name in spare:
            if self._width(table) <= self.out.width or not self.out.is_terminal:
                break
            columns = [column for column in columns if column != name]
            table = _table(frame, title, columns, formats, headings)
        # never narrower than its content: a broken line is easier to read than a cut number
        width = max(self._width(table), self.out.width)
        Console(file=self.out.file, width=width, highlight=False).print(table)

    def _width(self, table: Table) -> int:
        return Measurement.get(self.out, self.out.options.update(max_width=10_000), table).maximum

    def findings(self, findings: Sequence[Finding]) -> None:
        """Write what was noticed, the gravest first."""
        order = {"error": 0, "warning": 1, "info": 2}
        for finding in sorted(findings, key=lambda f: order[f.severity]):
            word, colour = _SEVERITY[finding.severity]
            who = finding.message.split(":", 1)[0].lower()
            role = who if who in ("participant", "model") else None
            message, todo = (
                _plain(in_options(text, self.options, role))
                for text in (finding.message, finding.todo)
            )
            self.err.print(f"[{colour}]{word}:[/] {message} [dim]{todo}[/]")

    def error(self, error: BitboxError) -> None:
        """Write what happened, what was expected, what was got and what to do."""
        self.err.print(f"[bold red]Error:[/] {_plain(error.what)}")
        for word, text in (("Expected", error.expected), ("Got", error.got)):
            if text is not None:
                self._indented(f"{word}: {text}")
        if error.todo is not None:
            self._indented(error.todo)

    def _indented(self, text: str) -> None:
        if self.err.soft_wrap:
            self.err.print(f"  {_plain(text)}")
        else:
            self.err.print(Padding(_plain(text), (0, 0, 0, 2), expand=False))


def _table(
    frame: pd.DataFrame,
    title: str,
    columns: Sequence[str],
    formats: Formats,
    headings: Mapping[str, str],
) -> Table:
    table = Table(
        title=_plain(title),
        title_justify="left",
        title_style="bold",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column(headings.get("signal", "signal"), no_wrap=True)
    for name in columns:
        table.add_column(headings.get(name, name), justify="right", no_wrap=True)
    for label, row in frame.iterrows():
        cells = ["–" if _undefined(row[name]) else formats[name](row[name]) for name in columns]
        table.add_row(_plain(str(label)), *map(_plain, cells))
    return table


class _Lines:
    """Progress where there is no terminal: a line when a task begins, and one a minute."""

    def __init__(self, terminal: Terminal, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal
        self._clock = clock
        self._begun: dict[str, tuple[float, int]] = {}
        self._said = 0.0

    def __call__(self, task: str, done: int, total: int | None) -> None:
        now = self._clock()
        if task not in self._begun:
            self._begun[task] = (now, done)
            self._said = now
            self._terminal.say(f"{task} ...")
            return
        if now - self._said < _A_LINE:
            return
        self._said = now
        start, first = self._begun[task]
        of_all = "" if total is None else f" of {total}"
        left = ""
        if total is not None and done > first:
            minutes = (now - start) / (done - first) * (total - done) / 60
            left = f", about {max(1, round(minutes))} min left"
        self._terminal.say(f"{task}: {done}{of_all}{left}")


def _console(**named: Any) -> Console:
    """Return a console that breaks lines between words, where it is a terminal."""
    console = Console(highlight=False, **named)
    console.soft_wrap = not console.is_terminal
    return console


def _plain(text: str, *, lines: bool = False) -> str:
    """Return text of which nothing is markup, and nothing moves the cursor or hides."""
    return escape(visible(text, lines=lines))


def _undefined(value: object) -> bool:
    return isinstance(value, float) and value != value
