"""Bitbox's documented layout: what a dictionary in it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from bitbox.errors import InputError, ParameterError, SchemaError

DEFAULT_FPS = 30.0
_DEFAULT_DIMENSION = {"landmark": 2, "landmark-can": 3}
_JOINTS = "openbitbox-joints"
_DEFAULT_UNITS = {"rectangle": "px", "landmark": "px", "landmark-can": "mm"}


def from_dict(data: Mapping[str, Any], fps: float | None) -> dict[str, Any]:
    """Return the arguments of Signals that a dictionary stands for.

    Parameters
    ----------
    data, fps
        As for :meth:`bitbox.signals.Signals.from_bitbox`.

    Raises
    ------
    SchemaError, InputError, ParameterError
        As there.
    """
    if not isinstance(data, Mapping):
        raise SchemaError(
            "This is neither Signals nor a dictionary in Bitbox's layout.",
            expected="Signals, or a dictionary with 'type' and 'data'",
            got=f"{type(data).__name__}",
        )
    missing = [key for key in ("type", "data") if key not in data]
    if missing:
        raise SchemaError(
            "The dictionary lacks what Bitbox's layout has.",
            expected="the keys 'type' and 'data'",
            got=f"no {missing[0]!r} among {', '.join(map(repr, data)) or 'no keys'}",
        )
    frame = data["data"]
    if not hasattr(frame, "columns"):
        raise SchemaError(
            "The values of the dictionary must be a table.",
            expected="a pandas DataFrame under 'data'",
            got=type(frame).__name__,
        )
    kind = str(data["type"])
    time = data.get("time")
    assumed = {} if time is not None else {"assumed fps": fps or DEFAULT_FPS}
    return {
        "values": _numbers(frame),
        "time": _regular_times(len(frame), fps) if time is None else time,
        "names": tuple(str(name) for name in frame.columns),
        "kind": kind,
        "schema": str(data.get("schema", "unknown")),
        "units": str(data.get("units", _DEFAULT_UNITS.get(kind, "unknown"))),
        "dimension": _dimension(kind, data.get("dimension"), str(data.get("schema"))),
        "backend": str(data.get("backend", "unknown")),
        "confidence": data.get("confidence"),
        "provenance": dict(data.get("provenance", {})) | assumed,
    }


def _dimension(kind: str, given: Any, schema: str) -> int:
    """Coordinates a signal; the dictionary's own number counts for landmarks and our joints."""
    default = _DEFAULT_DIMENSION.get(kind)
    if default is None:
        return int(given) if given and kind == "body" and schema.startswith(_JOINTS) else 1
    return default if given is None else int(given)


def _numbers(frame: Any) -> Any:
    try:
        return frame.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            "The table under 'data' holds something that is not a number.",
            got=str(error),
            todo="Keep numeric columns only; a missing value is NaN.",
        ) from error


def _regular_times(n_frames: int, fps: float | None) -> np.ndarray[Any, np.dtype[np.float64]]:
    rate = DEFAULT_FPS if fps is None else float(fps)
    if not (np.isfinite(rate) and rate > 0):
        raise ParameterError(
            "The frame rate makes no sense.", expected="fps above 0", got=f"fps={fps}"
        )
    return np.arange(n_frames) / rate
