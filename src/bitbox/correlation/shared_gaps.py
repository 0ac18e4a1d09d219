"""Windows from which all signals miss the same frames, as when the face was not found.

Then the common frames of x and y are the same for all pairs, and so is their number n. What a
signal loses by the frames that only the other person misses is found once for each lag, and

    cov = sum(x y) - sx sy / n,  r = cov / sqrt(var x var y)

with tables of all that concerns only one of the two. Missing frames are 0 in the panels, so the sum
of products is that over the common frames.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from bitbox.correlation import ahead, exact, gap_tiles, gaps, panels, single, sum_tiles, tiles
from bitbox.correlation.compiled import kernel, part
from bitbox.correlation.layout import LEAST
from bitbox.correlation.missing import lowest_bit, missing_bits
from bitbox.correlation.tiles import COLUMNS, ROWS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
Flags = NDArray[np.bool_]

#: What must be left of the variance of either window, as a share.
ENOUGH = math.sqrt(gap_tiles.ENOUGH)

#: What is odd about a window that is left to other kernels.
UNKNOWN = 8


class Tables(NamedTuple):
    """What windows have over the common frames, by y's first frame."""

    missed_x: Flags
    """Frames that x misses (frames,)."""
    missed_y: Flags
    """Frames that y misses (frames + lags - 1,)."""
    sums_x: Array
    """Sums (lags * d, n1)."""
    inverse_x: Array
    """One over the norm (lags, n1)."""
    means_y: Array
    """Sums by number of frames (lags * d, n2)."""
    inverse_y: Array
    """One over the norm, NaN where there are too few frames (lags, n2)."""
    squares: FloatArray
    """Room to work in (n1 or n2, whichever is more)."""


def tables(width: int, lags: int, d: int, signals: tuple[int, int]) -> Tables:
    """Return room for them."""
    (n1, n2), single = signals, np.float32
    return Tables(
        np.zeros(width, dtype=np.bool_),
        np.zeros(width + lags - 1, dtype=np.bool_),
        np.zeros((lags * d, n1), single),
        np.zeros((lags, n1), single),
        np.zeros((lags * d, n2), single),
        np.zeros((lags, n2), single),
        np.zeros(max(n1, n2)),
    )


@part
def same_frames(rows: FloatArray, at: tuple[int, int, int, int], missed: Flags) -> bool:
    """Find the frames that signals miss; return whether all miss the same.

    Those that miss every frame are not considered. at = (first frame, first column, signals, d).
    """
    start, column, n, d = at
    before = False
    for first in range(0, n, LEAST):
        begin = max(0, min(first, n - LEAST))
        every = 2**LEAST - 1
        for k in range(missed.size):
            every &= missing_bits(rows, (start + k) * d, column + begin)
        wanted = (2**LEAST - 1) & ~every  # those of the last eight that were looked at, once more
        if wanted == 0:
            continue
        lowest = lowest_bit(wanted)
        for k in range(missed.size):
            bits = missing_bits(rows, (start + k) * d, column + begin) & wanted
            gone = (bits >> lowest) & 1 == 1
            if bits != (wanted if gone else 0) or (before and gone != missed[k]):
                return False
            missed[k] = gone
        before = True
    return True


@part
def fill(room: Any, out: Tables, geometry: exact.Geometry) -> bool:
    """Fill the tables after the frames; return whether enough is left of every window."""
    x, y, inverse, sums, squares = room[0][0], room[1][0], room[1][1], room[1][2], room[1][3]
    d, width, fine = x.shape[0] // geometry.window, geometry.window, True
    for f in range(squares.shape[0]):
        count, lost_x, lost_y = 0, 0, 0
        for k in range(width):
            gone_x, gone_y = out.missed_x[k], out.missed_y[k + f]
            count += 0 if gone_x or gone_y else 1
            lost_x += 1 if gone_y and not gone_x else 0
            lost_y += 1 if gone_x and not gone_y else 0
        if count < geometry.need:
            out.inverse_y[f] = math.nan
            continue
        share, rows = 1.0 / count, slice(f * d, (f + 1) * d)
        out.sums_x[rows] = 0.0
        out.inverse_x[f] = 1.0  # the norms of x's windows
        if lost_x > 0:
            left = out.squares[: x.shape[1]]
            left[:] = 1.0
            lose(x, (0, out.missed_x), (f, out.missed_y), out.sums_x[rows], left)
            fine &= finish(out.sums_x[rows], left, share, out.inverse_x[f], out.inverse_x[f])
        total = out.means_y[rows]
        for j in range(y.shape[1]):
            out.squares[j] = squares[f, j]
            out.inverse_y[f, j] = inverse[f, j]
            for c in range(d):
                total[c, j] = sums[f * d + c, j]
        if lost_y > 0:
            left = out.squares[: y.shape[1]]
            lose(y, (f, out.missed_y), (0, out.missed_x), total, left)
            fine &= finish(total, left, share, room[1][7][f], out.inverse_y[f])
        for c in range(d):
            for j in range(y.shape[1]):
                total[c, j] *= share
    return fine


@part
def finish(total: Array, left: FloatArray, share: float, norms: Array, inverse: Array) -> bool:
    """Turn sums and squares into inverse norms; return whether enough is left of all of them."""
    few = 0
    for j in range(left.size):
        for c in range(total.shape[0]):
            left[j] -= total[c, j] * total[c, j] * share
        few += 1 if left[j] < ENOUGH * norms[j] else 0
        inverse[j] = 1.0 / math.sqrt(left[j])
    return few == 0


