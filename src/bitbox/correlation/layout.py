"""Some frames of a recording, laid out for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bitbox.errors import InputError

FloatArray = NDArray[np.float64]

#: Signals that a vector of float64 takes at the most, and that `rows` has at the least.
LEAST = 8


def rows(array: NDArray[Any], signals: slice, begin: int, end: int) -> tuple[FloatArray, int]:
    """Return some frames as (frames * coordinates, signals), and the column of the first signal.

    Nothing is copied where the numbers already lie like that, other signals between them or not.
    """
    d = array.shape[2]
    n = signals.stop - signals.start
    as_it_is = d == 1 and array.dtype == np.float64 and array.flags.c_contiguous
    if as_it_is and n >= LEAST:
        return array[begin:end, :, 0], signals.start
    piece = array[begin:end, signals]
    out = np.empty((end - begin, d, max(n, LEAST)))
    out[:, :, :n] = piece.transpose(0, 2, 1)
    out[:, :, n:] = out[:, :, n - 1 : n]
    if d > 1:
        missing = np.isnan(out).any(axis=1)
        out.transpose(0, 2, 1)[missing] = np.nan
    return out.reshape(-1, out.shape[2]), 0


def laid_out(array: NDArray[Any], frames: tuple[int, int], name: str, multiple: int) -> FloatArray:
    """Return frames laid out (frames, coordinates, signals), padded with NaN to whole tiles."""
    from bitbox.correlation import windows

    begin, end = frames
    piece = np.ascontiguousarray(array[begin:end], dtype=np.float64)
    out = np.empty((end - begin, array.shape[2], -(-array.shape[1] // multiple) * multiple))
    # A power of two changes no digit; it keeps squares from overflowing or vanishing. It is
    # applied in two steps because that of the smallest numbers is itself too large.
    largest = windows.largest(piece)
    if np.isinf(largest).any():
        frame, signal, _ = (int(v) for v in np.argwhere(np.isinf(piece))[0])
        raise InputError(
            f"The array {name} holds an infinite value.",
            expected="finite numbers, or NaN where missing",
            got=f"infinity in frame {frame + begin} of signal {signal}",
        )
    exponent = -np.frexp(largest)[1]
    half = exponent // 2
    windows.lay_out(piece, np.ldexp(1.0, half), np.ldexp(1.0, exponent - half), out)
    return out


def aligned(rows: int, n: int, dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """Return a matrix of 0 that begins where a vector register's worth of memory does."""
    raw = np.zeros(rows * n + 16, dtype=dtype)
    first = -raw.ctypes.data % 64 // raw.itemsize
    return raw[first : first + rows * n].reshape(rows, n)
