"""From the arguments to an exit code: the last line before a person."""

from __future__ import annotations

import errno
import os
import sys

import click

from bitbox.cli.commands import app
from bitbox.cli.streams import lasting_streams
from bitbox.cli.terminal import Terminal
from bitbox.errors import BitboxError, OutputError, ParameterError
from bitbox.files import reason
from bitbox.system.interrupts import Stopped, ending_in_order
from bitbox.workflow.unforeseen import unforeseen

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_ENDS = {"SIGINT": "Interrupted.", "SIGTERM": "Terminated.", "SIGHUP": "Hung up."}
#: Least address space. With 1 to 2 GB OpenBLAS was seen to wait for ever for threads that it could
#: not start, and LLVM to abort.
_ADDRESS_SPACE = 4_000_000_000


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit.

    0: done; 1: it could not be done; 2: wrong usage; 130, 143, 129: interrupted, terminated, hung
    up.
    """
    with ending_in_order():
        with lasting_streams() as (out, _):
            code = run(arguments)
            out.flush()
            if out.failure is not None and code == DONE and not _reader_left(out.failure):
                Terminal().error(
                    OutputError(
                        f"What was to be shown could not be written: {reason(out.failure)}.",
                        todo="The results themselves are complete, where the command writes any.",
                    )
                )
                code = FAILED
        if code > 128:
            # `python -m` ends by the signal itself, whatever the code, where the interruption hit
            # source text that a library executes, as for data classes and compiled kernels.
            os._exit(code)
    sys.exit(code)


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if "--quiet" in given:  # wherever it stands
        given = ["--quiet", *(argument for argument in given if argument != "--quiet")]
    terminal = Terminal()
    try:
        _require_address_space()
        code = app.main(args=given, prog_name="bitbox", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return DONE
    except click.ClickException as error:
        error.show()
        return WRONG_USAGE
    except (click.Abort, KeyboardInterrupt) as error:
        return _stopped(terminal, error.__cause__ or error)
    except BitboxError as error:
        if debug:
            raise
        terminal.error(error)
        return WRONG_USAGE if isinstance(error, ParameterError) else FAILED
    except Exception as error:  # the last line of defence before a person
        if debug:
            raise
        terminal.error(unforeseen(error))
        return FAILED
    return code if isinstance(code, int) else DONE


def _require_address_space() -> None:
    """Refuse a limit under which libraries fail in the middle, abort, or wait for ever.

    Raises
    ------
    BitboxError
        The limit is too low.
    """
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < _ADDRESS_SPACE:
        raise BitboxError(
            "There is not enough memory: this shell limits it ('ulimit -v').",
            expected=f"{_ADDRESS_SPACE / 1e9:.0f} GB at least, since libraries reserve far more "
            "than they use",
            got=f"{limit / 1e9:.1f} GB",
            todo="Raise the limit: ulimit -v unlimited.",
        )


def _stopped(terminal: Terminal, error: BaseException) -> int:
    """Say how the run was ended and what is there, and return the exit code."""
    name, code = ("SIGINT", INTERRUPTED)
    if isinstance(error, Stopped):
        name, code = str(error), error.exit_code
    terminal.warn(" ".join([_ENDS[name], *getattr(error, "__notes__", ())]))
    return code


def _reader_left(error: OSError) -> bool:
    return error.errno == errno.EPIPE