@part
def lose(
    panel: Array,
    own: tuple[int, Flags],
    other: tuple[int, Flags],
    total: Array,
    squares: FloatArray,
) -> None:
    """Take the frames that only the other person misses out of sums and squares.

    own, other = (first frame of the window, frames missed)
    """
    d = total.shape[0]
    for k in range(min(own[1].size - own[0], other[1].size - other[0])):
        if other[1][other[0] + k] and not own[1][own[0] + k]:
            for c in range(d):
                frame, sums = panel[(own[0] + k) * d + c], total[c]
                for j in range(squares.size):
                    sums[j] -= frame[j]
                    squares[j] -= frame[j] * frame[j]


@intrinsic
def tile(typing, registers, x, y, inverse, lost, lags, out, at):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """Do as `tiles.imitation` for windows from which all signals miss the same frames.

    lost = (sums and inverse norms of x, means of y), see `Tables`.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        e = tiles.Emitter(context, builder, x.dtype, registers.count == len(tiles.WIDE))
        (sums, n1), (norms, _), (means, n2) = e.tuple_data(lost, args[4])
        _, j0, _, d, _ = cgutils.unpack_tuple(builder, args[7])

        def take_out(frame: Any, first: Any, slots: Any) -> None:
            with e.loop(d) as c:
                row = e.add(e.mul(frame, d), c)
                of_y = e.load_parts(means, e.add(e.mul(row, n2), j0))
                for r, p in e.cells():
                    own = e.copy_of(sums, e.add(e.mul(row, n1), e.add(first, e.whole(r))))
                    e.subtract_from(slots[r, p], own, of_y[p])
            for (r, _), slot in slots.items():
                norm = e.copy_of(norms, e.add(e.mul(frame, n1), e.add(first, e.whole(r))))
                e.put(slot, builder.fmul(e.get(slot), norm))

        kinds, values = (list(a[1:4] + a[5:]) for a in (tuple(signature.args), tuple(args)))
        tiles.emit_imitation(e, kinds, values, take_out)
        return context.get_dummy_value()

    return types.void(registers, x, y, inverse, lost, lags, out, at), codegen


@kernel
def imitation(
    sides: Any,
    starts: IntArray,
    lags: tuple[IntArray, Array],
    geometry: exact.Geometry,
    room: Any,
    tables: Tables,
    out: tuple[Array, Array, IntArray],
    sums: FloatArray,
) -> None:
    """Do as `kernels.imitation` for the windows from which all signals miss the same frames.

    These may be none; and some signals may be still. Without sums, windows whose odd is 0 are left
    alone.
    """
    r, lag, odd = out
    lowest, registers = np.int64(lags[1][0]) - lags[0][0], geometry.registers
    beyond = lowest + lags[0].size - 1
    hard = np.empty(sides[1][1], dtype=np.bool_), np.empty(sides[1][3], dtype=np.bool_)
    for number in range(starts.size):
        slot = number % r.shape[0]
        if sums.size > 0 or odd[number] != 0:
            first = starts[number], starts[number] + lowest
            at_x, at_y = single.places(sides, first, geometry, lags[0].size, geometry.limit)
            found = panels.participant(registers, sides[0][0], room[0], at_x)
            found |= panels.reference(registers, sides[0][1], room[1], at_y)
            fine = ready(sides, first, found, geometry, room, tables, hard)
            odd[number] = 0 if fine else UNKNOWN
            if fine:
                coming = ahead.after(starts, number, geometry.window, beyond)
                x, y = room[0][0], room[1][0]
                lost = tables.sums_x, tables.inverse_x, tables.means_y
                own, d = (r[slot], lag[slot]), sides[1][4]
                for j in range(0, r.shape[2], COLUMNS):
                    ahead.fetch_some(sides, coming, j // COLUMNS, r.shape[2] // COLUMNS)
                    for i in range(0, r.shape[1], ROWS):
                        at = i, j, x.shape[0], d, np.int64(geometry.polarity)
                        tile(registers, x, y, tables.inverse_y, lost, lags, own, at)
            elif sums.size > 0:
                r[slot] = math.nan
        if sums.size > 0 and (slot == r.shape[0] - 1 or number == starts.size - 1):
            sum_tiles.add_windows(registers, r[: slot + 1], lag[: slot + 1], sums)


@part
def above(values: FloatArray, limit: float) -> bool:
    """Return whether any value is above a limit."""
    count = 0
    for value in values:
        count += 1 if value > limit else 0
    return count > 0


@part
def ready(
    sides: Any,
    at: tuple[int, int],
    found: int,
    geometry: exact.Geometry,
    room: Any,
    tables: Tables,
    hard: tuple[Flags, Flags],
) -> bool:
    """Fill the tables of a window after its panels; return whether all pairs can be done here.

    at = (first frame of x, of y); found : what `panels` found
    """
    (x, y), (column_x, n1, column_y, n2, d) = sides
    tables.missed_x[:] = False
    tables.missed_y[:] = False
    if found & panels.FAR:
        return False
    if found & panels.PARTIAL and (
        above(room[1][5][2], gaps.LIMIT)
        or not same_frames(x, (at[0], column_x, n1, d), tables.missed_x)
        or not same_frames(y, (at[1], column_y, n2, d), tables.missed_y)
    ):
        return False
    if found & panels.DOUBTFUL:
        hard[0][:] = False
        hard[1][:] = False
        single.settle_doubts(sides, at, geometry.window, room, hard)
        if gaps.any_of(hard[0]) or gaps.any_of(hard[1]):
            return False
    return fill(room, tables, geometry)
