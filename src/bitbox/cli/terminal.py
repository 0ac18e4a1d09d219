"""What the command shows in a terminal: progress with time left, tables, findings, errors."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
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

from bitbox.errors import BitboxError
from bitbox.neutral import visible
from bitbox.progress import Progress
from bitbox.quality import Finding

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Task

_SEVERITY = {
    "info": ("note", "cyan"),
    "warning": ("look", "yellow"),
    "error": ("problem", "red"),
}
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
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Write a line about the way there."""
        if not self.quiet:
            self.err.print(_plain(text, lines=True))

    def warn(self, text: str) -> None:
        """Write a line that is seen even by those who want results only."""
        self.err.print(_plain(text, lines=True))

    def show(self, text: str = "", style: str | None = None) -> None:
        """Write a line of the result."""
        self.out.print(_plain(text, lines=True), style=style)

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
        self, frame: pd.DataFrame, title: str, formats: Formats, headings: Mapping[str, str]
    ) -> None:
        """Write a DataFrame with its index as first column; undefined values as a dash.

        Only the columns that `formats` names are shown, in its order.
        """
        table = Table(
            title=_plain(title),
            title_justify="left",
            title_style="bold",
            box=SIMPLE,
            padding=(0, 1),
        )
        table.add_column(headings.get("signal", "signal"), no_wrap=True)
        columns = [name for name in formats if name in frame.columns]
        for name in columns:
            table.add_column(headings.get(name, name), justify="right", no_wrap=True)
        for label, row in frame.iterrows():
            cells = ["–" if _undefined(row[name]) else formats[name](row[name]) for name in columns]
            table.add_row(_plain(str(label)), *map(_plain, cells))
        # never narrower than its content: a broken line is easier to read than a cut number
        width = Measurement.get(self.out, self.out.options.update(max_width=10_000), table).maximum
        Console(file=self.out.file, width=max(width, self.out.width), highlight=False).print(table)

    def findings(self, findings: Sequence[Finding]) -> None:
        """Write what was noticed, the gravest first."""
        order = {"error": 0, "warning": 1, "info": 2}
        for finding in sorted(findings, key=lambda f: order[f.severity]):
            word, colour = _SEVERITY[finding.severity]
            self.err.print(
                f"[{colour}]{word}:[/] {_plain(finding.message)} [dim]{_plain(finding.todo)}[/]"
            )

    def error(self, error: BitboxError) -> None:
        """Write what happened, what was expected, what was got and what to do."""
        self.err.print(f"[bold red]Error:[/] {_plain(error.what)}")
        for word, text in (("Expected", error.expected), ("Got", error.got)):
            if text is not None:
                self.err.print(f"  {word}: {_plain(text)}")
        if error.todo is not None:
            self.err.print(f"  {_plain(error.todo)}")


class _Lines:
    """Progress where there is no terminal to draw in: a line when a task begins."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._seen: set[str] = set()

    def __call__(self, task: str, _done: int, _total: int | None) -> None:
        if task not in self._seen:
            self._seen.add(task)
            self._terminal.say(f"{task} ...")


def _plain(text: str, *, lines: bool = False) -> str:
    """Return text of which nothing is markup, and nothing moves the cursor or hides."""
    return escape(visible(text, lines=lines))


def _undefined(value: object) -> bool:
    return isinstance(value, float) and value != value
