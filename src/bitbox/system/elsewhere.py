"""Work that a process of its own does, for as long as this one waits for it.

Two threads of one process take turns whenever they run Python, and a pair of videos is half Python:
measured in two threads it takes a quarter longer than in two processes (`benchmarks.faces`). The
other process is a fresh interpreter, not a fork and not `multiprocessing`'s, which would run the
caller's script again. It ends when it is told to, when its work is done, and when this process is
gone, however that ended.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from bitbox.errors import BackendError, BitboxError
from bitbox.progress import Progress
from bitbox.system.memory import collect_seldom

T = TypeVar("T")

#: What it begins with: this very package, wherever this process found it.
_START = (
    "import importlib.util, sys; spec = importlib.util.spec_from_file_location('bitbox', {!r}); "
    "module = sys.modules['bitbox'] = importlib.util.module_from_spec(spec); "
    "spec.loader.exec_module(module); from bitbox.system.elsewhere import serve; serve()"
)
#: Seconds that it gets to end in order: it looks up at its next picture.
_PATIENCE = 10.0
_NONE = object()  # no answer will come any more


class NotStartedError(Exception):
    """There are no more processes to be had here."""


class _LeftAloneError(BaseException):
    """Nobody waits for the result any more."""


def elsewhere(
    function: Callable[..., T],
    arguments: Mapping[str, Any],
    progress: Progress,
    answer: Callable[[Any], Any],
) -> T:
    """Let another process call a function, and return what it returns.

    Parameters
    ----------
    function : callable
        Of a module; takes `arguments` and ``progress=``. What it takes and returns, and its errors,
        can be pickled.
    arguments : mapping
    progress : callable
        Told what the function tells; where it raises, the other process is ended.
    answer : callable
        Answers what the function asks by `ask`.

    Raises
    ------
    NotStartedError
        The other process could not be started.
    BackendError
        It ended without a result.
    Exception
        What the function raises, and what `progress` does.
    """
    try:
        child = subprocess.Popen(  # noqa: S603  this interpreter
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # what the terminal sends goes to this process, which decides
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # so on Windows
        )
    except (OSError, TypeError) as error:  # TypeError: this interpreter does not know itself
        raise NotStartedError from error
    with _ended(child) as (to, back):
        try:
            pickle.dump((function, dict(arguments)), to)
            to.flush()
            while True:
                kind, content = pickle.load(back)  # noqa: S301  from our own process
                if kind == "progress":
                    progress(*content)
                elif kind == "asks":
                    pickle.dump(answer(content), to)
                    to.flush()
                else:
                    break
        except (EOFError, BrokenPipeError) as error:
            code = child.wait()
            raise BackendError(
                "The process that measured the second recording ended before it was done.",
                got=f"exit code {code}" if code >= 0 else f"signal {-code}",
                todo="Run the command again. Where memory is short the system ends processes: "
                "then close other programs first.",
            ) from error
        if kind == "raised":
            raise content
        result: T = content
        return result


def _command() -> list[str]:
    """Return how this interpreter is started again.

    What lies in the working folder is imported only if this process would, too: a folder of data
    may hold a file named like a library.
    """
    near = "" in sys.path or os.getcwd() in sys.path
    start = _START.format(str(Path(__file__).parents[1] / "__init__.py"))
    return [sys.executable, *([] if near else ["-P"]), "-c", start]


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """Give the ends of both pipes, and see that the process is gone afterwards."""
    to, back = cast("IO[bytes]", child.stdin), cast("IO[bytes]", child.stdout)
    try:
        yield to, back
    finally:
        with contextlib.suppress(OSError):
            to.close()  # which tells it to end
        reading = threading.Thread(target=back.read)  # else it may wait to be heard
        reading.start()
        try:
            child.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        reading.join()
        back.close()


#: How this process asks the one that it works for; None where it works for itself.
_asking: Callable[[Any], Any] | None = None


def ask(question: Any) -> Any:
    """Ask the process that this one works for; return None where it works for itself."""
    return None if _asking is None else _asking(question)


def serve() -> None:
    """Do what the process that started this one wants."""
    global _asking
    collect_seldom()
    back = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no message
    function, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own process
    left = threading.Event()
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(left, answers), daemon=True).start()

    def tell(kind: str, content: Any) -> None:
        if left.is_set():
            raise _LeftAloneError
        try:
            pickle.dump((kind, content), back)
            back.flush()
        except BrokenPipeError:
            raise _LeftAloneError from None

    def asking(question: Any) -> Any:
        tell("asks", question)
        answer = answers.get()
        if answer is _NONE:
            raise _LeftAloneError
        return answer

    _asking = asking
    with contextlib.suppress(_LeftAloneError):
        try:
            result = function(**arguments, progress=lambda *told: tell("progress", told))
        except Exception as error:  # noqa: BLE001  it is raised where it is waited for
            tell("raised", _portable(error))
        else:
            tell("done", result)
    os._exit(0)  # at once: libraries' threads do not always end well


def _portable(error: Exception) -> Exception:
    """Return an error that can be sent, and says where it was raised if nobody meant it to be."""
    if not isinstance(error, BitboxError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301
    except Exception:  # noqa: BLE001  whatever it holds
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _listen(left: threading.Event, answers: queue.SimpleQueue[Any]) -> None:
    """Take answers, until nobody is left who would give any; then see that this process ends."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            answers.put(pickle.load(sys.stdin.buffer))  # noqa: S301  from our own process
    left.set()
    answers.put(_NONE)
    threading.Event().wait(_PATIENCE)
    os._exit(1)
