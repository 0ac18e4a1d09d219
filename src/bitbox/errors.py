"""The few kinds of error that bitbox raises on purpose.

Each says what happened, what was expected, what was got and what to do, in sentences meant for
the person at the keyboard.
"""

from __future__ import annotations


class BitboxError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    what : str
        What happened, as a full sentence.
    expected, got : str, optional
        Short phrases: what was expected, and what was found instead.
    todo : str, optional
        What the user can do about it, as a full sentence.

    Attributes
    ----------
    role : {'participant', 'model'} or None
        Whose recording it is about, if it is about one.
    """

    role: str | None = None

    def __init__(
        self,
        what: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        todo: str | None = None,
    ) -> None:
        self.what = what
        self.expected = expected
        self.got = got
        self.todo = todo
        parts = [what]
        if expected is not None and got is not None:
            parts.append(f"Expected {expected}, but got {got}.")
        elif expected is not None:
            parts.append(f"Expected {expected}.")
        elif got is not None:
            parts.append(f"Got {got}.")
        if todo is not None:
            parts.append(todo)
        super().__init__(" ".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments, so that errors cross process borders."""
        return _rebuild, (type(self), self.what, self.expected, self.got, self.todo)


def _rebuild(
    kind: type[BitboxError], what: str, expected: str | None, got: str | None, todo: str | None
) -> BitboxError:
    return kind(what, expected=expected, got=got, todo=todo)


class InputError(BitboxError):
    """A file, or the data in it, cannot be used."""


class VideoError(InputError):
    """A video cannot be decoded, or holds nothing that can be measured."""


class TooShortError(InputError):
    """A recording is shorter than the analysis needs."""


class ParameterError(BitboxError, ValueError):
    """An argument has a value that makes no sense."""


class NoClockError(InputError, ParameterError):
    """A file holds no times, and its frame rate is not given."""


class SchemaError(BitboxError, TypeError):
    """Signals of a kind that is not accepted, or two kinds that cannot be compared."""


class BackendError(BitboxError, RuntimeError):
    """A face-processing runtime is missing or failed."""


class OutputError(BitboxError, OSError):
    """Results cannot be written."""
