"""How long stored results are kept: a period for each folder, in a small file inside it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from bitbox.errors import InputError, ParameterError
from bitbox.files import replacing

FOREVER = "forever"
_SETTINGS = ".bitbox-cache.json"
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def parse_period(period: str) -> timedelta | None:
    """Return a retention period such as ``'6 months'`` as a time span.

    Parameters
    ----------
    period : str
        A whole number and ``days``, ``weeks``, ``months`` (30 days) or ``years`` (365 days), or
        ``'forever'``.

    Returns
    -------
    timedelta or None
        None for ``'forever'``.

    Raises
    ------
    ParameterError
        The text is not such a period.
    """
    text = period.strip().lower() if isinstance(period, str) else ""
    if text == FOREVER:
        return None
    match = re.fullmatch(r"(\d{1,5})\s*(day|week|month|year)s?", text)
    if match is None or int(match[1]) == 0:
        raise ParameterError(
            "The retention period was not understood.",
            expected="a whole number of days, weeks, months or years, such as '6 months', "
            "or 'forever'",
            got=repr(period),
        )
    return timedelta(days=int(match[1]) * _UNIT_DAYS[match[2]])


def read_period(folder: Path) -> str:
    """Return the period of a folder; ``'forever'`` if it was never set.

    Raises
    ------
    InputError
        The file cannot be read or understood.
    """
    path = folder / _SETTINGS
    try:
        period = json.loads(path.read_text(encoding="utf-8"))["retention"]
        parse_period(period)
    except FileNotFoundError:
        return FOREVER
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(
            f"The cache settings {str(path)!r} cannot be read.",
            todo="Delete that file: the retention period is then 'forever' until it is set again.",
        ) from error
    return str(period)


def save_period(folder: Path, period: str) -> None:
    """Set the period of a folder.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    with replacing(folder / _SETTINGS) as temporary:
        temporary.write_text(json.dumps({"retention": period}), encoding="utf-8")
