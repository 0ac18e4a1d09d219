"""Which columns make one signal: landmarks and the head's rotation have several."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bitbox.errors import ParameterError, SchemaError
from bitbox.signals.checks import FloatArray, joint_columns, landmark_columns, some

Components = Literal["vector", "each", "magnitude"]

ROTATION = ("Rx", "Ry", "Rz")
TRANSLATION = ("Tx", "Ty", "Tz")
_LANDMARKS = ("landmark", "landmark-can")


def as_components(
    values: FloatArray,
    names: tuple[str, ...],
    kind: str,
    dimension: int,
    how: Components | None,
    angular: bool,
) -> tuple[tuple[str, ...], FloatArray]:
    """Return labels and an array (T, n, d), as documented by `Signals.components`."""
    how = how or ("vector" if dimension > 1 else "each")
    if how not in ("vector", "each", "magnitude"):
        raise ParameterError(
            "This way to treat vector signals is not known.",
            expected="components to be 'vector', 'each' or 'magnitude'",
            got=repr(how),
        )
    labels, columns = _vectors(names, kind, dimension, angular)
    if how == "each":
        flat = [c for group in columns for c in group]
        # row by row, as the engine reads them; of hours, what is there already isn't copied
        as_it_is = flat == list(range(len(names)))
        each = np.ascontiguousarray(values) if as_it_is else values.take(flat, axis=1)
        return tuple(names[c] for c in flat), each[:, :, None]
    array = values[:, columns]
    if how == "vector":
        return labels, array
    if array.shape[2] == 1:
        raise ParameterError(
            f"A magnitude needs signals with several coordinates, and {kind} has one.",
            todo="Leave `components` out, or use landmarks or head pose.",
        )
    return labels, np.sqrt(np.sum(array**2, axis=2, keepdims=True))


def _vectors(
    names: tuple[str, ...], kind: str, dimension: int, angular: bool
) -> tuple[tuple[str, ...], list[list[int]]]:
    """Labels, and the columns of each signal."""
    if kind == "pose":
        wanted = ROTATION if angular else TRANSLATION
        missing = [name for name in wanted if name not in names]
        if missing:
            raise SchemaError(
                "The head pose lacks columns that the analysis needs.",
                expected=", ".join(wanted),
                got=some(names),
            )
        return ("rotation" if angular else "translation",), [[names.index(n) for n in wanted]]
    if kind in _LANDMARKS:
        points = landmark_columns(names, dimension)
        return tuple(f"landmark {i}" for i in points), list(points.values())
    if kind == "body" and dimension > 1:
        joints = joint_columns(names, dimension)
        return tuple(joints), list(joints.values())
    return names, [[i] for i in range(len(names))]
