"""Messages speak of Python's arguments; at the command line they have to speak of its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

#: What an argument is called in Python, and in commands where that is something else.
_CALLED = {"signals": "only", "casuality": "causality", "choice": "signals"}
#: What says it in commands that have no such option: a set of signals is of one kind.
_SAID_BY = {"kind": "signals"}

_ARGUMENT = re.compile(
    r"""
    `(?P<bare>[a-z]\w*)`                                     # `fps`
    | \b(?P<name>[a-z]\w*)=                                  # fps=29.97
      (?P<value>'[^']*'|"[^"]*"|\[[^\]]*\]|\.\.\.|[-+]?\w[\w.+-]*(?<![.-]))?
    """,
    re.VERBOSE,
)

Options = Mapping[str, tuple[str, str | None]]


def names_of_options(command: click.Command) -> Options:
    """Return how each argument of a command is written, and how its opposite."""
    return {
        str(parameter.name): (
            max(parameter.opts, key=len),
            max(parameter.secondary_opts, key=len, default=None),
        )
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }


def in_options(text: str, options: Options, role: str | None = None) -> str:
    """Return a message with options in place of Python's arguments.

    Parameters
    ----------
    text : str
        A message in which an argument stands as ``name=value`` or in backticks.
    options : mapping
        As by `names_of_options`. What is not an option is left as it is.
    role : {'participant', 'model'}, optional
        Whose recording the message is about: then ``fps`` is ``--participant-fps``.
    """

    def written(match: re.Match[str]) -> str:
        name = match["bare"] or match["name"]
        found = _find(name, options, role)
        if found is None:
            return match[0]
        option, opposite = found
        return option if match["bare"] else _with_value(option, opposite, match["value"])

    return _ARGUMENT.sub(written, text)


def _find(name: str, options: Options, role: str | None) -> tuple[str, str | None] | None:
    name = _CALLED.get(name, name)
    for known in (f"{role}_{name}", name, _SAID_BY.get(name, name)):
        if known in options:
            return options[known]
    return None


def _with_value(option: str, opposite: str | None, value: Any) -> str:
    if opposite is not None and value in ("True", "False"):
        return option if value == "True" else opposite
    if value is None or value == "True":
        return option
    if value == "None":
        return f"no {option}"
    plain = value[1:-1] if re.fullmatch(r"""(['"])\S+\1""", value) else value
    return f"{option} {plain}"
