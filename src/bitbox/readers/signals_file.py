"""Any saved signals: which tool wrote a file is found out from the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bitbox.errors import InputError, ParameterError
from bitbox.files import require_file
from bitbox.readers import blendshapes, faces
from bitbox.readers.clock import AngleUnit, Stated, TimeUnit
from bitbox.readers.columns import read_flavour
from bitbox.readers.livelink import LIVE_LINK
from bitbox.readers.openpose import is_openpose_folder, read_openpose
from bitbox.readers.plain import PLAIN, need_clock
from bitbox.readers.table import read_table
from bitbox.readers.threedi import read_threedi
from bitbox.signals import Signals
from bitbox.signals.checks import FASTEST, SLOWEST


def read_signals(
    path: str | Path,
    *,
    fps: float | None = None,
    kind: str | None = None,
    person: str | int | None = None,
    time_unit: TimeUnit | None = None,
    angle_unit: AngleUnit | None = None,
) -> Signals:
    """Read signals that bitbox or another tool saved.

    Parameters
    ----------
    path : path
        Signals saved by bitbox (Parquet, CSV); a table of OpenFace, py-feat or LibreFace; MediaPipe
        blendshapes (CSV or JSON); a folder of OpenPose's JSON files; a text file of 3DI or
        3DI-lite; or any CSV with a column ``time`` in seconds.
    fps : float, optional
        Frame rate of the recording, from 3 to 500. Needed where the file holds no times; where it
        holds times that cannot be true, it decides, and `findings` of the Signals say so.
    kind : str, optional
        Which signals, where the file holds several kinds: ``'expression'``, ``'pose'``,
        ``'landmark'``, ... The default is the first of those that the file holds, in this order.
    person : str or int, optional
        Whose signals, where the file tells several people apart (``face_id`` of OpenFace,
        ``Identity`` of py-feat); of OpenPose's, ``'largest'``, ``'left'``, ``'right'`` or a number.
    time_unit : {'s', 'ms', 'us', 'ns'}, optional
        What the times of a table or of JSON count. None: what the tool's documentation says,
        seconds for any other table.
    angle_unit : {'rad', 'deg'}, optional
        What the head's angles in a tool's table are in. None: what the tool's documentation and
        the numbers tell; they are asked for where these leave it open.

    Returns
    -------
    Signals
        With the tool as `backend`, and the file's name and hash in `provenance`.

    Raises
    ------
    InputError
        The file is missing, empty, ragged or in another encoding; a column of numbers holds text
        or infinities; two columns have one name; time runs backwards; the times make less than 3
        or more than 500 frames a second, or contradict the frame numbers, and neither `fps` nor
        `time_unit` is given; the angles may be radians or degrees, and `angle_unit` is not given;
        or the file holds nothing of the wanted kind or person.
    ParameterError
        The file counts frames, and `fps` is not given, or not from 3 to 500; or `time_unit` is
        given for a file without times.

    Examples
    --------
    >>> import pandas as pd
    >>> smile = [k % 7 for k in range(90)]
    >>> table = pd.DataFrame({'time': [k / 30 for k in range(90)], 'smile': smile})
    >>> table.to_csv('face.csv', index=False)
    >>> from bitbox.readers import read_signals
    >>> signals = read_signals('face.csv')
    >>> signals.names
    ('smile',)
    >>> round(signals.rate)
    30
    """
    file = Path(path)
    whom = None if person is None else str(person)
    stated = Stated(fps, kind, whom, time_unit, angle_unit)
    if file.is_dir():
        _refuse(file, stated, "time_unit", "angle_unit")
        signals = _read_folder(file, stated)
    elif require_file(file, "a file of signals").st_size == 0:
        raise InputError(f"{file.name} is empty.", todo="Export the recording again.")
    elif file.suffix.lower() == ".parquet" or _starts_with(file, b"PAR1"):
        _refuse(file, stated, "fps", "person", "time_unit", "angle_unit")
        signals = _possible(Signals.from_parquet(file), file)
    elif file.suffix in (".3DI", ".3DIl"):
        _refuse(file, stated, "person", "time_unit", "angle_unit")
        signals = read_threedi(file, fps)
    elif file.suffix.lower() == ".json":
        _refuse(file, stated, "person", "angle_unit")
        signals = blendshapes.read_blendshapes_json(file, stated)
    else:
        return _read_stated(file, stated)
    if kind is not None and signals.kind != kind:
        raise InputError(
            f"{file.name} holds no signals of kind {kind!r}.",
            expected=repr(kind),
            got=repr(signals.kind),
            todo="Leave `kind` out to read what it holds.",
        )
    return signals


def _possible(signals: Signals, path: Path) -> Signals:
    """Return signals whose times make a frame rate that a recording of a person may have.

    Raises
    ------
    InputError
        They were likely made from times that were not in seconds.
    """
    rate = signals.rate
    if np.isnan(rate) or SLOWEST <= rate <= FASTEST:
        return signals
    raise InputError(
        f"{path.name}: its times, in seconds, make a frame rate that no recording of a person has.",
        expected=f"{SLOWEST:g} to {FASTEST:g} frames a second",
        got=f"{rate:,.4g} a second",
        todo="Make the Signals again from times in seconds, and save them again.",
    )


def _refuse(path: Path, stated: Stated, *names: str) -> None:
    """Raise an error if something is stated that a file of this sort leaves no question of."""
    for name in names:
        value = getattr(stated, name)
        if value is not None:
            raise ParameterError(
                f"{path.name} is of a sort of file of which this cannot be stated.",
                expected="another sort of file, such as a table",
                got=f"{name}={value!r}",
                todo=f"Leave `{name}` out.",
            )


def read_csv(
    path: str | Path,
    *,
    fps: float | None = None,
    kind: str | None = None,
    person: str | int | None = None,
    time_unit: TimeUnit | None = None,
    angle_unit: AngleUnit | None = None,
) -> Signals:
    """Read a CSV file; see :func:`read_signals`.

    Examples
    --------
    >>> import pandas as pd
    >>> smile = [k % 7 for k in range(90)]
    >>> table = pd.DataFrame({'time': [k / 30 for k in range(90)], 'smile': smile})
    >>> table.to_csv('face.csv', index=False)
    >>> from bitbox.readers import read_csv
    >>> read_csv('face.csv').names
    ('smile',)
    """
    whom = None if person is None else str(person)
    stated = Stated(fps, kind, whom, time_unit, angle_unit)
    return _read_stated(Path(path), stated)


def _read_stated(path: Path, stated: Stated) -> Signals:
    table = read_table(path)
    for flavour in _FLAVOURS:
        if flavour.matches(table.names):
            return read_flavour(table, flavour, stated)
    need_clock(table, stated)
    return read_flavour(table, PLAIN, stated)


def _read_folder(path: Path, stated: Stated) -> Signals:
    if is_openpose_folder(path):
        person = "largest" if stated.person is None else stated.person
        return read_openpose(path, stated.fps, int(person) if person.isdecimal() else person)
    raise InputError(
        f"{str(path.resolve())!r} is a folder, and not one that OpenPose wrote.",
        expected="a file of signals, or a folder of OpenPose's JSON files",
        todo="Name a file in it.",
    )


def _starts_with(path: Path, mark: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(mark)) == mark
    except OSError:
        return False  # the reader that comes next says what is wrong


_FLAVOURS = (
    faces.OPENFACE,
    faces.PYFEAT,
    faces.LIBREFACE,
    LIVE_LINK,
    blendshapes.TABLE,
)
