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

    Examples
    --------
    >>> from bitbox.errors import BitboxError
    >>> error = BitboxError(
    ...     'The file is empty.', expected='signals', got='0 bytes', todo='Save it again.'
    ... )
    >>> print(error)
    The file is empty. Expected signals, but got 0 bytes. Save it again.
    >>> error.todo
    'Save it again.'
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
        if got is not None and got.endswith(".") and not got.endswith(".."):
            parts[-1] = parts[-1][:-1]  # a sentence of its own already, of a library mostly
        if todo is not None:
            parts.append(todo)
        super().__init__(" ".join(parts))

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments, so that errors cross process borders."""
        return _rebuild, (type(self), self.what, self.expected, self.got, self.todo), self.__dict__


def _rebuild(
    kind: type[BitboxError], what: str, expected: str | None, got: str | None, todo: str | None
) -> BitboxError:
    return kind(what, expected=expected, got=got, todo=todo)


class InputError(BitboxError):
    """A file, or the data in it, cannot be used.

    Examples
    --------
    >>> from bitbox.errors import InputError
    >>> from bitbox.readers import read_signals
    >>> try:
    ...     signals = read_signals('nowhere.csv')
    ... except InputError as error:
    ...     print(error.what)
    There is no file nowhere.csv.
    """


class VideoError(InputError):
    """A video cannot be decoded, or holds nothing that can be measured.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.errors import VideoError
    >>> from bitbox.video import probe
    >>> _ = Path('text.mp4').write_text('no video')
    >>> try:
    ...     info = probe('text.mp4')
    ... except VideoError as error:
    ...     print(type(error).__name__)
    VideoError
    """


class TooShortError(InputError):
    """A recording is shorter than the analysis needs.

    Examples
    --------
    >>> from bitbox.errors import TooShortError
    >>> from bitbox.social import imitation
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> pair = imitated_pair(2, duration=1, seed=1)
    >>> try:
    ...     result = imitation(pair.participant, pair.model, width=2.0)
    ... except TooShortError as error:
    ...     print(error.what)
    The recording is too short for this analysis.
    """


class UnsureError(InputError):
    """Something was looked for, and what was found cannot be relied on.

    Examples
    --------
    >>> import numpy as np
    >>> from bitbox.errors import UnsureError
    >>> from bitbox.sync import offset
    >>> from bitbox.synthetic.sound import sound, write_sound
    >>> rng = np.random.default_rng(1)
    >>> names = [write_sound(f'{k}.mp4', sound('talk', 20, rng)) for k in range(2)]
    >>> try:
    ...     found = offset(*names)  # two different conversations
    ... except UnsureError as error:
    ...     print(error.what[:30])
    By how much the two recordings
    """


class ParameterError(BitboxError, ValueError):
    """An argument has a value that makes no sense.

    Examples
    --------
    >>> from bitbox.errors import ParameterError
    >>> from bitbox.social import imitation
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> pair = imitated_pair(2, duration=10, seed=1)
    >>> try:
    ...     result = imitation(pair.participant, pair.model, width=-1)
    ... except ParameterError as error:
    ...     print(isinstance(error, ValueError))
    True
    """


class NoClockError(InputError, ParameterError):
    """A file holds no times, and its frame rate is not given.

    Examples
    --------
    >>> import pandas as pd
    >>> from bitbox.errors import NoClockError
    >>> from bitbox.readers import read_signals
    >>> pd.DataFrame({'frame': range(90), 'smile': range(90)}).to_csv('face.csv', index=False)
    >>> try:
    ...     signals = read_signals('face.csv')
    ... except NoClockError as error:
    ...     print('fps' in str(error))
    True
    """


class SchemaError(BitboxError, TypeError):
    """Signals of a kind that is not accepted, or two kinds that cannot be compared.

    Examples
    --------
    >>> from bitbox.errors import SchemaError
    >>> from bitbox.social import imitation
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> pair = imitated_pair(2, duration=10, seed=1)
    >>> try:
    ...     result = imitation(pair.participant, pair.model.replace(schema='another'))
    ... except SchemaError as error:
    ...     print(isinstance(error, TypeError))
    True
    """


class BackendError(BitboxError, RuntimeError):
    """A face-processing runtime is missing or failed.

    Examples
    --------
    >>> from bitbox.errors import BackendError
    >>> from bitbox.face_backend import FaceProcessor3DI
    >>> try:
    ...     processor = FaceProcessor3DI('nowhere/3DI')
    ... except BackendError:
    ...     print('3DI is not there')
    3DI is not there
    """


class OutputError(BitboxError, OSError):
    """Results cannot be written.

    Examples
    --------
    >>> from bitbox.errors import OutputError
    >>> from bitbox.synthetic.signals import imitated_pair
    >>> signals = imitated_pair(2, duration=10, seed=1).model
    >>> try:
    ...     path = signals.to_csv('nowhere/signals.csv')
    ... except OutputError as error:
    ...     print(isinstance(error, OSError))
    True
    """
