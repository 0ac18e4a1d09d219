"""When trials took place and what they showed: tables and files of annotation programs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bitbox.errors import InputError, ParameterError
from bitbox.files import reason, require_file
from bitbox.readers.dialect import encoding_of
from bitbox.signals.checks import some

if TYPE_CHECKING:
    import pandas as pd

#: Larger files hold no list of trials.
LARGEST = 50_000_000
_ONSET = ("onset", "start", "start (s)", "begin time - ss.msec", "begin")
_OFFSET = ("offset", "stop", "stop (s)", "end time - ss.msec", "end")
_DURATION = ("duration", "duration (s)")
_LABEL = ("trial_type", "label", "behavior", "condition", "annotation", "value")
_STRATUM = ("stratum", "strata", "block", "run")


def read_events(path: str | Path, *, tier: str | None = None) -> pd.DataFrame:
    r"""Read when trials began and ended, and what they showed.

    Parameters
    ----------
    path : path
        A table (CSV or TSV) with the columns ``onset``, ``duration`` (or ``offset``) in seconds and
        ``trial_type`` (or ``label``), as BIDS has it in ``events.tsv``; an export of BORIS, of
        events or aggregated; or annotations of ELAN (``.eaf``).
    tier : str, optional
        Of an ELAN file: which tier holds the trials. None: the only one that has times.

    Returns
    -------
    DataFrame
        With ``onset`` and ``duration`` in seconds, and ``trial_type``, one row a trial in the order
        of time; ``stratum`` where the table has a column of that name, ``block`` or ``run``.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no such table.
    ParameterError
        If `tier` names none of the file, or several have times and none is named.

    Examples
    --------
    >>> from pathlib import Path
    >>> from bitbox.readers import read_events
    >>> text = 'onset\tduration\ttrial_type\n1.5\t2.0\tsmile\n8.0\t2.5\tfrown\n'
    >>> _ = Path('events.tsv').write_text(text)
    >>> read_events('events.tsv')['trial_type'].tolist()
    ['smile', 'frown']
    """
    file = Path(path)
    size = require_file(file, "a list of trials").st_size
    if size > LARGEST:
        raise InputError(
            f"{file.name} is too large for a list of trials.",
            expected=f"at most {LARGEST // 10**6} MB",
            got=f"{size // 10**6} MB",
        )
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"The list of trials {file.name} cannot be read.",
            got=reason(error),
            todo="Check that you may read it, and that no other program holds it.",
        ) from error
    if data.lstrip()[:200].lstrip(b"\xef\xbb\xbf").startswith(b"<"):
        return _elan(data, file.name, tier)
    if tier is not None:
        raise ParameterError(
            "Only files of ELAN have tiers.", expected="tier=None", got=f"tier={tier!r}"
        )
    return events_of(_table(data, file.name), file.name)


def events_of(table: Any, name: str = "the table of trials") -> pd.DataFrame:
    """Return the trials of a DataFrame whose columns are called as `read_events` knows them.

    Raises
    ------
    InputError
        If a column is missing, or a time is no number.
    """
    import pandas as pd

    columns = {str(column).strip().lower(): column for column in table.columns}
    _refuse_several(table, columns, name)
    if {"behavior", "time"} <= set(columns) and not set(_ONSET) & set(columns):
        table = _paired(table, columns, name)
        columns = {str(column): column for column in table.columns}
    onset, offset, duration, label, stratum = (
        next((columns[name] for name in names if name in columns), None)
        for names in (_ONSET, _OFFSET, _DURATION, _LABEL, _STRATUM)
    )
    if onset is None or (offset is None and duration is None):
        raise InputError(
            f"{name} holds no trials.",
            expected="columns onset and duration (or offset) in seconds, and trial_type (or label)",
            got=some([str(column) for column in table.columns]),
        )
    starts = _seconds(table[onset], name, "onset")
    if duration is not None:
        lengths = _seconds(table[duration], name, "duration")
    else:
        lengths = _seconds(table[offset], name, "offset") - starts
    labels = table[label] if label is not None else [""] * len(table)
    found = pd.DataFrame(
        {"onset": starts, "duration": lengths, "trial_type": [_text(value) for value in labels]}
    )
    if stratum is not None:
        found["stratum"] = [_text(value) for value in table[stratum]]
    return found.sort_values("onset", kind="stable", ignore_index=True)


def _refuse_several(table: Any, columns: Mapping[str, Any], name: str) -> None:
    """Refuse trials of several people, which would all be taken for what the model shows."""
    whose = columns.get("subject")
    people = [] if whose is None else sorted({_text(value) for value in table[whose]} - {""})
    if len(people) > 1:
        raise InputError(
            f"{name} holds what {len(people)} people did (column {whose!r}).",
            expected="what the model shows",
            got=some(people),
            todo="Keep the rows of one of them.",
        )


def _text(value: Any) -> str:
    text = "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
    return "" if text.strip().lower() in ("n/a", "nan") else text.strip()


def _seconds(values: Any, name: str, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column of numbers."""
    found = []
    for row, value in enumerate(values, start=1):
        try:
            found.append(float(value))
        except (TypeError, ValueError):
            found.append(math.nan)
        if not math.isfinite(found[-1]):
            raise InputError(
                f"In {name}, the {what} of trial {row} is no number of seconds.", got=repr(value)
            )
    return np.array(found, dtype=np.float64)


