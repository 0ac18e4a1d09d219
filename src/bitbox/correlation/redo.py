"""Pairs of which gaps take too much for float32: found by a mark in r, done again in float64.

What is left of a window is a difference of sums. In float64 it may be a small one: about the mean
of what is there, sums are good to 1e-16 of themselves. What is smaller than `LEFT` is done by the
definition.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from bitbox.correlation import exact, gap_tiles
from bitbox.correlation.compiled import part
from bitbox.correlation.layout import LEAST
from bitbox.correlation.panels import DELICATE, LARGEST, SMALLEST
from bitbox.correlation.tiles import COLUMNS, ROWS, WIDE, Emitter

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]

#: Between 1 and the mark of a pair that must be redone.
BEYOND = (1.0 + gap_tiles.REDO) / 2

#: The share of a sum of squares that must be left of it, to be accurate in float64.
LEFT = 1e-6


@part
def mark(r: Array, states: Array, state: int, far_y: Array) -> None:
    """Mark the pairs of some signals of y, in tiles of a state."""
    for j in range(far_y.size):
        for i in range(r.shape[0] if far_y[j] else 0):
            if states[i // ROWS, j // COLUMNS] == state:
                r[i, j] = gap_tiles.REDO


@part
def marked(row: Array) -> bool:
    """Return whether a pair is marked; without a branch, so that it is done in vectors."""
    count = 0
    for j in range(row.size):
        count += 1 if row[j] > BEYOND else 0
    return count > 0


@part
def redo(
    sides: Any, start: int, lags: Any, geometry: exact.Geometry, out: tuple[Array, Array]
) -> None:
    """Do the marked pairs of one window again."""
    (x, y), (column_x, n1, column_y, n2, d) = sides
    a, b = x.reshape(x.shape[0] // d, d, x.shape[1]), y.reshape(y.shape[0] // d, d, y.shape[1])
    order = lags[1].astype(np.int64)
    width, places = geometry.window, -(-order.size // LEAST) * LEAST
    room = (
        np.empty((2, width)),
        np.zeros((2, width + places)),
        np.empty((6, places)),
        np.empty((4, order.size)),
    )
    for i in range(n1):
        for j in range(n2 if marked(out[0][i]) else 0):
            if out[0][i, j] > BEYOND:
                first, second = a[:, :, column_x + i], b[:, :, column_y + j]
                at = start, start + order[0] - lags[0][0], geometry.need
                if sums_by_lag(first, second, at, geometry.registers, room):
                    value, lag = choose(room[3], lags, geometry)
                else:
                    value, lag = exact.choose(first, second, start, order, geometry)
                out[0][i, j], out[1][i, j] = value, lag


@part
def about_mean(signal: FloatArray, start: int, c: int, out: FloatArray, frames: int) -> float:
    """Fill what is about the mean, 0 where missing, and whether it is there; return the mean."""
    total, count = 0.0, 0.0
    for k in range(frames):
        value = signal[start + k, c]
        out[0, k], out[1, k] = (value, 1.0) if value == value else (0.0, 0.0)
        total += out[0, k]
        count += out[1, k]
    mean = total / max(count, 1.0)
    for k in range(frames):
        out[0, k] = (out[0, k] - mean) * out[1, k]
    return mean


@intrinsic
def cross_sums(typing, registers, x, y, out):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Sum over the frames of a window, for every place of y's: a register of places at a time.

    x (2, frames), y (2, frames + places or more): values, 0 where missing, and 1 where they are
    there. out (6, places), in whole registers, is set to the number of common frames, and to the
    sums over them of products, of x's and of y's squares, of x, and of y.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = Emitter(context, builder, out.dtype, registers.count == len(WIDE))
        (a, frames), (b, stretch), (target, places) = (
            e.data(signature.args[k], args[k]) for k in (1, 2, 3)
        )
        with e.loop(builder.sdiv(places, e.whole(e.lanes))) as number:
            f = e.mul(number, e.whole(e.lanes))
            slots = [e.variable(e.constant(0.0)) for _ in range(6)]
            with e.loop(frames) as k:
                value, known = e.copy_of(a, k), e.copy_of(a, e.add(frames, k))
                other = e.load(b, e.add(k, f))
                there = e.load(b, e.add(e.add(stretch, k), f))
                own, others = builder.fmul(value, there), builder.fmul(known, other)
                factors = (known, there), (value, other), (value, own), (other, others)
                for slot, pair in zip(slots, factors, strict=False):
                    e.add_to(slot, *pair)
                for slot, addend in ((slots[4], own), (slots[5], others)):
                    e.put(slot, builder.fadd(e.get(slot), addend))
            for row, slot in enumerate(slots):
                e.store(e.get(slot), target, e.add(e.mul(e.whole(row), places), f))
        return context.get_dummy_value()

    return types.void(registers, x, y, out), codegen


@part
def sums_by_lag(
    a: FloatArray,
    b: FloatArray,
    at: tuple[int, int, int],
    registers: tuple[int, ...],
    room: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> bool:
    """Sum up the common frames of one pair for each lag; return whether that is accurate.

    at = (first frame of a, lowest of b, frames needed). The sums, in the last of `room`, are by b's
    first frame: number of common frames, and of products, and of a's and of b's squares about the
    means over them.
    """
    x, y, found, sums = room
    start, lowest, need = at
    energy_x, energy_y, floor_x, floor_y = 0.0, 0.0, SMALLEST, SMALLEST
    sums[:] = 0.0
    stretch = x.shape[1] + sums.shape[1] - 1
    for c in range(a.shape[1]):
        mean_x = about_mean(a, start, c, x, x.shape[1])
        mean_y = about_mean(b, lowest, c, y, stretch)
        cross_sums(registers, x, y, found)
        floor_x += x.shape[1] * (DELICATE * mean_x) ** 2
        floor_y += x.shape[1] * (DELICATE * mean_y) ** 2
        for k in range(x.shape[1]):
            energy_x += x[0, k] * x[0, k]
        for k in range(stretch):
            energy_y += y[0, k] * y[0, k]
        for f in range(sums.shape[1]):
            share = 1.0 / max(found[0, f], 1.0)
            along_x, along_y = found[4, f], found[5, f]
            sums[0, f] = found[0, f]
            sums[1, f] += found[1, f] - along_x * along_y * share
            sums[2, f] += found[2, f] - along_x * along_x * share
            sums[3, f] += found[3, f] - along_y * along_y * share
    least_x, least_y = max(floor_x, LEFT * energy_x), max(floor_y, LEFT * energy_y)
    for f in range(sums.shape[1]):
        fine = least_x < sums[2, f] < LARGEST and least_y < sums[3, f] < LARGEST
        if sums[0, f] >= need and not fine:
            return False
    return True


@part
def choose(sums: FloatArray, lags: Any, geometry: exact.Geometry) -> tuple[float, float]:
    """Choose among the lags by what `sums_by_lag` found; NaN if none is defined."""
    best, chosen, lag = -2.0, math.nan, math.nan
    for q in range(lags[0].size):
        f = lags[0][q]
        if sums[0, f] >= geometry.need:
            r = sums[1, f] / math.sqrt(sums[2, f] * sums[3, f])
            score = abs(r) if geometry.polarity else r
            if score > best:
                best, chosen, lag = score, min(1.0, max(-1.0, r)), lags[1][q]
    return chosen, lag
