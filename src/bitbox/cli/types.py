"""What an option can be given: how its text is understood, and refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from bitbox.errors import ParameterError
from bitbox.workflow.settings import families_of, seconds_of


class File(click.Path):
    """A path, in which ``~`` stands for the home folder even where the shell left it alone."""

    name = "path"

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path, with the home folder in place of ``~``."""
        if not str(value):
            self.fail(
                "an empty name names nothing; is a variable of the shell not set?", param, ctx
            )
        if "\0" in str(value):
            self.fail(f"{str(value)!r} names no file: it holds a null character.", param, ctx)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parts or not path.parts[0].startswith("~") or path.exists():
            return path
        try:
            return path.expanduser()
        except RuntimeError:  # nobody of that name
            return path


FILE = File()


class Families(click.ParamType[str]):
    """Names of families of signals, with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the names without spaces between them."""
        try:
            return ",".join(families_of(str(value)))
        except ParameterError as error:
            self.fail(f"{error.what} Expected {error.expected}; got {error.got}.", param, ctx)


class Face(click.ParamType[str | int]):
    """largest, left, right, or a number."""

    name = "FACE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or the number."""
        text = str(value)
        if text in ("largest", "left", "right"):
            return text
        if text.isdecimal() and text.isascii():
            return int(text)
        return self.fail(f"{text!r} is not largest, left, right or a number from 0.", param, ctx)


class Moment(click.ParamType[float]):
    """A time in a recording: seconds, or h:mm:ss."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds."""
        if isinstance(value, float):
            return value
        try:
            return seconds_of(str(value))
        except ValueError as error:
            return self.fail(str(error), param, ctx)


class Shift(click.ParamType["float | str"]):
    """Seconds, or auto."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds, or the word."""
        if value == "auto":
            return value
        try:
            return float(value)
        except ValueError:
            return self.fail(f"{value!r} is not a number of seconds, or auto.", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """Names with commas between them."""

    name = "NAMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the names."""
        if isinstance(value, tuple):
            return value
        names = tuple(name.strip() for name in str(value).split(","))
        if not all(names):
            return self.fail(f"{value!r} is not a list of names like a,b,c.", param, ctx)
        return names
