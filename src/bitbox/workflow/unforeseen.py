"""What to say of an error that nobody foresaw: trouble of the machine, or a defect."""

from __future__ import annotations

from bitbox.errors import BitboxError
from bitbox.files import reason
from bitbox.system.extras import unusable

#: What libraries say where the system gave them no memory or no thread.
_NO_MEMORY = ("can't start new thread", "allocate memory", "failed to map segment", "bad_alloc")


def unforeseen(error: Exception) -> BitboxError:
    """Return an error that says in words what happened, and what can be done about it."""
    if isinstance(error, MemoryError) or any(word in str(error) for word in _NO_MEMORY):
        return BitboxError(
            f"There is not enough memory: {reason(error)}.",
            todo="Close other programs, raise the limit if one is set (see 'ulimit -v'), or use "
            "shorter recordings.",
        )
    if isinstance(error, ImportError):
        return unusable(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if isinstance(error.filename, str) else ""
        return BitboxError(
            f"The system refused something: {reason(error)}{where}.",
            todo="Check that the file and its folder are there, that you may use them, and that "
            "the disk is not full. 'bitbox --debug ...' shows the details.",
        )
    return BitboxError(
        f"openbitbox has a defect: {type(error).__name__}.",
        todo="Run the same command with 'bitbox --debug ...' and report what it prints.",
    )
