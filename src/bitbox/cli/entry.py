"""From the arguments to an exit code: the last line before a person."""

from __future__ import annotations

import os
import sys

import click

from bitbox.cli.commands import app
from bitbox.cli.terminal import Terminal
from bitbox.errors import BitboxError, ParameterError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


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