def _table(data: bytes, name: str) -> pd.DataFrame:
    """Return a table of text, its separator guessed from its line of names."""
    import csv
    import io

    import pandas as pd

    try:
        text = data.decode(encoding_of(data))
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = text.splitlines()
    # an export of BORIS may begin with lines about the observation
    known = {*_ONSET, *_LABEL, "time"}
    for first, line in enumerate(lines[:60]):
        for separator in ("\t", ",", ";"):
            cells = next(csv.reader([line], delimiter=separator), [])
            if len(known & {cell.strip().lower() for cell in cells}) >= 1 and len(cells) > 1:
                rest = io.StringIO("\n".join(lines[first:]))
                rows = [row for row in csv.reader(rest, delimiter=separator) if any(row)]
                body = [row + [""] * (len(rows[0]) - len(row)) for row in rows[1:]]
                wide = next((k for k, row in enumerate(body) if len(row) != len(rows[0])), None)
                if wide is not None:
                    raise InputError(
                        f"In {name}, row {wide + 1} has more cells than there are columns.",
                        expected=f"{len(rows[0])}",
                        got=f"{len(body[wide])}",
                    )
                return pd.DataFrame(body, columns=rows[0])
    raise InputError(
        f"{name} holds no trials.",
        expected="a table (CSV or TSV) with the columns onset, duration and trial_type, an export "
        "of BORIS, or a file of ELAN",
        got=repr(lines[0][:60]) if lines else "an empty file",
    )


def _paired(table: pd.DataFrame, columns: Mapping[str, Any], name: str) -> pd.DataFrame:
    """Return the trials of BORIS' list of events: a state begins in one row and ends later."""
    import pandas as pd

    status = columns.get("behavior type", columns.get("status"))
    if status is None:
        raise InputError(
            f"{name} says when behaviours are, but not how long.",
            expected="a column 'Behavior type' or 'Status' with START and STOP",
            got=some(list(columns)),
        )
    begun: dict[str, float] = {}
    rows = []
    times = _seconds(table[columns["time"]], name, "time")
    for time, what, state in zip(times, table[columns["behavior"]], table[status], strict=True):
        mark = str(state).strip().upper()
        if mark == ("STOP" if str(what) not in begun else "START"):
            raise InputError(
                f"In {name}, {str(what)!r} {'stops' if mark == 'STOP' else 'starts'} at "
                f"{float(time):g} s, but did not {'start' if mark == 'STOP' else 'stop'} before.",
                todo="Mend it in BORIS (Tools, Check state events), and export again.",
            )
        if mark == "START":
            begun[str(what)] = float(time)
        elif mark == "STOP":
            start = begun.pop(str(what))
            rows.append((start, float(time) - start, str(what)))
    if begun:
        behaviour, start = next(iter(begun.items()))
        raise InputError(
            f"In {name}, {behaviour!r} starts at {start:g} s and never stops.",
            todo="Mend it in BORIS (Tools, Check state events), and export again.",
        )
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


def _elan(data: bytes, name: str, tier: str | None) -> pd.DataFrame:
    """Return the annotations of one tier of an ELAN file."""
    import pandas as pd

    tiers = _elan_tiers(data, name)
    if tier is not None and tier not in tiers:
        raise ParameterError(
            f"{name} has no such tier with annotations.",
            expected="one of " + some(list(tiers)),
            got=repr(tier),
        )
    if not tiers:
        raise InputError(f"{name} holds no annotations with times.")
    if tier is None and len(tiers) > 1:
        raise ParameterError(
            f"{name} has several tiers with annotations.",
            expected="tier=... with one of " + some(list(tiers)),
            got="none",
        )
    rows = tiers[tier if tier is not None else next(iter(tiers))]
    frame = pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])
    return frame.sort_values("onset", kind="stable", ignore_index=True)


def _elan_tiers(data: bytes, name: str) -> dict[str, Sequence[tuple[float, float, str]]]:
    from xml.etree import ElementTree as ET

    # the format has no document type; one that defines entities could grow without bound
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise InputError(f"{name} declares a document type, which ELAN never does.")
    try:
        root = ET.fromstring(data)  # noqa: S314  no entities: see above
    except ET.ParseError as error:
        raise InputError(f"{name} is no whole XML file.", got=str(error)) from error
    if root.tag != "ANNOTATION_DOCUMENT":
        raise InputError(
            f"{name} is no file of ELAN.", expected="ANNOTATION_DOCUMENT", got=str(root.tag)[:60]
        )
    slots = {
        slot.get("TIME_SLOT_ID"): float(value) / 1000.0
        for slot in root.iter("TIME_SLOT")
        if (value := slot.get("TIME_VALUE", "")).isdecimal()
    }
    tiers: dict[str, Sequence[tuple[float, float, str]]] = {}
    for one in root.iter("TIER"):
        rows = []
        for annotation in one.iter("ALIGNABLE_ANNOTATION"):
            ends = [slots.get(annotation.get(f"TIME_SLOT_REF{k}")) for k in (1, 2)]
            if ends[0] is None or ends[1] is None:
                continue
            label = (annotation.findtext("ANNOTATION_VALUE") or "").strip()
            rows.append((ends[0], ends[1] - ends[0], label))
        if rows:
            tiers[str(one.get("TIER_ID"))] = rows
    return tiers
